"""A set of batches is a history: they are taken in the order in which they were read, whatever the order they come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.silver.oracle.absence import Complete, list_absent, list_present, list_restated
from tests.silver.oracle.batch import Batch, Record, Source, build_event
from tests.silver.oracle.event import Event, Log
from tests.silver.oracle.fold import Version, build_versions

IDLE_COUNTS = False


def build_events(
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
        if is_informative(record, known):
            log.add(build_event(record, line, batch, source))


def is_informative(record: Record, known: set[str]) -> bool:
    """Whether a record says anything: a deleted one that does not fit says so only of what is known."""
    return not record.deleted or record.fits or record.key in known


def take_complete(log: Log, complete: Complete, *, allow_drop: bool) -> None:
    """What follows from a complete read beyond its records."""
    if not complete.counts:
        return
    absences = list_absent(log, complete, allow_drop=allow_drop)
    for event in [*absences, *list_restated(log, complete)]:
        log.add(event)
    for event in list(list_present(log, complete)):
        log.add(event)


def build_history(
    batches: Iterable[Batch],
    sources: Mapping[str, Source],
    names: Iterable[str],
    overwritten: Iterable[str] = (),
    *,
    allow_drop: bool = False,
) -> list[Version]:
    """The history that a set of batches is."""
    return build_versions(select_informative(build_events(batches, sources, allow_drop=allow_drop)), names, overwritten)


def select_informative(log: Log) -> Iterator[Event]:
    """The events that say something: no repetition without a stamp of what their source said last.

    A delete is everybody's word. Set IDLE_COUNTS to let every repetition count: two sources that disagree and have no
    stamps then make a version with each read.
    """
    for key in log.keys:
        words: dict[str, Event] = {}
        deleted = False
        for event in log.list_events(key):
            if IDLE_COUNTS or not is_idle(
                event, words.get(event.source), deleted=event.source not in words and deleted
            ):
                yield event
            if event.operation == "D":
                words, deleted = {}, True
            else:
                words[event.source] = event


def is_idle(event: Event, word: Event | None, *, deleted: bool) -> bool:
    """Whether an event repeats the last word of its source, without a stamp of its own that says when."""
    if event.place < 0 or event.stamp == event.sequence:
        return False
    if word is None:
        return deleted and event.operation in "DA"
    if event.operation == "U":
        return word.operation == "U" and word.content == event.content
    return word.operation == "A" == event.operation
