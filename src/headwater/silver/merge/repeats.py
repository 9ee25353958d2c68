"""Leaves out events that decide nothing: what a source repeats without a stamp, and deletes of what was never there."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.names import quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.schema.tables import IDENTITY, REPEAT_WATERMARKS
from headwater.temporal.fold import order_sql
from headwater.temporal.keys import hash60_sql
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Table, Warehouse
from headwater.warehouse.dml import overwrite_rows

_COLUMNS = ("entity_key", "sequence", "operation", "source", "hash", "stamp", "observed", "place")


def drop_repeats(tables: EntityTables, staged: str, name: str, *, whole: bool = False) -> None:
    """Stage the events of one batch (`staged`, whose name is `name`) anew, without those that decide nothing.

    An unstamped record counts as of its read. So one that repeats the last word of its source about a thing is no news
    (where a flag of any source was seen since, it is: the record brings the thing back). A deleted record that does not
    fit the source's condition says something only of a thing that some source has shown. With `whole` repetitions stay.
    """
    warehouse, columns = (
        tables.warehouse,
        column_list_sql((*_list_event_columns(tables.log), "_unstamped", "_outside"), "e"),
    )
    with warehouse.staging():
        logged = _stage_logged(tables, staged)
        shown = " UNION ".join(f"SELECT entity_key FROM {events} WHERE operation = 'U'" for events in (logged, staged))
        stranger = f"e._outside AND e.operation = 'D' AND e.entity_key NOT IN ({shown})"
        kept = warehouse.stage("silver__told", f"SELECT {columns} FROM {staged} AS e WHERE NOT ({stranger})")
        if not whole:
            idle = _stage_idle(warehouse, logged, kept)
            _raise_mark(tables, idle)
            repeated = f"SELECT 1 FROM {idle} AS i WHERE {_same_event_condition('i', 'e')} AND i.place = e.place"
            kept = warehouse.stage("silver__kept", f"SELECT {columns} FROM {kept} AS e WHERE NOT EXISTS ({repeated})")
        warehouse.stage(name, f"SELECT {columns} FROM {kept} AS e")


def _stage_logged(tables: EntityTables, staged: str) -> str:
    """Stage what the log has of the keys of which something doubtful is said."""
    hashed = (
        f"SELECT DISTINCT entity_key, {hash60_sql('entity_key')} AS key_hash FROM {staged} WHERE _unstamped OR _outside"
    )
    doubtful = tables.warehouse.stage("silver__doubtful", hashed)
    hashes = f"SELECT key_hash FROM {doubtful}"
    return tables.select_events("silver__spoken", hashes=hashes, columns=(*_COLUMNS, "key_hash")).relation


def _stage_idle(warehouse: Warehouse, logged: str, events: str) -> str:
    """Stage the unstamped events that repeat a word. One that the log has already is told by the merge to be a repetition."""
    unstamped = warehouse.stage("silver__unstamped", f"SELECT DISTINCT entity_key FROM {events} WHERE _unstamped")
    among = f"entity_key IN (SELECT entity_key FROM {unstamped})"
    both = (
        f"SELECT {column_list_sql(_COLUMNS)}, 0 AS _new FROM {logged} WHERE {among}\nUNION ALL "
        f"SELECT {column_list_sql(_COLUMNS)}, CASE WHEN _unstamped THEN 1 ELSE 0 END AS _new FROM {events} WHERE {among}"
    )
    known = f"SELECT 1 FROM {logged} AS k WHERE {_same_event_condition('k', 'i')}"
    select = f"SELECT * FROM ({select_idle(both)}) AS i WHERE i._new = 1 AND NOT EXISTS ({known})"
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


def select_deciding(log: Table, ref: str) -> str:
    """The events of a log that decide something, as a merge takes them: those that are observed twice come twice."""
    columns = column_list_sql(_list_event_columns(log), "e")
    repeated = select_idle(f"SELECT {column_list_sql(_COLUMNS)} FROM {ref}")
    idle = f"SELECT * FROM ({repeated}) AS i WHERE i.place >= 0 AND (i.stamp IS NULL OR i.stamp <> i.sequence)"
    deciding = f"FROM {ref} AS e WHERE NOT EXISTS (SELECT 1 FROM ({idle}) AS i WHERE {_same_event_condition('i', 'e')})"
    first = {"observed": "e.first_observed AS observed", "place": "CAST(-1 AS BIGINT) AS place"}
    firsts = ", ".join(first.get(column, f'e."{column}"') for column in _list_event_columns(log))
    return f"SELECT {columns} {deciding}\nUNION ALL SELECT {firsts} {deciding} AND e.first_observed < e.observed"


def load_mark(tables: EntityTables) -> int | None:
    """The latest instant as of which anything was left out as a repetition; None where nothing was."""
    marks = tables.warehouse.ref("meta", REPEAT_WATERMARKS.name)
    mark = tables.warehouse.rows(f"SELECT MAX(sequence) FROM {marks} WHERE {tables.own_condition}")[0][0]
    return None if mark is None else int(mark)


def stage_overtaken(tables: EntityTables, marks: Mapping[int, int], name: str) -> str:
    """Stage the keys of which something was said as of before what may have been left out.

    `marks`: the latest instant as of which anything had been left out, and since when events were observed after that.
    """
    before = " OR ".join(f"(sequence < {mark} AND observed >= {since})" for mark, since in marks.items())
    return tables.warehouse.stage(name, f"SELECT DISTINCT entity_key FROM {tables.log_ref} WHERE {before}")


def _raise_mark(tables: EntityTables, idle: str) -> None:
    warehouse = tables.warehouse
    latest, mark = warehouse.rows(f"SELECT MAX(sequence) FROM {idle}")[0][0], load_mark(tables)
    if latest is not None and (mark is None or latest > mark):
        select = f"SELECT {quote_literal(tables.name)}, CAST({latest} AS BIGINT)"
        name, columns = REPEAT_WATERMARKS.name, REPEAT_WATERMARKS.names
        if mark is None:
            warehouse.append("meta", name, columns, select)
        else:
            overwrite_rows(warehouse, "meta", name, where=tables.own_condition, columns=columns, select=select)


def _list_event_columns(log: Table) -> tuple[str, ...]:
    return tuple(name for name in log.names if name not in {"first_observed", "key_hash"})
