"""Pages by the number of records before them, as a parameter or inside of a query text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headwater.declared import Declared
from headwater.wire.message import Page, Request
from headwater.wire.paging.progress import BEGINNING, PagingTraits, Progress, is_end_reported, read_more_flag
from headwater.wire.records import read_value
from headwater.wire.template import fill


class Offset(PagingTraits, Declared):
    """The records from an offset on, until an empty page, or until the service reports the last page.

    The offset grows by the records received, not by those requested, because services cap their pages. A service that
    hides records sends short or empty pages inside of a collection: an empty page ends the read only if the total is reached.
    """

    kind: Literal["offset"] = "offset"
    param: str = "offset"
    """The parameter for the offset, or for the query text."""
    text: str = ""
    """The query text, if the offset is a part of it, e.g. `{filter} STARTPOSITION {offset} MAXRESULTS {size}`. `{filter}` is
    what the resource or its cursor sets for `param`."""
    first: int = 0
    """The offset of the first record: 0, or 1 where positions are counted."""
    size_param: str = ""
    """The parameter for the page size. Empty: it is part of the text, or the service decides."""
    size: int = Field(default=1000, ge=1)
    """The page size to request."""
    links: bool = False
    """Whether every page except the last has a next link in its `Link` header."""
    more: str = ""
    """The path of a flag in the response that is true if another page follows, e.g. `has_more`."""
    total: str = ""
    """The path of the total number of records in the response, e.g. `meta.total`."""
    total_header: str = ""
    """The header with the total number of records, e.g. `X-Total-Count`."""

    @property
    def stable(self) -> bool:
        """False: a record that moves during the read may be missed between two pages."""
        return False

    @property
    def not_found_ends(self) -> bool:
        """True: some services return 404 for an offset after the last record."""
        return True

    def start(self) -> str:
        """The offset of the first record."""
        return str(self.first)

    def build_request(self, base: Request, position: str) -> Request:
        """`base` with the offset."""
        value = str(self._parse_position(position)[0])
        if self.text:
            values = {"filter": base.params.get(self.param, ""), "offset": value, "size": str(self.size)}
            value = fill(self.text, values, where=f"paging of the connector ({self.origin})")
        params = {self.param: value}
        return base.with_params({**params, self.size_param: str(self.size)} if self.size_param else params)

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The offset after the records received."""
        offset, largest = self._parse_position(position)
        total = self._read_total(page)
        if not page.rows:
            # The page holds only hidden records. It is as large as the largest one: the service may cap below `size`.
            offset += largest or self.size
            is_short = total is not None and offset - self.first < total
            return self._format_position(offset, largest) if is_short or read_more_flag(page, self.more) else None
        if total is not None and offset + page.rows - self.first >= total and page.rows < self.size:
            return None
        if is_end_reported(page, self, progress, size=self.size):
            return None
        return self._format_position(offset + page.rows, max(largest, page.rows))

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: the service reports the end, or the last page is empty."""
        del page, progress
        return True

    def _parse_position(self, position: str) -> tuple[int, int]:
        """The offset, and the size of the largest page before it."""
        offset, _, largest = position.partition("/")
        return int(offset), int(largest or 0)

    def _format_position(self, offset: int, largest: int) -> str:
        return f"{offset}/{largest}"

    def _read_total(self, page: Page) -> int | None:
        text = page.response.headers.get(self.total_header.lower(), "") if self.total_header else ""
        if text.isascii() and text.isdigit():
            return int(text)
        value = read_value(page.response.body, self.total) if self.total else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None
