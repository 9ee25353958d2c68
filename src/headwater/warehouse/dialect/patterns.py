"""Phrases of portable SQL that another dialect has words of its own for: which of them a node of a statement is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from headwater.warehouse.dialect.dialect import Dialect
from headwater.warehouse.dialect.types import is_iso, kind_of, kind_of_type

_INSTANTS = ("instant", "zoned")

Pattern = tuple[str, list[exp.Expr], dict[str, Any]]
"""The name in the tables, what stands in the phrase, and its words: a unit, a type."""


def find_patterns(node: exp.Expr, dialect: Dialect) -> Iterator[Pattern]:
    """The phrases that a node is, the most telling first."""
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
            for looked in (_match_times, _match_comparisons, _match_texts, _match_substrings):
                yield from looked(node)


def _match_times(node: exp.Expr) -> Iterator[Pattern]:
    match node:
        case exp.Sub() if kind_of(node.this) == kind_of(node.expression) == "date":
            yield "days between", [node.this, node.expression], {}
        case exp.Add() | exp.Sub() if kind_of(node.this) == "date" and kind_of(node.expression) == "whole":
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
    """Conversions, by what is made of what."""
    if isinstance(node, exp.Cast) and _is_hex(node.this):
        yield "hex", [node.this.expression], {}
        return
    made, of = kind_of_type(node.to), kind_of(node.this)
    unit = dialect.type_names.get(made) or node.to.sql(dialect=dialect.name)
    words = {"unit": unit, **_decimal_units(node.to)}
    trying = isinstance(node, exp.TryCast)
    if not is_iso(node.this, made):
        yield f"{'try' if trying else 'cast'} {'instant' if made in _INSTANTS else made} from {of}", [node.this], words
    if trying:
        yield "try_cast", [node.this], words


def _decimal_units(kind: exp.DataType) -> dict[str, Any]:
    """What a decimal counts in: its smallest unit, and a type that holds any number of those."""
    precision, scale = (int(one.name) for one in kind.expressions) if len(kind.expressions) == 2 else (18, 0)
    step = f"0.{'1':0>{scale}}" if scale else "1"
    return {"scale": scale, "step": step, "units": "BIGINT" if precision <= 18 else "DECIMAL(38, 0)"}


def _match_rounding(node: exp.Expr) -> Iterator[Pattern]:
    kind = kind_of(node.this)
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
    """Lists made of lists, and one element of a list."""
    match node:
        case exp.Array(expressions=[exp.Comprehension() as each]):
            condition = each.args.get("condition")
            inner = [each.args["iterator"], *([condition] if condition else []), each.this]
            yield "filtered" if condition else "mapped", inner, {"name": each.expression.name}
        case exp.Bracket(expressions=[exp.Literal() as place]) if not place.is_string:
            yield "element", [node.this], {"place": place.name}


def _match_comparisons(node: exp.Expr) -> Iterator[Pattern]:
    """Comparisons in which NULL equals NULL."""
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
            yield "concat", [one if kind_of(one) == "text" else _as_text(one) for one in node.expressions], {}
        case exp.DPipe() if "double" in (kind_of(node.this), kind_of(node.expression)):
            yield "join", [_as_text(node.this), _as_text(node.expression)], {}


def _match_substrings(node: exp.Expr) -> Iterator[Pattern]:
    """Parts of texts, where they are not what every engine gives."""
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
    """Whether it is left out, or a number that is written there and no less than `least`."""
    return node is None or (isinstance(node, exp.Literal) and node.name.isdigit() and int(node.name) >= least)


def _is_hex(node: exp.Expr) -> bool:
    return isinstance(node, exp.DPipe) and isinstance(node.this, exp.Literal) and node.this.this == "0x"
