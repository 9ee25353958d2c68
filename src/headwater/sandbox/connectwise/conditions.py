"""The filter language of the service: text in, a predicate out.

    board/name = "Þjónustuborð" and (priority/id < 3 or summary like "%niðri%") and lastUpdated >= [2026-01-05T00:00:00Z]

Text compares without regard to case, as the service's database does. A field that is absent satisfies `= null` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from headwater.sandbox.connectwise.records.base import Record, Stamp, attributes

Predicate = Callable[[Record], bool]
"""Whether a record is asked for."""

Test = Callable[[Any], bool]
"""Whether a value is."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<instant>\[[^\]]*\]) | (?P<text>"[^"]*"|'[^']*') | (?P<number>-?\d+(?:\.\d+)?)(?![\w/]) |
      (?P<symbol><=|>=|!=|=|<|>|\(|\)|,) | (?P<word>[A-Za-z_][\w/]*)
    )""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: bool(value == wanted),
    "!=": lambda value, wanted: bool(value != wanted),
    "<": lambda value, wanted: bool(value < wanted),
    "<=": lambda value, wanted: bool(value <= wanted),
    ">": lambda value, wanted: bool(value > wanted),
    ">=": lambda value, wanted: bool(value >= wanted),
}
_CONSTANTS = {"true": True, "false": False, "null": None}
_KEYWORDS = {"and", "or", "not", "in", "like", "contains"}


class ConditionError(ValueError):
    """A filter that the service cannot read."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time as a filter writes it: without zone mark, so that it sorts like the text in records."""

    text: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse(text: str, kind: type[Record]) -> Predicate:
    """The predicate that `text` means for records of `kind`; ConditionError where it means none."""
    parser = _Parser(_tokens(text), kind)
    predicate = parser.either()
    if parser.ahead() is not None:
        raise ConditionError(f"unexpected '{parser.ahead_text()}'")
    return predicate


def reader(path: str, kind: type[Record]) -> Callable[[Record], Any]:
    """What finds the value at a path such as `company/id`; a stamp may be named without its `_info`."""
    steps = path.split("/")
    if steps[0] not in attributes(kind):
        if steps[0] not in attributes(Stamp):
            raise ConditionError(f"'{steps[0]}' is not a field of {kind.__name__}")
        steps = ["_info", *steps]
    first, rest = attributes(kind)[steps[0]], steps[1:]

    def read(record: Record) -> Any:
        value = getattr(record, first)
        for step in rest:
            value = _inside(value, step)
        return value

    return read


def _inside(value: Any, step: str) -> Any:
    if isinstance(value, Struct):
        attribute = attributes(type(value)).get(step)
        return getattr(value, attribute) if attribute else None
    return value.get(step) if isinstance(value, dict) else None


def _tokens(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ConditionError(f"cannot read '{text[at:].strip()[:40]}'")
        tokens.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return tokens


class _Parser:
    """One reading of one filter, from left to right."""

    def __init__(self, tokens: list[_Token], kind: type[Record]) -> None:
        self._tokens = tokens
        self._kind = kind
        self._at = 0

    def ahead(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def ahead_text(self) -> str:
        token = self.ahead()
        return token.text if token else "the end"

    def either(self) -> Predicate:
        choices = [self._every()]
        while self._takes("or"):
            choices.append(self._every())
        return choices[0] if len(choices) == 1 else lambda record: any(choice(record) for choice in choices)

    def _every(self) -> Predicate:
        parts = [self._term()]
        while self._takes("and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def _term(self) -> Predicate:
        if self._takes("("):
            inner = self.either()
            self._expect(")")
            return inner
        token = self._next()
        if token.kind != "word" or token.text.lower() in _KEYWORDS:
            raise ConditionError(f"expected a field, not '{token.text}'")
        read = reader(token.text, self._kind)
        holds = self._test()
        return lambda record: holds(read(record))

    def _test(self) -> Test:
        denied = self._takes("not")
        operator = self._next().text.lower()
        if operator == "in":
            holds = _among(self._list())
        elif operator in ("like", "contains"):
            holds = _matching(operator, self._value())
        elif operator in _COMPARISONS and not denied:
            return _comparing(operator, self._value())
        else:
            raise ConditionError(f"'{operator}' is not an operator here")
        return (lambda value: value is not None and not holds(value)) if denied else holds

    def _list(self) -> list[Any]:
        self._expect("(")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._expect(")")
        return values

    def _value(self) -> Any:
        token = self._next()
        if token.kind == "text":
            return token.text[1:-1].casefold()
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "instant":
            return _instant(token.text[1:-1])
        if token.text.lower() not in _CONSTANTS:
            raise ConditionError(f"expected a value, not '{token.text}'")
        return _CONSTANTS[token.text.lower()]

    def _next(self) -> _Token:
        token = self.ahead()
        if token is None:
            raise ConditionError("the condition ends too early")
        self._at += 1
        return token

    def _takes(self, text: str) -> bool:
        token = self.ahead()
        if token is None or token.kind not in ("symbol", "word") or token.text.lower() != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise ConditionError(f"expected '{text}', not '{self.ahead_text()}'")


def _instant(text: str) -> Instant:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConditionError(f"'{text}' is not a date") from error
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return Instant(instant.replace(tzinfo=None).isoformat())


def _comparable(value: Any, wanted: Any) -> Any:
    """The value in the dialect of the literal, None where the two cannot be compared."""
    if isinstance(wanted, Instant):
        return Instant(value.removesuffix("Z")) if isinstance(value, str) else None
    if isinstance(wanted, str):
        return value.casefold() if isinstance(value, str) else None
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value if isinstance(wanted, bool) and isinstance(value, bool) else None
    return value if isinstance(value, (int, float)) else None


def _comparing(operator: str, wanted: Any) -> Test:
    if wanted is None:
        if operator not in ("=", "!="):
            raise ConditionError(f"'{operator}' cannot be asked of null")
        return lambda value: (value is None) is (operator == "=")
    compare = _COMPARISONS[operator]
    literal = wanted.text if isinstance(wanted, Instant) else wanted

    def holds(value: Any) -> bool:
        given = _comparable(value, wanted)
        given = given.text if isinstance(given, Instant) else given
        return given is not None and compare(given, literal)

    return holds


def _among(wanted: list[Any]) -> Test:
    tests = [_comparing("=", value) for value in wanted]
    return lambda value: any(holds(value) for holds in tests)


def _matching(operator: str, wanted: Any) -> Test:
    if not isinstance(wanted, str):
        raise ConditionError(f"'{operator}' needs text")
    if operator == "contains":
        return lambda value: isinstance(value, str) and wanted in value.casefold()
    pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("%")), re.DOTALL)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value.casefold()) is not None
