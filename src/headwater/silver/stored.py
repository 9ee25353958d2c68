"""Finds stored rows of a few keys among many: first where they are, then what is in them.

An engine with row ids is asked for the narrow columns of all rows first and for whole rows by their ids only, which
spares it most of the reading. Another engine is asked at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.silver.arriving import Arriving
from headwater.silver.tables import log_table, versions_table
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse

STAGED = ("silver__places", "silver__wanted", "silver__stored", "silver__logged")
"""Temporary tables of this module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Stored versions, staged with `_row` and the marks `_last` and `_late`."""

    relation: str
    by_row: bool
    """Whether `_row` is the id by which a row can be deleted."""


def stored_versions(warehouse: Warehouse, entity: Entity, arriving: Arriving) -> Stored:
    """Stage the stored versions that a merge has to look at.

    Those are all versions of late keys and the last one of every other; all of them where a value may be overwritten.
    """
    versions = warehouse.ref("silver", entity.entity)
    affected = f"SELECT entity_key FROM {arriving.fresh}"
    if arriving.any_late:
        affected += f" UNION SELECT entity_key FROM {arriving.late}"
    found = f"x.entity_key IN ({affected})"
    late = f"x.entity_key IN (SELECT entity_key FROM {arriving.late})" if arriving.any_late else "FALSE"
    marks = "ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC) = 1 AS _last, "
    marks += f"{late} AS _late"
    names = listed(versions_table(entity).names, "x")
    places = _places(warehouse, versions, found, "x.entity_key, x.version_number")
    if places is None:
        select = f"SELECT 0 AS _row, {names}, {marks} FROM {versions} AS x WHERE {found}"
        return Stored(relation=warehouse.stage("silver__stored", select), by_row=False)
    marked = warehouse.stage("silver__wanted", f"SELECT x._row, {marks} FROM {places} AS x")
    needed = "" if entity.overwritten else " WHERE w._last OR w._late"
    select = (
        f"SELECT w._row, {names}, w._last, w._late FROM {versions} AS x JOIN {marked} AS w ON x.rowid = w._row{needed}"
    )
    return Stored(relation=warehouse.stage("silver__stored", select), by_row=True)


def logged_events(warehouse: Warehouse, entity: Entity, arriving: Arriving) -> str:
    """Stage all events of the late keys that the log has."""
    log = warehouse.ref("silver", f"{entity.entity}_log")
    names = listed(log_table(entity).names, "x")
    found = (
        f"x.key_hash IN (SELECT key_hash FROM {arriving.late}) "
        f"AND x.entity_key IN (SELECT entity_key FROM {arriving.late})"
    )
    places = _places(warehouse, log, found, "x.entity_key")
    if places is not None:
        found = f"x.rowid IN (SELECT _row FROM {places})"
    return warehouse.stage("silver__logged", f"SELECT {names} FROM {log} AS x WHERE {found}")


def _places(warehouse: Warehouse, table: str, found: str, narrow: str) -> str | None:
    """Stage the row ids of the rows that are looked for; None when rows cannot be asked for by them."""
    capabilities = warehouse.capabilities
    if not capabilities.row_ids:
        return None
    select = f"SELECT x.rowid AS _row, {narrow} FROM {table} AS x WHERE {found}"
    places = warehouse.stage("silver__places", select)
    local = capabilities.first_local_row
    if local is not None and warehouse.rows(f"SELECT 1 FROM {places} WHERE _row >= {local} LIMIT 1"):
        return None
    return places
