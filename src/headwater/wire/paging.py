"""How to read a collection page by page. A position is a short text that the ledger stores, so a read can resume.

Every variant is stateless. It defines the first position, the request at a position, the position that
follows a page (None: none), and whether that end is certain. Loops are detected in one place for
all of them, `wire.loop_guard`.

A page that is shorter than requested is not always the last one: services may cap their pages. It is the last
one if the service says so: by a `Link` header without a next page, by a flag, or by a total or a
count that is reached. It is also the last one if the page after it is empty. Nothing else ends a read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import PermanentError
from headwater.wire.link import find_next_link
from headwater.wire.message import Page, Request
from headwater.wire.records import read_value, read_values


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


class PageNumber(Declared):
    """Numbered pages 1, 2, 3 ... until an empty page, or until the service reports the last page.

    After a short page, the next number is computed from the records received, not from those requested: a service
    that returns 50 of 1000 requested records is asked for page 2 of 50, so that no record is lost.
    """

    kind: Literal["page_number"] = "page_number"
    param: str = "page"
    """The query parameter for the page number."""
    first: int = 1
    """The number of the first page."""
    size_param: str = "pageSize"
    """The query parameter for the page size."""
    size: int = Field(default=1000, ge=1)
    """The page size to request."""
    links: bool = False
    """Whether every page except the last has a next link in its `Link` header."""
    more: str = ""
    """The path of a flag in the response that is true if another page follows, e.g. `has_more`."""
    total: str = ""
    """The path of the total number of records in the response, e.g. `meta.total`."""

    @property
    def stable(self) -> bool:
        """False: a record that moves during the read may be missed between two pages."""
        return False

    @property
    def not_found_ends(self) -> bool:
        """True: some services return 404 for a page after the last one."""
        return True

    def start(self) -> str:
        """The number of the first page."""
        return str(self.first)

    def build_request(self, base: Request, position: str) -> Request:
        """`base` with the page number."""
        number, size = self._parse_position(position)
        return base.with_params({self.param: str(number), self.size_param: str(size)})

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The next number, with the page size if it differs from the declared one."""
        number, size = self._parse_position(position)
        has_next = find_next_link(page.response.headers, url=page.response.url) is not None
        if not page.rows:
            return self._format_position(number + 1, size) if has_next or _read_more_flag(page, self.more) else None
        if _is_end_reported(page, self, progress, size=size):
            return None
        if page.rows >= size or has_next:
            return self._format_position(number + 1, size)
        rows = (number - self.first) * size + page.rows
        new_size = next(size_ for size_ in range(page.rows, 0, -1) if rows % size_ == 0)
        return self._format_position(self.first + rows // new_size, new_size)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: the service reports the end, or the last page is empty."""
        del page, progress
        return True

    def _parse_position(self, position: str) -> tuple[int, int]:
        number, _, size = position.partition("/")
        return int(number), int(size or self.size)

    def _format_position(self, number: int, size: int) -> str:
        return str(number) if size == self.size else f"{number}/{size}"


class LinkHeader(Declared):
    """The `Link` header contains the URL of the next page, `rel="next"` (RFC 8288)."""

    kind: Literal["link_header"] = "link_header"
    size_param: str = "pageSize"
    """The query parameter for the page size."""
    size: int = Field(default=1000, ge=1)
    """The page size to request."""
    total: str = ""
    """The path of the total number of records in the response, e.g. `meta.total`."""

    @property
    def stable(self) -> bool:
        """False: it is unknown how the links of the service page."""
        return False

    @property
    def not_found_ends(self) -> bool:
        """False: a URL from the service must exist."""
        return False

    def start(self) -> str:
        """The URL of the collection."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base`, or the URL in the link of the last page."""
        if not position:
            return base.with_params({self.size_param: str(self.size)})
        return base.with_url(urljoin(base.url, position))

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The URL of the next page, without the host if it is the same."""
        del position, progress
        return _find_next_url(page)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether the service uses links, or sent less than requested. A full page without links may be incomplete."""
        return page.rows < self.size or progress.links or "link" in page.response.headers


class ForwardOnly(Declared):
    """Records with a key above the last key, in the order of the key, so that no record can be missed between two pages.

    If the service does not support this kind of paging, its link to the next page has other parameters. Headwater then
    follows the links, as `link_header` does.
    """

    kind: Literal["forward_only"] = "forward_only"
    param: str = "pageId"
    """The query parameter for the last key that was read."""
    field: str = "id"
    """The path of the key in a record."""
    headers: dict[str, str] = Field(default_factory=dict)
    """The headers that request this kind of paging."""
    size_param: str = "pageSize"
    """The query parameter for the page size."""
    size: int = Field(default=1000, ge=1)
    """The page size to request."""
    links: bool = False
    """Whether every page except the last has a next link in its `Link` header."""
    more: str = ""
    """The path of a flag in the response that is true if another page follows, e.g. `has_more`."""
    total: str = ""
    """The path of the total number of records in the response, e.g. `meta.total`."""

    @property
    def stable(self) -> bool:
        """True: keys do not move."""
        return True

    @property
    def not_found_ends(self) -> bool:
        """False: there is nothing above the last key, but the collection exists."""
        return False

    def start(self) -> str:
        """Before the first key."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base` for records above the key `position`, or the URL in the link of the last page."""
        if is_address(position):
            return base.with_headers(self.headers).with_url(urljoin(base.url, position))
        request = base.with_headers(self.headers).with_params({self.size_param: str(self.size)})
        return request.with_params({self.param: position}) if position else request

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The last key of the page."""
        next_url = _find_next_url(page)
        next_keys = parse_qs(urlsplit(next_url or "").query).get(self.param)
        if next_url is not None and next_keys is None and next_url.startswith("/"):
            return next_url
        if is_address(position):
            return None
        if not page.rows:
            return self._find_key_after_empty(position, page, next_keys)
        if _is_end_reported(page, self, progress, size=self.size):
            return None
        key = self._find_last_key(page)
        if key is None and page.rows < self.size and next_url is None:
            return None
        if key is None:
            raise PermanentError(
                "no record of a full page has the key that the next page request needs",
                details=f"{page.rows} records without `{self.field}`",
                hint="set `field:` of the paging to the field of the key",
            )
        if position.isdigit() and isinstance(key, int) and key <= int(position):
            raise PermanentError(
                "paging loop: the request was for records above a key, and the service sent others",
                details=f"requested `{self.field}` above {position}, the last record has {key}",
            )
        return str(key)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether the read ended with an empty page or a report of the service, and not because a key was missing."""
        is_reported = progress.links or _is_end_reported(page, self, progress, size=self.size)
        return not page.rows or is_reported or self._find_last_key(page) is not None

    def check_order(self, position: str, keys: Iterable[Any]) -> None:
        """Raise PermanentError unless the numeric `keys` of a page only grow, from `position` on, if another page follows.

        In any other order, records with keys below the last one would never be requested. The order of texts
        is unknown, so it is not checked.
        """
        keys = list(keys)
        last = int(position) if position.isdigit() else None
        if set(map(type, keys)) == {int} and keys == sorted(keys) and (last is None or keys[0] >= last):
            return
        for key in keys:
            if not isinstance(key, int) or isinstance(key, bool):
                continue
            if last is not None and key < last:
                raise PermanentError(
                    "the service does not sort the records by the key of the paging",
                    details=f"`{self.field}` {key} after {last}",
                    hint="request that order in `params:`, or declare another `paging:` for the resource",
                )
            last = key

    def _find_key_after_empty(self, position: str, page: Page, next_keys: list[str] | None) -> str | None:
        """The key for the next request after an empty page, if the page announces more records."""
        if next_keys and next_keys[0] != position:
            return next_keys[0]
        if _read_more_flag(page, self.more):
            raise PermanentError(
                "the service reports more records but sends none to continue from",
                details=f"an empty page above {position or 'the beginning'}, with `{self.more}` true",
                hint="the position was not advanced; ask the vendor, or declare another `paging:` for the resource",
            )
        return None

    def _find_last_key(self, page: Page) -> int | str | None:
        """The key of the last record that has one, so that an invalid last record does not end the read."""
        fallback: str | None = None
        for key in read_values(reversed(page.records), self.field):
            if isinstance(key, int) and not isinstance(key, bool):
                return key
            if fallback is None and isinstance(key, str) and key:
                fallback = key
        return fallback


class Unpaged(Declared):
    """One response contains everything. If it has a next link, Headwater follows it."""

    kind: Literal["unpaged"] = "unpaged"

    @property
    def stable(self) -> bool:
        """True: there is only one page."""
        return True

    @property
    def not_found_ends(self) -> bool:
        """False: there is only one page."""
        return False

    def start(self) -> str:
        """The only position."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base`."""
        return base.with_url(urljoin(base.url, position)) if position else base

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """None, unless the response has a next link."""
        del position, progress
        return _find_next_url(page)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: as declared."""
        del page, progress
        return True


Paging = Annotated[PageNumber | LinkHeader | ForwardOnly | Unpaged, Field(discriminator="kind")]
"""All kinds of paging."""


def read_total(paging: Paging, page: Page) -> int | None:
    """The total number of records, if the response contains it at the declared path."""
    path = "" if isinstance(paging, Unpaged) else paging.total
    total = read_value(page.response.body, path) if path else None
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def is_linked(page: Page) -> bool:
    """Whether the response has a next link in its `Link` header."""
    return find_next_link(page.response.headers, url=page.response.url) is not None


def _is_end_reported(page: Page, paging: PageNumber | ForwardOnly, progress: Progress, *, size: int) -> bool:
    """Whether the service reports that no page follows this page with records.

    A total or a count may be wrong, so it ends a read only after a page that is not full.
    """
    more = _read_more_flag(page, paging.more)
    if more is not None:
        return not more
    if is_linked(page) or page.rows >= size:
        return False
    if paging.links or progress.links:
        return True
    counts = [count for count in (read_total(paging, page), progress.count) if count is not None]
    return any(progress.rows + page.rows >= count for count in counts)


def _read_more_flag(page: Page, path: str) -> bool | None:
    """The value of the flag for more pages, or None."""
    value = read_value(page.response.body, path) if path else None
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return bool(value) if isinstance(value, bool | int) else None


def _find_next_url(page: Page) -> str | None:
    url = page.response.url
    next_url = find_next_link(page.response.headers, url=url)
    return None if next_url is None else _to_relative_url(next_url, url)


def is_address(position: str) -> bool:
    """Whether a position is the URL of a page, and not a number, a key or a token."""
    return position.startswith(("/", "https:", "http:"))


def _to_relative_url(url: str, base: str) -> str:
    """`url` without scheme and host if they equal those of `base`, so that a position remains valid if the host changes."""
    url_parts, base_parts = urlsplit(url), urlsplit(base)
    if (url_parts.scheme, url_parts.netloc) != (base_parts.scheme, base_parts.netloc):
        return url
    return urlunsplit(("", "", url_parts.path or "/", url_parts.query, ""))
