"""Leaves out events that decide nothing: what a source repeats without a stamp, and deletes of what was never there."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.model.entity import Entity
from headwater.names import quote_literal
from headwater.silver.schema.tables import IDENTITY, REPEAT_WATERMARKS, log_table
from headwater.temporal.fold import order_sql
from headwater.temporal.keys import hash60_sql
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Warehouse
from headwater.warehouse.row_lookup import stage_events

_COLUMNS = ("entity_key", "sequence", "operation", "source", "hash", "stamp", "observed", "place")

STAGED = ("silver__doubtful", "silver__spoken", "silver__told", "silver__unstamped", "silver__idle", "silver__kept")
"""Temporary tables of this module."""


def needs_order(warehouse: Warehouse, staged: str) -> bool:
    """Whether what some staged events decide depends on what was read before each of them."""
    return bool(warehouse.rows(f"SELECT 1 FROM {staged} WHERE _unstamped OR _outside LIMIT 1"))


def drop_repeats(warehouse: Warehouse, entity: Entity, staged: str, name: str, *, whole: bool = False) -> None:
    """Stage the events of one batch anew as `name`, without those that decide nothing.

    An unstamped record counts as of its read. So one that repeats the last word of its source about a thing is no news
    (where a flag of any source was seen since, it is: the record brings the thing back). A deleted record that does not
    fit the source's condition says something only of a thing that some source has shown. With `whole` repetitions stay.
    """
    columns = column_list_sql((*_event_columns(entity), "_unstamped", "_outside"), "e")
    spoken = _stage_logged(warehouse, entity, staged)
    shown = " UNION ".join(f"SELECT entity_key FROM {one} WHERE operation = 'U'" for one in (spoken, staged))
    stranger = f"e._outside AND e.operation = 'D' AND e.entity_key NOT IN ({shown})"
    kept = warehouse.stage("silver__told", f"SELECT {columns} FROM {staged} AS e WHERE NOT ({stranger})")
    if not whole:
        idle = _stage_idle(warehouse, spoken, kept)
        _raise_mark(warehouse, entity, idle)
        left = f"SELECT 1 FROM {idle} AS i WHERE {_same_event_condition('i', 'e')} AND i.place = e.place"
        kept = warehouse.stage("silver__kept", f"SELECT {columns} FROM {kept} AS e WHERE NOT EXISTS ({left})")
    warehouse.stage(name, f"SELECT {columns} FROM {kept} AS e")
    for one in STAGED:
        warehouse.unstage(one)


def _stage_logged(warehouse: Warehouse, entity: Entity, staged: str) -> str:
    """Stage what the log has of the keys of which something doubtful is said."""
    hashed = (
        f"SELECT DISTINCT entity_key, {hash60_sql('entity_key')} AS key_hash FROM {staged} WHERE _unstamped OR _outside"
    )
    doubtful = warehouse.stage("silver__doubtful", hashed)
    log, hashes = warehouse.ref("silver", f"{entity.entity}_log"), f"SELECT key_hash FROM {doubtful}"
    return stage_events(warehouse, log, hashes=hashes, columns=_COLUMNS, name="silver__spoken")


def _stage_idle(warehouse: Warehouse, spoken: str, told: str) -> str:
    """Stage the unstamped events that repeat a word. One that the log has already is told by the merge to be a repetition."""
    unstamped = warehouse.stage("silver__unstamped", f"SELECT DISTINCT entity_key FROM {told} WHERE _unstamped")
    among = f"entity_key IN (SELECT entity_key FROM {unstamped})"
    events = (
        f"SELECT {column_list_sql(_COLUMNS)}, 0 AS _new FROM {spoken} WHERE {among}\nUNION ALL "
        f"SELECT {column_list_sql(_COLUMNS)}, CASE WHEN _unstamped THEN 1 ELSE 0 END AS _new FROM {told} WHERE {among}"
    )
    known = f"SELECT 1 FROM {spoken} AS k WHERE {_same_event_condition('k', 'i')}"
    select = f"SELECT * FROM ({select_idle(events)}) AS i WHERE i._new = 1 AND NOT EXISTS ({known})"
    return warehouse.stage("silver__idle", select)


def _same_event_condition(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{column} = {other}.{column}" for column in IDENTITY)


def select_idle(events: str) -> str:
    """The events of a SELECT that repeat the last word of their source, which a delete of any source is, too."""
    numbered = (
        f"SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY {order_sql()}) AS _at FROM ({events}) AS e"
    )
    own = "OVER (PARTITION BY entity_key, source ORDER BY _at)"
    before = "OVER (PARTITION BY entity_key ORDER BY _at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    words = (
        f"SELECT *, LAG(_at) {own} AS _own_at, LAG(operation) {own} AS _was, LAG(hash) {own} AS _was_hash,\n"
        f"  MAX(CASE WHEN operation = 'D' THEN _at END) {before} AS _deleted_at FROM ({numbered}) AS n"
    )
    deleted = "(_deleted_at IS NOT NULL AND (_own_at IS NULL OR _deleted_at >= _own_at))"
    return (
        f"SELECT * FROM ({words}) AS w WHERE CASE operation "
        f"WHEN 'U' THEN NOT {deleted} AND _was = 'U' AND _was_hash = hash\n"
        f"WHEN 'D' THEN {deleted} ELSE {deleted} OR _was = 'A' END"
    )


def select_deciding(entity: Entity, log: str) -> str:
    """The events of a log that decide something, as a merge takes them: those that are observed twice come twice."""
    columns = column_list_sql(_event_columns(entity), "e")
    repeated = select_idle(f"SELECT {column_list_sql(_COLUMNS)} FROM {log}")
    idle = f"SELECT * FROM ({repeated}) AS i WHERE i.place >= 0 AND (i.stamp IS NULL OR i.stamp <> i.sequence)"
    telling = f"FROM {log} AS e WHERE NOT EXISTS (SELECT 1 FROM ({idle}) AS i WHERE {_same_event_condition('i', 'e')})"
    first = {"observed": "e.first_observed AS observed", "place": "CAST(-1 AS BIGINT) AS place"}
    firsts = ", ".join(first.get(column, f'e."{column}"') for column in _event_columns(entity))
    return f"SELECT {columns} {telling}\nUNION ALL SELECT {firsts} {telling} AND e.first_observed < e.observed"


def load_mark(warehouse: Warehouse, entity: Entity) -> int | None:
    """The latest instant as of which anything was left out as a repetition; None where nothing was."""
    found = warehouse.rows(
        f"SELECT MAX(sequence) FROM {warehouse.ref('meta', REPEAT_WATERMARKS.name)} WHERE entity = {quote_literal(entity.entity)}"
    )
    return None if found[0][0] is None else int(found[0][0])


def stage_overtaken(warehouse: Warehouse, entity: Entity, marks: Mapping[int, int], name: str) -> str:
    """Stage the keys of which something was said as of before what may have been left out.

    `marks`: the latest instant as of which anything had been left out, and since when events were observed after that.
    """
    log = warehouse.ref("silver", f"{entity.entity}_log")
    said = " OR ".join(f"(sequence < {mark} AND observed >= {since})" for mark, since in marks.items())
    return warehouse.stage(name, f"SELECT DISTINCT entity_key FROM {log} WHERE {said}")


def _raise_mark(warehouse: Warehouse, entity: Entity, idle: str) -> None:
    latest, mark = warehouse.rows(f"SELECT MAX(sequence) FROM {idle}")[0][0], load_mark(warehouse, entity)
    if latest is not None and (mark is None or latest > mark):
        name = quote_literal(entity.entity)
        select = f"SELECT {name}, CAST({latest} AS BIGINT)"
        if mark is None:
            warehouse.append("meta", REPEAT_WATERMARKS.name, REPEAT_WATERMARKS.names, select)
        else:
            warehouse.overwrite("meta", REPEAT_WATERMARKS.name, f"entity = {name}", REPEAT_WATERMARKS.names, select)


def _event_columns(entity: Entity) -> tuple[str, ...]:
    return tuple(name for name in log_table(entity).names if name not in {"first_observed", "key_hash"})
