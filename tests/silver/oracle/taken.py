"""A set of batches is a history: they are taken in the order in which they were read, whatever the order they come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.silver.oracle.absence import Complete, absent, as_of, present, restated
from tests.silver.oracle.batch import Batch, Record, Source, event_of
from tests.silver.oracle.event import Event, Log
from tests.silver.oracle.fold import Version, versions

LITERAL = frozenset({"idle", "closed", "stranger"})
"""What the rules let `conform` leave out, though a later read of an older instant may show that it said something:
an unstamped record that says what is known, a delete of what is not open, a leaving of what its source never showed."""


def events(
    batches: Iterable[Batch],
    sources: Mapping[str, Source],
    *,
    allow_drop: bool = False,
    left_out: frozenset[str] = frozenset(),
) -> Log:
    """Every event that a set of batches makes. A batch that comes twice is one."""
    log = Log()
    reads = sorted({batch.id: batch for batch in batches}.values(), key=lambda batch: batch.order)
    for batch in reads:
        source = sources[batch.source]
        if batch.purpose == "sweep":
            by_id = tuple(one for one in reads if one.purpose == "verify" and one.window == batch.window)
            take_complete(log, Complete(batch, source, by_id), allow_drop=allow_drop)
            continue
        take_records(log, batch, source, left_out)
        if batch.purpose == "snapshot":
            take_complete(log, Complete(batch, source), allow_drop=allow_drop)
    return log


def take_records(log: Log, batch: Batch, source: Source, left_out: frozenset[str]) -> None:
    """What each record of a read says."""
    known = {event.key for event in log if event.operation == "U"}
    known |= {record.key for record in batch.records if record.fits and not record.deleted}
    said = [event_of(record, line, batch, source) for line, record in enumerate(batch.records) if says(record, known)]
    for event in said if not left_out else [event for event in said if not is_idle(log, event, batch, left_out)]:
        log.add(event)


def says(record: Record, known: set[str]) -> bool:
    """Whether a record says anything: a deleted one that does not fit says so only of what is known."""
    return not record.deleted or record.fits or record.key in known


def is_idle(log: Log, event: Event, batch: Batch, left_out: frozenset[str]) -> bool:
    """Whether the rules' own words leave an event out (see `LITERAL`)."""
    before = as_of(log, event.key, Batch("", batch.source, event.sequence, batch.observed))
    if event.operation == "D":
        return "closed" in left_out and not before.is_open
    if event.operation == "A":
        return "stranger" in left_out and event.source not in {one.source for one in log.of(event.key)}
    unsaid = event.stamp is None or event.stamp != event.sequence
    equal = all(before.values.get(name, ...) == value for name, value in event.values)
    return "idle" in left_out and unsaid and before.is_open and event.source in before.shown_by and equal


def take_complete(log: Log, complete: Complete, *, allow_drop: bool) -> None:
    """What follows from a complete read beyond its records."""
    if not complete.proves:
        return
    absences = absent(log, complete, allow_drop=allow_drop)
    for event in [*absences, *restated(log, complete)]:
        log.add(event)
    for event in list(present(log, complete)):
        log.add(event)


def history(
    batches: Iterable[Batch],
    sources: Mapping[str, Source],
    names: Iterable[str],
    overwritten: Iterable[str] = (),
    *,
    allow_drop: bool = False,
    left_out: frozenset[str] = frozenset(),
) -> list[Version]:
    """The history that a set of batches is."""
    return versions(events(batches, sources, allow_drop=allow_drop, left_out=left_out), names, overwritten)
