"""Keys of records in the requests of next pages: their form, and whether the records are sorted by them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from headwater.clock import parse_instant
from headwater.errors import PermanentError
from headwater.wire.message import Page
from headwater.wire.records import read_values

_PLAIN = re.compile(r"[\w .:+/@=-]*", re.ASCII)
"""The signs of a key that mean nothing in any query language."""


def format_key(value: Any, *, field: str) -> str:
    """A key as text in a request. Raise PermanentError if it has signs that could end a text of a query language."""
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, int | str) or not text or not _PLAIN.fullmatch(text):
        raise PermanentError(
            "a key cannot be part of the request of the next page",
            details=f"`{field}` {text[:100]!r}",
            hint="use another field as the key of the paging, or another `paging:`",
        )
    return text


def find_last_value(page: Page, field: str) -> str:
    """The key of the last record of a page. Raise PermanentError if it has none."""
    value = next(read_values(page.records[-1:], field), None)
    if value is None:
        raise PermanentError(
            "the last record of a page has no key, which the request of the next page needs",
            details=f"a record without `{field}`",
            hint="check `field:` of the paging",
        )
    return format_key(value, field=field)


def check_key_order(field: str, above: str, keys: Iterable[Any]) -> None:
    """Raise PermanentError unless the keys only grow, from `above` on, as far as they can be compared.

    Numbers and instants are compared. The order of other texts is the service's own.
    """
    last = parse_key(above) if above else None
    for key in keys:
        value = parse_key(key)
        if value is None:
            continue
        if type(last) is type(value) and last > value:  # type: ignore[operator]
            raise PermanentError(
                "the service does not sort the records by the key of the paging",
                details=f"`{field}` {key} after {_show(last)}",
                hint="request that order, or declare another `paging:` for the resource",
            )
        last = value


def parse_key(value: Any) -> int | datetime | None:
    """The number or the instant that a key is, or None if it is another text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value[:1].isdigit():
        return None
    if value.isascii() and value.isdigit():
        return int(value)
    try:
        return parse_instant(value)
    except ValueError:
        return None


def _show(value: int | datetime | None) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
