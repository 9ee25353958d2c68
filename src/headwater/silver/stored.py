"""Finds stored rows of a few keys among many: first where they are, then what is in them.

An engine with row ids is asked for the narrow columns of all rows first and for whole rows by their ids only, which
spares it most of the reading. Another engine is asked at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.silver.arriving import Arriving, log_places
from headwater.silver.tables import log_table, versions_table
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse
from headwater.warehouse.places import STAGED as PLACES
from headwater.warehouse.places import are_stored, candidates, versions_of

STAGED = ("silver__places", "silver__wanted", "silver__stored", "silver__logged", *PLACES)
"""Temporary tables of this module, and of the one it asks."""


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
    affected = f"SELECT entity_key FROM {arriving.fresh}"
    if arriving.any_late:
        affected += f" UNION SELECT entity_key FROM {arriving.late}"
    found = f"x.entity_key IN ({affected})"
    late = f"x.entity_key IN (SELECT entity_key FROM {arriving.late})" if arriving.any_late else "FALSE"
    marks = "ROW_NUMBER() OVER (PARTITION BY x.entity_key ORDER BY x.version_number DESC) = 1 AS _last, "
    marks += f"{late} AS _late"
    names, versions = listed(versions_table(entity).names, "x"), warehouse.ref("silver", entity.entity)
    at, narrow = versions_of(warehouse, entity), ("entity_key", "version_number")
    places = candidates(warehouse, at, keys=affected, columns=narrow, name="silver__places")
    if places is None or not are_stored(warehouse, places):
        select = f"SELECT 0 AS _row, {names}, {marks} FROM {versions} AS x WHERE {found}"
        return Stored(relation=warehouse.stage("silver__stored", select), by_row=False)
    marked = warehouse.stage("silver__wanted", f"SELECT x._row, {marks} FROM {places} AS x WHERE {found}")
    needed = "" if entity.overwritten else " WHERE w._last OR w._late"
    select = (
        f"SELECT w._row, {names}, w._last, w._late FROM {versions} AS x JOIN {marked} AS w ON x.rowid = w._row{needed}"
    )
    return Stored(relation=warehouse.stage("silver__stored", select), by_row=True)


def logged_events(warehouse: Warehouse, entity: Entity, arriving: Arriving) -> str:
    """Stage all events of the late keys that the log has."""
    log = warehouse.ref("silver", f"{entity.entity}_log")
    late = f"x.entity_key IN (SELECT entity_key FROM {arriving.late})"
    # Events that were restated are no longer where they were.
    places = log_places(warehouse, entity, arriving.late) if arriving.restated else arriving.places
    names = listed(log_table(entity).names, "x")
    if places is None:
        found = f"x.key_hash IN (SELECT key_hash FROM {arriving.late}) AND {late}"
        return warehouse.stage("silver__logged", f"SELECT {names} FROM {log} AS x WHERE {found}")
    hashes = f"SELECT key_hash FROM {arriving.late}"
    found = f"x.rowid IN (SELECT _row FROM {places} WHERE key_hash IN ({hashes}))"
    logged = warehouse.stage("silver__logged", f"SELECT {names} FROM {log} AS x WHERE {found}")
    if warehouse.rows(f"SELECT 1 FROM {logged} AS x WHERE NOT ({late}) LIMIT 1"):  # another key has the same hash
        logged = warehouse.stage("silver__logged", f"SELECT x.* FROM {logged} AS x WHERE {late}")
    return logged
