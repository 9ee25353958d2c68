"""JSON of nested values in Spark, identical to that of DuckDB: the hash of an event is computed from this text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from headwater.names import quote_literal
from headwater.warehouse.dialect.types import to_kind
from headwater.warehouse.spark.casts import JSON_NUMBER

_ALIKE = ("text", "boolean", "whole", "date")
"""Kinds of values for which TO_JSON of Spark gives the same text as DuckDB."""


def json_sql(texts: list[str], words: Mapping[str, Any]) -> str:
    """Spark SQL of the JSON text of a nested value of the type `words["type"]`; NULL stays NULL."""
    (value,), dtype = texts, words["type"]
    if _is_plain(dtype):
        return f"TO_JSON({value}, MAP('ignoreNullFields', 'false'))"
    return f"CASE WHEN {value} IS NOT NULL THEN {_json_sql(value, dtype, 0)} END"


def _is_plain(dtype: exp.DataType) -> bool:
    if to_kind(dtype) == "nested":
        return all(_is_plain(kind) for _, kind in _find_parts(dtype))
    return to_kind(dtype) in _ALIKE


def _find_parts(dtype: exp.DataType) -> list[tuple[str, exp.DataType]]:
    """Return the fields of an object, or the nameless element of a list."""
    return [
        (part.name, part.args["kind"]) if isinstance(part, exp.ColumnDef) else ("", part) for part in dtype.expressions
    ]


def _json_sql(value: str, dtype: exp.DataType, depth: int) -> str:
    """The JSON text of a value at a nesting depth; 'null' for NULL."""
    kind = to_kind(dtype)
    if kind == "nested":
        return _nested_sql(value, dtype, depth)
    if kind in _ALIKE:
        array = f"TO_JSON(ARRAY({value}))"
        return f"SUBSTRING({array}, 2, LENGTH({array}) - 2)"
    if kind == "instant":
        return f"COALESCE(CONCAT('\"', CAST({value} AS STRING), '\"'), 'null')"
    text = JSON_NUMBER.format(value) if kind == "double" else f"CAST({value} AS STRING)"
    return f"COALESCE({text}, 'null')"


def _nested_sql(value: str, dtype: exp.DataType, depth: int) -> str:
    item, parts = f"_i{depth}", _find_parts(dtype)
    if parts[0][0]:
        fields_sql = ", ',', ".join(
            f"{_literal_sql(json.dumps(name, ensure_ascii=False) + ':')}, "
            f"{_json_sql(f'{value}.{_quote_name(name)}', kind, depth)}"
            for name, kind in parts
        )
        whole = f"CONCAT('{{', {fields_sql}, '}}')"
    else:
        whole = f"CONCAT('[', ARRAY_JOIN(TRANSFORM({value}, {item} -> {_json_sql(item, parts[0][1], depth + 1)}), ','), ']')"
    return f"CASE WHEN {value} IS NULL THEN 'null' ELSE {whole} END"


def _literal_sql(text: str) -> str:
    return quote_literal(text.replace("\\", "\\\\")).replace("''", "\\'")


def _quote_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
