"""What happened, in the past tense. Rooms emit these; only `run/event_log.py` turns them into log lines and progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade(Event):
    """Something in the data that a person should look at: an unclassified name, a circle in a hierarchy."""

    table: str
    finding: str
    count: int
    detail: str = ""


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
