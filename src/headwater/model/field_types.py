"""The value types of contracts. They are strict if a value would change, and lenient if only its spelling differs.

A contract is a pydantic subclass of `Record`. It reports why a record is refused. What it tolerates (a number
instead of text, `5.0` for 5, a timestamp with extra blanks) is kept and reported as repaired.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from headwater.clock import parse_instant

_LIMITS = {"bigint": 2**63, "integer": 2**31}
_MANY_DIGITS = 40
_BLANKS = re.compile(r"\s*([:.+])\s*")
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """Marks an annotation with its column type, if the Python type is not enough."""

    dtype: str
    loose: bool = False
    """Whether it accepts any value, as text."""


class Record(BaseModel):
    """The base of every contract. Unknown fields are ignored here: raw keeps them, and the drift report lists them."""

    model_config = ConfigDict(
        extra="ignore",
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        frozen=True,
        defer_build=True,
    )

    unread: ClassVar[tuple[str, ...]] = ()
    """Names to ignore, as patterns with `*`. They do not count as drift."""


def _reject_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        msg = "is a boolean, not a number"
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns a ValueError into a reason, a TypeError into a crash
    return value


def _to_text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _build_range_check(dtype: str) -> AfterValidator:
    limit = _LIMITS[dtype]

    def check(value: int) -> int:
        if not -limit <= value < limit:
            msg = f"is out of range for {dtype}"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


def parse_timestamp(value: Any) -> Any:
    """Parse an instant in UTC from ISO 8601 with extra blanks, any fraction and any offset. Otherwise raise ValueError."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    match = _INSTANT.fullmatch(_BLANKS.sub(r"\1", value.strip())) if isinstance(value, str) else None
    if match is None:
        msg = "is not an ISO 8601 timestamp"
        raise ValueError(msg)
    day, minutes, seconds, fraction, zone = match.groups()
    text = f"{day}T{minutes or '00:00'}{seconds or ':00'}.{(fraction or '')[:6]:0<6}"
    try:
        return parse_instant(text + _format_offset(zone))
    except OverflowError:
        msg = "is out of range for a timestamp"
        raise ValueError(msg) from None


def parse_date(value: Any) -> Any:
    """Parse a date from ISO 8601 (midnight is dropped). Otherwise raise ValueError."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        instant = parse_timestamp(value)
    except ValueError:
        msg = "is not an ISO 8601 date"
        raise ValueError(msg) from None
    if instant != instant.replace(hour=0, minute=0, second=0, microsecond=0):
        msg = "is a timestamp, not a date"
        raise ValueError(msg)
    return instant.date()


def _format_offset(zone: str | None) -> str:
    if zone is None or zone in "Zz":
        return "+00:00"
    digits = zone[1:].replace(":", "")
    return f"{zone[0]}{digits[:2]}:{digits[2:] or '00'}"


def _build_decimal_check(precision: int, scale: int) -> AfterValidator:
    def check(value: Decimal) -> Decimal:
        _, digits, exponent = value.as_tuple()
        if not value or not isinstance(exponent, int):
            return Decimal(0)
        ending = len(digits) - len("".join(map(str, digits)).rstrip("0"))
        if value.adjusted() >= precision - scale:
            msg = f"is out of range for decimal({precision},{scale})"
            raise ValueError(msg)
        if exponent + ending < -scale:
            msg = f"has more than {scale} digits after the point, as decimal({precision},{scale}) has them"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


def _to_exact_decimal(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else _reject_boolean(value)


def _reject_long_number(value: Any) -> Any:
    """Refuse a number with too many digits before anything counts them."""
    if isinstance(value, Decimal) and value.adjusted() > _MANY_DIGITS:
        msg = "is out of range for a whole number"
        raise ValueError(msg)
    return _reject_boolean(value)


def build_decimal(precision: int, scale: int) -> Any:
    """The annotation of a decimal number. A number with more digits is refused, never rounded."""
    return Annotated[
        Decimal,
        BeforeValidator(_to_exact_decimal),
        _build_decimal_check(precision, scale),
        ColumnType(f"decimal({precision},{scale})"),
    ]


Whole = Annotated[int, BeforeValidator(_reject_long_number), _build_range_check("bigint")]
"""A whole number of 64 bits. `5.0` and `"5"` are read as 5. 5.5 and true are refused."""

Small = Annotated[int, BeforeValidator(_reject_long_number), _build_range_check("integer"), ColumnType("integer")]
"""A whole number of 32 bits."""

Number = Annotated[float, BeforeValidator(_reject_boolean)]
"""A finite number."""

AnyText = Annotated[str, BeforeValidator(_to_text), ColumnType("text", loose=True)]
"""Text that accepts any value. Other values than strings are kept as JSON."""

Instant = Annotated[datetime, BeforeValidator(parse_timestamp)]
"""An instant, UTC."""

Day = Annotated[date, BeforeValidator(parse_date)]
"""A calendar day."""

Amount = build_decimal(38, 18)
"""Money, hours or a quantity: 20 digits before the point and 18 after it, enough for values computed as doubles."""
