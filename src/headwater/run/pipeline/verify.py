"""Requests missing records by id, before they count as deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headwater.batch import Batch, Feed, create_batch
from headwater.errors import HeadwaterError
from headwater.events import EventListener, Finding
from headwater.extract.client import Client
from headwater.extract.request_params import ReadRequest
from headwater.extract.verify import IdRequest, verify_records
from headwater.lake.base import Lake
from headwater.ledger.base import Ledger
from headwater.model.entity import Entity
from headwater.run.pipeline.inputs import load_landed
from headwater.run.pipeline.sources import Source
from headwater.silver.complete_read import CompleteRead
from headwater.silver.deletes import KeyMismatch, find_key_mismatch
from headwater.silver.entity_tables import EntityTables
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

_NAMED = 10
"""The maximum number of keys in a finding."""

_REMEMBERED = 10_000
"""The maximum number of unread ids to save from one sweep to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadVerifier:
    """Verifies complete reads of an entity with requests to their services."""

    entity: Entity
    mappings: Mapping[str, SourceMapping]
    sources: Mapping[Feed, Source]
    clients: Mapping[str, Client]
    times: Mapping[str, datetime]
    """By connection: when the run began, in the time agreed on with its service."""
    estimate_latest_stamp: Callable[[Batch], datetime]
    """Returns the latest credible stamp at this moment."""
    warehouse: Warehouse
    lake: Lake
    ledger: Ledger
    land: Callable[[Batch], int]
    listen: EventListener
    allow_drop: bool = False

    def is_of_this_run(self, batch: LandedBatch) -> bool:
        """Whether it is a complete read of this run, so that its service can be requested now."""
        began = self.times.get(batch.batch.feed.connection)
        return batch.is_complete and began is not None and batch.read_at >= began

    def is_relevant(self, batch: LandedBatch) -> bool:
        """Whether its records can be requested by id, or it may show unread ids."""
        return self.is_of_this_run(batch) and (batch.batch.purpose == "sweep" or self.can_request(batch))

    def is_waiting(self, batch: LandedBatch) -> bool:
        """Whether it waits for confirmation by its service."""
        return self.ledger.get_mark(batch.batch.feed.tenant, self._name_mark(batch)) == "waiting"

    def can_request(self, batch: LandedBatch) -> bool:
        """Whether its missing records can be requested by id."""
        source = self.sources[batch.batch.feed]
        resource, mapped = source.resource, self.entity.sources[batch.source].map
        plain = len(self.entity.key) == 1 and (mapped[self.entity.key[0]],) == resource.key
        return resource.verify is not None and plain

    def verify(self, landed: LandedBatch) -> tuple[list[LandedBatch], list[Finding]]:
        """Verify a complete read. Returns it with the records that were requested by id, or nothing while it has to wait."""
        mismatch = self._find_mismatch(landed)
        unread = () if landed.batch.purpose == "snapshot" else self._list_unread(landed, mismatch)
        verified: list[LandedBatch] = []
        if self.can_request(landed) and (mismatch.missing or unread):
            how = self.sources[landed.batch.feed].resource.verify
            limit = how.max if how else 0
            if len(mismatch.missing) > limit and not self.allow_drop:
                reason = f"{len(mismatch.missing)} ids are missing, and `verify: max:` allows requests for only {limit}"
                return [], [self._mark_waiting(landed, mismatch, reason)]
            missing = mismatch.missing[:limit]
            try:
                verified = [self._read_records(landed, [*missing, *unread[: limit - len(missing)]], mismatch.control)]
            except HeadwaterError as error:
                return [], [self._mark_waiting(landed, mismatch, error.message)]
            unread = unread[limit - len(missing) :]
        self.ledger.set_mark(landed.batch.feed.tenant, self._name_mark(landed), "settled")
        return [landed, *verified], self._report_unread(landed, unread)

    def _find_mismatch(self, landed: LandedBatch) -> KeyMismatch:
        with LakeReader(self.warehouse) as lake:
            read = CompleteRead(
                tables=EntityTables(self.warehouse, self.entity),
                lake=lake,
                mapping=self.mappings[landed.source],
                landed=landed,
            )
            return find_key_mismatch(read)

    def _list_unread(self, landed: LandedBatch, mismatch: KeyMismatch) -> tuple[str, ...]:
        """The unread ids: ids in the read whose records were never read. Without records in quarantine, and without `since`.

        If records can be requested by id, all unread ids are returned. Otherwise an id that a sweep shows for the first time
        may be newer than the window, and the next window will read it. So it counts only if a second sweep shows it, or if
        it is in the first sweep.
        """
        feed = landed.batch.feed
        if self.sources[feed].connection.since is not None:
            return ()
        refused = {f"{feed.connection}:{row.key}" for row in self.ledger.list_refused(feed.tenant, feed=feed)}
        unread = [key for key in mismatch.unread if key not in refused]
        if self.can_request(landed):
            return tuple(unread)
        mark = f"unread:{self.entity.entity}:{feed.connection}:{feed.resource}"
        previous = self.ledger.get_mark(feed.tenant, mark)
        self.ledger.set_mark(feed.tenant, mark, "\n".join(unread[:_REMEMBERED]))
        return tuple(unread if previous is None else sorted(set(unread) & set(previous.split("\n"))))

    def _read_records(self, landed: LandedBatch, keys: Sequence[str], control: str) -> LandedBatch:
        batch, source = landed.batch, self.sources[landed.batch.feed]
        client = self.clients[batch.feed.connection]
        attempts = self.ledger.count_attempts(batch.feed).get(("verify", batch.window), 0)
        verification = create_batch(batch.feed, batch.window, purpose="verify", attempt=attempts + 1)
        read_request = ReadRequest(
            resource=source.resource,
            fields=source.fields,
            read_at=landed.read_at,
            estimate_latest_stamp=lambda: self.estimate_latest_stamp(verification),
        )
        after = len(batch.feed.connection) + 1
        request = IdRequest(ids=[key[after:] for key in keys], control=control[after:])
        try:
            verify_records(
                verification, read_request, client, request, lake=self.lake, ledger=self.ledger, listen=self.listen
            )
            self.land(verification)
        except HeadwaterError as error:
            self.ledger.fail_batch(verification, str(error))
            raise
        row = self.ledger.find_batch(batch.feed.tenant, verification.id)
        assert row is not None
        return load_landed(self.ledger, self.lake, source, row)

    def _mark_waiting(self, landed: LandedBatch, mismatch: KeyMismatch, reason: str) -> Finding:
        self.ledger.set_mark(landed.batch.feed.tenant, self._name_mark(landed), "waiting")
        count = len(mismatch.missing) + len(mismatch.unread)
        detail = f"batch {landed.batch.id} of {landed.source}: {reason}"
        return Finding(table=f"silver.{self.entity.entity}", finding="sweep_unverified", count=count, detail=detail)

    def _report_unread(self, landed: LandedBatch, unread: Sequence[str]) -> list[Finding]:
        if not unread:
            return []
        named = ", ".join(unread[:_NAMED]) + (", ..." if len(unread) > _NAMED else "")
        detail = f"batch {landed.batch.id} of {landed.source} shows {named}: their records were never read"
        table = f"silver.{self.entity.entity}"
        return [Finding(table=table, finding="unread_ids", count=len(unread), detail=detail)]

    def _name_mark(self, landed: LandedBatch) -> str:
        return f"verify:{self.entity.entity}:{landed.batch.id}"
