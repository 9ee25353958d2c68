"""Finds the stored versions that a merge has to look at, among many: by number, and no more of them than are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headwater.silver.entity_tables import EntityTables
from headwater.silver.merge.incoming import IncomingEvents
from headwater.temporal.sql import column_list
from headwater.warehouse.row_lookup import STAGED as PLACES
from headwater.warehouse.row_lookup import LocatedRows, RowLocator, locate_rows, version_locator

STAGED = ("silver__traces", "silver__current", "silver__versions", "silver__stored", *PLACES)
"""Temporary tables of this module, and of the one it asks."""


@dataclass(frozen=True)
class StoredVersions:
    """The stored versions that the merge of some events has to look at.

    Those are all versions of late keys and the last one of every other; all of them where a value may be overwritten.
    """

    tables: EntityTables
    incoming: IncomingEvents

    def stage(self) -> LocatedRows:
        """Stage them, with the marks `_last` and `_late`."""
        warehouse = self.tables.warehouse
        if not warehouse.capabilities.row_ids:
            names = column_list(self.tables.versions.names, "v")
            affected = f"v.entity_key IN ({self._select_affected()})"
            select = f"(SELECT 0 AS _row, {names} FROM {self.tables.versions_ref} AS v WHERE {affected})"
            return LocatedRows(relation=self._stage_marked(select), has_row_ids=False)
        if not self.tables.has_versions():
            return self._stage_none()
        single = self._select_single()
        if not self.tables.entity.overwritten and warehouse.rows(f"SELECT 1 FROM ({single}) AS k LIMIT 1"):
            return self._stage_current_first(single)
        rows = self._locate(self._select_affected(), "silver__versions")
        return LocatedRows(relation=self._stage_marked(rows.relation), has_row_ids=rows.has_row_ids)

    def _select_affected(self) -> str:
        fresh = f"SELECT entity_key FROM {self.incoming.new_rows}"
        return f"{fresh} UNION {self.incoming.select_late()}" if self.incoming.has_late else fresh

    def _select_single(self) -> str:
        """SELECT of the keys of which nothing comes late."""
        fresh = f"SELECT entity_key FROM {self.incoming.new_rows}"
        return f"{fresh} EXCEPT {self.incoming.select_late()}" if self.incoming.has_late else fresh

    def _stage_none(self) -> LocatedRows:
        """Before the first load there is nothing to look at, and nothing to look for."""
        names = column_list(self.tables.versions.names)
        select = f"SELECT 0 AS _row, {names}, TRUE AS _last, FALSE AS _late FROM {self.tables.versions_ref}"
        relation = self.tables.warehouse.stage("silver__stored", f"{select} WHERE FALSE")
        return LocatedRows(relation=relation, has_row_ids=False)

    def _stage_current_first(self, single: str) -> LocatedRows:
        """The last version is nearly always a current one, and only where it is not are older ones looked at."""
        warehouse = self.tables.warehouse
        current = self._locate(single, "silver__current", where="x.is_current")
        keys = (
            f"SELECT entity_key FROM ({single}) AS k "
            f"WHERE entity_key NOT IN (SELECT entity_key FROM {current.relation})"
        )
        names = column_list(self.tables.versions.names)
        last = f"SELECT _row, {names}, TRUE AS _last, FALSE AS _late FROM {current.relation}"
        if self.incoming.has_late:
            keys = f"{keys} UNION {self.incoming.select_late()}"
        elif not warehouse.rows(f"{keys} LIMIT 1"):
            return LocatedRows(relation=f"({last})", has_row_ids=current.has_row_ids)
        rows = self._locate(keys, "silver__versions")
        stored = warehouse.stage("silver__stored", last, self._select_marked(rows.relation))
        return LocatedRows(relation=stored, has_row_ids=current.has_row_ids and rows.has_row_ids)

    def _locate(self, keys: str, name: str, where: str = "TRUE") -> LocatedRows:
        columns = self.tables.versions.names
        return locate_rows(self.tables.warehouse, self._locator, keys=keys, columns=columns, name=name, where=where)

    def _stage_marked(self, rows: str) -> str:
        return self.tables.warehouse.stage("silver__stored", self._select_marked(rows))

    def _select_marked(self, rows: str) -> str:
        """SELECT of versions with the marks. Of the keys in `rows` all versions are there."""
        late = f"x.entity_key IN ({self.incoming.select_late()})" if self.incoming.has_late else "FALSE"
        names = column_list(self.tables.versions.names, "x")
        marks = "ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC) = 1 AS _last, "
        select = f"SELECT x._row, {names}, {marks}{late} AS _late FROM {rows} AS x"
        return select if self.tables.entity.overwritten else f"SELECT * FROM ({select}) AS marked WHERE _last OR _late"

    @cached_property
    def _locator(self) -> RowLocator:
        """Where the versions are. What tells of keys that are no numbers is searched for once, and partly known already."""
        tables, incoming = self.tables, self.incoming
        if tables.integer_key:
            return version_locator(tables.warehouse, tables.entity)
        known = [f"SELECT key_hash, sequence FROM {incoming.logged}"] if incoming.has_late else []
        hashes = f"SELECT key_hash FROM {incoming.new_rows}"
        hashes += f" EXCEPT SELECT key_hash FROM {incoming.late_keys}" if known else ""
        select = f"SELECT l.key_hash, l.sequence FROM {tables.log_ref} AS l WHERE l.key_hash IN ({hashes})"
        traces = tables.warehouse.stage("silver__traces", select, *known)
        return version_locator(tables.warehouse, tables.entity, traces=traces)
