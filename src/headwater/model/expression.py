"""Expressions: the portable subset of SQL that declarations may use, checked when they are loaded.

`model.expression_tree` parses an expression, each text once. Every name must be in scope. The result
is SQL for DuckDB, which `warehouse.dialect` renders for other engines. Headwater adds functions, such as `classify` and
`item`. The subset is documented in docs/reference/expressions.md.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from headwater.errors import DeclarationError
from headwater.model.entity import Rules
from headwater.model.expression_template import ExpressionTemplate, Fragment, format_placeholder
from headwater.model.memo import Memo
from headwater.names import check_field, did_you_mean, quote, quote_literal

_BARE = re.compile(r'[\w."]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names that an expression may use, and the SQL for each name."""

    columns: Mapping[str, str]
    """Name as written, including dots -> SQL."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The values of `setting('name')`. A missing setting is NULL."""
    rules: Mapping[str, Rules] = field(default_factory=dict)
    """The rules for `classify`."""


TEMPLATES: Memo[ExpressionTemplate] = Memo()
"""The templates of this process, by the text of the expression. Nothing else decides about a template."""


def _load_template(text: str, where: str) -> ExpressionTemplate:
    """The template of an expression. DeclarationError if it is not in the subset."""
    template = TEMPLATES.get(text)
    if template is None:
        # The parser takes time to import, and most commands find every template in the memo.
        parser = importlib.import_module("headwater.model.expression_tree")
        template = TEMPLATES.keep(text, parser.build_template(text, where))
    return template


def find_names(text: str, *, where: str) -> tuple[str, ...]:
    """The names that an expression uses, as written, without duplicates."""
    return _load_template(text, where).names


def find_classify_calls(text: str, *, where: str) -> tuple[tuple[str, str], ...]:
    """The calls of `classify` in an expression: the classified expression and the name of the rules."""
    return _load_template(text, where).classify_calls


def find_casts(text: str, *, where: str) -> tuple[tuple[str, str], ...]:
    """The casts of a name in an expression: the name and the wanted type in SQL."""
    return _load_template(text, where).casts


def compile_expression(text: str, scope: Scope, *, where: str) -> str:
    """Compile `text` to SQL. Raise DeclarationError (at `where`, a file and line) if it leaves the subset or the scope."""
    template = _load_template(text, where)
    fragments = [_compile_fragment(fragment, scope, where) for fragment in template.fragments]
    sql = template.sql
    # A later fragment may contain an earlier one (an argument of our functions), but not the reverse.
    for number in reversed(range(len(fragments))):
        sql = sql.replace(format_placeholder(number), fragments[number])
    return sql


def _compile_fragment(fragment: Fragment, scope: Scope, where: str) -> str:
    if fragment.arguments is None:
        return _compile_column(fragment.name, scope, where)
    return _compile_call(fragment.name, fragment.arguments, scope, where)


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


def _compile_call(name: str, arguments: Sequence[str], scope: Scope, where: str) -> str:
    if name == "item":
        return _item_sql(arguments, where)
    counts = {"classify": 3, "custom_field": 2}
    count = counts.get(name, 1)
    if len(arguments) != count:
        raise DeclarationError(
            f"`{name}` takes {count} argument{'s' if count > 1 else ''}.",
            where=where,
            details=f"{len(arguments)}",
            hint="see docs/reference/expressions.md",
        )
    if name == "setting":
        value = scope.settings.get(_parse_text(arguments[0], where))
        return "NULL" if value is None else quote_literal(value)
    if name in _STAMPS:
        return _STAMPS[name](arguments[0])
    if name == "custom_field":
        return _custom_field_sql(arguments[0], arguments[1])
    return _classify_sql(arguments, scope, where)


def _custom_field_sql(fields: str, caption: str) -> str:
    # A list comprehension, because the syntax of lambdas differs between versions of DuckDB.
    return (
        f"(CASE WHEN {caption} IS NULL THEN {fields}[1].value"
        f" ELSE [item.value FOR item IN {fields} IF item.caption = {caption}][1] END)"
    )


def _item_sql(arguments: Sequence[str], where: str) -> str:
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


def _classify_sql(arguments: Sequence[str], scope: Scope, where: str) -> str:
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


_DAY = 86_400_000


def _epoch_ms_sql(value: str) -> str:
    """The instant of milliseconds since 1970. Days and the rest are added apart: engines limit the number in an interval."""
    days = f"CAST(floor(CAST({value} AS double) / {_DAY}) AS integer)"
    rest = f"(CAST({value} AS bigint) - CAST({days} AS bigint) * {_DAY})"
    return f"(CAST('1970-01-01' AS timestamp) + {days} * INTERVAL 1 DAY + {rest} * INTERVAL 1 MILLISECOND)"


def _epoch_sql(value: str) -> str:
    """The instant of seconds since 1970."""
    return _epoch_ms_sql(f"CAST(round(CAST({value} AS double) * 1000) AS bigint)")


def _json_date_sql(value: str) -> str:
    """The instant of a text such as `/Date(1573755038314+0000)/`. The offset only says how the sender shows it."""
    inside = f"split_part(split_part({value}, '(', 2), ')', 1)"
    # The first letter may be the minus of a number before 1970, any other sign begins the offset.
    number = f"split_part(split_part(substring({inside}, 2), '+', 1), '-', 1)"
    return _epoch_ms_sql(f"TRY_CAST(concat(left({inside}, 1), {number}) AS bigint)")


_STAMPS: Mapping[str, Callable[[str], str]] = {
    "from_epoch": _epoch_sql,
    "from_epoch_ms": _epoch_ms_sql,
    "from_json_date": _json_date_sql,
}
"""The functions of expressions for stamps."""
