"""The next page by an opaque token in the response, and queries with a cap that continue above the last key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import PermanentError
from headwater.wire.message import Page, Request
from headwater.wire.paging.order import check_key_order, find_last_value
from headwater.wire.paging.progress import BEGINNING, PagingTraits, Progress, read_more_flag, refuse_unread_link
from headwater.wire.records import read_value


class Anchor(Declared):
    """How to read more records than the service returns for one query: start a new query above the last key.

    The records must be sorted by this key, and no two records may have the same.
    """

    field: str
    """The path of the key in a record, e.g. `id`. The service must sort by it."""
    param: str
    """The parameter with the last key, e.g. `above`, which `body:` may use as `{above}`. It is missing in the first query."""
    cap: int = Field(ge=1)
    """The most records that the service returns for one query, e.g. 10000."""


class Token(PagingTraits, Declared):
    """The response contains a token that requests the next page. No token means the last page."""

    kind: Literal["token"] = "token"
    field: str
    """The path of the token in the response, e.g. `nextPageToken` or `paging.next.after`."""
    param: str
    """The parameter for the token. It is in the query, unless `body:` of the resource uses it."""
    size_param: str = ""
    """The parameter for the page size. Empty: the service decides."""
    size: int = Field(default=100, ge=1)
    """The page size to request, if there is a `size_param`."""
    first: dict[str, str] = Field(default_factory=dict)
    """Query parameters of the first page only, e.g. `start_time: "0"` of an export that then continues by its token."""
    last: str = ""
    """The path of a flag that is true on the last page, e.g. `isLast` or `end_of_stream`. Needed if the last page has a token."""
    more: str = ""
    """The path of a flag that is false on the last page, e.g. `has_more`."""
    anchor: Anchor | None = None
    """How to continue where the service refuses to page further."""
    total: str = ""
    """The path of the total number of records in the response, if it is exact."""
    stable: bool = False
    """Whether no record can move between two pages, because the token stands for a key or a snapshot of the result.
    Otherwise a complete read is proved by a count, or read twice. Also with an `anchor`, a record that leaves the filter moves
    the others if the token is a number of records."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of the key, if there is an anchor."""
        return (self.anchor.field,) if self.anchor else ()

    def check_rows(self, position: str, rows: Iterable[Sequence[Any]]) -> None:
        """The records must be sorted by the key of the anchor, because the next query asks above the last one."""
        if self.anchor:
            check_key_order(self.anchor.field, self._parse_position(position)[1], (row[0] for row in rows))

    def start(self) -> str:
        """The first page."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base` with the token."""
        token, above, _ = self._parse_position(position)
        params = {self.size_param: str(self.size)} if self.size_param else {}
        if not position:
            params |= self.first
        if self.anchor and above:
            params[self.anchor.param] = above
        return base.with_params({**params, self.param: token} if token else params)

    def build_link_position(self, link: str, page: Page) -> str:
        """The position of a token for the next changes."""
        del page
        return self._format_position(link, "", 0)

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The token of the next page. If the cap is reached, the start of a query above the last key."""
        del progress
        _, above, rows = self._parse_position(position)
        rows += page.rows
        token = read_value(page.response.body, self.field)
        is_last = read_more_flag(page, self.last) if self.last else None
        has_more = read_more_flag(page, self.more) if self.more else None
        if self.anchor and rows >= self.anchor.cap and page.rows:
            # The service may report the end of the query where the cap is: only the next query shows what follows.
            return self._format_position("", find_last_value(page, self.anchor.field), 0)
        if is_last or has_more is False:
            return None
        if token is None or token == "":
            if is_last is False or has_more:
                raise PermanentError(
                    "the service reports more records but sends no token to continue from",
                    details=f"`{self.field}` is missing",
                    hint="the position was not advanced; check `field:` of the paging",
                )
            refuse_unread_link(page, self.field)
            return None
        return self._format_position(str(token), above, rows)

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """Whether the service reports the end, has sent tokens before, or sent less than requested."""
        if page.response.status == 204:
            return True  # it has no records, or a rule of the manifest says so, and no flag
        if self.last or self.more:
            is_last = read_more_flag(page, self.last) if self.last else None
            has_more = read_more_flag(page, self.more) if self.more else None
            return is_last is True or has_more is False
        return not self.size_param or page.rows < self.size or progress.rows > 0

    def _parse_position(self, position: str) -> tuple[str, str, int]:
        """The token, the key above which the query asks, and the number of records of the query so far."""
        if not position:
            return "", "", 0
        token, above, rows = json.loads(position)
        return str(token), str(above), int(rows)

    def _format_position(self, token: str, above: str, rows: int) -> str:
        return json.dumps([token, above, rows if self.anchor else 0], ensure_ascii=False)
