"""The next page by the `Link` header, and collections of one page."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urljoin

from pydantic import Field

from headwater.declared import Declared
from headwater.wire.message import Page, Request
from headwater.wire.paging.progress import BEGINNING, PagingTraits, Progress, find_next_url


class LinkHeader(PagingTraits, Declared):
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
        return find_next_url(page)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether the service uses links, or sent less than requested. A full page without links may be incomplete."""
        return page.rows < self.size or progress.links or "link" in page.response.headers


class Unpaged(PagingTraits, Declared):
    """One response contains everything. If it has a next link, Headwater follows it."""

    kind: Literal["unpaged"] = "unpaged"

    @property
    def stable(self) -> bool:
        """True: there is only one page."""
        return True

    def start(self) -> str:
        """The only position."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base`."""
        return base.with_url(urljoin(base.url, position)) if position else base

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """None, unless the response has a next link."""
        del position, progress
        return find_next_url(page)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: as declared."""
        del page, progress
        return True
