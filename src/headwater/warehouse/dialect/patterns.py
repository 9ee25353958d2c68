"""Patterns of portable SQL that other dialects write differently, and which of them match a node of a statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from headwater.warehouse.dialect.dialect import Dialect
from headwater.warehouse.dialect.types import infer_kind, is_iso, to_kind

_INSTANTS = ("instant", "zoned")

Pattern = tuple[str, list[exp.Expr], dict[str, Any]]
"""The name of the pattern in `Dialect.functions`, its arguments, and its words: a unit, a type."""


def find_patterns(node: exp.Expr, dialect: Dialect) -> Iterator[Pattern]:
    """Yield the patterns that match a node, the most specific first."""
    match node:
        case exp.Anonymous():
            yield from _match_calls(node)
        case exp.UnixToTime():
            yield "instant", [node.this], {}
        case exp.Cast():
            yield from _match_casts(node, dialect)
        case exp.Date():
            yield from _match_casts(exp.Cast(this=node.this, to=exp.DataType.build("date")), dialect)
        case exp.Div():
            yield "divide", [node.this, node.expression], {}
        case exp.Round() | exp.Floor() | exp.Ceil():
            yield from _match_rounding(node)
        case exp.Array() | exp.Bracket():
            yield from _match_lists(node)
        case _:
            for match_nodes in (_match_times, _match_comparisons, _match_texts, _match_substrings):
                yield from match_nodes(node)


def _match_times(node: exp.Expr) -> Iterator[Pattern]:
    match node:
        case exp.Sub() if infer_kind(node.this) == infer_kind(node.expression) == "date":
            yield "days between", [node.this, node.expression], {}
        case exp.Add() | exp.Sub() if infer_kind(node.this) == "date" and infer_kind(node.expression) == "whole":
            yield "days later", [node.this, node.expression], {"sign": "-" if isinstance(node, exp.Sub) else ""}
        case exp.Add() | exp.Sub() | exp.DateAdd() if isinstance(node.expression, exp.Interval):
            yield "shift", [node.this, node.expression], {"sign": "-" if isinstance(node, exp.Sub) else "+"}
        case exp.Interval() if node.text("unit").upper() == "QUARTER" and isinstance(node.this, exp.Literal):
            yield "quarters", [], {"months": int(node.name) * 3}
        case exp.DateTrunc() | exp.TimestampTrunc():
            yield "truncate", [node.this], {"unit": node.text("unit").lower()}
        case exp.Extract():
            yield f"extract {node.name.upper()}", [node.expression], {}
            if node.name.upper() != "EPOCH":
                yield "extract", [node.expression], {"unit": node.name}
        case exp.Year() | exp.Month() | exp.Day():
            yield "extract", [node.this], {"unit": node.key.upper()}
        case exp.DateDiff():
            yield f"diff {node.text('unit').lower() or 'day'}", [node.expression, node.this], {}


def _match_calls(node: exp.Anonymous) -> Iterator[Pattern]:
    match node.name.upper(), node.expressions:
        case "EPOCH_US", [instant]:
            yield "micros", [instant], {}
        case "TO_JSON", [exp.Cast() as value]:
            yield "json", [value.this], {"type": value.to}


def _match_casts(node: exp.Cast, dialect: Dialect) -> Iterator[Pattern]:
    """Match conversions, by source and target kind."""
    if isinstance(node, exp.Cast) and _is_hex(node.this):
        yield "hex", [node.this.expression], {}
        return
    made, of = to_kind(node.to), infer_kind(node.this)
    unit = dialect.type_names.get(made) or node.to.sql(dialect=dialect.name)
    words = {"unit": unit, **_find_decimal_units(node.to)}
    is_try = isinstance(node, exp.TryCast)
    if not is_iso(node.this, made):
        yield f"{'try' if is_try else 'cast'} {'instant' if made in _INSTANTS else made} from {of}", [node.this], words
    if is_try:
        yield "try_cast", [node.this], words


def _find_decimal_units(kind: exp.DataType) -> dict[str, Any]:
    """Return the smallest unit of a decimal type, and an integer type that can hold any number of those units."""
    precision, scale = (int(argument.name) for argument in kind.expressions) if len(kind.expressions) == 2 else (18, 0)
    step = f"0.{'1':0>{scale}}" if scale else "1"
    return {"scale": scale, "step": step, "units": "BIGINT" if precision <= 18 else "DECIMAL(38, 0)"}


def _match_rounding(node: exp.Expr) -> Iterator[Pattern]:
    kind = infer_kind(node.this)
    if not isinstance(node, exp.Round):
        yield f"{node.key} {kind}", [node.this], {}
        yield node.key, [node.this], {}
        return
    digits = node.args.get("decimals") or exp.Literal.number(0)
    words = {"unit": digits.name, "zeros": "0" * int(digits.name)} if digits.name.isdigit() else {}
    if words and words["zeros"]:
        yield f"round {kind} digits", [node.this], words
        yield "round digits", [node.this], words
    yield "round", [node.this, digits], {}


def _match_lists(node: exp.Expr) -> Iterator[Pattern]:
    """Match lists computed from lists, and single elements of a list."""
    match node:
        case exp.Array(expressions=[exp.Comprehension() as each]):
            condition = each.args.get("condition")
            inner = [each.args["iterator"], *([condition] if condition else []), each.this]
            yield "filtered" if condition else "mapped", inner, {"name": each.expression.name}
        case exp.Bracket(expressions=[exp.Literal() as index]) if not index.is_string:
            yield "element", [node.this], {"place": index.name}


def _match_comparisons(node: exp.Expr) -> Iterator[Pattern]:
    """Match comparisons in which NULL equals NULL."""
    if isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ):
        yield "same" if isinstance(node, exp.NullSafeEQ) else "differs", [node.this, node.expression], {}


def _match_texts(node: exp.Expr) -> Iterator[Pattern]:
    match node:
        case exp.StartsWith():
            yield "starts", [node.this, node.expression], {}
        case exp.Lower() | exp.Upper():
            yield node.key, [node.this], {}
        case exp.Trim() if not node.expression:
            yield f"trim {node.text('position')}".strip().lower(), [node.this], {}
        case exp.Like() if not isinstance(node.parent, exp.Escape):
            yield "not like" if node.args.get("negate") else "like", [node.this, node.expression], {}
        case exp.Concat():
            yield "concat", [part if infer_kind(part) == "text" else _as_text(part) for part in node.expressions], {}
        case exp.DPipe() if "double" in (infer_kind(node.this), infer_kind(node.expression)):
            yield "join", [_as_text(node.this), _as_text(node.expression)], {}


def _match_substrings(node: exp.Expr) -> Iterator[Pattern]:
    """Match parts of texts for which engines return different results."""
    match node:
        case exp.Substring() if not (_is_count(node.args["start"], 1) and _is_count(node.args.get("length"), 0)):
            inner = [node.this, node.args["start"]]
            length = node.args.get("length")
            yield ("substring", [*inner, length], {}) if length else ("substring on", inner, {})
        case exp.Left() | exp.Right() if not _is_count(node.expression, 0):
            yield node.key, [node.this, node.expression], {}
        case exp.SplitPart() if not (node.text("delimiter") and _is_count(node.args["part_index"], 1)):
            yield "split", [node.this, node.args["delimiter"], node.args["part_index"]], {}


def _as_text(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node.copy(), to=exp.DataType.build("text"))


def _is_count(node: exp.Expr | None, least: int) -> bool:
    """Whether the node is omitted, or a literal number that is at least `least`."""
    return node is None or (isinstance(node, exp.Literal) and node.name.isdigit() and int(node.name) >= least)


def _is_hex(node: exp.Expr) -> bool:
    return isinstance(node, exp.DPipe) and isinstance(node.this, exp.Literal) and node.this.this == "0x"
