"""How a collection is read page by page. A position is a short text that the ledger keeps, so a read can go on.

Every variant answers three questions and keeps nothing: where to begin, what to ask at a position, and which position
follows a page (None: none). That a service repeats itself is noticed in one place for all of them, `wire.trail`.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import Refused
from headwater.wire.link import next_link
from headwater.wire.message import Page, Request
from headwater.wire.records import values


class PageNumber(Declared):
    """Pages counted 1, 2, 3 ... until a short or an empty one."""

    kind: Literal["page_number"] = "page_number"
    param: str = "page"
    """Query parameter that carries the number."""
    first: int = 1
    """The number of the first page."""
    size_param: str = "pageSize"
    """Query parameter that carries the page size."""
    size: int = 1000
    """Rows of a full page. A shorter page is the last, unless its `Link` header names a next one."""

    @property
    def stable(self) -> bool:
        """False: a record that moves while being paged may slip between two pages."""
        return False

    def start(self) -> str:
        """The number of the first page."""
        return str(self.first)

    def request(self, base: Request, position: str) -> Request:
        """`base`, asking for the page of that number."""
        return base.with_params({self.param: position, self.size_param: str(self.size)})

    def after(self, position: str, page: Page) -> str | None:
        """The next number, as long as pages are full."""
        return str(int(position) + 1) if _goes_on(page, self.size) else None


class LinkHeader(Declared):
    """The address of the next page stands in the `Link` header, `rel="next"` (RFC 8288)."""

    kind: Literal["link_header"] = "link_header"
    size_param: str = "pageSize"
    """Query parameter that carries the page size."""
    size: int = 1000
    """Rows asked for a page."""

    @property
    def stable(self) -> bool:
        """False: nobody knows what the service's links count."""
        return False

    def start(self) -> str:
        """The collection's own address."""
        return ""

    def request(self, base: Request, position: str) -> Request:
        """`base`, or the address that the last page named."""
        if not position:
            return base.with_params({self.size_param: str(self.size)})
        return base.to(urljoin(base.url, position))

    def after(self, position: str, page: Page) -> str | None:
        """The address of the next page, without the host where it is the same one."""
        del position
        url = page.response.url
        found = next_link(page.response.headers, url=url)
        return None if found is None else _relative(found, url)


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
    size: int = 1000
    """Rows of a full page. A shorter page is the last, unless its `Link` header names a next one."""

    @property
    def stable(self) -> bool:
        """True: keys never move."""
        return True

    def start(self) -> str:
        """Before the first key."""
        return ""

    def request(self, base: Request, position: str) -> Request:
        """`base`, asking for records above the key `position`, or the address that the last page named."""
        if _is_address(position):
            return base.with_headers(self.headers).to(urljoin(base.url, position))
        asked = base.with_headers(self.headers).with_params({self.size_param: str(self.size)})
        return asked.with_params({self.param: position}) if position else asked

    def after(self, position: str, page: Page) -> str | None:
        """The last key of the page, as long as pages are full."""
        url = page.response.url
        link = next_link(page.response.headers, url=url)
        if link is not None and self.param not in parse_qs(urlsplit(link).query):
            following = _relative(link, url)
            if following.startswith("/"):
                return following
        if not _goes_on(page, self.size) or _is_address(position):
            return None
        key = self._last_key(page)
        if key is None:
            raise Refused(
                "no record of a full page has the key that the next page is asked by",
                saw=f"{page.rows} records without `{self.field}`",
                hint="`field:` of the paging says where the key stands",
            )
        if position.isdigit() and isinstance(key, int) and key <= int(position):
            raise Refused(
                "the service repeats itself: records above a key were asked for, and others came",
                saw=f"asked for `{self.field}` above {position}, the last one came with {key}",
            )
        return str(key)

    def _last_key(self, page: Page) -> int | str | None:
        """The key of the last record that has one: a damaged record at the end must not end the read."""
        fallback: str | None = None
        for found in values(reversed(page.records), self.field):
            if isinstance(found, int) and not isinstance(found, bool):
                return found
            if fallback is None and isinstance(found, str) and found:
                fallback = found
        return fallback


class Unpaged(Declared):
    """One answer holds everything."""

    kind: Literal["unpaged"] = "unpaged"

    @property
    def stable(self) -> bool:
        """True: there is nothing to slip between."""
        return True

    def start(self) -> str:
        """The only position."""
        return ""

    def request(self, base: Request, position: str) -> Request:
        """`base` itself."""
        del position
        return base

    def after(self, position: str, page: Page) -> str | None:
        """None: there is no other page."""
        del position, page
        return None


Paging = Annotated[PageNumber | LinkHeader | ForwardOnly | Unpaged, Field(discriminator="kind")]
"""Every way of paging that a manifest may name."""


def _goes_on(page: Page, size: int) -> bool:
    """Whether another page may follow: a full one does, and a short one whose answer says so (the size was capped)."""
    if not page.rows:
        return False
    return page.rows >= size or next_link(page.response.headers, url=page.response.url) is not None


def _is_address(position: str) -> bool:
    return position.startswith(("/", "https:", "http:"))


def _relative(url: str, base: str) -> str:
    """`url` without scheme and host where they are those of `base`, so that a position outlives a change of host."""
    there, here = urlsplit(url), urlsplit(base)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return url
    return urlunsplit(("", "", there.path or "/", there.query, ""))
