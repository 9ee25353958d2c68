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
from headwater.temporal.keys import hash60_sql, numeric_key_sql
from headwater.temporal.sql import column_list_sql, timestamp_sql
from headwater.warehouse.base import SchemaName, Warehouse

_ROWS = "places__rows"

STAGED = ("places__asked", "places__begins", _ROWS)
"""Temporary tables of this module."""

_DENSE = 60_000_000
"""Numbers within so short a span are told from all others as they are read, so that rows can be read at once.

Of numbers further apart, one in a hundred that nobody asked for is taken for one that somebody did: those rows must not
be read to be thrown away, so the ids are found first, and the rows are read by them.
"""

_MANY = 100_000
"""So many candidates that reading each takes as long as looking at all keys there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLocator:
    """A stored table with rows of things (`entity_key`), and which numbers tell of a thing's rows."""

    layer: SchemaName
    name: str
    number: str = ""
    """The column that holds a thing's key as a whole number."""
    log: str = ""
    """Where the table has no such column: the change log at whose instants every row of a thing begins (`valid_from`)."""
    unlocatable_condition: str = ""
    """The condition of rows of which neither tells. They are few, and looked for by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedRows:
    """Stored rows, staged with `_row`."""

    relation: str
    has_row_ids: bool
    """Whether `_row` is the id by which a row can be taken away."""


def integer_key(entity: Entity) -> str:
    """The column that is the entity's key, where it is one whole number; empty where it is not."""
    whole = len(entity.key) == 1 and entity.columns[entity.key[0]].type in {"integer", "bigint"}
    return entity.key[0] if whole else ""


def version_locator(warehouse: Warehouse, entity: Entity, *, traces: str = "") -> RowLocator:
    """Where the versions of things are. Each begins at an event, which the log finds by the hash of the key.

    `traces` names a staged part of the log, with all that it has of the things that are looked for.
    """
    log = traces or warehouse.ref("silver", f"{entity.entity}_log")
    return RowLocator(layer="silver", name=entity.entity, number=integer_key(entity), log=log)


def locate_rows(
    warehouse: Warehouse, at: RowLocator, *, keys: str, columns: Sequence[str], name: str, where: str = "TRUE"
) -> LocatedRows:
    """Stage the rows of `keys` (SELECT of `entity_key`) that hold a condition over `x`, under `name`.

    `columns` holds `entity_key`.
    """
    if not warehouse.capabilities.row_ids:
        ref = warehouse.ref(at.layer, at.name)
        among = f"x.entity_key IN (SELECT k.entity_key FROM ({keys}) AS k) AND {where}"
        select = f"SELECT 0 AS _row, {column_list_sql(columns, 'x')} FROM {ref} AS x WHERE {among}"
        return LocatedRows(relation=warehouse.stage(name, select), has_row_ids=False)
    number = numeric_key_sql("k.entity_key") if at.number else "CAST(NULL AS BIGINT)"
    asked = warehouse.stage(
        "places__asked",
        f"SELECT DISTINCT k.entity_key, {number} AS number FROM ({keys}) AS k WHERE k.entity_key IS NOT NULL",
    )
    among = f"x.entity_key IN (SELECT entity_key FROM {asked})"
    relation = _stage_candidates(warehouse, at, columns=columns, name=name, where=where, asked=asked)
    if warehouse.rows(f"SELECT 1 FROM {relation} AS x WHERE NOT ({among}) LIMIT 1"):  # others have the same number
        relation = warehouse.stage(name, f"SELECT x.* FROM {relation} AS x WHERE {among}")
    return LocatedRows(relation=relation, has_row_ids=_have_row_ids(warehouse, relation))


def stage_events(warehouse: Warehouse, log: str, *, hashes: str, columns: Sequence[str], name: str) -> str:
    """Stage the events of a log whose `key_hash` is in `hashes` (a SELECT): those of some things, by chance of others."""
    select = f"SELECT {column_list_sql(columns, 'x')} FROM {log} AS x WHERE "
    condition = f"x.key_hash IN ({hashes})"
    if warehouse.capabilities.row_ids:
        rows = warehouse.stage(_ROWS, f"SELECT x.rowid AS _row FROM {log} AS x WHERE {condition}")
        condition = _row_id_condition(rows) if _have_row_ids(warehouse, rows) else condition
    return warehouse.stage(name, select + condition)


def _stage_candidates(
    warehouse: Warehouse, at: RowLocator, *, columns: Sequence[str], name: str, where: str, asked: str
) -> str:
    """Stage the candidate rows of the keys in `asked`; rows of other keys may be among them."""
    ref = warehouse.ref(at.layer, at.name)
    select = f"SELECT x.rowid AS _row, {column_list_sql(columns, 'x')} FROM {ref} AS x WHERE "
    by_key = f"{where} AND x.entity_key IN (SELECT entity_key FROM {asked})"
    loose = [f"{select}{at.unlocatable_condition} AND {by_key}"] if at.unlocatable_condition else []
    firm = f"{where} AND NOT ({at.unlocatable_condition})" if at.unlocatable_condition else where
    count, numbers, least, most = warehouse.rows(
        f"SELECT COUNT(*), COUNT(number), MIN(number), MAX(number) FROM {asked}"
    )[0]
    if not count:
        return warehouse.stage(name, select + "FALSE")
    enough = max(_MANY, 2 * count)
    if at.number and count == numbers:
        told = f"{firm} AND x.{quote(at.number)} IN (SELECT number FROM {asked})"
        if most - least < _DENSE:
            return warehouse.stage(name, select + told, *loose)
        narrow = f"SELECT x.rowid AS _row FROM {ref} AS x WHERE {told}"
    elif at.log:
        told = f"{firm} AND x.valid_from IN (SELECT valid_from FROM {_stage_begins(warehouse, at.log, asked)})"
        narrow = f"SELECT x.rowid AS _row FROM {ref} AS x WHERE {told} LIMIT {enough}"
    else:
        return warehouse.stage(name, select + by_key)
    rows = warehouse.stage(_ROWS, narrow)
    # In a collection without change stamps, too many begin at the same instants: then that helps nothing.
    if at.log and warehouse.count(rows) >= enough:
        return warehouse.stage(name, select + by_key)
    return warehouse.stage(name, select + (_row_id_condition(rows) if _have_row_ids(warehouse, rows) else told), *loose)


def _row_id_condition(rows: str) -> str:
    return f"x.rowid IN (SELECT _row FROM {rows})"


def _have_row_ids(warehouse: Warehouse, places: str) -> bool:
    """Whether all rows of the staged `places` (`_row`) can be read by their row id."""
    local = warehouse.capabilities.first_local_row
    return local is None or not warehouse.rows(f"SELECT 1 FROM {places} WHERE _row >= {local} LIMIT 1")


def _stage_begins(warehouse: Warehouse, log: str, asked: str) -> str:
    hashes = f"SELECT {hash60_sql('k.entity_key')} FROM {asked} AS k"
    return warehouse.stage(
        "places__begins",
        f"SELECT DISTINCT {timestamp_sql('l.sequence')} AS valid_from FROM {log} AS l WHERE l.key_hash IN ({hashes})",
    )
