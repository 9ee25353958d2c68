"""What a complete read proves: who is absent, who is there again, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.silver.oracle.batch import Batch, Record, Source, build_event, compute_sequence, make_event
from tests.silver.oracle.event import Event, Log
from tests.silver.oracle.fold import Life, fold_life

FLOOR, USUAL_DROP = 10, 0.2


@dataclass(frozen=True)
class Complete:
    """A complete read, with the by-id reads that belong to it."""

    batch: Batch
    source: Source
    by_id: tuple[Batch, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the source is one whose complete reads say who is there."""
        return self.batch.purpose == self.source.deletes

    @property
    def proves(self) -> bool:
        """Whether what is not in it is absent: it is complete, and everybody who was refused is known by key."""
        return self.batch.proved is not False and None not in self.refused

    @property
    def filters(self) -> bool:
        """Whether an id alone does not say that its record is live and of this entity."""
        return self.source.has_where or self.source.has_deleted

    @property
    def refused(self) -> tuple[str | None, ...]:
        return tuple(key for batch in (self.batch, *self.by_id) for key in batch.refused)

    def index_last_records(self) -> dict[str, tuple[int, Record]]:
        """The last record of each key in the read itself, with its line."""
        lines = sorted(
            enumerate(self.batch.records), key=lambda line: (compute_sequence(line[1].stamp, self.batch), line[0])
        )
        return {record.key: (line, record) for line, record in lines}

    def list_live_keys_by_id(self) -> set[str]:
        return {
            key
            for batch in self.by_id
            for key, (_, record) in Complete(batch, self.source).index_last_records().items()
            if is_live(record)
        }

    def list_shown_keys(self) -> set[str]:
        """The keys that are there."""
        refused = {key for key in self.refused if key is not None}
        if self.batch.purpose == "snapshot":
            return {key for key, (_, record) in self.index_last_records().items() if is_live(record)} | refused
        return {record.key for batch in (self.batch, *self.by_id) for record in batch.records} | refused

    def brings_back(self, key: str, state: Life) -> bool:
        """Whether the read says that a key is there, lives, and is of this entity."""
        if not self.filters:
            return key in self.list_shown_keys()
        if self.batch.purpose == "snapshot":
            return key in self.index_last_records() and is_live(self.index_last_records()[key][1])
        fitted = key in self.list_shown_keys() and state.last_record.get(self.source.name) == "U"
        return fitted or key in self.list_live_keys_by_id()


def is_live(record: Record) -> bool:
    return record.fits and not record.deleted


def fold_as_of(log: Log, key: str, batch: Batch) -> Life:
    """What was known of a key when the window of the read ended."""
    limit = (batch.until, batch.observed)
    return fold_life(event for event in log.list_events(key) if (event.sequence, event.observed) <= limit)


def list_restated(log: Log, complete: Complete) -> Iterable[Event]:
    """Records that are shown live while their key is closed, though their own stamp is older."""
    if complete.batch.purpose != "snapshot":
        return
    for key, (line, record) in complete.index_last_records().items():
        event = build_event(record, line, complete.batch, complete.source)
        if (
            is_live(record)
            and event.sequence < complete.batch.until
            and not fold_as_of(log, key, complete.batch).is_open
        ):
            yield make_event(complete.batch, key, complete.batch.until, "U", dict(event.values), line, record.stamp)


def list_present(log: Log, complete: Complete) -> Iterable[Event]:
    """Keys that the source said were absent, and that are there again."""
    for key in sorted(complete.list_shown_keys() | complete.list_live_keys_by_id()):
        state = fold_as_of(log, key, complete.batch)
        if state.last_word.get(complete.source.name) == "A" and complete.brings_back(key, state):
            yield make_event(complete.batch, key, complete.batch.until, "P")


def list_absent(log: Log, complete: Complete, *, allow_drop: bool) -> list[Event]:
    """Keys that the source showed, and that are not there; none if the guard says wait."""
    if not complete.proves:
        return []
    name = complete.source.name
    known_keys = [key for key in log.keys if name in fold_as_of(log, key, complete.batch).shown_by]
    missing = [key for key in known_keys if key not in complete.list_shown_keys()]
    before = [key for key in known_keys if any(event.batch != complete.batch.id for event in log.list_events(key))]
    if not allow_drop and exceeds_max_drop(complete.source, len(missing), len(before)):
        return []
    return [make_event(complete.batch, key, complete.batch.until, "A") for key in missing]


def exceeds_max_drop(source: Source, missing: int, known: int) -> bool:
    """Whether so many absences wait for a person."""
    if source.max_drop is None:
        return known >= FLOOR and missing > USUAL_DROP * known
    return missing > source.max_drop * known
