"""How a service is asked for changes only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Raw
from pydantic import Field

from headwater.batch import Window
from headwater.clock import EPOCH, Span, from_micros, iso, micros, parse_instant, parse_span
from headwater.declared import Declared
from headwater.wire.placeholder import fill_all
from headwater.wire.records import values


class Changes(Declared):
    """Query parameters that ask for what changed in `[since, until)`; `{since}` and `{until}` are filled in."""

    kind: Literal["changes"] = "changes"
    params: dict[str, str]
    """E.g. `conditions: "lastUpdated >= [{since}] and lastUpdated < [{until}]"`."""
    field: str
    """Where a record says when it changed, as a path, e.g. `_info.lastUpdated`. Checked on every record."""
    format: Literal["iso", "epoch", "epoch_ms"] = "iso"
    """How an instant is written in a request."""
    grain: Span = "1s"
    """The finest step of the service's stamps; records may lie this much outside of the window."""

    def params_for(self, window: Window) -> dict[str, str]:
        """The query parameters that ask for `window`, rounded outwards to the grain so that nothing is cut off."""
        grain = parse_span(self.grain)
        bounds = {
            "since": self._spelled(_rounded(window.since, grain, up=False)),
            "until": self._spelled(_rounded(window.until, grain, up=True)),
        }
        return fill_all(self.params, bounds, where=f"cursor of the connector ({self.origin})")

    def stray(self, records: Iterable[Raw], window: Window) -> tuple[int, str] | None:
        """The first record that `window` should have kept out (its place from 0, its stamp); None when all fit.

        A record without a readable stamp passes: that it has none is said later, in quarantine.
        """
        grain = parse_span(self.grain)
        low = window.since - grain if window.since > EPOCH + grain else EPOCH
        high = window.until + grain
        for place, found in enumerate(values(records, self.field)):
            stamp = self._read(found)
            if stamp is not None and not low <= stamp <= high:
                return place, str(found)
        return None

    def _spelled(self, instant: datetime) -> str:
        if self.format == "iso":
            return iso(instant)
        return str(micros(instant) // (1000 if self.format == "epoch_ms" else 1_000_000))

    def _read(self, found: Any) -> datetime | None:
        """The instant that a record's stamp stands for; None when it stands for none."""
        try:
            if isinstance(found, str):
                return parse_instant(found)
            if isinstance(found, int | float) and not isinstance(found, bool):
                return datetime.fromtimestamp(found / (1000 if self.format == "epoch_ms" else 1), UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return None


class Snapshot(Declared):
    """The service knows no change filter: every read is the whole collection."""

    kind: Literal["snapshot"] = "snapshot"
    every: Span = "1d"
    """How often the whole collection is worth reading."""


Cursor = Annotated[Changes | Snapshot, Field(discriminator="kind")]
"""Every way of asking for changes."""


def widened(window: Window, overlap: str) -> Window:
    """`window` begun earlier by `overlap`, for services that stamp late; what has no beginning stays as it is."""
    if window.unbounded:
        return window
    return Window(since=max(EPOCH, window.since - parse_span(overlap)), until=window.until)


class Kept(Declared):
    """Nothing is ever deleted, or nobody can tell."""

    kind: Literal["none"] = "none"


class Flag(Declared):
    """A record says of itself that it is gone."""

    kind: Literal["flag"] = "flag"
    field: str
    """Path of the flag in a record."""
    equals: str = "true"
    """The value that means gone."""


class Sweep(Declared):
    """A complete read of all ids: what is not among them is gone."""

    kind: Literal["sweep"] = "sweep"
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters that ask for ids only, e.g. `fields: id`."""
    every: Span = "1d"
    """How often a sweep is worth its requests."""
    max_drop: float = Field(default=0.2, ge=0, le=1)
    """The guard: the largest share of known records that one sweep may delete without being asked."""


Deletes = Annotated[Kept | Flag | Sweep, Field(discriminator="kind")]
"""Every way of learning about deletes."""


def _rounded(instant: datetime, grain: timedelta, *, up: bool) -> datetime:
    step = max(1, grain // timedelta(microseconds=1))
    whole, rest = divmod(micros(instant), step)
    return from_micros((whole + (1 if up and rest else 0)) * step)
