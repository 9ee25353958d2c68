"""Exact numbers and canonical JSON.

DuckDB reads every fraction in JSON as a double, whatever the type of its column is. This is exact if the number is the
shortest text of that double, as nearly all numbers are. `find_long_numbers` finds the other lines. They are parsed here
instead, with decimals. The canonical text of a value has sorted keys, no whitespace, and numbers in a normal form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

from headwater.bronze.jsonl import Block

MAX_DEPTH = 100
"""The most levels of objects and lists in a value that is stored as JSON."""
_MAX_PLAIN_DIGITS = 40
"""The most digits of a whole number that is written without an exponent."""
_MIN_PLAIN_EXPONENT = -7
"""The smallest exponent of a fraction that is written without one."""
_MAX_INT64_DIGITS = 18
"""The most digits of a whole number that always fits into 64 bits."""
_STRIDE = 4
"""The first search looks at one byte of so many. A number of 16 digits has four such bytes, and all are digits."""
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789." else ord(" ") for byte in range(256))
_MANTISSA = re.compile(rb"[0-9.]{13,}")
"""The digits that a number of 16 digits has at least between the first and the last byte that the first search sees."""
_CHARS = b"-+0123456789.eE"
_MAX_SEARCH = 400
"""The bytes to each side in which to search for the ends of a number. A longer number always counts as inexact."""
_BEFORE = b":[, "
_AFTER = b",]} \n"
_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")


class UnreadableJson(ValueError):
    """The text is not valid JSON, or its value cannot be stored."""


def parse(text: str) -> Any:
    """Parse JSON with fractions as decimals. Raise ValueError or RecursionError if it is invalid."""
    return json.loads(
        text,
        object_pairs_hook=_build_object,
        parse_constant=_refuse_constant,
        parse_float=parse_fraction,
        parse_int=parse_integer,
    )


def parse_fast(text: str) -> Any:
    """Parse JSON faster than `parse`, without the numbers that `find_long_numbers` finds. ArithmeticError for such a number."""
    return json.loads(text, object_pairs_hook=_build_object, parse_constant=_refuse_constant, parse_float=Decimal)


def to_canonical_json(value: Any, depth: int = 0) -> str:
    """The canonical text of a value: sorted keys, no whitespace, and numbers in a normal form."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int | Decimal | float):
        return format_number(value)
    if depth >= MAX_DEPTH:
        msg = f"is nested deeper than {MAX_DEPTH} levels"
        raise UnreadableJson(msg)
    if isinstance(value, dict):
        inner = [f"{encode_basestring(key)}:{to_canonical_json(value[key], depth + 1)}" for key in sorted(value)]
        return "{" + ",".join(inner) + "}"
    return "[" + ",".join([to_canonical_json(item, depth + 1) for item in value]) + "]"


def format_number(value: float | Decimal) -> str:
    """A number with all significant digits and no others: 1.0, 1e0 and 1 are `1`."""
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
    if exponent >= 0 and scale < _MAX_PLAIN_DIGITS:
        return minus + short + "0" * exponent
    if exponent < 0 and scale >= _MIN_PLAIN_EXPONENT:
        return minus + (
            f"{short[: scale + 1]}.{short[scale + 1 :]}" if scale >= 0 else f"0.{'0' * (-scale - 1)}{short}"
        )
    rest = f".{short[1:]}" if len(short) > 1 else ""
    return f"{minus}{short[0]}{rest}e{scale:+d}"


def find_long_numbers(block: Block) -> Iterator[int]:
    """The line numbers of a block whose lines have a number that a double would change. Rarely, other lines too."""
    body = block.body
    for start, end in _find_spans(body):
        is_delimited = body[start - 1] in _BEFORE and body[end] in _AFTER
        if is_delimited and (end - start >= _MAX_SEARCH or _is_inexact_as_double(body[start:end])):
            yield block.first + body.count(b"\n", 0, start)


def find_nul_lines(block: Block) -> Iterator[int]:
    """The line numbers of a block whose lines contain the character NUL. Rarely, other lines too."""
    for at in _find_all(block.body, b"\\u0000"):
        yield block.first + block.body.count(b"\n", 0, at)


def _find_spans(body: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each text that may be a long number. One run of digits can contain several numbers of a list."""
    sparse = body[::_STRIDE].translate(_DIGITS)
    for first, end in _find_runs(sparse):
        for digits in _MANTISSA.finditer(body, first * _STRIDE, (end - 1) * _STRIDE + 1):
            head, tail = (
                body[max(0, digits.start() - _MAX_SEARCH) : digits.start()],
                body[digits.end() : digits.end() + _MAX_SEARCH],
            )
            start = digits.start() - len(head) + len(head.rstrip(_CHARS))
            yield start, digits.end() + len(tail) - len(tail.lstrip(_CHARS))


def _find_runs(sparse: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each run of four or more bytes that may be digits. `find` is many times faster than a regex here."""
    first = sparse.find(b"0000")
    while first >= 0:
        end = sparse.find(b" ", first)
        end = len(sparse) if end < 0 else end
        yield first, end
        first = sparse.find(b"0000", end)


def _find_all(text: bytes, pattern: bytes) -> Iterator[int]:
    at = text.find(pattern)
    while at >= 0:
        yield at
        at = text.find(pattern, at + len(pattern))


def _is_inexact_as_double(token: bytes) -> bool:
    """Whether a conversion to double would change the number."""
    if not _NUMBER.fullmatch(token):
        return False
    if token.removeprefix(b"-").isdigit():
        return len(token) > _MAX_INT64_DIGITS
    try:
        number = Decimal(token.decode())
        return Decimal(repr(float(number))) != number
    except (InvalidOperation, OverflowError):
        return True


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        duplicate = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        msg = f"the key `{duplicate}` appears twice in one object"
        raise UnreadableJson(msg)
    return result


def _refuse_constant(name: str) -> Any:
    msg = f"{name} is not JSON"
    raise UnreadableJson(msg)


def parse_fraction(text: str) -> Decimal:
    """Parse a JSON number with a decimal point or an exponent."""
    try:
        return Decimal(text)
    except InvalidOperation:
        msg = f"the number {text[:40]} is too large"
        raise UnreadableJson(msg) from None


def parse_integer(text: str) -> int | Decimal:
    """Parse a JSON number without a decimal point and an exponent."""
    # Python refuses integers of more than 4,300 digits, and its time is quadratic in the number of digits.
    return int(text) if len(text) < 1000 else parse_fraction(text)
