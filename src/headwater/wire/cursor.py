"""How to request only changed records, and how to detect deletes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from headwater.batch import Window
from headwater.clock import EPOCH, Span, parse_span
from headwater.declared import Declared
from headwater.wire.instant_format import Bound, InstantFormat, Style, check_zone
from headwater.wire.template import fill_all, find_placeholders

_UTC_SECONDS = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)+", re.ASCII)
_SECONDS = len("2026-03-01T08:00:00Z")

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""The lower bound of a window without a start, if the manifest does not say how to omit it."""


class ChangeFilter(Declared):
    """Parameters or headers that request the records that changed in `[since, until)`. `{since}` and `{until}` are placeholders.

    They may be a query language: SOQL, OData, JQL. Both bounds are rounded outwards to the precision of the service, so that
    it sends no record less.
    """

    kind: Literal["changes"] = "changes"
    params: dict[str, str] = Field(default_factory=dict)
    """E.g. `conditions: "lastUpdated >= [{since}] and lastUpdated < [{until}]"`. If the service has only a lower bound,
    leave out `{until}`: it then reads newer records now, and again in the next window."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers, e.g. `If-Modified-Since: "{since}"`. A response 304 to it is an empty page."""
    field: str
    """The path of the change time in a record, e.g. `meta.updated_at`. Headwater checks it in every record."""
    format: Style = "iso"
    """The format of an instant in a request: `iso` (2026-03-01T08:00:00Z), `epoch`, `epoch_ms`, or `http` (as in a `Date`
    header)."""
    pattern: str = ""
    """Another format, in the codes of strftime, e.g. `%Y-%m-%d %H:%M`."""
    zone: str = "UTC"
    """The time zone of a `pattern` without an offset: a name such as `Europe/Vienna`, or a setting such as `{time_zone}`.
    If the zone is wrong, the service leaves out records."""
    grain: Span = "1s"
    """The precision of the stamps of the service, and of `pattern`. Records may be outside of the window by this much."""
    exclusive: bool = False
    """Whether the service leaves out records that changed exactly at `{since}`, as `>` does. `{since}` is then one `grain`
    earlier."""

    first: dict[str, str] = Field(default_factory=dict)
    """Replaces `params` and `headers` in the first window, which has no start, so that records without a stamp
    or with a very old one are included. An empty text omits a parameter. Default: `{since}` is the year 1."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if not self.model_fields_set & {"params", "headers"}:
            msg = "needs `params` or `headers`"
            raise ValueError(msg)
        if unknown := sorted(set(self.first) - {*self.params, *self.headers}):
            msg = f"first: names `{unknown[0]}`, which is not in `params` or `headers`"
            raise ValueError(msg)
        if "{" not in self.zone:
            check_zone(self.zone)
        return self

    @property
    def has_end(self) -> bool:
        """Whether a request names the end of its window. Otherwise it also returns everything newer."""
        return any("until" in find_placeholders(text) for text in (*self.params.values(), *self.headers.values()))

    def build_texts(self, window: Window) -> dict[str, str]:
        """The parameters and headers that request `window`, with placeholders."""
        texts = {**self.params, **self.headers}
        if not window.is_unbounded:
            return texts
        return {name: text for name, text in {**texts, **self.first}.items() if text or name not in self.first}

    def build_params(self, window: Window) -> dict[str, str]:
        """The query parameters that request `window`, rounded outwards to the precision so that no record is lost."""
        return self._fill(
            {name: text for name, text in self.build_texts(window).items() if name in self.params}, window
        )

    def build_headers(self, window: Window) -> dict[str, str]:
        """The headers that request `window`."""
        return self._fill(
            {name: text for name, text in self.build_texts(window).items() if name in self.headers}, window
        )

    def find_outside_window(self, stamps: Iterable[Any], window: Window) -> tuple[int, str] | None:
        """The first stamp outside of the requested window (index from 0, stamp), or None.

        Only the requested bounds count: if no `{until}` was sent, newer records are accepted, now and in the
        window that they belong to. A record without a readable stamp passes: quarantine reports it.
        """
        placeholders = {name for text in self.build_texts(window).values() for name in find_placeholders(text)}
        bounds, grain = self._build_bounds(window), parse_span(self.grain)
        low = bounds["since"].instant - grain if "since" in placeholders and not window.is_unbounded else None
        high = bounds["until"].instant + grain if "until" in placeholders else None
        stamps, parse = list(stamps), self._instants.parse
        ends = [parse(end) for end in _find_ends(stamps)]
        if ends and None not in ends and not any(_is_outside(end, low, high) for end in ends):
            return None
        for index, stamp in enumerate(stamps):
            if _is_outside(parse(stamp), low, high):
                return index, str(stamp)
        return None

    @property
    def _instants(self) -> InstantFormat:
        return InstantFormat(style=self.format, pattern=self.pattern, zone=self.zone, grain=parse_span(self.grain))

    def _build_bounds(self, window: Window) -> dict[str, Bound]:
        since = BEGINNING if window.is_unbounded else window.since
        if self.exclusive and not window.is_unbounded:
            since -= parse_span(self.grain)
        instants = self._instants
        return {"since": instants.format_since(since), "until": instants.format_until(window.until)}

    def _fill(self, texts: dict[str, str], window: Window) -> dict[str, str]:
        bounds = {name: bound.text for name, bound in self._build_bounds(window).items()}
        return fill_all(texts, bounds, where=f"cursor of the connector ({self.origin})")


def _is_outside(stamp: datetime | None, low: datetime | None, high: datetime | None) -> bool:
    return stamp is not None and bool((low and stamp < low) or (high and stamp > high))


def _find_ends(stamps: Sequence[Any]) -> tuple[str, ...]:
    """The earliest and the latest of texts that have the same format and sort by time. Empty for other texts."""
    if not all(isinstance(stamp, str) and len(stamp) == _SECONDS for stamp in stamps):
        return ()
    return (min(stamps), max(stamps)) if stamps and _UTC_SECONDS.fullmatch("".join(stamps)) else ()


class FullSnapshot(Declared):
    """For a service without a change filter: each read is a complete snapshot."""

    kind: Literal["snapshot"] = "snapshot"
    every: Span = "1d"
    """How often to read the whole collection."""


class Delta(Declared):
    """The last page of a read contains a link or a token from which the next read continues, with changes and deletes.

    The first read is a complete read. If the service no longer knows the link (410, or `means: expired` in `errors:`),
    Headwater reads everything again, and what is missing in that read counts as deleted. So no change is lost without a word.
    """

    kind: Literal["delta"] = "delta"
    field: str
    """The path of the link or token in the last page, e.g. `@odata\\.deltaLink`. The paging is `next_url` for a URL, and
    `token` for a token that is sent as the token of a page is."""
    every: Span = "0s"
    """How often to request changes. Default: in each run. A link expires if it is not used for long."""


Cursor = Annotated[ChangeFilter | Delta | FullSnapshot, Field(discriminator="kind")]
"""All kinds of cursors."""


def widen_window(window: Window, overlap: str) -> Window:
    """Move the start of `window` back by `overlap`, for services that stamp late. A window without a start does not change."""
    if window.is_unbounded:
        return window
    return Window(since=max(EPOCH, window.since - parse_span(overlap)), until=window.until)


class NoDeletes(Declared):
    """No deletes, or deletes that cannot be detected: a rolling list, a file of changes.

    If you declare it for a snapshot, records that are missing in the snapshot do not count as deleted.
    """

    kind: Literal["none"] = "none"


class DeleteFlag(Declared):
    """A field of the record marks it as deleted."""

    kind: Literal["flag"] = "flag"
    field: str
    """The path of the flag in a record."""
    equals: str = "true"
    """The value that means deleted."""


class DeleteMark(Declared):
    """Records with any value in a field are deleted, e.g. the entries of a delta with `@removed`. They may lack other fields."""

    kind: Literal["mark"] = "mark"
    field: str
    """The path of the field, e.g. `@removed.reason`. `fields:` must have it."""


class IdSweep(Declared):
    """A complete read of all ids. Records that are missing in it count as deleted."""

    kind: Literal["sweep"] = "sweep"
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters that request only ids, e.g. `fields: id`."""
    every: Span = "1d"
    """How often to sweep."""
    max_drop: float | None = Field(default=None, ge=0, le=1)
    """The guard: the largest share of known records that one sweep may delete without confirmation. Default: 0.2, from
    10 known records on."""


class SnapshotDeletes(Declared):
    """Each snapshot is a complete read: records that are missing in it count as deleted. This is the default if the cursor is
    `snapshot`.
    """

    kind: Literal["snapshot"] = "snapshot"
    max_drop: float | None = Field(default=None, ge=0, le=1)
    """The guard, as for a sweep."""


Deletes = Annotated[NoDeletes | DeleteFlag | DeleteMark | IdSweep | SnapshotDeletes, Field(discriminator="kind")]
"""All ways to detect deletes."""
