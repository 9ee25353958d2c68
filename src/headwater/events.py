"""What happened, in the past tense. Rooms emit these; only `run/event_log.py` turns them into log lines and progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from headwater.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a tenant's data."""

    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStarted(Event):
    """A batch began, or went on from page `resumed_at` (0: from the first)."""

    batch: Batch
    resumed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDropped(Event):
    """What was read of a batch was dropped, so that its window is read anew."""

    batch: Batch
    pages: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCommitted(Event):
    """A page and its place in the window were committed."""

    batch: Batch
    page: int
    rows: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchExtracted(Event):
    """All pages of a batch are in raw, and its window is committed."""

    batch: Batch
    rows: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRetried(Event):
    """A request failed in passing and is asked again after `after` seconds."""

    where: str
    why: str
    after: float
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLanded(Event):
    """Rows of a batch are in bronze; rows in = kept + quarantined."""

    batch: Batch
    kept: int
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSeen(Event):
    """Records differ from their contract: `field` is new, missing or retyped."""

    batch: Batch
    field: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired(Event):
    """Values of `field` were read in a tolerated spelling (raw keeps them as they were sent)."""

    batch: Batch
    field: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsWritten(Event):
    """A merge changed the history of an entity."""

    entity: str
    events: int
    inserted: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBuilt(Event):
    """A dimension or fact was brought up to date."""

    table: str
    inserted: int
    deleted: int


FindingKind = Literal[
    "changes_unproved",
    "snapshot_unproved",
    "sweep_unproved",
    "sweep_unverified",
    "sweep_skipped",
    "unread_ids",
    "all_refused",
    "count_mismatch",
    "count_unavailable",
    "clock_disagrees",
    "clock_went_back",
    "clock_stands_still",
    "clock_missing",
    "read_again",
    "missing_key",
    "missing_stamp",
    "future_stamp",
    "stamp_went_back",
    "type_mismatch",
    "precision_loss",
    "deletes_waiting",
    "column_added",
    "column_retired",
    "column_renamed",
    "history_rebuilt",
    "keys_rebuilt",
    "unmatched_value",
    "ancestor_cycle",
    "date_out_of_range",
    "missing_period",
    "warehouse_note",
    "clear_secret_removed",
]
"""What a finding is about. `docs/reference/findings.md` explains each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in the data or in a service that a person should look at."""

    table: str
    """What it concerns: a table such as `silver.company`, a resource, a connection, the warehouse."""
    finding: FindingKind
    count: int
    """How many rows, keys or values it concerns."""
    detail: str = ""
    """Which column, which batch, an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade(Event):
    """A step found something that a person should look at."""

    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(Event):
    """A step failed; the run goes on without what depends on it."""

    step: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(Event):
    """A step was left out because `because` failed."""

    step: str
    because: str


EventListener = Callable[[Event], None]
"""Who is told."""


def discard(event: Event) -> None:
    """Tell nobody."""
    del event
