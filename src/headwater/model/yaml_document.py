"""YAML documents with line numbers, for error messages.

Follows YAML 1.2: `on` and `yes` are texts, and a duplicate key is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headwater.errors import DeclarationError

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


class _Yaml12(_Loader):
    """The safe loader with the scalars of the core schema of YAML 1.2. Dates stay texts."""


_Yaml12.yaml_implicit_resolvers = {}  # without those of YAML 1.1, where `on` is true
_SCALARS = (
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
        "-+.0123456789",
    ),
    ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
)
for _tag, _pattern, _first in _SCALARS:
    _Yaml12.add_implicit_resolver(_tag, _pattern, list(_first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document: its values, and the line of each value by dotted path."""

    file: str
    line: int
    values: Any
    lines: dict[str, int]


def read_documents(path: Path, *, shown: str = "") -> list[Document]:
    """Read the documents of a file. Raise DeclarationError with the line if it is not YAML. `shown` is the name for messages."""
    name = shown or path.name
    try:
        text = path.read_text(encoding="utf-8")
        return list(_load_documents(text, name))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        details = f"{error.context or ''} {error.problem or ''}".strip()
        raise DeclarationError(
            "This file is not valid YAML.", where=f"{name}:{line}", details=details, hint="check the indentation"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DeclarationError(
            "This file is not UTF-8.",
            where=f"{name}:{line}",
            details=f"byte {error.object[error.start]:#04x}",
            hint="save the file as UTF-8 in your editor",
        ) from error
    except yaml.reader.ReaderError as error:
        raise DeclarationError(
            "This file contains a character that YAML does not allow.",
            where=name,
            details=f"{error.reason}: {error.character!r}"[:120],
            hint="remove the character; text files of other encodings must be saved as UTF-8",
        ) from error
    except OSError as error:
        raise DeclarationError(
            "This file cannot be read.", where=name, details=error.strerror or str(error), hint="check its permissions"
        ) from error


def _load_documents(text: str, file: str) -> Iterator[Document]:
    loader = _Yaml12(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                return
            lines: dict[str, int] = {}
            _collect_lines(node, (), lines, file)
            yield Document(
                file=file, line=node.start_mark.line + 1, values=loader.construct_document(node), lines=lines
            )
    finally:
        loader.dispose()


def _collect_lines(node: yaml.Node, path: tuple[str, ...], lines: dict[str, int], file: str) -> None:
    if path:
        lines.setdefault(".".join(path), node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                where = f"{file}:{key.start_mark.line + 1}"
                raise DeclarationError(f"`{name}` appears twice.", where=where, details=name, hint="keep one of them")
            seen.add(name)
            lines[".".join((*path, name))] = key.start_mark.line + 1
            _collect_lines(value, (*path, name), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _collect_lines(item, (*path, str(number)), lines, file)
