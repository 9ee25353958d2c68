"""The next page by a URL in the response, e.g. `@odata.nextLink` or `nextRecordsUrl`."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from urllib.parse import urljoin

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import PermanentError
from headwater.wire.message import Page, Request
from headwater.wire.paging.progress import (
    BEGINNING,
    PagingTraits,
    Progress,
    read_more_flag,
    refuse_unread_link,
    to_relative_url,
)
from headwater.wire.records import read_value


class NextUrl(PagingTraits, Declared):
    """The response contains the URL of the next page. No such URL means the last page.

    The URL may lack the host. A URL of a host that is not in `hosts:` is refused, and nothing is sent there.
    """

    kind: Literal["next_url"] = "next_url"
    field: str
    """The path of the URL in the response, e.g. `nextRecordsUrl` or `@odata\\.nextLink`: `\\.` is a dot in a name."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of every page, e.g. `Prefer: odata.maxpagesize=1000`."""
    size_param: str = ""
    """The query parameter for the page size. Empty: the service decides. OData's `$top` is no page size: it ends the read."""
    size: int = Field(default=1000, ge=1)
    """The page size to request, if there is a `size_param`."""
    done: str = ""
    """The path of a flag in the response that is true on the last page, e.g. `done`. A page without a URL must have it."""
    last: str = ""
    """The path of a flag that is true on the last page although it has a URL, e.g. `end_of_stream`. Every page must have it."""
    resend: bool = False
    """Whether the next URL expects the method and the body of the first request. Default: a GET without a body."""
    total: str = ""
    """The path of the total number of records in the response, e.g. `totalSize`."""
    stable: bool = False
    """Whether no record can move between two pages, because the service pages over a snapshot of the result or by keys.
    Otherwise a complete read is proved by a count, or read twice."""

    def start(self) -> str:
        """The URL of the collection."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base`, or the URL in the last page."""
        request = base.with_headers(self.headers)
        if not position:
            return request.with_params({self.size_param: str(self.size)}) if self.size_param else request
        url = urljoin(base.url, position)
        # The body of a request that is sent again is filled with its parameters.
        return replace(request, url=url) if self.resend else request.with_method("GET").with_url(url)

    def build_link_position(self, link: str, page: Page) -> str:
        """The position of a link to the next changes."""
        return to_relative_url(urljoin(page.response.url, link), page.response.url)

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The URL of the next page, without the host if it is the same."""
        del position, progress
        if self.last and self._is_last(page):
            return None
        url = read_value(page.response.body, self.field)
        if isinstance(url, str) and url:
            return to_relative_url(urljoin(page.response.url, url), page.response.url)
        if self.done and read_more_flag(page, self.done) is False:
            raise PermanentError(
                "the service reports more records but sends no URL to continue from",
                details=f"`{self.done}` is false, and `{self.field}` is missing",
                hint="the position was not advanced; check `field:` of the paging",
            )
        if not (self.done and read_more_flag(page, self.done)):
            refuse_unread_link(page, self.field)
        return None

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether the service reports the end, has sent URLs before, or sent less than requested."""
        if page.response.status == 204:
            return True  # it has no records, or a rule of the manifest says so, and no flag
        if self.done:
            return read_more_flag(page, self.done) is True
        if self.last:
            return self._is_last(page)
        return not self.size_param or page.rows < self.size or progress.rows > 0

    def _is_last(self, page: Page) -> bool:
        """The value of the flag of the last page. Raise PermanentError if a page lacks it: nobody knows where the read ends."""
        flag = True if page.response.status == 204 else read_more_flag(page, self.last)
        if flag is None:
            raise PermanentError(
                "the response does not say whether it is the last page",
                details=f"nothing at `{self.last}`",
                hint="set `last:` of the paging to the path of the flag; the position was not advanced",
            )
        return flag
