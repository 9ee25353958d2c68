"""What kind of value an expression gives, as far as its text tells: no table is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from sqlglot import exp

Kind = Literal["text", "double", "decimal", "whole", "boolean", "date", "instant", "zoned", "nested", "null", "unknown"]
"""`zoned` is an instant with its zone, `nested` a list or an object, `unknown` whatever a column holds."""

_TYPE = exp.DataType.Type
_KINDS: dict[Any, Kind] = {
    **dict.fromkeys(exp.DataType.TEXT_TYPES, "text"),
    **dict.fromkeys((*exp.DataType.INTEGER_TYPES, _TYPE.INT128), "whole"),
    **dict.fromkeys((_TYPE.DOUBLE, _TYPE.FLOAT), "double"),
    _TYPE.DECIMAL: "decimal",
    _TYPE.BOOLEAN: "boolean",
    _TYPE.DATE: "date",
    _TYPE.TIMESTAMP: "instant",
    _TYPE.TIMESTAMPNTZ: "instant",
    _TYPE.TIMESTAMPTZ: "zoned",
    **dict.fromkeys((_TYPE.ARRAY, _TYPE.LIST, _TYPE.STRUCT, _TYPE.MAP), "nested"),
}
_RESULTS: dict[type[exp.Expr], Kind] = {
    **dict.fromkeys(
        (exp.DPipe, exp.Concat, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Left, exp.Right), "text"
    ),
    **dict.fromkeys((exp.Replace, exp.SplitPart, exp.Translate, exp.MD5), "text"),
    **dict.fromkeys((exp.Count, exp.RowNumber, exp.Length, exp.StrPosition, exp.DateDiff), "whole"),
    **dict.fromkeys((exp.Year, exp.Month, exp.Day), "whole"),
    **dict.fromkeys((exp.UnixToTime, exp.DateTrunc, exp.TimestampTrunc, exp.DateAdd), "instant"),
    **dict.fromkeys((exp.Not, exp.And, exp.Or, exp.Is, exp.In, exp.Between, exp.Like, exp.EQ, exp.NEQ), "boolean"),
    **dict.fromkeys((exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Boolean, exp.Exists, exp.StartsWith), "boolean"),
    exp.Div: "double",
    exp.LastDay: "date",
    exp.Date: "date",
    exp.Null: "null",
}
_CALLED: dict[str, Kind] = {"EPOCH_US": "whole", "TO_JSON": "text"}
_ISO = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "instant": re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6})?)?"),
}


def kind_of_type(dtype: exp.DataType) -> Kind:
    """The kind of values that a type has."""
    return _KINDS.get(dtype.this, "unknown")


Columns = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Relations whose columns are of known types: the name of each, and its columns, each with its type in DuckDB's spelling."""


def note_kinds(tree: exp.Expr, columns: Columns = ()) -> None:
    """Note at each column which kind of value it holds, where the subquery or the relation that it comes from tells."""
    known: dict[str, dict[str, Kind]] = {
        relation: {name: kind_of_type(exp.DataType.build(dtype, dialect="duckdb")) for name, dtype in types}
        for relation, types in columns
    }
    for select in reversed(list(tree.find_all(exp.Select))):
        source = select.args.get("from_")
        if source is None or select.args.get("joins"):
            continue
        given = _given(source.this, known)
        for column in select.find_all(exp.Column) if given else ():
            own = column.find_ancestor(exp.Select, exp.Comprehension) is select
            if own and column.table in ("", source.alias_or_name):
                column.meta[_NOTED] = given.get(column.name.lower(), "unknown")


def _given(source: exp.Expr, known: dict[str, dict[str, Kind]]) -> dict[str, Kind]:
    """The columns of what a SELECT is from, as far as that tells."""
    if isinstance(source, exp.Subquery):
        inner = source.unnest()
        selects = inner.selects if isinstance(inner, exp.Query) else []
        return {one.alias_or_name.lower(): kind_of(one.unalias()) for one in selects}
    if isinstance(source, exp.Table) and not source.db:
        return {name.lower(): kind for name, kind in known.get(source.name, {}).items()}
    return {}


_NOTED = "kind"


def kind_of(node: exp.Expr) -> Kind:
    """The kind of value that an expression gives; `unknown` where only a table could tell."""
    kind: Kind = "unknown"
    match node:
        case exp.Column():
            kind = node.meta.get(_NOTED, "unknown")
        case exp.Cast():
            kind = kind_of_type(node.to)
        case exp.Literal():
            kind = "text" if node.is_string else _number(node.name)
        case exp.Paren() | exp.Neg() | exp.Abs() | exp.Window() | exp.Filter():
            kind = kind_of(node.this)
        case exp.Case():
            kind = _agreed([*(one.args["true"] for one in node.args["ifs"]), node.args.get("default")])
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            kind = _agreed([node.this, *node.expressions])
        case exp.Anonymous():
            kind = _CALLED.get(node.name.upper(), "unknown")
        case exp.Add() | exp.Sub() | exp.Mul():
            kind = _reckoned(node)
        case _:
            kind = _RESULTS.get(type(node), "unknown")
    return kind


def _reckoned(node: exp.Binary) -> Kind:
    if isinstance(node.expression, exp.Interval):
        return "instant"
    return "double" if "double" in (kind_of(node.this), kind_of(node.expression)) else "unknown"


def is_iso(node: exp.Expr, kind: Kind) -> bool:
    """Whether it is a written date or instant that every engine reads alike."""
    pattern = _ISO.get(kind)
    return pattern is not None and isinstance(node, exp.Literal) and bool(pattern.fullmatch(node.name))


def _number(text: str) -> Kind:
    if text.isdigit():
        return "whole"
    return "double" if "e" in text.lower() else "decimal"


def _agreed(nodes: Iterable[exp.Expr | None]) -> Kind:
    kinds = {kind_of(node) for node in nodes if node is not None} - {"null"}
    return kinds.pop() if len(kinds) == 1 else "unknown"
