"""Compares the number of records in the service with the warehouse, and explains the difference.

The ids of a proved complete read are compared after each such read. Other resources use the count request of the service, if
it has one. While there is an unexplained difference, each run compares again, without a new request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.bronze.land import REFUSED_ROWS
from headwater.clock import EPOCH, parse_instant, parse_span
from headwater.errors import HeadwaterError
from headwater.events import EventListener, Finding, FindingKind, FindingMade
from headwater.extract.client import Client
from headwater.extract.count_check import fetch_count
from headwater.extract.request_params import ReadRequest
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, CountRow
from headwater.model.entity import Entity
from headwater.run.pipeline.inputs import build_mappings, load_landed
from headwater.run.pipeline.sources import Source
from headwater.run.results import RecordCount
from headwater.run.workspace import TenantWorkspace
from headwater.silver.entity_tables import EntityTables
from headwater.silver.mapping import LandedBatch
from headwater.silver.row_counts import RowCountCheck, add_unexplained
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader
from headwater.wire.cursor import ChangeFilter, FullSnapshot, IdSweep

EVERY = "1d"
"""The interval of count requests, for resources without complete reads."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DueCount:
    """A count that is due, and the complete read to compare, if any."""

    source: Source
    entity: str
    complete: Batch | None
    now: datetime


@dataclass(frozen=True, kw_only=True)
class RecordCounter:
    """Counts the records of one tenant after its run."""

    workspace: TenantWorkspace
    clients: Mapping[str, Client]
    times: Mapping[str, datetime]
    """The current time of each connection."""
    lake: Lake
    warehouse: Warehouse
    listen: EventListener

    def count(self, sources: Iterable[Source]) -> tuple[CountRow, ...]:
        """Count the records of these feeds where a count is due or differed before, and save the counts."""
        ledger = self.workspace.ledger
        previous_counts = {(row.feed, row.entity): row for row in ledger.list_counts(self.workspace.tenant)}
        due = [item for source in sources for item in self._list_due(source, previous_counts)]
        if not due:
            return ()
        with LakeReader(self.warehouse) as lake:
            counts = [row for item in due if (row := self._count(item, lake.duckdb))]
        ledger.save_counts(self.workspace.tenant, counts)
        counted = {(row.feed, row.entity) for row in counts}
        stored = tuple(row for row in ledger.list_counts(self.workspace.tenant) if (row.feed, row.entity) in counted)
        for row in stored:
            previous = previous_counts.get((row.feed, row.entity))
            if previous is not None and previous.differs_since is not None and row.differs_since is not None:
                detail = f"{row.entity}: {render_counts(row.numbers)}"
                self._report(row.feed, "count_mismatch", row.numbers["unexplained"], detail)
        return stored

    def _list_due(self, source: Source, previous_counts: Mapping[tuple[Feed, str], CountRow]) -> list[_DueCount]:
        now = self.times.get(source.feed.connection)
        consumers = [
            name for name, entity in self.workspace.declarations.entities.items() if source.name in entity.sources
        ]
        if now is None or not consumers:
            return []
        complete = self._find_complete_read(source.feed, now)
        due: list[_DueCount] = []
        for name in consumers:
            previous = previous_counts.get((source.feed, name))
            if complete is not None:
                is_due = (
                    previous is None
                    or previous.counted_at != complete.window.until
                    or previous.numbers["unexplained"] != 0
                )
            else:
                is_recent = previous is not None and previous.counted_at <= now < previous.counted_at + parse_span(
                    EVERY
                )
                is_due = _has_own_count(source) and not is_recent
            if is_due:
                due.append(_DueCount(source=source, entity=name, complete=complete, now=now))
        return due

    def _count(self, due: _DueCount, scratch: Warehouse) -> CountRow | None:
        source, at = due.source, due.now
        entity = self.workspace.declarations.entities[due.entity]
        if self.warehouse.describe("silver", due.entity) is None:
            return None
        check = self._build_check(source, entity, scratch)
        try:
            with scratch.staging():
                if due.complete is not None:
                    at, numbers = due.complete.window.until, self._compare_ids(check, source, due.complete)
                else:
                    numbers = self._compare_count(check, source, due.now)
            numbers = self._explain_skipped(source, numbers)
        except HeadwaterError as error:
            self._report(source.feed, "count_unavailable", 1, f"{source.feed}: {error.message}")
            return None
        return CountRow(feed=source.feed, entity=due.entity, counted_at=at, numbers=numbers)

    def _build_check(self, source: Source, entity: Entity, scratch: Warehouse) -> RowCountCheck:
        ledger, feed, deletes = self.workspace.ledger, source.feed, source.resource.deletes
        mapping = build_mappings(self.workspace.parent, entity)[source.name]
        lines: dict[str, list[int]] = defaultdict(list)
        for record in ledger.list_refused(self.workspace.tenant, feed=feed):
            lines[record.batch_id].append(record.line)
        rows = sorted(ledger.list_batches(self.workspace.tenant, feed=feed), key=_get_order)
        records = [row for row in rows if row.stage in {"transformed", "completed"} and row.batch.purpose != "sweep"]
        conditional = mapping.where or mapping.deleted
        snapshot = isinstance(source.resource.cursor, FullSnapshot)
        return RowCountCheck(
            tables=EntityTables(self.warehouse, entity),
            mapping=mapping,
            connection=feed.connection,
            keeps_deleted=not mapping.deleted and (deletes.kind == "none" if deletes else not snapshot),
            waiting=[(one, lines[row.batch.id]) for row in rows for one in self._list_refused(source, row.batch)],
            landed=[load_landed(ledger, self.lake, source, row) for row in records] if conditional else [],
            scratch=scratch,
        )

    def _list_refused(self, source: Source, batch: Batch) -> list[LandedBatch]:
        """The refused records of a batch, as far as bronze could type them."""
        path = self.lake.build_batch_path("quarantine", batch, REFUSED_ROWS)
        urls = [] if self.lake.read_size(path) is None else [self.lake.fetch(path)]
        return [LandedBatch(source=source.name, batch=batch, files=(url,)) for url in urls]

    def _compare_ids(self, check: RowCountCheck, source: Source, complete: Batch) -> dict[str, int]:
        row = self.workspace.ledger.find_batch(self.workspace.tenant, complete.id)
        assert row is not None
        batch = load_landed(self.workspace.ledger, self.lake, source, row)
        return check.compare_ids(batch, self._list_refused(source, complete))

    def _compare_count(self, check: RowCountCheck, source: Source, now: datetime) -> dict[str, int]:
        """Compare with the count of the service. Records that changed after the last window may explain a difference."""
        client, request = self.clients[source.feed.connection], ReadRequest(resource=source.resource)
        whole = create_batch(source.feed, Window(since=EPOCH, until=now), purpose="sweep")
        numbers = check.compare_number(fetch_count(request, whole, client))
        read = self.workspace.ledger.list_windows(source.feed)
        if numbers["missing"] and read and read[-1].until < now + _DAY:
            since = create_batch(source.feed, Window(since=read[-1].until, until=now + _DAY))
            changed = fetch_count(request, since, client)
            # a count that ignores its filter explains nothing
            numbers["changed_since"] = min(numbers["missing"], changed) if changed < numbers["service"] else 0
        return add_unexplained(numbers)

    def _explain_skipped(self, source: Source, numbers: Mapping[str, int]) -> dict[str, int]:
        """Explain the missing records that `since:` of the connection skips: those that changed last before it.

        Without a count request of the service, all that are missing may be such records.
        """
        begins, resource = source.connection.since, source.resource
        if not begins or not numbers["missing"] or not isinstance(resource.cursor, ChangeFilter):
            return dict(numbers)
        skipped = numbers["missing"]
        if resource.count is not None and resource.parent is None:
            older = create_batch(source.feed, Window(since=EPOCH, until=parse_instant(begins)))
            count = fetch_count(ReadRequest(resource=resource), older, self.clients[source.feed.connection])
            # A count that ignores its filter explains nothing, unless nothing newer was read.
            skipped = min(skipped, count) if count < numbers["service"] or not numbers["here"] else 0
        return {
            **numbers,
            "before_since": skipped,
            "missing": numbers["missing"] - skipped,
            "unexplained": numbers["unexplained"] - skipped,
        }

    def _find_complete_read(self, feed: Feed, now: datetime) -> Batch | None:
        """The newest complete read, if it is proved and has landed."""
        ledger = self.workspace.ledger
        read = [ledger.find_latest(feed, purpose=purpose, until=now) for purpose in ("snapshot", "sweep")]
        newest = max((batch for batch in read if batch), key=lambda batch: batch.window.until, default=None)
        row = ledger.find_batch(self.workspace.tenant, newest.id) if newest else None
        is_landed = row is not None and row.stage in {"transformed", "completed"} and row.proved is not False
        return newest if is_landed else None

    def _report(self, feed: Feed, kind: FindingKind, count: int, detail: str) -> None:
        finding = Finding(table=f"{feed.connection}.{feed.resource}", finding=kind, count=count, detail=detail)
        self.listen(FindingMade(tenant=self.workspace.tenant, finding=finding))


def _get_order(row: BatchRow) -> tuple[datetime, str]:
    return row.read_at or row.batch.window.until, row.batch.id


def _has_own_count(source: Source) -> bool:
    """Whether to use the count request of the service: it has one, and there are no complete reads."""
    resource = source.resource
    changes = isinstance(resource.cursor, ChangeFilter) and not isinstance(resource.deletes, IdSweep)
    return resource.count is not None and changes and resource.parent is None


_WORDS = {
    "service": "service",
    "here": "here",
    "quarantined": "quarantined",
    "outside": "outside where",
    "flagged": "flagged as deleted",
    "changed_since": "changed since",
    "before_since": "older than `since:`",
    "not_deleted": "deletes are not read",
    "missing": "missing here",
    "surplus": "only here",
    "unexplained": "not explained",
}


def render_counts(numbers: Mapping[str, int]) -> str:
    """The numbers as text: `service 1,000 · here 990 · quarantined 6 · not explained 4`."""
    always = {"service", "here"}
    shown = [name for name in _WORDS if name in always or (numbers.get(name) and name not in {"missing", "surplus"})]
    line = " · ".join(f"{_WORDS[name]} {numbers.get(name, 0):,}" for name in shown)
    sides = [f"{numbers[name]:,} {_WORDS[name]}" for name in ("missing", "surplus") if numbers.get(name)]
    return f"{line} ({', '.join(sides)})" if numbers.get("unexplained") else line


def to_record_counts(rows: Iterable[CountRow]) -> tuple[RecordCount, ...]:
    """Convert counts for reports and `status`."""
    return tuple(
        RecordCount(
            connection=row.feed.connection,
            resource=row.feed.resource,
            entity=row.entity,
            counted_at=row.counted_at,
            numbers=row.numbers,
            line=render_counts(row.numbers),
            differs_since=row.differs_since,
        )
        for row in rows
    )
