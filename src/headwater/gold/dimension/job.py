"""One build of one dimension: what it reads, where it writes, and what it has not consumed yet."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.events import EventListener, Finding, FindingMade
from headwater.gold.change_feed import (
    Consumer,
    FeedPositions,
    PendingChanges,
    changed_keys_sql,
    record_change,
    record_progress,
)
from headwater.gold.dimension.rekey import SEQUENCE, rekey_dimension
from headwater.gold.dimension.special_members import check_keys, keep_reserved
from headwater.gold.key_sequence import save_last, select_numbered
from headwater.gold.star import Star
from headwater.gold.upsert import upsert_members
from headwater.model.dimension import Dimension
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionJob:
    """One build of one dimension."""

    warehouse: Warehouse
    star: Star
    declared: Dimension
    table: Table
    consumer: Consumer
    pending: PendingChanges
    positions: FeedPositions
    listen: EventListener

    @property
    def stored_ref(self) -> str:
        """The quoted name of the dimension's table."""
        return self.warehouse.ref("gold", self.table.name)

    @property
    def changed_keys(self) -> dict[str, str]:
        """SELECTs of the keys that changed, by source."""
        sources = self.pending.changed_sources
        return {source: changed_keys_sql(self.warehouse, source, self.pending) for source in sources}

    def rekey(self) -> WriteCounts:
        """Exchange the keys of the dimension and its facts, where they were made otherwise than now."""
        return rekey_dimension(self.warehouse, self.star, self.declared, self.pending.keys, self.listen)

    def stage_numbered(self, fresh: str, *, before: str) -> str:
        """The staged `fresh` rows, with numbers for keys where that is declared; those of the rows `before` stay."""
        if self.consumer.keys != SEQUENCE:
            return fresh
        save_last(self.warehouse, self.table)
        select = select_numbered(self.warehouse, self.table, fresh=fresh, before=before)
        return self.warehouse.stage("gold_numbered", select)

    def upsert(self, keys: str, fresh: str, *, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored members of the staged `keys` equal to the staged `fresh`, and finish the build."""
        differing, rows, written = upsert_members(
            self.warehouse, self.table, keys=keys, fresh=fresh, stored=stored, is_narrow=self.pending.full
        )
        if written.rows:
            check_keys(self.warehouse, self.table, rows)
            record_change(self.warehouse, self.table.name, differing, self.positions)
        return self.finish(written)

    def finish(self, written: WriteCounts) -> WriteCounts:
        """Write the reserved members where all members were built, and remember what was consumed."""
        if self.pending.full:
            written += keep_reserved(self.warehouse, self.table)
        record_progress(self.warehouse, self.consumer, self.pending)
        return written

    def report(self, finding: Finding) -> None:
        """Report a finding."""
        self.listen(FindingMade(tenant=self.warehouse.tenant, finding=finding))
