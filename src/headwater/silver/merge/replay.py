"""Works out the history of some keys again, from all batches, beside the stored one; writes what differs.

A batch that comes late changes what later batches meant: what they repeated was news then, what they lacked was there.
So all of them are taken again, as a rebuild takes them, for the keys concerned and in a warehouse of its own in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import quote_literal
from headwater.silver.complete_read import CompleteRead, select_record_keys
from headwater.silver.consumed_batches import DeleteVerdict
from headwater.silver.deletes import decide_deletes, diff_read, explain_verdict
from headwater.silver.merge.recompute import record_changes
from headwater.silver.merge.result import MergeResult
from headwater.silver.schema.migrate import migrate_tables
from headwater.silver.schema.tables import TIED_KEYS, log_table, versions_table
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse, WriteCounts
from headwater.warehouse.duckdb.engine import DuckDB

_KEYS = "silver__keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A warehouse in memory, and the keys that it is about, staged there."""

    warehouse: Warehouse
    keys: str

    def connections(self) -> set[str]:
        """The connections of which the keys are: batches of others say nothing of them."""
        return {
            str(row[0])
            for row in self.warehouse.rows(f"SELECT DISTINCT SPLIT_PART(entity_key, ':', 1) FROM {self.keys}")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The keys of an entity whose history is worked out again."""

    warehouse: Warehouse
    entity: Entity
    keys: str
    """A staged relation with `entity_key`."""

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A warehouse in memory, ready for the entity."""
        with closing(DuckDB(self.warehouse.tenant, ":memory:")) as made:
            migrate_tables(made, self.entity)
            keys = made.stage_arrow(_KEYS, self.warehouse.fetch_arrow(f"SELECT entity_key FROM {self.keys}"))
            yield Scratch(warehouse=made, keys=keys)


def stage_affected_keys(read: CompleteRead, *, allow_drop: bool) -> tuple[str, DeleteVerdict, MergeResult]:
    """Stage the keys that a late batch is about; what is concluded from it, and what a person should know."""
    selects = select_record_keys(read) if read.arrival.batch.purpose != "sweep" else []
    verdict: DeleteVerdict = ""
    done = MergeResult()
    if read.arrival.is_complete:
        proof = diff_read(read)
        verdict = decide_deletes(read, proof, allow_drop=allow_drop)
        waiting = (read.arrival.batch.id,) if verdict == "waiting" else ()
        done = MergeResult(findings=tuple(explain_verdict(read, proof, verdict)), waiting=waiting)
        there = f"EXISTS (SELECT 1 FROM {proof.present} AS p WHERE p.entity_key = w.entity_key)"
        gone = f"SELECT entity_key FROM {proof.missing}"
        back = f"SELECT w.entity_key FROM {proof.last_events} AS w WHERE w.operation IN ('A', 'D') AND {there}"
        found = read.warehouse.stage("silver__concerned", gone, back)
    else:
        found = read.warehouse.stage("silver__concerned", "SELECT CAST('' AS VARCHAR) AS entity_key WHERE FALSE")
    if not selects:
        return found, verdict, done
    shown = read.lake.stage("silver__shown", selects)
    keys = f"SELECT entity_key FROM {found} UNION SELECT entity_key FROM {shown} WHERE entity_key IS NOT NULL"
    return read.warehouse.stage("silver__about", keys), verdict, done


def apply_replay(again: Replay, scratch: Scratch) -> MergeResult:
    """Bring the stored log and versions of the keys in line with those in the scratch warehouse."""
    warehouse, entity = again.warehouse, again.entity
    log, versions = log_table(entity), versions_table(entity)
    before = warehouse.rows(_count_sql(again))[0][0]
    keys = warehouse.stage(_KEYS, f"SELECT DISTINCT entity_key FROM {again.keys}")
    told = _stage(warehouse, scratch, log, "silver__log_anew")
    folded = _stage(warehouse, scratch, versions, "silver__versions_anew")
    stored = f"SELECT {column_list_sql(versions.names)} FROM {warehouse.ref('silver', entity.entity)}"
    moved = warehouse.stage(
        "silver__moved_keys",
        f"SELECT entity_key FROM ({stored} WHERE entity_key IN (SELECT entity_key FROM {keys}) "
        f"EXCEPT SELECT {column_list_sql(versions.names)} FROM {folded}) AS gone\n"
        f"UNION SELECT entity_key FROM (SELECT {column_list_sql(versions.names)} FROM {folded} EXCEPT {stored}) AS fresh",
    )
    warehouse.replace_rows(log, keys=keys, fresh=told)
    written: WriteCounts = warehouse.replace_rows(versions, keys=keys, fresh=folded)
    if written.rows:
        record_changes(warehouse, entity, f"SELECT entity_key FROM {moved}")
    _note_ties(warehouse, entity, scratch)
    after = warehouse.rows(_count_sql(again))[0][0]
    for name in (_KEYS, "silver__log_anew", "silver__versions_anew", "silver__moved_keys"):
        warehouse.unstage(name)
    return MergeResult(events=max(0, after - before), inserted=written.inserted, deleted=written.deleted)


def _count_sql(again: Replay) -> str:
    log = again.warehouse.ref("silver", f"{again.entity.entity}_log")
    return f"SELECT COUNT(*) FROM {log} WHERE entity_key IN (SELECT entity_key FROM {again.keys})"


def _stage(warehouse: Warehouse, scratch: Scratch, table: Table, name: str) -> str:
    select = f"SELECT {column_list_sql(table.names)} FROM {scratch.warehouse.ref('silver', table.name)}"
    return warehouse.stage_arrow(name, scratch.warehouse.fetch_arrow(select))


def _note_ties(warehouse: Warehouse, entity: Entity, scratch: Scratch) -> None:
    tied, name = warehouse.ref("meta", "tied_keys"), quote_literal(entity.entity)
    found = scratch.warehouse.ref("meta", "tied_keys")
    if scratch.warehouse.count(found):
        select = f"SELECT entity, entity_key FROM {found}"
        fresh = warehouse.stage_arrow("silver__ties", scratch.warehouse.fetch_arrow(select))
        warehouse.append(
            "meta",
            TIED_KEYS.name,
            TIED_KEYS.names,
            f"SELECT entity, entity_key FROM {fresh} AS f WHERE NOT EXISTS "
            f"(SELECT 1 FROM {tied} AS t WHERE t.entity = {name} AND t.entity_key = f.entity_key)",
        )
        warehouse.unstage("silver__ties")
