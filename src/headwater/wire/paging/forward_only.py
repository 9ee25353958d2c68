"""Records above the last key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urljoin, urlsplit

from pydantic import Field

from headwater.declared import Declared
from headwater.errors import PermanentError
from headwater.wire.message import Page, Request
from headwater.wire.paging.progress import (
    BEGINNING,
    PagingTraits,
    Progress,
    find_next_url,
    is_address,
    is_end_reported,
    read_more_flag,
)
from headwater.wire.records import read_values


class ForwardOnly(PagingTraits, Declared):
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
        next_url = find_next_url(page)
        next_keys = parse_qs(urlsplit(next_url or "").query).get(self.param)
        if next_url is not None and next_keys is None and next_url.startswith("/"):
            return next_url
        if is_address(position):
            return None
        if not page.rows:
            return self._find_key_after_empty(position, page, next_keys)
        if is_end_reported(page, self, progress, size=self.size):
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
        is_reported = progress.links or is_end_reported(page, self, progress, size=self.size)
        return not page.rows or is_reported or self._find_last_key(page) is not None

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of the key."""
        return (self.field,)

    def check_rows(self, position: str, rows: Iterable[Sequence[Any]]) -> None:
        """See `check_order`."""
        self.check_order(position, (row[0] for row in rows))

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
        if read_more_flag(page, self.more):
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
