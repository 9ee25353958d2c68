"""Expressions: the portable subset of SQL that declarations may use, checked when they are loaded.

sqlglot parses an expression. Every node must be in the subset, and every name must be in scope. The result
is SQL for DuckDB, which `warehouse.dialect` renders for other engines. Headwater adds four functions: `classify`,
`custom_field`, `item` and `setting`. The subset is documented in docs/reference/expressions.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from headwater.dtypes import PORTABLE_SQL
from headwater.errors import DeclarationError
from headwater.model.entity import Rules
from headwater.names import check_field, did_you_mean, quote, quote_literal

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

_BARE = re.compile(r'[\w."]+')

FUNCTIONS = ("classify", "custom_field", "item", "setting")
"""The functions that Headwater adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names that an expression may use, and the SQL for each name."""

    columns: Mapping[str, str]
    """Name as written, including dots -> SQL."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The values of `setting('name')`. A missing setting is NULL."""
    rules: Mapping[str, Rules] = field(default_factory=dict)
    """The rules for `classify`."""


def find_names(text: str, *, where: str) -> tuple[str, ...]:
    """The names that an expression uses, as written, without duplicates."""
    tree = _parse(text, where)
    return tuple(dict.fromkeys(_join_name(node) for node in _find_name_nodes(tree)))


def compile_expression(text: str, scope: Scope, *, where: str) -> str:
    """Compile `text` to SQL. Raise DeclarationError (at `where`, a file and line) if it leaves the subset or the scope."""
    tree = _parse(text, where)
    fragments: list[str] = []

    def add_placeholder(sql: str) -> exp.Expr:
        fragments.append(sql)
        return exp.column(exp.to_identifier(f"__{len(fragments) - 1}__", quoted=True))

    substituted = _substitute(tree, scope, where, add_placeholder)
    sql = substituted.sql(dialect=PORTABLE_SQL)
    # A later fragment may contain an earlier one (an argument of our functions), but not the reverse.
    for number in reversed(range(len(fragments))):
        sql = sql.replace(f'"__{number}__"', fragments[number])
    return sql


@lru_cache(maxsize=4096)
def _parse(text: str, where: str) -> exp.Expr:
    # All callers share this tree and must not change it (`transform` works on a copy).
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


def find_classify_calls(text: str, *, where: str) -> tuple[tuple[str, str], ...]:
    """The calls of `classify` in an expression: the classified expression and the name of the rules."""
    calls = (node for node in _parse(text, where).walk() if _is_ours(node) and node.name.lower() == "classify")
    return tuple((call.expressions[0].sql(dialect=PORTABLE_SQL), call.expressions[1].name) for call in calls)


def find_casts(text: str, *, where: str) -> tuple[tuple[str, str], ...]:
    """The casts of a name in an expression: the name and the wanted type in SQL."""
    return tuple(
        (_join_name(value), cast.to.sql(dialect=PORTABLE_SQL).lower())
        for cast in _parse(text, where).find_all(exp.Cast)
        if isinstance(value := cast.this.unnest(), exp.Column | exp.Dot)
    )


def _substitute(tree: exp.Expr, scope: Scope, where: str, add_placeholder: Callable[[str], exp.Expr]) -> exp.Expr:
    def swap(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column | exp.Dot) and not isinstance(node.parent, exp.Column | exp.Dot):
            return add_placeholder(_compile_column(_join_name(node), scope, where))
        if _is_ours(node):
            arguments = [
                _substitute(item.copy(), scope, where, add_placeholder).sql(dialect=PORTABLE_SQL)
                for item in node.expressions
            ]
            return add_placeholder(_compile_call(node.name.lower(), arguments, scope, where))
        return node

    return tree.transform(swap)


def _compile_column(name: str, scope: Scope, where: str) -> str:
    if name in scope.columns:
        sql = scope.columns[name]
        return sql if _BARE.fullmatch(sql) else f"({sql})"
    raise DeclarationError(
        f"There is no column `{name}`.",
        where=where,
        details=name,
        hint=did_you_mean(name, scope.columns) or "no columns are in scope",
    )


def _compile_call(name: str, arguments: list[str], scope: Scope, where: str) -> str:
    if name == "item":
        return _item_sql(arguments, where)
    counts = {"classify": 3, "custom_field": 2, "setting": 1}
    if len(arguments) != counts[name]:
        raise DeclarationError(
            f"`{name}` takes {counts[name]} arguments.",
            where=where,
            details=f"{len(arguments)}",
            hint="see docs/reference/expressions.md",
        )
    if name == "setting":
        value = scope.settings.get(_parse_text(arguments[0], where))
        return "NULL" if value is None else quote_literal(value)
    if name == "custom_field":
        return _custom_field_sql(arguments[0], arguments[1])
    return _classify_sql(arguments, scope, where)


def _custom_field_sql(fields: str, caption: str) -> str:
    # A list comprehension, because the syntax of lambdas differs between versions of DuckDB.
    return (
        f"(CASE WHEN {caption} IS NULL THEN {fields}[1].value"
        f" ELSE [item.value FOR item IN {fields} IF item.caption = {caption}][1] END)"
    )


def _item_sql(arguments: list[str], where: str) -> str:
    """A field of the first element of a list, or of the first element whose other fields match the given texts."""
    if len(arguments) < 2 or len(arguments) % 2:
        hint = "item(list, 'field'), or item(list, 'field', 'other field', 'its text', ...)"
        raise DeclarationError(
            "`item` takes a list, a field, and pairs of field and text.", where=where, details="", hint=hint
        )
    name, *pairs = (_parse_text(argument, where) for argument in arguments[1:])
    tests = [
        f"lower(CAST(item.{quote(check_field(other))} AS VARCHAR)) = {quote_literal(text.lower())}"
        for other, text in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    condition = f" IF {' AND '.join(tests)}" if tests else ""
    return f"[item.{quote(check_field(name))} FOR item IN {arguments[0]}{condition}][1]"


def _classify_sql(arguments: list[str], scope: Scope, where: str) -> str:
    name, output = _parse_text(arguments[1], where), _parse_text(arguments[2], where)
    rules = scope.rules.get(name)
    if rules is None:
        raise DeclarationError(
            f"There are no rules `{name}`.", where=where, details=name, hint=did_you_mean(name, scope.rules)
        )
    if output not in rules.outputs:
        raise DeclarationError(
            f"The rules `{name}` have no output `{output}`.",
            where=where,
            details=output,
            hint=did_you_mean(output, rules.outputs),
        )
    folded = fold_text_sql(arguments[0], rules)
    branches = "".join(
        f" WHEN {' OR '.join(f'strpos({folded}, {quote_literal(_fold(text))}) > 0' for text in rule.contains)}"
        f" THEN {quote_literal(rule.gives[output])}"
        for rule in rules.first_match
    )
    return f"(CASE{branches} ELSE {quote_literal(rules.otherwise[output])} END)"


def no_match_sql(sql: str, rules: Rules) -> str:
    """SQL that is true if no rule of `rules` matches the text in `sql`."""
    folded = fold_text_sql(sql, rules)
    texts = (quote_literal(_fold(text)) for rule in rules.first_match for text in rule.contains)
    return " AND ".join(f"strpos({folded}, {text}) = 0" for text in texts) or "TRUE"


def fold_text_sql(sql: str, rules: Rules) -> str:
    """`sql` trimmed, without a trailing colon, and case folded, with the same result on every engine and collation."""
    letters = {letter for rule in rules.first_match for text in rule.contains for letter in _fold(text)}
    special = sorted(letter for letter in letters if not letter.isascii() and len(letter.upper()) == 1)
    upper = "".join(letter.upper() for letter in special)
    trimmed = f"trim(rtrim(trim({sql}), ':'))"
    translated = (
        f"translate({trimmed}, {quote_literal(upper)}, {quote_literal(''.join(special))})" if special else trimmed
    )
    return f"lower({translated})"


def _fold(text: str) -> str:
    return text.strip().removesuffix(":").strip().lower()


def _parse_text(sql: str, where: str) -> str:
    if len(sql) > 1 and sql.startswith("'") and sql.endswith("'"):
        return sql[1:-1].replace("''", "'")
    raise DeclarationError(
        "This argument must be a name in single quotes.", where=where, details=sql, hint="e.g. 'agreement_class'"
    )


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
