"""Finds the stored versions that a merge has to look at, among many: by number, and no more of them than are needed."""

from __future__ import annotations

from headwater.model.entity import Entity
from headwater.silver.merge.incoming import IncomingEvents
from headwater.silver.schema.tables import versions_table
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Warehouse
from headwater.warehouse.row_lookup import STAGED as PLACES
from headwater.warehouse.row_lookup import LocatedRows, RowLocator, integer_key, locate_rows, version_locator

STAGED = ("silver__traces", "silver__current", "silver__versions", "silver__stored", *PLACES)
"""Temporary tables of this module, and of the one it asks."""


def stage_stored_versions(warehouse: Warehouse, entity: Entity, incoming: IncomingEvents) -> LocatedRows:
    """Stage the stored versions that a merge has to look at, with the marks `_last` and `_late`.

    Those are all versions of late keys and the last one of every other; all of them where a value may be overwritten.
    """
    late, fresh = f"SELECT entity_key FROM {incoming.late_keys}", f"SELECT entity_key FROM {incoming.new_rows}"
    affected = f"{fresh} UNION {late}" if incoming.has_late else fresh
    names = versions_table(entity).names
    if not warehouse.capabilities.row_ids:
        versions = warehouse.ref("silver", entity.entity)
        rows = (
            f"(SELECT 0 AS _row, {column_list_sql(names, 'v')} FROM {versions} AS v WHERE v.entity_key IN ({affected}))"
        )
        return LocatedRows(
            relation=warehouse.stage("silver__stored", _select_marked(entity, incoming, rows)), has_row_ids=False
        )
    if not warehouse.rows(f"SELECT 1 FROM {warehouse.ref('silver', entity.entity)} LIMIT 1"):
        return _stage_none(warehouse, entity)
    at = _build_locator(warehouse, entity, incoming)
    single = f"{fresh} EXCEPT {late}" if incoming.has_late else fresh
    if not entity.overwritten and warehouse.rows(f"SELECT 1 FROM ({single}) AS k LIMIT 1"):
        return _stage_current_first(
            warehouse, entity, at, incoming, single=single, whole=late if incoming.has_late else ""
        )
    all_of_them = locate_rows(warehouse, at, keys=affected, columns=names, name="silver__versions")
    stored = warehouse.stage("silver__stored", _select_marked(entity, incoming, all_of_them.relation))
    return LocatedRows(relation=stored, has_row_ids=all_of_them.has_row_ids)


def _stage_none(warehouse: Warehouse, entity: Entity) -> LocatedRows:
    """Before the first load there is nothing to look at, and nothing to look for."""
    names = column_list_sql(versions_table(entity).names)
    select = f"SELECT 0 AS _row, {names}, TRUE AS _last, FALSE AS _late FROM {warehouse.ref('silver', entity.entity)}"
    return LocatedRows(relation=warehouse.stage("silver__stored", f"{select} WHERE FALSE"), has_row_ids=False)


def _stage_current_first(
    warehouse: Warehouse, entity: Entity, at: RowLocator, incoming: IncomingEvents, *, single: str, whole: str
) -> LocatedRows:
    """The last version is nearly always a current one, and only where it is not are older ones looked at."""
    names = versions_table(entity).names
    current = locate_rows(warehouse, at, keys=single, columns=names, name="silver__current", where="x.is_current")
    others = (
        f"SELECT entity_key FROM ({single}) AS k WHERE entity_key NOT IN (SELECT entity_key FROM {current.relation})"
    )
    last = f"SELECT _row, {column_list_sql(names)}, TRUE AS _last, FALSE AS _late FROM {current.relation}"
    if not whole and not warehouse.rows(f"{others} LIMIT 1"):
        return LocatedRows(relation=f"({last})", has_row_ids=current.has_row_ids)
    keys = f"{others} UNION {whole}" if whole else others
    rows = locate_rows(warehouse, at, keys=keys, columns=names, name="silver__versions")
    stored = warehouse.stage("silver__stored", last, _select_marked(entity, incoming, rows.relation))
    return LocatedRows(relation=stored, has_row_ids=current.has_row_ids and rows.has_row_ids)


def _select_marked(entity: Entity, incoming: IncomingEvents, rows: str) -> str:
    """SELECT of versions with the marks. Of the keys in `rows` all versions are there."""
    late = f"x.entity_key IN (SELECT entity_key FROM {incoming.late_keys})" if incoming.has_late else "FALSE"
    names = column_list_sql(versions_table(entity).names, "x")
    marks = "ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC) = 1 AS _last, "
    select = f"SELECT x._row, {names}, {marks}{late} AS _late FROM {rows} AS x"
    return select if entity.overwritten else f"SELECT * FROM ({select}) AS marked WHERE _last OR _late"


def _build_locator(warehouse: Warehouse, entity: Entity, incoming: IncomingEvents) -> RowLocator:
    """Where the versions are. What tells of keys that are no numbers is searched for once, and partly known already."""
    if integer_key(entity):
        return version_locator(warehouse, entity)
    known = [f"SELECT key_hash, sequence FROM {incoming.logged}"] if incoming.has_late else []
    hashes = f"SELECT key_hash FROM {incoming.new_rows}"
    hashes += f" EXCEPT SELECT key_hash FROM {incoming.late_keys}" if known else ""
    log = warehouse.ref("silver", f"{entity.entity}_log")
    select = f"SELECT l.key_hash, l.sequence FROM {log} AS l WHERE l.key_hash IN ({hashes})"
    traces = warehouse.stage("silver__traces", select, *known)
    return version_locator(warehouse, entity, traces=traces)
