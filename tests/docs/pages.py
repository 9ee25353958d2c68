"""The reference pages that are made and not written: from `--help`, and from what is declared."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import os
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from headwater.cli.lazy_command import find_commands
from headwater.cli.main import run_command
from headwater.declared import Declared, describe_fields
from headwater.model.project import Declarations, WarehouseOptions
from headwater.run.plugins import list_warehouse_settings
from headwater.warehouse.settings import WarehouseSettings

DOCS = Path(__file__).parents[2] / "docs"

MADE = "<!-- Made by `make golden` from the sources; a change here is lost. -->\n"

EXIT_CODES = """\
| exit code | meaning |
| --- | --- |
| 0 | succeeded |
| 1 | failed |
| 2 | your declarations, or your command line |
| 3 | some parts failed, or the run was cancelled; the rest was done |
| 130 | stopped by a second Ctrl-C |
"""

PAGING_MODULES = ("page_number", "offset", "link_header", "next_url", "token", "forward_only", "keyset")

SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("The project", "`headwater.yaml`, at the root of a project.", ("headwater.model.project",)),
    (
        "Warehouses",
        "What `warehouse:` takes; `kind` says which. Other engines may be installed as plug-ins.",
        tuple(one.__module__ for one in list_warehouse_settings()),
    ),
    ("Entities and rules", "Files below `models/`: `entity:` and `rules:`.", ("headwater.model.entity",)),
    ("Dimensions", "Files below `models/`: `dimension:`.", ("headwater.model.dimension",)),
    ("Facts", "Files below `models/`: `fact:`.", ("headwater.model.fact",)),
    (
        "Connectors and resources",
        "A connector's `connector.yaml`.",
        ("headwater.model.connector", "headwater.model.resource"),
    ),
    (
        "Generated contracts",
        "The file that `headwater generate models --config` reads.",
        ("headwater.codegen.choice",),
    ),
    (
        "Variants",
        "What a manifest may name as `auth`, `paging`, `body`, `cursor`, `deletes`, `errors` and `limits`; `kind` says which.",
        (
            "headwater.wire.auth",
            "headwater.wire.session",
            "headwater.wire.oauth.refresh",
            "headwater.wire.oauth.assertion",
            "headwater.wire.signature.hmac_signature",
            "headwater.wire.signature.oauth1",
            *(f"headwater.wire.paging.{name}" for name in PAGING_MODULES),
            "headwater.wire.body",
            "headwater.wire.cursor",
            "headwater.wire.error_rule",
            "headwater.wire.limits",
        ),
    ),
)
"""Title, a line, and the modules whose nouns stand in it."""


INTERNAL = {Declarations, WarehouseOptions, WarehouseSettings}
"""Nouns that nobody declares: wholes that are put together, and what stands for the warehouses."""


def cli_page() -> str:
    """docs/reference/cli.md: every help page."""
    parts = [
        "# Command line\n",
        MADE,
        "Every command answers on standard output; progress and complaints go to standard error.",
        "`--json` prints exactly one JSON object instead. Of an error:",
        '`{"error": {"kind", "message", "at", "found", "fix"}}`.',
        "In it an instant is ISO 8601 in UTC, a decimal a number with all its digits, bytes base64.\n",
        EXIT_CODES,
    ]
    parts.extend(
        f"{'#' * (1 + len(words))} headwater {' '.join(words)}\n\n```text\n{help_of(words)}```\n"
        for words in command_words()
    )
    return "\n".join(parts)


def command_words() -> Iterator[tuple[str, ...]]:
    """The words of every command, and of its parts."""
    for name, command in find_commands().items():
        yield (name,)
        yield from ((name, part) for part in getattr(command.load(), "commands", ()))


def help_of(words: tuple[str, ...]) -> str:
    """A help page, as somebody with a terminal of 80 columns sees it."""
    shown, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with contextlib.redirect_stdout(shown):
            assert run_command((*words, "--help")) == 0
    finally:
        os.environ.pop("COLUMNS")
        if columns is not None:
            os.environ["COLUMNS"] = columns
    return shown.getvalue()


def declarations_page() -> str:
    """docs/reference/declarations.md: every noun, its keys and what they mean."""
    parts = [
        "# Declarations\n",
        MADE,
        "A declaration is YAML or Python; both are the same frozen, closed class. What is not listed here is",
        "refused, with file and line. `headwater schema` prints the same as JSON Schema for editors. What expressions may say:",
        "[expressions](expressions.md).\n",
    ]
    for title, line, modules in SECTIONS:
        parts.append(f"## {title}\n\n{line}\n")
        parts.extend(_noun(noun) for name in modules for noun in nouns(name))
    return "\n".join(parts)


def nouns(module_name: str) -> list[type[Declared]]:
    """The declared nouns of a module: the whole first, then its parts, which stand above it in the source."""
    module = importlib.import_module(module_name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Declared) and value.__module__ == module_name
    ]
    return [noun for noun in reversed(found) if noun not in INTERNAL]


def all_nouns() -> list[type[Declared]]:
    """Every noun that somebody may declare."""
    pending, found = [Declared], []
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.startswith("headwater."):
                found.append(kind)
    return found


def _noun(noun: type[Declared]) -> str:
    lines = [f"### {noun.__name__}\n", inspect.cleandoc(noun.__doc__ or ""), ""]
    if noun.model_fields:
        lines += ["| key | what it takes | default | meaning |", "| --- | --- | --- | --- |"]
        texts = describe_fields(noun)
        lines += [_row(info.alias or name, info, texts.get(name, "")) for name, info in noun.model_fields.items()]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, info: FieldInfo, text: str) -> str:
    meaning = " ".join(text.split()).replace("|", "\\|")
    return f"| `{name}` | {_kind(info.annotation, info.metadata)} | {_default(info)} | {meaning} |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default_factory() if info.default_factory else info.default  # type: ignore[call-arg]
    if value is PydanticUndefined or value is None or value in ("", (), {}):
        return ""
    if isinstance(value, Declared):
        return f"`{getattr(value, 'kind', None) or type(value).__name__}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(kind: Any, metadata: Any = ()) -> str:
    """A type, as a person would say it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _kind(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(item) for item in arguments if item is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{item}`" for item in arguments)
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin in (dict, Mapping):
        return f"{_kind(arguments[0])} -> {_kind(arguments[1])}"
    if kind is WarehouseOptions:
        return " or ".join(_kind(one) for one in list_warehouse_settings())
    if isinstance(kind, type) and issubclass(kind, Declared):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    return _name_check(metadata) or {"str": "text", "int": "number", "float": "number", "bool": "true or false"}.get(
        kind.__name__, kind.__name__
    )


def _name_check(metadata: Any) -> str:
    """What a checked text is called: a name, a span, a type."""
    names = {
        "check_name": "name",
        "check_slug": "name",
        "_check_span": "span",
        "check_chunk": "span",
        "check_dtype": "type",
    }
    checks = [item.func.__name__ for item in metadata if isinstance(item, AfterValidator)]
    return next((names[check] for check in checks if check in names), "")
