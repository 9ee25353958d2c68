"""Events of a run, named in the past tense. All rooms emit them. Only `run/event_log.py` logs them and shows progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from headwater.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to the data of a tenant."""

    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStarted(Event):
    """The read of a batch started, or resumed after page `resumed_at` (0: it started)."""

    batch: Batch
    resumed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDropped(Event):
    """The pages of an incomplete batch were dropped, so that its window is read again."""

    batch: Batch
    pages: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCommitted(Event):
    """A page and its position in the window were committed."""

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
class RequestSent(Event):
    """A request was sent to the service of a connection, also for a token, a count, or another try."""

    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRetried(Event):
    """A request failed and is retried after `after` seconds."""

    where: str
    why: str
    after: float
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLanded(Event):
    """The rows of a batch are in bronze. Rows in = kept + quarantined."""

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
    """Values of `field` were repaired (raw contains them as the service sent them)."""

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
    """A dimension or fact was updated."""

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
    "selection_changed",
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
"""The kind of a finding. `docs/reference/findings.md` explains each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A condition in the data or in a service that a person should check."""

    table: str
    """The subject: a table such as `silver.company`, a resource, a connection or the warehouse."""
    finding: FindingKind
    count: int
    """The number of rows, keys or values that it concerns."""
    detail: str = ""
    """The column, the batch, or an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade(Event):
    """A step reported a finding."""

    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(Event):
    """A step failed. The run continues without the steps that depend on it."""

    step: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(Event):
    """A step was skipped because the step `because` failed."""

    step: str
    because: str


EventListener = Callable[[Event], None]
"""A function that receives events."""


def discard(event: Event) -> None:
    """Discard the event."""
    del event
