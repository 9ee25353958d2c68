"""What is read: sources, records, batches; and as of when a record counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.silver.oracle.event import Event, sort_values

SECOND = 1_000_000
STAMP_TOLERANCE = 5 * 60 * SECOND
COMPLETE_AFTER_CHANGES = {"changes": 0, "verify": 0, "snapshot": 1, "sweep": 1}


@dataclass(frozen=True)
class Source:
    """A source of the entity, as it is declared."""

    name: str
    columns: tuple[str, ...]
    """Those that it knows."""
    deletes: str = "snapshot"
    """`none`, `snapshot` or `sweep`."""
    has_where: bool = False
    has_deleted: bool = False
    max_drop: float | None = None


@dataclass(frozen=True)
class Record:
    """One record of a read. A sweep's has a key only."""

    key: str
    stamp: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    deleted: bool = False
    fits: bool = True


@dataclass(frozen=True)
class Batch:
    """One read of one source."""

    id: str
    source: str
    until: int
    read_at: int
    purpose: str = "changes"
    records: tuple[Record, ...] = ()
    refused: tuple[str | None, ...] = ()
    """The keys of its refused records; None where the key cannot be made."""
    proved: bool | None = True

    @property
    def observed(self) -> int:
        """When it was read: never earlier than its window ends."""
        return max(self.read_at, self.until)

    @property
    def order(self) -> tuple[int, int, int, str]:
        """In which order reads are taken."""
        return (self.observed, self.until, COMPLETE_AFTER_CHANGES[self.purpose], self.id)

    @property
    def window(self) -> tuple[str, int]:
        """What a by-id read and its sweep have in common."""
        return (self.source, self.until)


def is_usable(stamp: int | None, batch: Batch) -> bool:
    """Whether a stamp is believed: it is there, and not later than its observation."""
    return stamp is not None and stamp <= batch.observed + STAMP_TOLERANCE


def compute_sequence(stamp: int | None, batch: Batch) -> int:
    """The instant as of which a record counts."""
    if stamp is None:
        return batch.until
    return stamp if is_usable(stamp, batch) else batch.observed


def build_event(record: Record, place: int, batch: Batch, source: Source) -> Event:
    """What a record says: deleted, no longer of this entity, or how it is."""
    operation = "D" if record.deleted else "U" if record.fits else "A"
    values = {name: record.values.get(name) for name in source.columns} if operation == "U" else {}
    return make_event(batch, record.key, compute_sequence(record.stamp, batch), operation, values, place, record.stamp)


def make_event(
    batch: Batch,
    key: str,
    sequence: int,
    operation: str,
    values: Mapping[str, object] | None = None,
    place: int = -1,
    stamp: int | None = None,
) -> Event:
    """An event that a batch brings."""
    return Event(
        key=key,
        sequence=sequence,
        operation=operation,
        source=batch.source,
        values=sort_values(values or {}),
        observed=batch.observed,
        place=place,
        first_observed=batch.observed,
        batch=batch.id,
        stamp=stamp,
    )
