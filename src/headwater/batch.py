"""A batch: one read of one resource of one connection over one window."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from headwater.clock import EPOCH, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open span of source change time `[since, until)`, UTC."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since >= self.until:
            msg = f"the window is empty: {format_instant(self.since)} to {format_instant(self.until)}"
            raise ValueError(msg)

    @property
    def is_unbounded(self) -> bool:
        """Whether it has no start."""
        return self.since <= EPOCH

    def __str__(self) -> str:
        since = "beginning" if self.is_unbounded else format_instant(self.since)
        return f"{since} .. {format_instant(self.until)}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Feed:
    """One resource of one connection of a tenant. Every batch, file and ledger row refers to a feed."""

    tenant: str
    connection: str
    resource: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.connection}/{self.resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One read. `id` is a function of the other fields, so that a resumed run finds its files."""

    id: str
    feed: Feed
    window: Window
    purpose: str = "changes"
    """`changes` (a window of changes), `snapshot` (all records, no filter), `sweep` (ids only, for deletes) or
    `verify` (single records, requested by id after a complete read)."""
    attempt: int = 1
    """The number of this read of the window, from 1."""

    @property
    def is_complete(self) -> bool:
        """Whether it reads all records or ids, so that records that are missing may be deleted."""
        return self.purpose in ("snapshot", "sweep")


def create_batch(feed: Feed, window: Window, *, purpose: str = "changes", attempt: int = 1) -> Batch:
    """Create the batch for the `attempt`-th read of `window` of `feed`."""
    seed = "|".join((str(feed), format_instant(window.since), format_instant(window.until), purpose, str(attempt)))
    digest = hashlib.sha256(seed.encode()).hexdigest()[:10]
    name = f"{window.until:%Y%m%dT%H%M%S}-{purpose}-{digest}"
    return Batch(id=name, feed=feed, window=window, purpose=purpose, attempt=attempt)
