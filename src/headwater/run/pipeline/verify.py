"""Asking for single records by id, before it is believed that what a complete read does not show is gone."""

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
"""So many keys are named in a finding."""

_REMEMBERED = 10_000
"""So many ids that nobody read are remembered from one sweep to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadVerifier:
    """Asks the services of a run about what complete reads of an entity leave open."""

    entity: Entity
    mappings: Mapping[str, SourceMapping]
    sources: Mapping[Feed, Source]
    clients: Mapping[str, Client]
    times: Mapping[str, datetime]
    """By connection: when the run began, by the time agreed on with its service."""
    estimate_latest_stamp: Callable[[Batch], datetime]
    """How late a stamp can be by now and be true."""
    warehouse: Warehouse
    lake: Lake
    ledger: Ledger
    land: Callable[[Batch], int]
    listen: EventListener
    allow_drop: bool = False

    def is_of_this_run(self, batch: LandedBatch) -> bool:
        """Whether it is a complete read of this run, so that its service can be asked about it now."""
        began = self.times.get(batch.batch.feed.connection)
        return batch.is_complete and began is not None and batch.read_at >= began

    def is_relevant(self, batch: LandedBatch) -> bool:
        """Whether its service can be asked about it, or it may show ids that nobody read."""
        return self.is_of_this_run(batch) and (batch.batch.purpose == "sweep" or self.can_request(batch))

    def is_waiting(self, batch: LandedBatch) -> bool:
        """Whether it waits for an answer of its service."""
        return self.ledger.get_mark(batch.batch.feed.tenant, self._name_mark(batch)) == "waiting"

    def can_request(self, batch: LandedBatch) -> bool:
        """Whether the records that it leaves open can be asked for by id."""
        source = self.sources[batch.batch.feed]
        resource, mapped = source.resource, self.entity.sources[batch.source].map
        plain = len(self.entity.key) == 1 and (mapped[self.entity.key[0]],) == resource.key
        return resource.verify is not None and plain

    def verify(self, landed: LandedBatch) -> tuple[list[LandedBatch], list[Finding]]:
        """A complete read, with the records that were asked for because of it; nothing while it has to wait."""
        mismatch = self._find_mismatch(landed)
        unread = () if landed.batch.purpose == "snapshot" else self._list_unread(landed, mismatch)
        verified: list[LandedBatch] = []
        if self.can_request(landed) and (mismatch.missing or unread):
            how = self.sources[landed.batch.feed].resource.verify
            limit = how.max if how else 0
            if len(mismatch.missing) > limit and not self.allow_drop:
                reason = (
                    f"{len(mismatch.missing)} ids are missing, and no more than {limit} are asked for (`verify: max:`)"
                )
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
        """Ids that nobody read, without those that wait in quarantine and where old records are left out on purpose.

        Where records can be asked for by id, all of them are. Otherwise, what a sweep shows for the first time may have been
        made since the window ended, and the next window brings it: but for the first sweep of all, it counts once a second
        sweep shows it.
        """
        feed = landed.batch.feed
        if self.sources[feed].connection.since is not None:
            return ()
        refused = {f"{feed.connection}:{row.key}" for row in self.ledger.list_refused(feed.tenant, feed=feed)}
        unread = [key for key in mismatch.unread if key not in refused]
        if self.can_request(landed):
            return tuple(unread)
        mark = f"unread:{self.entity.entity}:{feed.connection}:{feed.resource}"
        before = self.ledger.get_mark(feed.tenant, mark)
        self.ledger.set_mark(feed.tenant, mark, "\n".join(unread[:_REMEMBERED]))
        return tuple(unread if before is None else sorted(set(unread) & set(before.split("\n"))))

    def _read_records(self, landed: LandedBatch, keys: Sequence[str], control: str) -> LandedBatch:
        batch, source = landed.batch, self.sources[landed.batch.feed]
        client = self.clients[batch.feed.connection]
        attempts = self.ledger.count_attempts(batch.feed).get(("verify", batch.window), 0)
        verification = create_batch(batch.feed, batch.window, purpose="verify", attempt=attempts + 1)
        read_request = ReadRequest(
            resource=source.resource,
            fields=source.fields,
            asked_at=landed.read_at,
            credible=lambda: self.estimate_latest_stamp(verification),
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
        detail = f"batch {landed.batch.id} of {landed.source} shows {named}: no read has brought their records"
        table = f"silver.{self.entity.entity}"
        return [Finding(table=table, finding="unread_ids", count=len(unread), detail=detail)]

    def _name_mark(self, landed: LandedBatch) -> str:
        return f"verify:{self.entity.entity}:{landed.batch.id}"
