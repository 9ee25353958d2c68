"""A set of batches is a history: they are taken in the order in which they were read, whatever the order they come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.silver.oracle.absence import Complete, absent, present, restated
from tests.silver.oracle.batch import Batch, Record, Source, event_of
from tests.silver.oracle.event import Log
from tests.silver.oracle.fold import Version, versions


def events(
    batches: Iterable[Batch],
    sources: Mapping[str, Source],
    *,
    allow_drop: bool = False,
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
        take_records(log, batch, source)
        if batch.purpose == "snapshot":
            take_complete(log, Complete(batch, source), allow_drop=allow_drop)
    return log


def take_records(log: Log, batch: Batch, source: Source) -> None:
    """What each record of a read says."""
    known = {event.key for event in log if event.operation == "U"}
    known |= {record.key for record in batch.records if record.fits and not record.deleted}
    for line, record in enumerate(batch.records):
        if says(record, known):
            log.add(event_of(record, line, batch, source))


def says(record: Record, known: set[str]) -> bool:
    """Whether a record says anything: a deleted one that does not fit says so only of what is known."""
    return not record.deleted or record.fits or record.key in known


def take_complete(log: Log, complete: Complete, *, allow_drop: bool) -> None:
    """What follows from a complete read beyond its records."""
    if not complete.counts:
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
) -> list[Version]:
    """The history that a set of batches is."""
    return versions(events(batches, sources, allow_drop=allow_drop), names, overwritten)
