"""Finds the stored rows of a few things among many, asked by number: that costs a fraction of asking for texts.

Engines with row ids find rows by reading a column from end to end, and among 20 million they read 64-bit numbers ten
times as fast as texts. So they are asked where the number fits first; a number only says where a row may be, and the
key itself is compared on those few rows. Other engines have an index, or read their files in parallel: they are asked for
the key at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import quote
from headwater.temporal.keys import hash60, number_in
from headwater.temporal.text import instant
from headwater.warehouse.base import Layer, Warehouse
from headwater.warehouse.sql import listed

STAGED = ("places__asked", "places__begins")
"""Temporary tables of this module."""

_MANY = 500_000
"""So many candidates that looking at the key of each takes as long as looking at all keys there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """A stored table with rows of things (`entity_key`), and which numbers tell of a thing's rows."""

    layer: Layer
    name: str
    number: str = ""
    """The column that holds a thing's key as a whole number."""
    log: str = ""
    """Where the table has no such column: the change log at whose instants every row of a thing begins (`valid_from`)."""
    loose: str = ""
    """The condition of rows of which neither tells. They are few, and looked for by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Stored rows, staged with `_row`."""

    relation: str
    by_row: bool
    """Whether `_row` is the id by which a row can be taken away."""


def number_of(entity: Entity) -> str:
    """The column that is the entity's key, where it is one whole number; empty where it is not."""
    whole = len(entity.key) == 1 and entity.columns[entity.key[0]].type in {"integer", "bigint"}
    return entity.key[0] if whole else ""


def versions_of(warehouse: Warehouse, entity: Entity) -> Whereabouts:
    """Where the versions of things are. Each begins at an event, which the log finds by the hash of the key."""
    log = warehouse.ref("silver", f"{entity.entity}_log")
    return Whereabouts(layer="silver", name=entity.entity, number=number_of(entity), log=log)


def found(
    warehouse: Warehouse, at: Whereabouts, *, keys: str, columns: Sequence[str], name: str, where: str = "TRUE"
) -> Found:
    """Stage the rows of `keys` (SELECT of `entity_key`) that hold a condition over `x`, under `name`."""
    places = candidates(warehouse, at, keys=keys, columns=columns, name=name)
    among = f"x.entity_key IN (SELECT k.entity_key FROM ({keys}) AS k) AND {where}"
    if places is None:
        ref = warehouse.ref(at.layer, at.name)
        select = f"SELECT 0 AS _row, {listed(columns, 'x')} FROM {ref} AS x WHERE {among}"
        return Found(relation=warehouse.stage(name, select), by_row=False)
    relation = warehouse.stage(name, f"SELECT x.* FROM {places} AS x WHERE {among}")
    return Found(relation=relation, by_row=are_stored(warehouse, relation))


def candidates(warehouse: Warehouse, at: Whereabouts, *, keys: str, columns: Sequence[str], name: str) -> str | None:
    """Stage the rows that may be of `keys` (SELECT of `entity_key`) with their `_row`; None where rows have no ids.

    Rows of other things may be among them; `columns` holds `entity_key`, by which to tell.
    """
    if not warehouse.capabilities.row_ids:
        return None
    number = number_in("k.entity_key") if at.number else "CAST(NULL AS BIGINT)"
    asked = warehouse.stage(
        "places__asked",
        f"SELECT DISTINCT k.entity_key, {number} AS number FROM ({keys}) AS k WHERE k.entity_key IS NOT NULL",
    )
    by_key = f"x.entity_key IN (SELECT entity_key FROM {asked})"
    select = f"SELECT x.rowid AS _row, {listed(columns, 'x')} FROM {warehouse.ref(at.layer, at.name)} AS x WHERE "
    loose, firm = ([f"{select}{at.loose} AND {by_key}"], f" AND NOT ({at.loose})") if at.loose else ([], "")
    if at.number and not warehouse.rows(f"SELECT 1 FROM {asked} WHERE number IS NULL LIMIT 1"):
        by_number = f"x.{quote(at.number)} IN (SELECT number FROM {asked})"
        return warehouse.stage(name, f"{select}{by_number}{firm}", *loose)
    if at.log:
        by_begin = f"x.valid_from IN (SELECT valid_from FROM {_begins(warehouse, at.log, asked)})"
        staged = warehouse.stage(name, f"{select}{by_begin}{firm} LIMIT {_MANY}", *loose)
        # In a collection without change stamps, too many begin at the same instants: then that helps nothing.
        if warehouse.count(staged) < _MANY:
            return staged
    return warehouse.stage(name, f"{select}{by_key}")


def are_stored(warehouse: Warehouse, places: str) -> bool:
    """Whether no row at the staged `places` (`_row`) is one that must not be asked for by its id."""
    local = warehouse.capabilities.first_local_row
    return local is None or not warehouse.rows(f"SELECT 1 FROM {places} WHERE _row >= {local} LIMIT 1")


def _begins(warehouse: Warehouse, log: str, asked: str) -> str:
    hashes = f"SELECT {hash60('k.entity_key')} FROM {asked} AS k"
    return warehouse.stage(
        "places__begins",
        f"SELECT DISTINCT {instant('l.sequence')} AS valid_from FROM {log} AS l WHERE l.key_hash IN ({hashes})",
    )
