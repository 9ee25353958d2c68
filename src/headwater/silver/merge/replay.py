"""Works out the history of some keys again, from all batches, beside the stored one; writes what differs.

A batch that comes late changes what later batches meant: what they repeated was news then, what they lacked was there.
So all of them are taken again, as a rebuild takes them, for the keys concerned and in a warehouse of its own in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from headwater.silver.complete_read import CompleteRead, select_record_keys
from headwater.silver.consumed_batches import DeleteVerdict
from headwater.silver.deletes import decide_deletes, diff_read, explain_verdict
from headwater.silver.entity_tables import EntityTables
from headwater.silver.merge.recompute import record_changes
from headwater.silver.merge.result import MergeResult
from headwater.silver.schema.migrate import migrate_tables
from headwater.silver.schema.tables import TIED_KEYS
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse
from headwater.warehouse.duckdb.engine import DuckDB

_KEYS = "silver__keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """The entity in a warehouse in memory, and the keys that it is about, staged there."""

    tables: EntityTables
    keys: str

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse in memory."""
        return self.tables.warehouse

    def find_connections(self) -> set[str]:
        """The connections of which the keys are: batches of others say nothing of them."""
        select = f"SELECT DISTINCT SPLIT_PART(entity_key, ':', 1) FROM {self.keys}"
        return {str(row[0]) for row in self.warehouse.rows(select)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The keys of an entity whose history is worked out again."""

    tables: EntityTables
    keys: str
    """A staged relation with `entity_key`."""

    @contextmanager
    def open_scratch(self) -> Iterator[Scratch]:
        """A warehouse in memory, ready for the entity."""
        warehouse, entity = self.tables.warehouse, self.tables.entity
        with closing(DuckDB(warehouse.tenant, ":memory:")) as memory:
            migrate_tables(memory, entity)
            keys = memory.stage(_KEYS, warehouse.fetch_arrow(f"SELECT entity_key FROM {self.keys}"))
            yield Scratch(tables=EntityTables(memory, entity), keys=keys)

    def apply(self, scratch: Scratch) -> MergeResult:
        """Bring the stored log and versions of the keys in line with those in the scratch warehouse."""
        tables, warehouse = self.tables, self.tables.warehouse
        before = self._count_events()
        with warehouse.staging():
            keys = warehouse.stage(_KEYS, f"SELECT DISTINCT entity_key FROM {self.keys}")
            events = self._stage(scratch, tables.log, "silver__log_anew")
            versions = self._stage(scratch, tables.versions, "silver__versions_anew")
            changed = warehouse.stage("silver__moved_keys", self._changed_keys_sql(keys, versions))
            warehouse.replace_rows(tables.log, keys=keys, new_rows=events)
            written = warehouse.replace_rows(tables.versions, keys=keys, new_rows=versions)
            if written.rows:
                record_changes(tables, f"SELECT entity_key FROM {changed}")
            self._note_ties(scratch)
        added = max(0, self._count_events() - before)
        return MergeResult(events=added, inserted=written.inserted, deleted=written.deleted)

    def _changed_keys_sql(self, keys: str, versions: str) -> str:
        """SELECT of the keys whose staged versions differ from the stored ones."""
        names = column_list_sql(self.tables.versions.names)
        stored, wanted = f"SELECT {names} FROM {self.tables.versions_ref}", f"SELECT {names} FROM {versions}"
        return (
            f"SELECT entity_key FROM ({stored} WHERE entity_key IN (SELECT entity_key FROM {keys}) "
            f"EXCEPT {wanted}) AS gone\n"
            f"UNION SELECT entity_key FROM ({wanted} EXCEPT {stored}) AS fresh"
        )

    def _count_events(self) -> int:
        among = f"entity_key IN (SELECT entity_key FROM {self.keys})"
        return int(self.tables.warehouse.rows(f"SELECT COUNT(*) FROM {self.tables.log_ref} WHERE {among}")[0][0])

    def _stage(self, scratch: Scratch, table: Table, name: str) -> str:
        select = f"SELECT {column_list_sql(table.names)} FROM {scratch.warehouse.ref('silver', table.name)}"
        return self.tables.warehouse.stage(name, scratch.warehouse.fetch_arrow(select))

    def _note_ties(self, scratch: Scratch) -> None:
        warehouse, ties = self.tables.warehouse, scratch.warehouse.ref("meta", TIED_KEYS.name)
        if not scratch.warehouse.count(ties):
            return
        fetched = scratch.warehouse.fetch_arrow(f"SELECT entity, entity_key FROM {ties}")
        fresh = warehouse.stage("silver__ties", fetched)
        tied = f"SELECT 1 FROM {warehouse.ref('meta', TIED_KEYS.name)} AS t WHERE t.{self.tables.own_condition}"
        select = f"SELECT entity, entity_key FROM {fresh} AS f"
        select += f" WHERE NOT EXISTS ({tied} AND t.entity_key = f.entity_key)"
        warehouse.append("meta", TIED_KEYS.name, TIED_KEYS.names, select)


def stage_affected_keys(read: CompleteRead, *, allow_drop: bool) -> tuple[str, DeleteVerdict, MergeResult]:
    """Stage the keys that a late batch is about; what is concluded from it, and what a person should know."""
    selects = select_record_keys(read) if read.landed.batch.purpose != "sweep" else []
    verdict: DeleteVerdict = ""
    done = MergeResult()
    if read.landed.is_complete:
        proof = diff_read(read)
        verdict = decide_deletes(read, proof, allow_drop=allow_drop)
        waiting = (read.landed.batch.id,) if verdict == "waiting" else ()
        done = MergeResult(findings=tuple(explain_verdict(read, proof, verdict)), waiting=waiting)
        there = f"EXISTS (SELECT 1 FROM {proof.present} AS p WHERE p.entity_key = w.entity_key)"
        gone = f"SELECT entity_key FROM {proof.missing}"
        back = f"SELECT w.entity_key FROM {proof.last_events} AS w WHERE w.operation IN ('A', 'D') AND {there}"
        concerned = read.warehouse.stage("silver__concerned", gone, back)
    else:
        concerned = read.warehouse.stage("silver__concerned", "SELECT CAST('' AS VARCHAR) AS entity_key WHERE FALSE")
    if not selects:
        return concerned, verdict, done
    shown = read.lake.stage("silver__shown", selects)
    keys = f"SELECT entity_key FROM {concerned} UNION SELECT entity_key FROM {shown} WHERE entity_key IS NOT NULL"
    return read.warehouse.stage("silver__about", keys), verdict, done
