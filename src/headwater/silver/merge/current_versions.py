"""Finds the stored versions that a merge has to look at, among many: no more of them than are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headwater.silver.entity_tables import EntityTables
from headwater.silver.merge.incoming import IncomingEvents
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import RowKey, StagedRows


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersions:
    """The staged versions that a merge has to look at."""

    relation: str
    """They have the marks `_last` (of its key) and `_late` (all versions of its key are there)."""
    rows: tuple[StagedRows, ...] = ()
    """What was staged to find them, for `Warehouse.apply`."""


@dataclass(frozen=True)
class VersionLookup:
    """Looks up the versions that a merge has to look at.

    Those are all versions of late keys and the last one of every other; all of them where a value may be overwritten.
    """

    tables: EntityTables
    incoming: IncomingEvents

    def stage(self) -> StoredVersions:
        """Stage them."""
        warehouse = self.tables.warehouse
        if not warehouse.capabilities.narrow_reads:
            affected = f"v.entity_key IN ({self._select_affected()})"
            return self._stage_marked(f"(SELECT * FROM {self.tables.versions_ref} AS v WHERE {affected})")
        if not warehouse.is_small("silver", self.tables.name) and not self.tables.has_versions():
            return self._stage_none()
        single = self._select_single()
        if not self.tables.entity.overwritten and warehouse.rows(f"SELECT 1 FROM ({single}) AS k LIMIT 1"):
            return self._stage_current_first(single)
        rows = self._select_versions("silver__versions", self._select_affected())
        return self._stage_marked(rows.relation, rows)

    def _select_affected(self) -> str:
        fresh = f"SELECT entity_key FROM {self.incoming.new_rows}"
        return f"{fresh} UNION {self.incoming.select_late()}" if self.incoming.has_late else fresh

    def _select_single(self) -> str:
        """SELECT of the keys of which nothing comes late."""
        fresh = f"SELECT entity_key FROM {self.incoming.new_rows}"
        return f"{fresh} EXCEPT {self.incoming.select_late()}" if self.incoming.has_late else fresh

    def _stage_none(self) -> StoredVersions:
        """Before the first load there is nothing to look at, and nothing to look for."""
        names = column_list_sql(self.tables.versions.names)
        select = f"SELECT {names}, TRUE AS _last, FALSE AS _late FROM {self.tables.versions_ref} WHERE FALSE"
        return StoredVersions(relation=self.tables.warehouse.stage("silver__stored", select))

    def _stage_current_first(self, single: str) -> StoredVersions:
        """The last version is nearly always a current one, and only where it is not are older ones looked at."""
        warehouse = self.tables.warehouse
        current = self._select_versions("silver__current", single, where="x.is_current")
        have_current = f"SELECT entity_key FROM {current.relation}"
        keys = f"SELECT entity_key FROM ({single}) AS k WHERE entity_key NOT IN ({have_current})"
        names = column_list_sql(self.tables.versions.names)
        last = f"SELECT {names}, TRUE AS _last, FALSE AS _late FROM {current.relation}"
        if self.incoming.has_late:
            keys = f"{keys} UNION {self.incoming.select_late()}"
        elif not warehouse.rows(f"{keys} LIMIT 1"):
            return StoredVersions(relation=f"({last})", rows=(current,))
        others = self._select_versions("silver__versions", keys)
        stored = warehouse.stage("silver__stored", last, self._select_marked(others.relation))
        return StoredVersions(relation=stored, rows=(current, others))

    def _select_versions(self, into: str, keys: str, where: str = "TRUE") -> StagedRows:
        columns = self.tables.versions.names
        return self.tables.warehouse.select_rows(
            into, "silver", self.tables.name, keys=keys, columns=columns, where=where, by=self._key
        )

    def _stage_marked(self, relation: str, *rows: StagedRows) -> StoredVersions:
        stored = self.tables.warehouse.stage("silver__stored", self._select_marked(relation))
        return StoredVersions(relation=stored, rows=rows)

    def _select_marked(self, rows: str) -> str:
        """SELECT of versions with the marks. Of the keys in `rows` all versions are there."""
        late = f"x.entity_key IN ({self.incoming.select_late()})" if self.incoming.has_late else "FALSE"
        names = column_list_sql(self.tables.versions.names, "x")
        last = "ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC) = 1"
        select = f"SELECT {names}, {last} AS _last, {late} AS _late FROM {rows} AS x"
        return select if self.tables.entity.overwritten else f"SELECT * FROM ({select}) AS marked WHERE _last OR _late"

    @cached_property
    def _key(self) -> RowKey:
        """How versions are found. What the log has of keys that are no numbers is read once, and partly staged already."""
        tables, incoming = self.tables, self.incoming
        if tables.entity.integer_key:
            return tables.build_version_key()
        known = [f"SELECT key_hash, sequence FROM {incoming.log_relation}"] if incoming.has_late else []
        hashes = f"SELECT key_hash FROM {incoming.new_rows}"
        hashes += f" EXCEPT SELECT key_hash FROM {incoming.late_keys}" if known else ""
        select = f"SELECT l.key_hash, l.sequence FROM {tables.log_ref} AS l WHERE l.key_hash IN ({hashes})"
        return tables.build_version_key(tables.warehouse.stage("silver__traces", select, *known))
