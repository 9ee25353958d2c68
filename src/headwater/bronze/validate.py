"""Validates one record with its contract: it is kept unchanged, kept with repaired values, or refused with all reasons."""

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
from headwater.bronze.json_text import map_values, to_json_text, to_text
from headwater.bronze.schema import BronzeSchema, build_strict_type
from headwater.model.field import Node
from headwater.wire.records import split_path

_MAX_VALUE_LENGTH = 80
_MAX_RECORD_LENGTH = 1000

_INT64_LIMIT = 2**63
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_MAX_DIGITS = 100
"""The most digits before or after the decimal point that any column can store."""

_EXACT_SPELLINGS = {
    "timestamp": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
}
"""The formats that DuckDB always reads. msgspec accepts a few others."""

Reason = Mapping[str, str]
"""A reason for the refusal of a record: `field`, `value` (shortened) and `rule`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """The result for one record."""

    line: int
    record: bytes = b""
    """The record as DuckDB can convert it. Empty if the record is refused."""
    reasons: tuple[Reason, ...] = ()
    repaired: tuple[str, ...] = ()
    """Fields (dotted) whose values were repaired."""
    key: str = ""
    """The key, as far as it could be read."""


_BUILD_LOCK = Lock()
"""Pydantic builds a model on first use, and several threads use one contract."""


class RecordValidator:
    """Validates records of one contract row by row."""

    def __init__(
        self, contract: type[BaseModel], schema: BronzeSchema, key: Sequence[str], *, allow_nul: bool = True
    ) -> None:
        self._allow_nul = allow_nul
        self._contract = contract
        self._schema = schema
        self._key = key
        self._strict = msgspec.json.Decoder(schema.strict)
        self._strict_types: dict[int, Any] = {}

    def validate(self, line: int, text: bytes) -> RecordResult:
        """Validate the record in `text`."""
        if reason := find_excess(text):
            return _refuse(line, [_build_reason("", text[:_MAX_RECORD_LENGTH].decode("utf-8", "replace"), reason)])
        try:
            record = parse(text.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            return _refuse(
                line, [_build_reason("", text[:_MAX_RECORD_LENGTH].decode("utf-8", "replace"), _describe_syntax(error))]
            )
        if not isinstance(record, dict):
            return _refuse(line, [_build_reason("", record, "a record must be an object")])
        key = self._read_key(record)
        for path in self._schema.omit:
            _drop_field(record, path)
        try:
            model = _build_model(self._contract).model_validate(record)
        except ValidationError as error:
            return _refuse(line, [_to_reason(detail) for detail in error.errors(include_url=False)], key)
        return self._repair(line, record, model.model_dump(mode="json", by_alias=True), key)

    def _repair(self, line: int, record: dict[str, Any], dumped: dict[str, Any], key: str) -> RecordResult:
        repaired_fields: list[str] = []
        try:
            repaired_record = self._repair_object(self._schema.nodes, record, dumped, "", repaired_fields)
            text = json.dumps(repaired_record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
            self._strict.decode(text)
            if not self._allow_nul and b"\\u0000" in text and (field := _find_nul(self._schema.nodes, repaired_record)):
                return _refuse(
                    line,
                    [_build_reason(field, "", "text must not contain NUL (\\u0000): a warehouse cannot store it")],
                    key,
                )
        except UnicodeEncodeError:
            return _refuse(line, [_build_reason("", record, "text must not contain half of a surrogate pair")], key)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            return _refuse(line, [_build_reason("", record, f"cannot be stored: {error}")], key)
        return RecordResult(line=line, record=text, repaired=tuple(sorted(set(repaired_fields))), key=key)

    def _repair_object(
        self,
        nodes: Iterable[Node],
        record: dict[str, Any],
        dumped: dict[str, Any],
        path: str,
        repaired_fields: list[str],
    ) -> dict[str, Any]:
        return {
            node.key: self._repair_value(node, record[node.key], dumped[node.key], f"{path}{node.key}", repaired_fields)
            for node in nodes
            if node.key in record
        }

    def _repair_value(self, node: Node, value: Any, dumped: Any, path: str, repaired_fields: list[str]) -> Any:
        """Return `value` if it can be converted unchanged, and the value that the contract parsed otherwise."""
        if value is None:
            return None
        if node.many and node.nodes:
            pairs = zip(value, dumped, strict=True)
            return [
                self._repair_object(node.nodes, item, dumped_item, f"{path}.", repaired_fields)
                for item, dumped_item in pairs
            ]
        if node.nodes:
            return self._repair_object(node.nodes, value, dumped, f"{path}.", repaired_fields)
        return self._repair_leaf(node, value, dumped, path, repaired_fields)

    def _repair_leaf(self, node: Node, value: Any, dumped: Any, path: str, repaired_fields: list[str]) -> Any:
        convert = _CONVERTERS.get("loose" if node.loose else node.dtype, _encode_number)
        converted = map_values(node, value, convert)
        if convert in (to_text, to_json_text) or self._is_exact(node, value, converted):
            return converted
        repaired_fields.append(path)
        if node.dtype == "text":
            return map_values(node, value, _to_text)
        return (
            map_values(node, dumped, lambda item: f"{Decimal(item):f}") if node.dtype.startswith("decimal") else dumped
        )

    def _is_exact(self, node: Node, value: Any, converted: Any) -> bool:
        if node.dtype in _EXACT_SPELLINGS and not all(
            map(_EXACT_SPELLINGS[node.dtype].fullmatch, map(str, _to_list(value)))
        ):
            return False
        if not node.dtype.startswith(("decimal", "double")) and any(
            isinstance(item, Decimal) for item in _to_list(value)
        ):
            return False
        strict_type = self._strict_types.setdefault(id(node), build_strict_type(node))
        try:
            msgspec.convert(converted, strict_type)
        except msgspec.ValidationError:
            return False
        return True

    def _read_key(self, record: dict[str, Any]) -> str:
        values = []
        for path in self._key:
            value: Any = record
            for step in split_path(path):
                value = value.get(step) if isinstance(value, dict) else None
            values.append("" if value is None else _shorten(value))
        return "|".join(values)


def _find_nul(nodes: Iterable[Node], repaired_record: Any) -> str:
    """The field (dotted) of a text that contains NUL, or an empty text."""
    for node in nodes:
        value = repaired_record.get(node.key) if isinstance(repaired_record, dict) else None
        for item in _to_list(value):
            if node.nodes:
                if inner := _find_nul(node.nodes, item):
                    return f"{node.key}.{inner}"
            elif isinstance(item, str) and ("\0" in item or (node.dtype == "json" and _ESCAPED_NUL.search(item))):
                return node.key
    return ""


def _encode_number(value: Any) -> Any:
    """Encode a number as text if DuckDB could convert it to a double."""
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) < _MAX_DIGITS else str(value)
    return str(value) if isinstance(value, int) and not -_INT64_LIMIT <= value < _INT64_LIMIT else value


def _to_double(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else format_number(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {"loose": to_text, "json": to_json_text, "double": _to_double}
"""How to convert values for DuckDB, by type. `loose` and `json` accept any value and return canonical text."""


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _drop_field(record: dict[str, Any], path: str) -> None:
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
    """Convert an error of pydantic to a reason."""
    where = ".".join(str(step) for step in error["loc"])
    if error["type"] == "missing":
        return _build_reason(where, None, "must be there")
    rule = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _build_reason(where, error["input"], rule[:1].lower() + rule[1:])


def _build_reason(field: str, value: Any, rule: str) -> Reason:
    return {"field": field, "value": "" if value is None else _shorten(value), "rule": rule}


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else _render(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _MAX_VALUE_LENGTH else text[: _MAX_VALUE_LENGTH - 1] + "…"


def _render(value: Any) -> str:
    try:
        return to_canonical_json(value)
    except (ValueError, RecursionError, TypeError):
        return str(value)[:_MAX_VALUE_LENGTH]


def _refuse(line: int, reasons: Sequence[Reason], key: str = "") -> RecordResult:
    return RecordResult(line=line, reasons=tuple(reasons), key=key)


def _build_model(contract: type[BaseModel]) -> type[BaseModel]:
    """Build the pydantic model of the contract. Most batches do not need it, so it is built late (`defer_build`)."""
    if not contract.__pydantic_complete__:
        with _BUILD_LOCK:
            contract.model_rebuild()
    return contract
