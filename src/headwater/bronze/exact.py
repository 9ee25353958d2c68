"""Numbers to the last digit, and JSON in one spelling.

DuckDB reads every fraction of a JSON text as a double, whatever its column is. That changes nothing where the number is the
shortest spelling of that double, which is so for nearly all of them; `find_long_numbers` finds the other lines. Such a line
is read here instead, with decimals. The canonical text of a value has sorted keys, no blanks, and numbers by their value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

from headwater.bronze.jsonl import Block

DEEPEST = 100
"""Levels of objects and lists that a value kept as JSON may have."""
_PLAIN = 40
"""Digits of a whole number that is written without an exponent."""
_SMALL = -7
"""The exponent down to which a fraction is written without one."""
_WHOLE = 18
"""Digits of a whole number that is surely one of 64 bits."""
_STRIDE = 4
"""Of so many bytes one is looked at first: a number of 16 digits has four of them that are digits."""
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789." else ord(" ") for byte in range(256))
_MANTISSA = re.compile(rb"[0-9.]{13,}")
"""What a number of 16 digits has between the first and the last of its bytes that are looked at."""
_CHARS = b"-+0123456789.eE"
_FAR = 400
"""Bytes to either side in which the ends of a number are looked for; what is longer is taken for one that matters."""
_BEFORE = b":[, "
_AFTER = b",]} \n"
_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")


class UnreadableJson(ValueError):
    """A text is no JSON that can be kept."""


def parse(text: str) -> Any:
    """The value of a JSON text, fractions as decimals; ValueError or RecursionError where it is none."""
    return json.loads(
        text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=parse_fraction, parse_int=parse_integer
    )


def parse_fitting(text: str) -> Any:
    """`parse`, in less time, for a text without numbers that `find_long_numbers` finds; ArithmeticError for such a one."""
    return json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=Decimal)


def to_canonical_json(value: Any, depth: int = 0) -> str:
    """The one text of a value: sorted keys, no blanks, a number by its value and not by its spelling."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int | Decimal | float):
        return format_number(value)
    if depth >= DEEPEST:
        msg = f"is nested deeper than {DEEPEST} levels"
        raise UnreadableJson(msg)
    if isinstance(value, dict):
        inner = [f"{encode_basestring(key)}:{to_canonical_json(value[key], depth + 1)}" for key in sorted(value)]
        return "{" + ",".join(inner) + "}"
    return "[" + ",".join([to_canonical_json(one, depth + 1) for one in value]) + "]"


def format_number(value: float | Decimal) -> str:
    """A number with all its digits, and no more of them than it needs: 1.0, 1e0 and 1 are `1`."""
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return str(number)
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    if not short:
        return "0"
    exponent += len(text) - len(short)
    scale = exponent + len(short) - 1
    minus = "-" if sign else ""
    if exponent >= 0 and scale < _PLAIN:
        return minus + short + "0" * exponent
    if exponent < 0 and scale >= _SMALL:
        return minus + (
            f"{short[: scale + 1]}.{short[scale + 1 :]}" if scale >= 0 else f"0.{'0' * (-scale - 1)}{short}"
        )
    rest = f".{short[1:]}" if len(short) > 1 else ""
    return f"{minus}{short[0]}{rest}e{scale:+d}"


def find_long_numbers(block: Block) -> Iterator[int]:
    """The numbers of the lines of a block that hold a number which a double would change. Some others, seldom."""
    body = block.body
    for start, end in _find_spans(body):
        free = body[start - 1] in _BEFORE and body[end] in _AFTER
        if free and (end - start >= _FAR or _loses_digits(body[start:end])):
            yield block.first + body.count(b"\n", 0, start)


def find_nul_lines(block: Block) -> Iterator[int]:
    """The numbers of the lines of a block in which the character NUL stands. Some others, seldom."""
    for at in _find_all(block.body, b"\\u0000"):
        yield block.first + block.body.count(b"\n", 0, at)


def _find_spans(body: bytes) -> Iterator[tuple[int, int]]:
    """Where something stands that may be a long number: numbers of a list may stand side by side in one run of digits."""
    sparse = body[::_STRIDE].translate(_DIGITS)
    for first, end in _find_runs(sparse):
        for digits in _MANTISSA.finditer(body, first * _STRIDE, (end - 1) * _STRIDE + 1):
            head, tail = body[max(0, digits.start() - _FAR) : digits.start()], body[digits.end() : digits.end() + _FAR]
            start = digits.start() - len(head) + len(head.rstrip(_CHARS))
            yield start, digits.end() + len(tail) - len(tail.lstrip(_CHARS))


def _find_runs(sparse: bytes) -> Iterator[tuple[int, int]]:
    """Where four or more bytes that may be digits stand in a row. `find` is many times as fast as an expression here."""
    first = sparse.find(b"0000")
    while first >= 0:
        end = sparse.find(b" ", first)
        end = len(sparse) if end < 0 else end
        yield first, end
        first = sparse.find(b"0000", end)


def _find_all(text: bytes, wanted: bytes) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + len(wanted))


def _loses_digits(token: bytes) -> bool:
    """Whether a number would be another one after it was a double."""
    if not _NUMBER.fullmatch(token):
        return False
    if token.removeprefix(b"-").isdigit():
        return len(token) > _WHOLE
    try:
        number = Decimal(token.decode())
        return Decimal(repr(float(number))) != number
    except (InvalidOperation, OverflowError):
        return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        msg = f"the key `{twice}` appears twice in one object"
        raise UnreadableJson(msg)
    return made


def _constant(name: str) -> Any:
    msg = f"{name} is not JSON"
    raise UnreadableJson(msg)


def parse_fraction(text: str) -> Decimal:
    """The value of a JSON number with a point or an exponent."""
    try:
        return Decimal(text)
    except InvalidOperation:
        msg = f"the number {text[:40]} is too large"
        raise UnreadableJson(msg) from None


def parse_integer(text: str) -> int | Decimal:
    """The value of a JSON number without either."""
    # Python reads no whole number of more than 4,300 digits, and takes the square of their number for long ones.
    return int(text) if len(text) < 1000 else parse_fraction(text)
