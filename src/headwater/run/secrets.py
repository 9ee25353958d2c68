"""Resolves references to secrets, as late as possible. Secrets are never stored."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from headwater.errors import DeclarationError, HeadwaterError
from headwater.model.address import REFERENCES, check_ledger, has_secret
from headwater.model.connector import Connector
from headwater.model.project import Connection
from headwater.names import did_you_mean

UNFILLED = "CHANGE-ME"
"""The value that `headwater init` writes for a setting that only the user knows."""


def resolve(reference: str, *, root: Path, where: str) -> str:
    """Resolve a reference to a secret. DeclarationError if it is not a reference or has no value."""
    kind, _, name = reference.partition(":")
    reader = _READERS.get(kind)
    if reader is None or not name:
        raise DeclarationError(
            "A secret must be a reference, not the secret itself.",
            where=where,
            details="a value that is not a reference (not shown)",
            hint=f"use one of: {', '.join(f'{kind}:…' for kind in REFERENCES)}",
        )
    return reader(name, root, where)


def resolve_secrets(connection: Connection, connector: Connector, *, root: Path, where: str) -> dict[str, str]:
    """All secrets of a connector, by name. DeclarationError with the first missing or unknown one."""
    for name in connection.secrets:
        if name not in connector.secrets:
            hint = did_you_mean(name, connector.secrets)
            raise DeclarationError(
                f"{connector.connector} has no secret `{name}`.", where=where, details=name, hint=hint
            )
    for name, meaning in connector.secrets.items():
        if name not in connection.secrets:
            hint = f"add `{name}: env:SOME_NAME` under secrets ({meaning})"
            raise DeclarationError(f"The secret `{name}` is not set.", where=where, details="nothing", hint=hint)
    return {name: resolve(reference, root=root, where=where) for name, reference in connection.secrets.items()}


def fill_settings(connection: Connection, connector: Connector, *, where: str) -> dict[str, str]:
    """The settings of a connection with the defaults of its connector. DeclarationError for missing and unknown ones."""
    for name in connection.settings:
        if name not in connector.settings:
            hint = did_you_mean(name, connector.settings)
            raise DeclarationError(
                f"{connector.connector} has no setting `{name}`.", where=where, details=name, hint=hint
            )
    filled: dict[str, str] = {}
    for name, setting in connector.settings.items():
        value = connection.settings.get(name, setting.default)
        if value is None:
            hint = f"add `{name}:` under settings ({setting.description})"
            raise DeclarationError(f"The setting `{name}` is not set.", where=where, details="nothing", hint=hint)
        if value == UNFILLED:
            hint = f"set your own value ({setting.description})" if setting.description else "set your own value"
            raise DeclarationError(f"The setting `{name}` is not filled in.", where=where, details=value, hint=hint)
        filled[name] = value
    return filled


def resolve_url(url: str, *, root: Path, where: str) -> str:
    """A URL. If it is a reference, it is resolved."""
    return resolve(url, root=root, where=where) if url.partition(":")[0] in _READERS else url


def resolve_ledger_url(url: str, *, root: Path, where: str) -> str:
    """The URL of a ledger. DeclarationError if a reference resolves to a URL that is invalid in a project file."""
    resolved = resolve_url(url, root=root, where=where)
    if resolved != url and not has_secret(resolved):
        try:
            check_ledger(resolved)
        except ValueError as error:
            raise DeclarationError(
                "This URL cannot be a ledger.", where=where, details=resolved, hint=str(error)
            ) from error
    return resolved


def _read_environment(name: str, root: Path, where: str) -> str:
    del root
    value = os.environ.get(name)
    if not value:
        raise DeclarationError(
            f"The environment variable {name} is not set.",
            where=where,
            details=f"env:{name}",
            hint=f"export {name}=… before you run the command",
        )
    return value


def _read_file(name: str, root: Path, where: str) -> str:
    path = root / Path(name).expanduser()
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        hint = "the path is relative to the project folder"
        raise DeclarationError(
            "The file of a secret cannot be read.", where=where, details=f"{name}: {error.strerror}", hint=hint
        ) from error


def _read_keyring(name: str, root: Path, where: str) -> str:
    del root
    try:
        keyring = importlib.import_module("keyring")
    except ImportError as error:
        raise _build_unsupported_error("keyring", where) from error
    service, _, user = name.partition("/")
    value = keyring.get_password(service, user)
    if value is None:
        raise DeclarationError(
            "The keyring has no such entry.",
            where=where,
            details=f"keyring:{name}",
            hint=f"keyring set {service} {user}",
        )
    return str(value)


def _create_rejecting_reader(kind: str) -> Callable[[str, Path, str], str]:
    def read(name: str, root: Path, where: str) -> str:
        del name, root
        raise _build_unsupported_error(kind, where)

    return read


def _build_unsupported_error(kind: str, where: str) -> HeadwaterError:
    return DeclarationError(
        f"Secrets of kind `{kind}:` are not supported by this installation.",
        where=where,
        details=f"{kind}:…",
        hint="use env:NAME or file:PATH, or install the package that supports it",
    )


_READERS: Mapping[str, Callable[[str, Path, str], str]] = {
    "env": _read_environment,
    "file": _read_file,
    "keyring": _read_keyring,
    "aws-sm": _create_rejecting_reader("aws-sm"),
    "azure-kv": _create_rejecting_reader("azure-kv"),
}
