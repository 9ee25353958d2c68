"""Numbered pages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headwater.declared import Declared
from headwater.wire.link import find_next_link
from headwater.wire.message import Page, Request
from headwater.wire.paging.progress import BEGINNING, PagingTraits, Progress, is_end_reported, read_more_flag


class PageNumber(PagingTraits, Declared):
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
            return self._format_position(number + 1, size) if has_next or read_more_flag(page, self.more) else None
        if is_end_reported(page, self, progress, size=size):
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
