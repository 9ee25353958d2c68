"""Infers the kind of value of an expression, from its SQL and the annotations of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from sqlglot import exp

Kind = Literal["text", "double", "decimal", "whole", "boolean", "date", "instant", "zoned", "nested", "null", "unknown"]
"""`zoned` is an instant with its zone, `nested` a list or an object, and `unknown` any value."""

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
_FUNCTION_KINDS: dict[str, Kind] = {"EPOCH_US": "whole", "TO_JSON": "text"}
_NUMBERS: tuple[Kind, ...] = ("double", "decimal", "whole")
"""From the widest to the narrowest."""
_ISO = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "instant": re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6})?)?"),
}


def to_kind(dtype: exp.DataType) -> Kind:
    """Return the kind of the values of a type."""
    return _KINDS.get(dtype.this, "unknown")


META_KEY = "kind"
"""The key in `meta` of a column's kind, see `headwater.warehouse.dialect.annotate`."""


def infer_kind(node: exp.Expr) -> Kind:
    """Return the kind of value of an expression, or `unknown` if it depends on a table."""
    kind: Kind = "unknown"
    match node:
        case exp.Column():
            kind = node.meta.get(META_KEY, "unknown")
        case exp.Cast():
            kind = to_kind(node.to)
        case exp.Literal():
            kind = "text" if node.is_string else _infer_number_kind(node.name)
        case exp.Paren() | exp.Neg() | exp.Abs() | exp.Window() | exp.Filter() | exp.Nullif():
            kind = infer_kind(node.this)
        case exp.Round() | exp.Floor() | exp.Ceil() | exp.Min() | exp.Max() | exp.Lag() | exp.Lead() | exp.FirstValue():
            kind = infer_kind(node.this)
        case exp.Case():
            branches = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default") or exp.null()]
            kind = find_widest_kind(map(infer_kind, branches))
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            kind = find_widest_kind(map(infer_kind, (node.this, *node.expressions)))
        case exp.Anonymous():
            kind = _FUNCTION_KINDS.get(node.name.upper(), "unknown")
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Mod():
            kind = _infer_arithmetic_kind(node)
        case _:
            kind = _RESULTS.get(type(node), "unknown")
    return kind


def _infer_arithmetic_kind(node: exp.Binary) -> Kind:
    if isinstance(node.expression, exp.Interval):
        return "instant"
    kinds = infer_kind(node.this), infer_kind(node.expression)
    if kinds == ("date", "whole"):
        return "date"
    kind = find_widest_kind(kinds)
    return kind if kind in _NUMBERS else "whole" if kinds == ("date", "date") else "unknown"


def is_iso(node: exp.Expr, kind: Kind) -> bool:
    """Whether it is a literal date or instant that every engine parses in the same way."""
    pattern = _ISO.get(kind)
    return pattern is not None and isinstance(node, exp.Literal) and bool(pattern.fullmatch(node.name))


def _infer_number_kind(text: str) -> Kind:
    if text.isdigit():
        return "whole"
    return "double" if "e" in text.lower() else "decimal"


def find_widest_kind(kinds: Iterable[Kind]) -> Kind:
    """Return the kind of a value that can have any of these kinds: the widest of numeric kinds."""
    distinct = set(kinds) - {"null"}
    if distinct and distinct <= set(_NUMBERS):
        return next(kind for kind in _NUMBERS if kind in distinct)
    return distinct.pop() if len(distinct) == 1 else "unknown"
