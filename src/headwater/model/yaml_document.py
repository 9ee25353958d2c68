"""YAML documents with line numbers, for error messages. Documents that declare no secrets can be kept.

Follows YAML 1.2: `on` and `yes` are texts, and a duplicate key is an error.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from headwater.errors import DeclarationError
from headwater.model.memo import Memo

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


PARSER = f"PyYAML {yaml.__version__} {_Loader.__name__}"
"""The parser, which decides together with the text of a file what a document contains."""

DOCUMENTS: Memo[msgspec.Raw] = Memo()
"""The documents of files that were read with `keep`, as JSON, by the hash of the content of the file."""


def read_documents(path: Path, *, shown: str = "", keep: bool = False) -> list[Document]:
    """Read the documents of a file. Raise DeclarationError with the line if it is not YAML. `shown` is the name for messages.

    With `keep`, a file with the same content is not parsed again.
    """
    name = shown or path.name
    try:
        body = path.read_bytes()
        return _load_kept(body, name) if keep else _parse_documents(body, name)
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


def _load_kept(body: bytes, file: str) -> list[Document]:
    key = hashlib.sha256(body).hexdigest()
    if (kept := DOCUMENTS.get(key)) is not None:
        # Decoded each time, so that no two callers share a value that one of them could change.
        parts = msgspec.json.decode(kept, type=list[tuple[int, Any, dict[str, int]]])
        return [Document(file=file, line=line, values=values, lines=lines) for line, values, lines in parts]
    documents = _parse_documents(body, file)
    if _is_json([document.values for document in documents]):
        parts = [(document.line, document.values, document.lines) for document in documents]
        DOCUMENTS.keep(key, msgspec.Raw(msgspec.json.encode(parts)))
    return documents


def _is_json(value: Any) -> bool:
    """Whether `value` is the same after JSON. Dates, sets, keys that are no text and others are not."""
    if type(value) is dict:
        return all(type(key) is str and _is_json(key) and _is_json(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is str:
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if type(value) is int:
        return abs(value) < 1 << 53
    return value is None or type(value) is bool or (type(value) is float and math.isfinite(value))


def _parse_documents(body: bytes, file: str) -> list[Document]:
    text = body.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return list(_load_documents(text, file))


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
