"""What a complete read shows is there: things that were closed, or that their source had missed."""

from __future__ import annotations

from headwater.clock import to_micros
from headwater.names import quote_literal
from headwater.silver.complete_read import CompleteRead, before_end_condition, select_last_records
from headwater.silver.events import select_presence_events
from headwater.temporal.fold import order_sql
from headwater.temporal.sql import column_list_sql


def _select_lives(read: CompleteRead, keys: str) -> str:
    """How some keys stand when the read ends, whatever source said so.

    `_open`: the thing is there. `_missed`: the source's own last word is that it does not show it. `_fits`: the last record
    of the source said that it lives and fits. Each is 1 or 0.
    """
    log, own = (
        read.tables.log_ref,
        f"source = {quote_literal(read.landed.source)}",
    )
    placed = (
        f"SELECT entity_key, source, operation, place, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY {order_sql()}) "
        f"AS _at\nFROM {log} WHERE entity_key IN (SELECT entity_key FROM {keys}) AND {before_end_condition(read)}"
    )
    words = {
        "_shown": "operation IN ('U', 'P')",
        "_absent": "operation = 'A'",
        "_left": "operation = 'A' AND place >= 0",
        "_updated": "operation = 'U'",
        "_deleted": "operation = 'D'",
    }
    lasts = ", ".join(f"MAX(CASE WHEN {says} THEN _at ELSE 0 END) AS {name}" for name, says in words.items())
    sources = f"SELECT entity_key, source, {lasts}\nFROM ({placed}) AS placed GROUP BY entity_key, source"
    shown = "MAX(CASE WHEN _shown > _absent THEN _shown ELSE 0 END)"
    return (
        f"SELECT entity_key,\n  CASE WHEN MAX(_updated) > MAX(_deleted) AND {shown} > MAX(_deleted) THEN 1 ELSE 0 END AS _open,\n"
        f"  MAX(CASE WHEN {own} AND _absent > _shown AND _absent > _deleted THEN 1 ELSE 0 END) AS _missed,\n"
        f"  MAX(CASE WHEN {own} AND _updated > _left AND _updated > _deleted THEN 1 ELSE 0 END) AS _fits\n"
        f"FROM ({sources}) AS sources GROUP BY entity_key"
    )


def select_presences(read: CompleteRead, *, words: str, present: str, returning: int) -> list[str]:
    """The events of what the read shows although it is closed, or although the source had said that it does not show it.

    `returning`: how many keys the read shows whose last word is no update.
    """
    if not read.mapping.has_deletes or not returning:
        return []
    warehouse, there = read.warehouse, f"EXISTS (SELECT 1 FROM {present} AS p WHERE p.entity_key = w.entity_key)"
    # After an update of its own, the source shows the thing, and no delete came since: it is there.
    back = warehouse.stage(
        "silver__back", f"SELECT w.entity_key FROM {words} AS w WHERE w.operation <> 'U' AND {there}"
    )
    lives = warehouse.stage("silver__lives", _select_lives(read, back))
    live, selects = _stage_live(read), []
    missed = f"SELECT l.entity_key FROM {lives} AS l WHERE l._missed = 1"
    if read.mapping.where or read.mapping.deleted:
        among = f"l.entity_key IN (SELECT entity_key FROM {live})" if live else "FALSE"
        # An id alone does not say that its record lives and fits: the last one that came does, or one that was asked for.
        fits = " OR l._fits = 1" if read.landed.batch.purpose == "sweep" else ""
        missed += f" AND ({among}{fits})"
    if live and read.landed.batch.purpose == "snapshot":
        closed = warehouse.stage("silver__closed", _select_restated(read, live, lives))
        selects.append(f"SELECT * FROM {closed}")
        missed += f" AND l.entity_key NOT IN (SELECT entity_key FROM {closed})"
    return [*selects, select_presence_events(read.entity, read.landed, "P", f"({missed}) AS missed")]


def _stage_live(read: CompleteRead) -> str:
    """Stage the last record of each key in each batch that holds whole records, where it lives and fits."""
    selects = [select_last_records(read, landed) for landed in read.live_batches if landed.files]
    live = [f"SELECT * FROM ({select}) AS said WHERE operation = 'U' AND entity_key IS NOT NULL" for select in selects]
    return read.lake.stage("silver__live", live) if live else ""


def _select_restated(read: CompleteRead, live: str, lives: str) -> str:
    """A snapshot's live records of what is closed, as of the read: their own stamps are older than its end."""
    batch = read.landed.batch
    until = to_micros(batch.window.until)
    names = (
        *(
            "operation",
            "source",
            *read.entity.columns,
            "known_columns",
            "hash",
            "stamp",
            "observed",
            "place",
            "batch_id",
        ),
    )
    return (
        f"SELECT r.entity_key, CAST({until} AS BIGINT) AS sequence, {column_list_sql(names, 'r')}\nFROM {live} AS r "
        f"JOIN {lives} AS l ON l.entity_key = r.entity_key\n"
        f"WHERE r.sequence < {until} AND r.batch_id = {quote_literal(batch.id)} AND l._open = 0"
    )
