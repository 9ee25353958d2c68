"""Parses expressions with sqlglot. Every node must be in the portable subset of docs/reference/expressions.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from headwater.dtypes import PORTABLE_SQL
from headwater.errors import DeclarationError
from headwater.model.expression_template import ExpressionTemplate, Fragment, name_placeholder

ALLOWED: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Dot, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Tuple, exp.Var,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.And, exp.Or, exp.Not, exp.Case, exp.If,
    exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Interval, exp.IntervalSpan,
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor, exp.Ceil,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Left, exp.Right, exp.Concat, exp.Replace,
    exp.StrPosition, exp.StartsWith, exp.SplitPart,
    exp.Extract, exp.Year, exp.Month, exp.Day, exp.DateDiff, exp.DateTrunc, exp.TimestampTrunc, exp.DateAdd, exp.Date,
    exp.LastDay,
)  # fmt: skip
"""Every kind of node that an expression may contain."""

FUNCTIONS = ("classify", "custom_field", "from_epoch", "from_epoch_ms", "from_json_date", "item", "setting")
"""The functions that Headwater adds."""


def build_template(text: str, where: str) -> ExpressionTemplate:
    """Parse and check `text`. Raise DeclarationError (at `where`, a file and line) if it leaves the subset."""
    tree = _parse(text, where)
    fragments: list[Fragment] = []

    def add_placeholder(fragment: Fragment) -> exp.Expr:
        fragments.append(fragment)
        return exp.column(exp.to_identifier(name_placeholder(len(fragments) - 1), quoted=True))

    return ExpressionTemplate(
        sql=_substitute(tree, add_placeholder).sql(dialect=PORTABLE_SQL),
        fragments=tuple(fragments),
        names=tuple(dict.fromkeys(_join_name(node) for node in _find_name_nodes(tree))),
        classify_calls=tuple(_list_classify_calls(tree)),
        casts=tuple(_list_casts(tree)),
    )


def _parse(text: str, where: str) -> exp.Expr:
    try:
        tree = sqlglot.parse_one(text, dialect=PORTABLE_SQL)
    except SqlglotError as error:
        raise DeclarationError(
            "The expression cannot be parsed.", where=where, details=text, hint=_describe_position(error)
        ) from error
    for node in tree.walk():
        if _is_ours(node):
            continue
        if not isinstance(node, ALLOWED):
            raise DeclarationError(
                f"`{_render_name(node)}` is not in the expression language.",
                where=where,
                details=text,
                hint="see docs/reference/expressions.md",
            )
    return tree


def _describe_position(error: SqlglotError) -> str:
    """Where the expression is not SQL. The words of the parser are about its tokens, which nobody wrote."""
    found = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    near = f" near `{found['highlight']}`" if found.get("highlight") else ""
    return f"it is not valid SQL{near}; if a word of SQL is the name of a column, put it in double quotes"


def _substitute(tree: exp.Expr, add_placeholder: Callable[[Fragment], exp.Expr]) -> exp.Expr:
    def swap(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column | exp.Dot) and not isinstance(node.parent, exp.Column | exp.Dot):
            return add_placeholder(Fragment(_join_name(node)))
        if _is_ours(node):
            arguments = tuple(
                _substitute(item.copy(), add_placeholder).sql(dialect=PORTABLE_SQL) for item in node.expressions
            )
            return add_placeholder(Fragment(node.name.lower(), arguments))
        return node

    return tree.transform(swap)


def _list_classify_calls(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    for node in tree.walk():
        # A call with too few arguments is an error when its fragment is compiled.
        if _is_ours(node) and node.name.lower() == "classify" and len(node.expressions) > 1:
            yield node.expressions[0].sql(dialect=PORTABLE_SQL), node.expressions[1].name


def _list_casts(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    for cast in tree.find_all(exp.Cast):
        value = cast.this.unnest()
        if isinstance(value, exp.Column | exp.Dot):
            yield _join_name(value), cast.to.sql(dialect=PORTABLE_SQL).lower()


def _is_ours(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() in FUNCTIONS


def _find_name_nodes(tree: exp.Expr) -> list[exp.Expr]:
    return [
        node
        for node in tree.find_all(exp.Column, exp.Dot, bfs=False)
        if not isinstance(node.parent, exp.Column | exp.Dot)
    ]


def _join_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Dot):
        return f"{_join_name(node.this)}.{_join_name(node.expression)}"
    if isinstance(node, exp.Column):
        return ".".join(part.name for part in node.parts)
    return node.name


def _render_name(node: exp.Expr) -> str:
    return node.name if isinstance(node, exp.Anonymous) else node.sql(dialect=PORTABLE_SQL)[:60] or node.key
