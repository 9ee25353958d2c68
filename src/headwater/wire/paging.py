"""How a collection is read page by page. A position is a short text that the ledger keeps, so a read can go on.

Every variant answers a few questions and keeps nothing: where to begin, what to ask at a position, which position
follows a page (None: none), and whether that end is certain. That a service repeats itself is noticed in one place for
all of them, `wire.trail`.

A page shorter than asked is not the last one for being short: services cap their pages without a word. It is the last
one if the service says so, by a `Link` header that names no next page where it names them, by a flag, by a total or a
count that is reached; or if the page after it is empty. Nothing else ends a read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import PermanentError
from headwater.wire.link import next_link
from headwater.wire.message import Page, Request
from headwater.wire.records import read_value, read_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is known of a collection before the page in hand."""

    rows: int = 0
    """How many records came before it."""
    links: bool = False
    """Whether a page before it named the next one in its `Link` header."""
    count: int | None = None
    """How many records the service counted before the first page, where it was asked."""


BEGINNING = Progress()
"""Before the first page."""


class PageNumber(Declared):
    """Pages counted 1, 2, 3 ... until an empty one, unless the service says before that there is no other.

    After a short page the next one is asked for by the records that came, not by those that were asked for: a service
    that gives 50 where 1000 were asked is asked for page 2 of 50, and so loses nothing however it counts.
    """

    kind: Literal["page_number"] = "page_number"
    param: str = "page"
    """Query parameter that carries the number."""
    first: int = 1
    """The number of the first page."""
    size_param: str = "pageSize"
    """Query parameter that carries the page size."""
    size: int = Field(default=1000, ge=1)
    """Rows asked for a page."""
    links: bool = False
    """Whether every page but the last one names the next one in its `Link` header."""
    more: str = ""
    """Path in the answer of a flag that says whether another page follows, e.g. `has_more`."""
    total: str = ""
    """Path in the answer of how many records there are on all pages, e.g. `meta.total`."""

    @property
    def stable(self) -> bool:
        """False: a record that moves while being paged may slip between two pages."""
        return False

    @property
    def not_found_ends(self) -> bool:
        """True: some services answer 404 to a page after the last one."""
        return True

    def start(self) -> str:
        """The number of the first page."""
        return str(self.first)

    def request(self, base: Request, position: str) -> Request:
        """`base`, asking for the page of that number."""
        number, size = self._numbers(position)
        return base.with_params({self.param: str(number), self.size_param: str(size)})

    def after(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The next number, with the page size where it is another one than was declared."""
        number, size = self._numbers(position)
        following = next_link(page.response.headers, url=page.response.url) is not None
        if not page.rows:
            return self._position(number + 1, size) if following or _says_more(page, self.more) else None
        if _says_end(page, self, progress, size=size):
            return None
        if page.rows >= size or following:
            return self._position(number + 1, size)
        came = (number - self.first) * size + page.rows
        fits = next(one for one in range(page.rows, 0, -1) if came % one == 0)
        return self._position(self.first + came // fits, fits)

    def end_is_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: it ends by the service's word, or by an empty page."""
        del page, progress
        return True

    def _numbers(self, position: str) -> tuple[int, int]:
        number, _, size = position.partition("/")
        return int(number), int(size or self.size)

    def _position(self, number: int, size: int) -> str:
        return str(number) if size == self.size else f"{number}/{size}"


class LinkHeader(Declared):
    """The address of the next page stands in the `Link` header, `rel="next"` (RFC 8288)."""

    kind: Literal["link_header"] = "link_header"
    size_param: str = "pageSize"
    """Query parameter that carries the page size."""
    size: int = Field(default=1000, ge=1)
    """Rows asked for a page."""
    total: str = ""
    """Path in the answer of how many records there are on all pages, e.g. `meta.total`."""

    @property
    def stable(self) -> bool:
        """False: nobody knows what the service's links count."""
        return False

    @property
    def not_found_ends(self) -> bool:
        """False: an address that the service named must be there."""
        return False

    def start(self) -> str:
        """The collection's own address."""
        return ""

    def request(self, base: Request, position: str) -> Request:
        """`base`, or the address that the last page named."""
        if not position:
            return base.with_params({self.size_param: str(self.size)})
        return base.with_url(urljoin(base.url, position))

    def after(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The address of the next page, without the host where it is the same one."""
        del position, progress
        return _find_next_url(page)

    def end_is_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether the service is known to link, or sent less than asked: a full page without any link may be cut off."""
        return page.rows < self.size or progress.links or "link" in page.response.headers


class ForwardOnly(Declared):
    """Records with a key above the last one seen, in key order: no record can slip between two pages.

    A service that does not know this kind of paging shows it: its link to the next page speaks of something else. Then
    its links are followed, as `link_header` does.
    """

    kind: Literal["forward_only"] = "forward_only"
    param: str = "pageId"
    """Query parameter that carries the last key seen."""
    field: str = "id"
    """The key, as a path in a record."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers that ask for this kind of paging."""
    size_param: str = "pageSize"
    """Query parameter that carries the page size."""
    size: int = Field(default=1000, ge=1)
    """Rows asked for a page."""
    links: bool = False
    """Whether every page but the last one names the next one in its `Link` header."""
    more: str = ""
    """Path in the answer of a flag that says whether another page follows, e.g. `has_more`."""
    total: str = ""
    """Path in the answer of how many records there are on all pages, e.g. `meta.total`."""

    @property
    def stable(self) -> bool:
        """True: keys never move."""
        return True

    @property
    def not_found_ends(self) -> bool:
        """False: there is nothing above the last key, but the collection is there."""
        return False

    def start(self) -> str:
        """Before the first key."""
        return ""

    def request(self, base: Request, position: str) -> Request:
        """`base`, asking for records above the key `position`, or the address that the last page named."""
        if _is_address(position):
            return base.with_headers(self.headers).with_url(urljoin(base.url, position))
        asked = base.with_headers(self.headers).with_params({self.size_param: str(self.size)})
        return asked.with_params({self.param: position}) if position else asked

    def after(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The last key of the page."""
        following = _find_next_url(page)
        named = parse_qs(urlsplit(following or "").query).get(self.param)
        if following is not None and named is None and following.startswith("/"):
            return following
        if _is_address(position):
            return None
        if not page.rows:
            return self._next_after_empty(position, page, named)
        if _says_end(page, self, progress, size=self.size):
            return None
        key = self._last_key(page)
        if key is None and page.rows < self.size and following is None:
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

    def end_is_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether it ended by an empty page or by the service's word, and not for want of a key to ask by."""
        said = progress.links or _says_end(page, self, progress, size=self.size)
        return not page.rows or said or self._last_key(page) is not None

    def check_order(self, position: str, keys: Iterable[Any]) -> None:
        """PermanentError unless numbers among the `keys` of a page that another one follows only grow, from `position` on.

        In any other order, records with keys below the last one would never be asked for. How a service orders texts
        nobody knows; there the order is not looked at.
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

    def _next_after_empty(self, position: str, page: Page, named: list[str] | None) -> str | None:
        """The key that an empty page says the next one is asked by, if it says that there is one."""
        if named and named[0] != position:
            return named[0]
        if _says_more(page, self.more):
            raise PermanentError(
                "the service reports more records but sends none to continue from",
                details=f"an empty page above {position or 'the beginning'}, with `{self.more}` true",
                hint="the position was not advanced; ask the vendor, or declare another `paging:` for the resource",
            )
        return None

    def _last_key(self, page: Page) -> int | str | None:
        """The key of the last record that has one: a damaged record at the end must not end the read."""
        fallback: str | None = None
        for found in read_values(reversed(page.records), self.field):
            if isinstance(found, int) and not isinstance(found, bool):
                return found
            if fallback is None and isinstance(found, str) and found:
                fallback = found
        return fallback


class Unpaged(Declared):
    """One answer holds everything. Should it name a next page all the same, that one is read, too."""

    kind: Literal["unpaged"] = "unpaged"

    @property
    def stable(self) -> bool:
        """True: there is nothing to slip between."""
        return True

    @property
    def not_found_ends(self) -> bool:
        """False: there is only one."""
        return False

    def start(self) -> str:
        """The only position."""
        return ""

    def request(self, base: Request, position: str) -> Request:
        """`base` itself."""
        return base.with_url(urljoin(base.url, position)) if position else base

    def after(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """None, unless the answer says otherwise."""
        del position, progress
        return _find_next_url(page)

    def end_is_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: that is what was declared."""
        del page, progress
        return True


Paging = Annotated[PageNumber | LinkHeader | ForwardOnly | Unpaged, Field(discriminator="kind")]
"""Every way of paging that a manifest may name."""


def read_total(paging: Paging, page: Page) -> int | None:
    """How many records there are on all pages, if the answer says so where the manifest says it does."""
    path = "" if isinstance(paging, Unpaged) else paging.total
    found = read_value(page.response.body, path) if path else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def is_linked(page: Page) -> bool:
    """Whether the answer names a next page in its `Link` header."""
    return next_link(page.response.headers, url=page.response.url) is not None


def _says_end(page: Page, paging: PageNumber | ForwardOnly, progress: Progress, *, size: int) -> bool:
    """Whether the service says that no page follows one with records.

    A total or a count ends nothing by itself, for it may be a wrong one: only together with a page that is not full.
    """
    more = _says_more(page, paging.more)
    if more is not None:
        return not more
    if is_linked(page) or page.rows >= size:
        return False
    if paging.links or progress.links:
        return True
    counts = [count for count in (read_total(paging, page), progress.count) if count is not None]
    return any(progress.rows + page.rows >= count for count in counts)


def _says_more(page: Page, path: str) -> bool | None:
    """What the flag says that tells whether more follows; None where it says nothing."""
    found = read_value(page.response.body, path) if path else None
    if isinstance(found, str) and found.lower() in ("true", "false"):
        return found.lower() == "true"
    return bool(found) if isinstance(found, bool | int) else None


def _find_next_url(page: Page) -> str | None:
    url = page.response.url
    found = next_link(page.response.headers, url=url)
    return None if found is None else _relative_url(found, url)


def _is_address(position: str) -> bool:
    return position.startswith(("/", "https:", "http:"))


def _relative_url(url: str, base: str) -> str:
    """`url` without scheme and host where they are those of `base`, so that a position outlives a change of host."""
    there, here = urlsplit(url), urlsplit(base)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return url
    return urlunsplit(("", "", there.path or "/", there.query, ""))
