"""What a merge did, and its findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headwater.events import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """What a merge wrote."""

    events: int = 0
    """Events that the log did not have."""
    inserted: int = 0
    """Versions put in."""
    deleted: int = 0
    """Versions taken away."""
    findings: tuple[Finding, ...] = ()
    waiting: tuple[str, ...] = ()
    """Batches whose deletes wait: for a person, or for a service that could not be asked."""

    def __add__(self, other: MergeResult) -> MergeResult:
        return MergeResult(
            events=self.events + other.events,
            inserted=self.inserted + other.inserted,
            deleted=self.deleted + other.deleted,
            findings=self.findings + other.findings,
            waiting=self.waiting + other.waiting,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the events of a batch come from, as `meta.batch` keeps it."""

    batch_id: str
    connection: str
    resource: str
    source: str
    """`connector.resource`."""
    read_at: datetime
