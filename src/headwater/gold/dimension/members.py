"""Builds the members of a dimension of entities: those that changes touch, or all of them."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.events import Finding
from headwater.gold.change_feed import record_change
from headwater.gold.columns import fit_table, is_empty
from headwater.gold.dimension import inherit
from headwater.gold.dimension.entity import (
    CompiledDimension,
    affected_keys_sql,
    all_keys_sql,
    inferred_rows_sql,
    select_rows,
)
from headwater.gold.dimension.job import DimensionJob
from headwater.gold.dimension.special_members import check_keys
from headwater.gold.dimension.unmatched_rules import report_unmatched
from headwater.gold.key_sequence import select_numbered
from headwater.gold.row_lookup import build_member_key, build_version_key, list_version_columns
from headwater.model.entity import Entity
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, WriteCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBuild:
    """The build of a dimension of entities."""

    job: DimensionJob
    parts: CompiledDimension

    def run(self) -> WriteCounts:
        """Bring the members up to date."""
        job, names = self.job, column_list_sql(self.job.table.names)
        if job.pending.full:
            fit_table(job.warehouse, job.table, rebuild=not job.pending.keys)
            if is_empty(job.warehouse, job.table):
                written = self._fill_empty()
                self._report(None)
                return job.finish(written)
        keys = self._stage_keys()
        versions, members = (self.parts.relation, None) if job.pending.full else self._stage_affected(keys)
        stored = members.relation if members else job.stored_ref
        rows = select_rows(self.parts, keys=None if job.pending.full else keys, versions=versions)
        inferred = inferred_rows_sql(job.table, stored=stored, relation=versions, keys=keys)
        fresh = job.warehouse.stage("gold_fresh", f"SELECT {names} FROM ({rows}) AS _fresh\nUNION ALL\n{inferred}")
        fresh = job.stage_numbered(fresh, before=stored)
        self._report(None if job.pending.full else keys)
        return job.upsert(keys, fresh, stored=members)

    @property
    def _entity(self) -> Entity:
        declared = self.parts.dimension
        return self.job.star.get_entity(declared.entity, where=str(declared.origin))

    def _fill_empty(self) -> WriteCounts:
        """Fill an empty table: there is nothing to compare with."""
        warehouse, table, stored = self.job.warehouse, self.job.table, self.job.stored_ref
        rows = select_rows(self.parts)
        if self.parts.dimension.surrogate == "sequence":
            rows = select_numbered(warehouse, table, fresh=warehouse.stage("gold_fresh", rows), before=stored)
        select = f"SELECT {column_list_sql(table.names)} FROM ({rows}) AS _fresh"
        inserted = warehouse.append("gold", table.name, table.names, select)
        check_keys(warehouse, table)
        record_change(
            warehouse, table.name, f"(SELECT DISTINCT entity_key FROM {stored}) AS members", self.job.positions
        )
        return WriteCounts(inserted=inserted)

    def _stage_keys(self) -> str:
        """The staged keys of the members to look at."""
        warehouse, parts = self.job.warehouse, self.parts
        if self.job.pending.full:
            return warehouse.stage("gold_keys", all_keys_sql(parts, self.job.stored_ref))
        changed = self.job.changed_keys
        own = changed.get(parts.dimension.entity)
        keys = warehouse.stage("gold_keys", affected_keys_sql(parts, own=own, joined=changed))
        for item in parts.inherited:
            below = inherit.select_descendants(item, entity=parts.relation, keys=keys)
            keys = warehouse.stage("gold_keys", f"SELECT entity_key FROM {warehouse.stage('gold_below', below)}")
        return keys

    def _stage_affected(self, keys: str) -> tuple[str, StagedRows]:
        """The staged versions of the staged `keys`, and the members that are stored of them."""
        warehouse, table, entity = self.job.warehouse, self.job.table, self._entity
        own, columns, by = (
            f"SELECT entity_key FROM {keys}",
            list_version_columns(entity),
            build_version_key(warehouse, entity),
        )
        versions = warehouse.select_rows("gold_versions", "silver", entity.entity, keys=own, columns=columns, by=by)
        by = build_member_key(warehouse, self.parts, entity)
        members = warehouse.select_rows("gold_held", "gold", table.name, keys=own, columns=table.names, by=by)
        return versions.relation, members

    def _report(self, keys: str | None) -> None:
        """Report rules that match nothing, and ancestors in a cycle, of the members of `keys` or of all."""
        job, parts = self.job, self.parts
        report_unmatched(job.warehouse, job.star, parts.dimension, job.listen)
        for item in parts.inherited:
            circles = job.warehouse.rows(inherit.select_circles(item, entity=parts.relation, keys=keys))
            if circles:
                shown = ", ".join(sorted(str(key) for (key,) in circles)[:5])
                detail = f"ancestors of `{item.parent}` form a cycle, so `{item.name}` stays empty: {shown}"
                table = f"gold.{job.table.name}"
                job.report(Finding(table=table, finding="ancestor_cycle", count=len(circles), detail=detail))
