"""Parses the `conditions` of the service into a predicate.

    board/name = "Þjónustuborð" and (priority/id < 3 or summary like "%niðri%") and lastUpdated >= [2026-01-05T00:00:00Z]

Text comparisons ignore case, as in the service's database. A missing field matches only `= null`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from headwater.sandbox.connectwise.records.base import ChangeStamp, Record, map_wire_names

Predicate = Callable[[Record], bool]
"""Returns whether a record matches."""

Test = Callable[[Any], bool]
"""Returns whether a value matches."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<instant>\[[^\]]*\]) | (?P<text>"[^"]*"|'[^']*') | (?P<number>-?\d+(?:\.\d+)?)(?![\w/]) |
      (?P<symbol><=|>=|!=|=|<|>|\(|\)|,) | (?P<word>[A-Za-z_][\w/]*)
    )""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, operand: bool(value == operand),
    "!=": lambda value, operand: bool(value != operand),
    "<": lambda value, operand: bool(value < operand),
    "<=": lambda value, operand: bool(value <= operand),
    ">": lambda value, operand: bool(value > operand),
    ">=": lambda value, operand: bool(value >= operand),
}
_CONSTANTS = {"true": True, "false": False, "null": None}
_KEYWORDS = {"and", "or", "not", "in", "like", "contains"}


class ConditionError(ValueError):
    """A condition is invalid."""


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant in a condition, as UTC text without `Z`, so that it sorts like the text in records."""

    text: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_conditions(text: str, kind: type[Record]) -> Predicate:
    """Parse `text` into a predicate for records of `kind`. Raises ConditionError if it is invalid."""
    parser = _Parser(_split_tokens(text), kind)
    predicate = parser.parse_or()
    if parser.peek() is not None:
        raise ConditionError(f"unexpected '{parser.peek_text()}'")
    return predicate


def build_reader(path: str, kind: type[Record]) -> Callable[[Record], Any]:
    """Build a function that reads the value at a path such as `company/id`. Fields of `_info` need no prefix."""
    steps = path.split("/")
    if steps[0] not in map_wire_names(kind):
        if steps[0] not in map_wire_names(ChangeStamp):
            raise ConditionError(f"'{steps[0]}' is not a field of {kind.__name__}")
        steps = ["_info", *steps]
    first, rest = map_wire_names(kind)[steps[0]], steps[1:]

    def read(record: Record) -> Any:
        value = getattr(record, first)
        for step in rest:
            value = _read_field(value, step)
        return value

    return read


def _read_field(value: Any, step: str) -> Any:
    if isinstance(value, Struct):
        attribute = map_wire_names(type(value)).get(step)
        return getattr(value, attribute) if attribute else None
    return value.get(step) if isinstance(value, dict) else None


def _split_tokens(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ConditionError(f"cannot read '{text[at:].strip()[:40]}'")
        tokens.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return tokens


class _Parser:
    """A recursive descent parser for one condition."""

    def __init__(self, tokens: list[_Token], kind: type[Record]) -> None:
        self._tokens = tokens
        self._kind = kind
        self._at = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def peek_text(self) -> str:
        token = self.peek()
        return token.text if token else "the end"

    def parse_or(self) -> Predicate:
        choices = [self._parse_and()]
        while self._accept("or"):
            choices.append(self._parse_and())
        return choices[0] if len(choices) == 1 else lambda record: any(choice(record) for choice in choices)

    def _parse_and(self) -> Predicate:
        parts = [self._parse_term()]
        while self._accept("and"):
            parts.append(self._parse_term())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def _parse_term(self) -> Predicate:
        if self._accept("("):
            predicate = self.parse_or()
            self._expect(")")
            return predicate
        token = self._consume()
        if token.kind != "word" or token.text.lower() in _KEYWORDS:
            raise ConditionError(f"expected a field, not '{token.text}'")
        read = build_reader(token.text, self._kind)
        test = self._parse_test()
        return lambda record: test(read(record))

    def _parse_test(self) -> Test:
        is_negated = self._accept("not")
        operator = self._consume().text.lower()
        if operator == "in":
            test = _build_membership_test(self._parse_list())
        elif operator in ("like", "contains"):
            test = _build_pattern_test(operator, self._parse_value())
        elif operator in _COMPARISONS and not is_negated:
            return _build_comparison(operator, self._parse_value())
        else:
            raise ConditionError(f"'{operator}' is not an operator here")
        return (lambda value: value is not None and not test(value)) if is_negated else test

    def _parse_list(self) -> list[Any]:
        self._expect("(")
        values = [self._parse_value()]
        while self._accept(","):
            values.append(self._parse_value())
        self._expect(")")
        return values

    def _parse_value(self) -> Any:
        token = self._consume()
        if token.kind == "text":
            return token.text[1:-1].casefold()
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "instant":
            return _parse_instant(token.text[1:-1])
        if token.text.lower() not in _CONSTANTS:
            raise ConditionError(f"expected a value, not '{token.text}'")
        return _CONSTANTS[token.text.lower()]

    def _consume(self) -> _Token:
        token = self.peek()
        if token is None:
            raise ConditionError("the condition ends too early")
        self._at += 1
        return token

    def _accept(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.kind not in ("symbol", "word") or token.text.lower() != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise ConditionError(f"expected '{text}', not '{self.peek_text()}'")


def _parse_instant(text: str) -> Instant:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConditionError(f"'{text}' is not a date") from error
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return Instant(instant.replace(tzinfo=None).isoformat())


def _to_comparable(value: Any, operand: Any) -> Any:
    """Convert a value to the type of the operand, or to None if the two cannot be compared."""
    if isinstance(operand, Instant):
        return Instant(value.removesuffix("Z")) if isinstance(value, str) else None
    if isinstance(operand, str):
        return value.casefold() if isinstance(value, str) else None
    if isinstance(operand, bool) or isinstance(value, bool):
        return value if isinstance(operand, bool) and isinstance(value, bool) else None
    return value if isinstance(value, (int, float)) else None


def _build_comparison(operator: str, operand: Any) -> Test:
    if operand is None:
        if operator not in ("=", "!="):
            raise ConditionError(f"'{operator}' cannot be asked of null")
        return lambda value: (value is None) is (operator == "=")
    compare = _COMPARISONS[operator]
    literal = operand.text if isinstance(operand, Instant) else operand

    def compare_value(value: Any) -> bool:
        comparable = _to_comparable(value, operand)
        comparable = comparable.text if isinstance(comparable, Instant) else comparable
        return comparable is not None and compare(comparable, literal)

    return compare_value


def _build_membership_test(operand: list[Any]) -> Test:
    tests = [_build_comparison("=", value) for value in operand]
    return lambda value: any(test(value) for test in tests)


def _build_pattern_test(operator: str, operand: Any) -> Test:
    if not isinstance(operand, str):
        raise ConditionError(f"'{operator}' needs text")
    if operator == "contains":
        return lambda value: isinstance(value, str) and operand in value.casefold()
    pattern = re.compile(".*".join(re.escape(part) for part in operand.split("%")), re.DOTALL)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value.casefold()) is not None
