"""Builds the members of a dimension of values: those that changes touch, or all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.gold.columns import fit_table
from headwater.gold.dimension import enum
from headwater.gold.dimension.entity import inferred_rows_sql
from headwater.gold.dimension.job import DimensionJob
from headwater.gold.row_lookup import build_version_key
from headwater.model.dimension import EnumDimension
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import WriteCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueBuild:
    """The build of a dimension of values."""

    job: DimensionJob
    dimension: EnumDimension

    def run(self) -> WriteCounts:
        """Bring the members up to date."""
        job, warehouse, declared = self.job, self.job.warehouse, self.dimension
        stored, values = job.stored_ref, enum.select_values(declared, warehouse.ref)
        seen = ""
        if job.pending.full:
            fit_table(warehouse, job.table, rebuild=not job.pending.keys)
            every = f"{values}\nUNION\nSELECT entity_key FROM {stored} WHERE entity_key IS NOT NULL"
            keys = warehouse.stage("gold_keys", every)
        else:
            changed = job.changed_keys
            keys = warehouse.stage("gold_keys", enum.affected_values_sql(declared, warehouse.ref, changed))
            seen = self._stage_first_seen(keys, changed)
        rows = enum.select_rows(job.star, declared, warehouse.ref, keys=keys, seen=seen)
        selects = [f"SELECT {column_list_sql(job.table.names)} FROM ({rows}) AS _fresh"]
        if warehouse.rows(f"SELECT 1 FROM {stored} WHERE is_inferred LIMIT 1"):
            selects.append(inferred_rows_sql(job.table, stored=stored, relation=f"({values}) AS seen", keys=keys))
        fresh = warehouse.stage("gold_fresh", "\nUNION ALL\n".join(selects))
        return job.upsert(keys, job.stage_numbered(fresh, before=stored))

    def _stage_first_seen(self, keys: str, changed: Mapping[str, str]) -> str:
        """The staged values with batches that tell which batch brought each value of the staged `keys` first.

        Empty where only all versions can tell, or an engine reads them as fast.
        """
        warehouse, declared = self.job.warehouse, self.dimension
        if not warehouse.capabilities.narrow_reads:
            return ""
        known = enum.select_still_first(warehouse, declared, stored=self.job.stored_ref, keys=keys)
        if known is None:
            return ""
        seen = warehouse.stage("gold_seen", known)
        for name, select in changed.items():
            own = [item.column for item in declared.values_of if item.entity == name]
            columns = [*dict.fromkeys(("entity_key", *own, "batch_id"))]
            by = build_version_key(warehouse, self.job.star.declarations.entities[name])
            rows = warehouse.select_rows("gold_versions", "silver", name, keys=select, columns=columns, by=by)
            fresh = enum.select_origins(declared, name, rows.relation, warehouse.ref)
            seen = warehouse.stage("gold_seen", f"SELECT * FROM {seen}", *fresh)
        return seen
