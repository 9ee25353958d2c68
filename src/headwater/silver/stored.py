"""Finds stored rows of a few keys among many: first where they are, then what is in them.

An engine with row ids is asked for the narrow columns of all rows first and for whole rows by their ids only, which
spares it most of the reading. Another engine is asked at once.
"""

from __future__ import annotations

from headwater.model.entity import Entity
from headwater.silver.arriving import Arriving
from headwater.silver.tables import versions_table
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse

STAGED = ("silver__places", "silver__wanted", "silver__stored", "silver__logged")
"""Temporary tables of this module."""


def stored_versions(warehouse: Warehouse, entity: Entity, arriving: Arriving) -> str:
    """Stage the stored versions that a merge has to look at, with `_row` and the marks `_last` and `_late`.

    Those are all versions of late keys and the last one of every other; all of them where a value may be overwritten.
    """
    versions = warehouse.ref("silver", entity.entity)
    affected = f"SELECT entity_key FROM {arriving.fresh}"
    if arriving.any_late:
        affected += f" UNION SELECT entity_key FROM {arriving.late}"
    late = f"x.entity_key IN (SELECT entity_key FROM {arriving.late})" if arriving.any_late else "FALSE"
    last = "ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC) = 1"
    names = listed(versions_table(entity).names, "x")
    if not warehouse.capabilities.row_ids:
        found = f"FROM {versions} AS x WHERE x.entity_key IN ({affected})"
        return warehouse.stage("silver__stored", f"SELECT 0 AS _row, {names}, {last} AS _last, {late} AS _late {found}")
    places = warehouse.stage(
        "silver__places",
        f"SELECT x.rowid AS _row, x.entity_key, x.version_number FROM {versions} AS x WHERE x.entity_key IN ({affected})",
    )
    marked = warehouse.stage("silver__wanted", f"SELECT x._row, {last} AS _last, {late} AS _late FROM {places} AS x")
    needed = "" if entity.overwritten else " WHERE w._last OR w._late"
    return warehouse.stage(
        "silver__stored",
        f"SELECT w._row, {names}, w._last, w._late FROM {versions} AS x JOIN {marked} AS w ON x.rowid = w._row{needed}",
    )


def logged_events(warehouse: Warehouse, entity: Entity, arriving: Arriving) -> str:
    """A relation of all events of the late keys."""
    log = warehouse.ref("silver", f"{entity.entity}_log")
    found = (
        f"x.key_hash IN (SELECT key_hash FROM {arriving.late}) "
        f"AND x.entity_key IN (SELECT entity_key FROM {arriving.late})"
    )
    if not warehouse.capabilities.row_ids:
        return f"(SELECT x.* FROM {log} AS x WHERE {found})"
    places = warehouse.stage("silver__logged", f"SELECT x.rowid AS _row FROM {log} AS x WHERE {found}")
    return f"(SELECT x.* FROM {log} AS x WHERE x.rowid IN (SELECT _row FROM {places}))"
