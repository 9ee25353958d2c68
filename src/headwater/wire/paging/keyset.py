"""Pages by a key that several records may share, such as a change time, and by a second key that tells them apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from headwater.declared import Declared
from headwater.errors import PermanentError
from headwater.wire.message import Page, Request
from headwater.wire.paging.order import check_key_order, find_last_value
from headwater.wire.paging.progress import BEGINNING, PagingTraits, Progress, is_end_reported
from headwater.wire.template import fill, find_placeholders


class Keyset(PagingTraits, Declared):
    """The records after the last one, in the order of two keys. Records with the same first key (ties) are not lost.

    `param` is a text in the query language of the service. `{filter}` is what the resource or its cursor sets for it, `{key}`
    and `{tie}` are the keys of the last record. With `{tie}` in `next`, one request asks for what follows. Otherwise `ties`
    asks for the other records with the same first key, until there are none, and then `next` for those above it.
    """

    kind: Literal["keyset"] = "keyset"
    field: str
    """The path of the first key in a record, e.g. `sys_updated_on`."""
    tie: str
    """The path of the second key, e.g. `sys_id`. No two records may have the same."""
    param: str
    """The parameter with the condition and the order, e.g. `sysparm_query`."""
    first: str
    """The text for the first page, e.g. `{filter}^ORDERBYsys_updated_on^ORDERBYsys_id`."""
    next: str
    """The text for records above `{key}`, e.g. `{filter}^sys_updated_on>{key}^ORDERBYsys_updated_on^ORDERBYsys_id`."""
    ties: str = ""
    """The text for records with the same `{key}` above `{tie}`. Needed if `next` does not use `{tie}`."""
    no_filter: str = ""
    """The `{filter}` of a read that has none, if the language needs one, e.g. `sys_idISNOTEMPTY`."""
    size_param: str = ""
    """The parameter for the page size. Empty: the service decides."""
    size: int = Field(default=1000, ge=1)
    """The page size to request."""
    links: bool = False
    """Whether every page except the last has a next link in its `Link` header."""
    more: str = ""
    """The path of a flag in the response that is true if another page follows, e.g. `has_more`."""
    total: str = ""
    """The path of the total number of records in the response, e.g. `meta.total`."""

    @model_validator(mode="after")
    def _check_ties(self) -> Self:
        is_drained = "tie" in find_placeholders(self.ties)
        if "key" not in find_placeholders(self.next) or is_drained == ("tie" in find_placeholders(self.next)):
            msg = "keyset: `next` needs `{key}`, and either `next` or `ties` needs `{tie}`"
            raise ValueError(msg)
        return self

    @property
    def stable(self) -> bool:
        """True: a record that changes moves to the end, and no other record moves."""
        return True

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of both keys."""
        return (self.field, self.tie)

    def check_rows(self, position: str, rows: Iterable[Sequence[Any]]) -> None:
        """The records must be sorted by the first key, because the next page asks above the last one."""
        step, above, _ = self._parse_position(position)
        keys = [row[0] for row in rows]
        if step == "ties":
            self._check_ties_only(above, keys)
        check_key_order(self.field, above, keys)

    def start(self) -> str:
        """Before the first key."""
        return ""

    def build_request(self, base: Request, position: str) -> Request:
        """`base` for the records after the keys of the position."""
        step, key, tie = self._parse_position(position)
        text = {"first": self.first, "next": self.next, "ties": self.ties}[step]
        values = {"filter": base.params.get(self.param) or self.no_filter, "key": key, "tie": tie}
        params = {self.param: fill(text, values, where=f"paging of the connector ({self.origin})")}
        return base.with_params({**params, self.size_param: str(self.size)} if self.size_param else params)

    def find_next_position(self, position: str, page: Page, progress: Progress = BEGINNING) -> str | None:
        """The keys of the last record. After the last of the ties, the key alone."""
        step, key, _ = self._parse_position(position)
        if not page.rows:
            return json.dumps(["next", key, ""]) if step == "ties" else None
        if step != "ties" and is_end_reported(page, self, progress, size=self.size):
            return None
        last = [find_last_value(page, field) for field in self.paths]
        following = json.dumps(["ties" if self.ties else "next", *last], ensure_ascii=False)
        if following == position:
            raise PermanentError("paging loop: the keys of the last record do not advance", details=following[:200])
        return following

    def is_end_certain(self, page: Page, progress: Progress = BEGINNING) -> bool:
        """True: the service reports the end, or the last page is empty."""
        del page, progress
        return True

    def _check_ties_only(self, key: str, keys: Iterable[Any]) -> None:
        for value in keys:
            if str(value) != key:
                raise PermanentError(
                    "the service ignored the condition of the paging: it sent a record with another key",
                    details=f"`{self.field}` {value}, requested was {key}",
                    hint="check `ties:` of the paging; the position was not advanced",
                )

    @staticmethod
    def _parse_position(position: str) -> tuple[str, str, str]:
        if not position:
            return "first", "", ""
        step, key, tie = json.loads(position)
        return str(step), str(key), str(tie)
