"""`init`: the files of a new project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headwater.errors import DeclarationError
from headwater.model.connector import Connector
from headwater.model.load import PROJECT_FILE
from headwater.names import check_slug
from headwater.run.manage.missing_values import name_variable
from headwater.run.plugins import load_blueprint, load_connector_plugin
from headwater.run.secrets import UNFILLED

_PROJECT = """\
# What this project reads, and where it stores it. Reference: docs/reference/declarations.md
version: 1
name: {name}
{blueprint}warehouse: {{kind: duckdb, path: ".headwater/{{tenant}}.duckdb"}}
lake: {{url: ".headwater/lake"}}
ledger: {{url: "sqlite:///.headwater/ledger.db"}}
tenants:
  acme:
    connections:
{connection}"""

_CONNECTION = """\
      {name}:
        connector: {connector}
        settings:
{settings}
        # References, never the secrets themselves: env:NAME, file:PATH, keyring:SERVICE/NAME
        secrets:
{secrets}
"""

_IGNORE = ".headwater/\n.env\n"


def init_project(folder: Path, *, blueprint: str | None = None, connector: str | None = None) -> list[Path]:
    """Write a new project into `folder`, and return the paths of the new files. DeclarationError if it has a project."""
    if blueprint:
        load_blueprint(blueprint, where="--blueprint")
    manifest = load_connector_plugin(connector, where="--connector").connector if connector else None
    return _write_project(folder, manifest, blueprint=blueprint or "")


def _write_project(folder: Path, connector: Connector | None, *, blueprint: str) -> list[Path]:
    """Write the files that do not exist yet; nothing is overwritten."""
    if (folder / PROJECT_FILE).exists():
        hint = "choose another folder, or edit that file"
        raise DeclarationError(
            "The folder has a project already.", where=str(folder / PROJECT_FILE), details=PROJECT_FILE, hint=hint
        )
    files = {PROJECT_FILE: _render_project(folder, connector, blueprint), ".gitignore": _IGNORE}
    if connector:
        files[".env.example"] = "".join(f"{name_variable(connector, name)}=\n" for name in connector.secrets)
    return _write(folder, files)


def _write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    written: list[Path] = []
    try:
        (folder / "models").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = folder / name
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                written.append(path)
    except OSError as error:
        raise DeclarationError(
            "The project cannot be written.", where=str(folder), details=str(error), hint="choose another folder"
        ) from error
    return written


def _render_project(folder: Path, connector: Connector | None, blueprint: str) -> str:
    return _PROJECT.format(
        name=_derive_name(folder),
        blueprint=f"blueprint: {blueprint}\n" if blueprint else "",
        connection=_render_connection(connector) if connector else "      {}\n",
    )


def _render_connection(connector: Connector) -> str:
    settings = [f'          {name}: "{setting.default or UNFILLED}"' for name, setting in connector.settings.items()]
    secrets = [f'          {name}: "env:{name_variable(connector, name)}"' for name in connector.secrets]
    return _CONNECTION.format(
        name=connector.default_connection_name or connector.connector,
        connector=connector.connector,
        settings="\n".join(settings) or "          {}",
        secrets="\n".join(secrets) or "          {}",
    )


def _derive_name(folder: Path) -> str:
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in folder.resolve().name.lower())
    try:
        return check_slug(name.strip("-")[:48])
    except ValueError:
        return "my-project"
