"""What the kinds of paging share: the progress of a read, next links, flags and totals in responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec

from headwater.errors import PermanentError
from headwater.wire.link import find_next_link
from headwater.wire.message import Page
from headwater.wire.records import read_value

_MAX_LINK = 4000
"""The longest value that is looked at for a link. A list of records is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a collection before the current page."""

    rows: int = 0
    """The number of records before this page."""
    links: bool = False
    """Whether an earlier page had a next link in its `Link` header."""
    count: int | None = None
    """The count of the service before the first page, if it was requested."""


BEGINNING = Progress()
"""Before the first page."""


class PagingTraits:
    """What most kinds of paging have in common."""

    @property
    def not_found_ends(self) -> bool:
        """Whether a page after the last one may be answered with 404."""
        return False

    @property
    def paths(self) -> tuple[str, ...]:
        """The fields of a record that build the request of the next page."""
        return ()

    def check_rows(self, position: str, rows: Iterable[Sequence[Any]]) -> None:
        """Raise PermanentError if the records of a page are in an order in which the next page would skip some.

        `rows` are the values at `paths` of each record.
        """


class ReportsEnd(Protocol):
    """The part of a declaration that says how the service reports the last page."""

    @property
    def links(self) -> bool:
        """Whether every page except the last has a next link."""
        ...

    @property
    def more(self) -> str:
        """The path of a flag that is true if another page follows."""
        ...

    @property
    def total(self) -> str:
        """The path of the total number of records."""
        ...


def read_total(path: str, page: Page) -> int | None:
    """The total number of records, if the response contains it at `path`. Empty: it does not."""
    total = read_value(page.response.body, path) if path else None
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def is_linked(page: Page) -> bool:
    """Whether the response has a next link in its `Link` header."""
    return find_next_link(page.response.headers, url=page.response.url) is not None


def is_end_reported(page: Page, paging: ReportsEnd, progress: Progress, *, size: int) -> bool:
    """Whether the service reports that no page follows this page with records.

    A total or a count may be wrong, so it ends a read only after a page that is not full.
    """
    more = read_more_flag(page, paging.more)
    if more is not None:
        return not more
    if is_linked(page) or page.rows >= size:
        return False
    if paging.links or progress.links:
        return True
    counts = [count for count in (read_total(paging.total, page), progress.count) if count is not None]
    return any(progress.rows + page.rows >= count for count in counts)


def read_more_flag(page: Page, path: str) -> bool | None:
    """The value of the flag for more pages, or None."""
    value = read_value(page.response.body, path) if path else None
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return bool(value) if isinstance(value, bool | int) else None


def find_next_url(page: Page) -> str | None:
    """The URL of the next page in the `Link` header, without the host if it is the same."""
    url = page.response.url
    next_url = find_next_link(page.response.headers, url=url)
    return None if next_url is None else to_relative_url(next_url, url)


def refuse_unread_link(page: Page, field: str) -> None:
    """Raise PermanentError if a page without `field` has another link to a next page: the read would end too early."""
    if path := find_unread_link(page):
        raise PermanentError(
            "the response has a link to a next page that the paging does not read",
            details=f"`{path}`, and nothing at `{field}`",
            hint="set `field:` of the paging to its path; the position was not advanced",
        )


def find_unread_link(page: Page) -> str | None:
    """The path of a link or token of a next page at the top of a response, or one level below. None if there is none."""
    try:
        top = msgspec.json.decode(page.response.body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    for name, raw in top.items():
        if len(raw) > _MAX_LINK:
            continue
        value = msgspec.json.decode(raw)
        for path, text in {name: value, **_list_below(name, value)}.items():
            words = path.lower()
            is_link = isinstance(text, str) and (is_address(text) or words.endswith(("token", "cursor")))
            if "next" in words and is_link:
                return path
    return None


def _list_below(name: str, value: Any) -> dict[str, Any]:
    return {f"{name}.{key}": below for key, below in value.items()} if isinstance(value, dict) else {}


def is_address(position: str) -> bool:
    """Whether a position is the URL of a page, and not a number, a key or a token."""
    return position.startswith(("/", "https:", "http:"))


def to_relative_url(url: str, base: str) -> str:
    """`url` without scheme and host if they equal those of `base`, so that a position remains valid if the host changes."""
    url_parts, base_parts = urlsplit(url), urlsplit(base)
    if (url_parts.scheme, url_parts.netloc) != (base_parts.scheme, base_parts.netloc):
        return url
    return urlunsplit(("", "", url_parts.path or "/", url_parts.query, ""))
