"""One record before its contract: kept as it is, kept in a repaired spelling, or refused with every reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from headwater.bronze.bounds import find_excess
from headwater.bronze.exact import format_number, parse, to_canonical_json
from headwater.bronze.json_text import json_text, loose_text, map_values
from headwater.bronze.schema import BronzeSchema, strict_type
from headwater.model.field import Node

_SHORT = 80
_SEEN = 1000

_WIDE = 2**63
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_FAR = 100
"""Digits before or after the point beyond which no column holds a number."""

_PLAIN = {
    "timestamp": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
}
"""The spellings that DuckDB surely reads; msgspec tolerates a few more."""

Reason = Mapping[str, str]
"""Why a record is refused: `field`, `value` (shortened) and `rule`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """What became of one record."""

    line: int
    record: bytes = b""
    """The record as DuckDB can type it; empty when it is refused."""
    reasons: tuple[Reason, ...] = ()
    repaired: tuple[str, ...] = ()
    """Fields (dotted) whose spelling was tolerated."""
    key: str = ""
    """Its key as far as it could be read."""


_BUILDING = Lock()
"""Pydantic builds a model when it is first used; several threads read records of one contract."""


class RecordValidator:
    """Reads records row by row with a contract."""

    def __init__(self, contract: type[BaseModel], shape: BronzeSchema, key: Sequence[str], *, nul: bool = True) -> None:
        self._nul = nul
        self._contract = contract
        self._shape = shape
        self._key = key
        self._strict = msgspec.json.Decoder(shape.strict)
        self._kinds: dict[int, Any] = {}

    def validate(self, line: int, text: bytes) -> RecordResult:
        """The verdict on the record in `text`."""
        if reason := find_excess(text):
            return _refuse(line, [_reason("", text[:_SEEN].decode("utf-8", "replace"), reason)])
        try:
            record = parse(text.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            return _refuse(line, [_reason("", text[:_SEEN].decode("utf-8", "replace"), _describe_syntax(error))])
        if not isinstance(record, dict):
            return _refuse(line, [_reason("", record, "a record must be an object")])
        key = self._read_key(record)
        for path in self._shape.omit:
            _drop(record, path)
        try:
            model = _build_model(self._contract).model_validate(record)
        except ValidationError as error:
            return _refuse(line, [_to_reason(one) for one in error.errors(include_url=False)], key)
        return self._repair(line, record, model.model_dump(mode="json", by_alias=True), key)

    def _repair(self, line: int, record: dict[str, Any], dumped: dict[str, Any], key: str) -> RecordResult:
        repaired: list[str] = []
        try:
            mended = self._repair_object(self._shape.nodes, record, dumped, "", repaired)
            text = json.dumps(mended, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
            self._strict.decode(text)
            if not self._nul and b"\\u0000" in text and (found := _find_nul(self._shape.nodes, mended)):
                return _refuse(
                    line, [_reason(found, "", "text must not contain NUL (\\u0000): a warehouse cannot store it")], key
                )
        except UnicodeEncodeError:
            return _refuse(line, [_reason("", record, "text must not contain half of a surrogate pair")], key)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            return _refuse(line, [_reason("", record, f"cannot be stored: {error}")], key)
        return RecordResult(line=line, record=text, repaired=tuple(sorted(set(repaired))), key=key)

    def _repair_object(
        self, nodes: Iterable[Node], record: dict[str, Any], dumped: dict[str, Any], path: str, repaired: list[str]
    ) -> dict[str, Any]:
        return {
            node.key: self._repair_value(node, record[node.key], dumped[node.key], f"{path}{node.key}", repaired)
            for node in nodes
            if node.key in record
        }

    def _repair_value(self, node: Node, value: Any, dumped: Any, path: str, repaired: list[str]) -> Any:
        """`value` where it is fit to be typed as it stands, else what the contract understood by it."""
        if value is None:
            return None
        if node.many and node.nodes:
            pairs = zip(value, dumped, strict=True)
            return [self._repair_object(node.nodes, one, other, f"{path}.", repaired) for one, other in pairs]
        if node.nodes:
            return self._repair_object(node.nodes, value, dumped, f"{path}.", repaired)
        return self._repair_leaf(node, value, dumped, path, repaired)

    def _repair_leaf(self, node: Node, value: Any, dumped: Any, path: str, repaired: list[str]) -> Any:
        each = _EACH.get("loose" if node.loose else node.dtype, _send)
        sent = map_values(node, value, each)
        if each in (loose_text, json_text) or self._fits(node, value, sent):
            return sent
        repaired.append(path)
        if node.dtype == "text":
            return map_values(node, value, _text)
        return map_values(node, dumped, lambda one: f"{Decimal(one):f}") if node.dtype.startswith("decimal") else dumped

    def _fits(self, node: Node, value: Any, sent: Any) -> bool:
        if node.dtype in _PLAIN and not all(map(_PLAIN[node.dtype].fullmatch, map(str, _many(value)))):
            return False
        if not node.dtype.startswith(("decimal", "double")) and any(isinstance(one, Decimal) for one in _many(value)):
            return False
        kind = self._kinds.setdefault(id(node), strict_type(node))
        try:
            msgspec.convert(sent, kind)
        except msgspec.ValidationError:
            return False
        return True

    def _read_key(self, record: dict[str, Any]) -> str:
        parts = []
        for path in self._key:
            value: Any = record
            for step in path.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            parts.append("" if value is None else _shorten(value))
        return "|".join(parts)


def _find_nul(nodes: Iterable[Node], mended: Any) -> str:
    """The field (dotted) in which a text has a NUL; empty where there is none."""
    for node in nodes:
        value = mended.get(node.key) if isinstance(mended, dict) else None
        for one in _many(value):
            if node.nodes:
                if inner := _find_nul(node.nodes, one):
                    return f"{node.key}.{inner}"
            elif isinstance(one, str) and ("\0" in one or (node.dtype == "json" and _ESCAPED_NUL.search(one))):
                return node.key
    return ""


def _send(value: Any) -> Any:
    """A number as DuckDB reads it without a double: as text, where it could come by one."""
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) < _FAR else str(value)
    return str(value) if isinstance(value, int) and not -_WIDE <= value < _WIDE else value


def _double(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else format_number(value)


_EACH: dict[str, Callable[[Any], Any]] = {"loose": loose_text, "json": json_text, "double": _double}
"""How values are sent to DuckDB; what takes any value as text that is canonical already."""


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _drop(record: dict[str, Any], path: str) -> None:
    *branches, leaf = path.split(".")
    value: Any = record
    for branch in branches:
        value = value.get(branch) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value.pop(leaf, None)


def _describe_syntax(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "a record must not be nested this deep"
    if isinstance(error, UnicodeDecodeError):
        return f"a record must be UTF-8 (byte {error.start} is not)"
    if isinstance(error, json.JSONDecodeError):
        return f"a record must be JSON ({error.msg.lower()} at character {error.pos})"
    return f"a record must be JSON ({error})"


def _to_reason(error: Any) -> Reason:
    """A complaint of pydantic in our words."""
    where = ".".join(str(step) for step in error["loc"])
    if error["type"] == "missing":
        return _reason(where, None, "must be there")
    rule = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _reason(where, error["input"], rule[:1].lower() + rule[1:])


def _reason(field: str, value: Any, rule: str) -> Reason:
    return {"field": field, "value": "" if value is None else _shorten(value), "rule": rule}


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else _render(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _render(value: Any) -> str:
    try:
        return to_canonical_json(value)
    except (ValueError, RecursionError, TypeError):
        return str(value)[:_SHORT]


def _refuse(line: int, reasons: Sequence[Reason], key: str = "") -> RecordResult:
    return RecordResult(line=line, reasons=tuple(reasons), key=key)


def _build_model(contract: type[BaseModel]) -> type[BaseModel]:
    """The contract, ready to validate. Most records never need it, so it is not built before (`defer_build`)."""
    if not contract.__pydantic_complete__:
        with _BUILDING:
            contract.model_rebuild()
    return contract
