"""How a service is asked for changes only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from headwater.batch import Window
from headwater.clock import EPOCH, Span, format_instant, from_micros, parse_instant, parse_span, to_micros
from headwater.declared import Declared
from headwater.wire.template import fill_all, find_placeholders

_UTC_SECONDS = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)+", re.ASCII)
_SECONDS = len("2026-03-01T08:00:00Z")

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""The lower bound that is sent where there is none, and nothing says how to ask without one."""


class ChangeFilter(Declared):
    """Query parameters that ask for what changed in `[since, until)`; `{since}` and `{until}` are filled in."""

    kind: Literal["changes"] = "changes"
    params: dict[str, str]
    """E.g. `conditions: "lastUpdated >= [{since}] and lastUpdated < [{until}]"`. A filter that knows only a lower bound
    leaves `{until}` out: what is newer is taken, and read again with the next window."""
    field: str
    """Where a record says when it changed, as a path, e.g. `meta.updated_at`. Checked on every record."""
    format: Literal["iso", "epoch", "epoch_ms"] = "iso"
    """How an instant is written in a request."""
    grain: Span = "1s"
    """The finest step of the service's stamps; records may lie this much outside of the window."""

    first: dict[str, str] = Field(default_factory=dict)
    """What stands in the place of `params` in the first window, which has no beginning, so that records without a stamp
    or with one of long ago come, too. An empty text leaves a parameter out. Where nothing is said, `{since}` is the year 1."""

    @model_validator(mode="after")
    def _check_first(self) -> Self:
        if strange := sorted(set(self.first) - set(self.params)):
            msg = f"first: names `{strange[0]}`, which is not in `params`"
            raise ValueError(msg)
        return self

    def build_texts(self, window: Window) -> dict[str, str]:
        """The texts that ask for `window`, placeholders and all."""
        if not window.is_unbounded:
            return dict(self.params)
        return {name: text for name, text in {**self.params, **self.first}.items() if text or name not in self.first}

    def build_params(self, window: Window) -> dict[str, str]:
        """The query parameters that ask for `window`, rounded outwards to the grain so that nothing is cut off."""
        grain = parse_span(self.grain)
        since = BEGINNING if window.is_unbounded else _round_instant(window.since, grain, up=False)
        bounds = {"since": self._format(since), "until": self._format(_round_instant(window.until, grain, up=True))}
        return fill_all(self.build_texts(window), bounds, where=f"cursor of the connector ({self.origin})")

    def find_stray(self, stamps: Iterable[Any], window: Window) -> tuple[int, str] | None:
        """The first of the records' stamps that was not asked for (place from 0, stamp); None when all were.

        Held against what was really asked only: where no `{until}` was sent, what is newer is welcome, now and in the
        window that it belongs to. A record without a readable stamp passes: that it has none is said in quarantine.
        """
        asked = {name for text in self.build_texts(window).values() for name in find_placeholders(text)}
        grain = parse_span(self.grain)
        low = window.since - grain if "since" in asked and not window.is_unbounded else None
        high = window.until + grain if "until" in asked else None
        stamps = list(stamps)
        ends = [self._parse_stamp(end) for end in _find_ends(stamps)]
        if ends and None not in ends and not any(self._is_outside(end, low, high) for end in ends):
            return None
        for place, found in enumerate(stamps):
            if self._is_outside(self._parse_stamp(found), low, high):
                return place, str(found)
        return None

    @staticmethod
    def _is_outside(stamp: datetime | None, low: datetime | None, high: datetime | None) -> bool:
        return stamp is not None and bool((low and stamp < low) or (high and stamp > high))

    def _format(self, instant: datetime) -> str:
        if self.format == "iso":
            return format_instant(instant)
        return str(to_micros(instant) // (1000 if self.format == "epoch_ms" else 1_000_000))

    def _parse_stamp(self, found: Any) -> datetime | None:
        """The instant that a record's stamp stands for; None when it stands for none."""
        try:
            if isinstance(found, str):
                return parse_instant(found)
            if isinstance(found, int | float) and not isinstance(found, bool):
                return datetime.fromtimestamp(found / (1000 if self.format == "epoch_ms" else 1), UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return None


def _find_ends(stamps: Sequence[Any]) -> tuple[str, ...]:
    """The earliest and the latest of texts that all have one form, in which they sort as time does; empty for others."""
    if not all(isinstance(stamp, str) and len(stamp) == _SECONDS for stamp in stamps):
        return ()
    return (min(stamps), max(stamps)) if stamps and _UTC_SECONDS.fullmatch("".join(stamps)) else ()


class FullSnapshot(Declared):
    """The service knows no change filter: every read is the whole collection."""

    kind: Literal["snapshot"] = "snapshot"
    every: Span = "1d"
    """How often the whole collection is worth reading."""


Cursor = Annotated[ChangeFilter | FullSnapshot, Field(discriminator="kind")]
"""Every way of asking for changes."""


def widen_window(window: Window, overlap: str) -> Window:
    """`window` begun earlier by `overlap`, for services that stamp late; what has no beginning stays as it is."""
    if window.is_unbounded:
        return window
    return Window(since=max(EPOCH, window.since - parse_span(overlap)), until=window.until)


class NoDeletes(Declared):
    """Nothing is ever deleted, or nobody can tell: a rolling list, a file of changes.

    Written out, it stands for a snapshot, too: what such a read does not show is not concluded to be gone.
    """

    kind: Literal["none"] = "none"


class DeleteFlag(Declared):
    """A record says of itself that it is gone."""

    kind: Literal["flag"] = "flag"
    field: str
    """Path of the flag in a record."""
    equals: str = "true"
    """The value that means gone."""


class IdSweep(Declared):
    """A complete read of all ids: what is not among them is gone."""

    kind: Literal["sweep"] = "sweep"
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters that ask for ids only, e.g. `fields: id`."""
    every: Span = "1d"
    """How often a sweep is worth its requests."""
    max_drop: float | None = Field(default=None, ge=0, le=1)
    """The guard: the largest share of known records that one sweep may delete without being asked. Without it 0.2, from
    10 known records on."""


class SnapshotDeletes(Declared):
    """Each snapshot is a complete read: what it does not show is gone. So it is without a word, too, where the cursor is
    `snapshot`.
    """

    kind: Literal["snapshot"] = "snapshot"
    max_drop: float | None = Field(default=None, ge=0, le=1)
    """The guard, as of a sweep."""


Deletes = Annotated[NoDeletes | DeleteFlag | IdSweep | SnapshotDeletes, Field(discriminator="kind")]
"""Every way of learning about deletes."""


def _round_instant(instant: datetime, grain: timedelta, *, up: bool) -> datetime:
    step = max(1, grain // timedelta(microseconds=1))
    whole, rest = divmod(to_micros(instant), step)
    return from_micros((whole + (1 if up and rest else 0)) * step)
