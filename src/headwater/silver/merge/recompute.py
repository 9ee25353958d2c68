"""Folds the keys that something is new about, and writes the versions that differ from the stored ones."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import quote, quote_literal
from headwater.silver.merge.current_versions import STAGED as STORED
from headwater.silver.merge.current_versions import stage_stored_versions
from headwater.silver.merge.incoming import RAISED, IncomingEvents
from headwater.silver.schema.tables import CHANGE_FEED, IDENTITY, TIED_KEYS, log_table, shape_of, versions_table
from headwater.temporal.append import append_sql, first_versions_sql
from headwater.temporal.fold import find_followed_sources, fold_sql, group_carried
from headwater.temporal.sql import any_differs_sql, column_list_sql, knows_sql, micros_sql
from headwater.warehouse.base import Warehouse, WriteCounts

STAGED = ("silver__many", "silver__story", "silver__folded", "silver__moved")
"""Temporary tables of this module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _MergeJob:
    """One entity's merge under way."""

    warehouse: Warehouse
    entity: Entity
    incoming: IncomingEvents

    @property
    def log(self) -> str:
        return self.warehouse.ref("silver", f"{self.entity.entity}_log")

    @property
    def versions(self) -> str:
        return self.warehouse.ref("silver", self.entity.entity)


def recompute(warehouse: Warehouse, entity: Entity, incoming: IncomingEvents) -> WriteCounts:
    """Append the new events to the log, recompute the affected keys and write the versions that differ."""
    work = _MergeJob(warehouse=warehouse, entity=entity, incoming=incoming)
    _update_observations(work)
    found = stage_stored_versions(warehouse, entity, incoming)
    stored, log = found.relation, log_table(entity)
    warehouse.append("silver", log.name, log.names, f"SELECT {column_list_sql(log.names)} FROM {incoming.new_rows}")
    many = warehouse.stage("silver__many", _multi_event_keys_sql(work))
    moves = [_select_step_changes(work, stored, many)]
    if warehouse.count(many):
        story = warehouse.stage("silver__story", _select_replay_events(work, stored, many))
        moves += _select_fold_changes(work, stored, many, story)
    changes = warehouse.stage("silver__moved", *moves)
    written = _write(work, changes, _select_first_versions(work, stored, many), use_row_ids=found.has_row_ids)
    for name in (*STAGED, *STORED):
        warehouse.unstage(name)
    return written


def _update_observations(work: _MergeJob) -> None:
    """Update the observation columns of logged events that were observed again, or first by an earlier batch."""
    if work.incoming.reattributed:
        log, same = log_table(work.entity), " AND ".join(f"l.{name} = r.{name}" for name in IDENTITY)
        names = ", ".join(f"{'r' if name in RAISED else 'l'}.{quote(name)}" for name in log.names)
        select = f"SELECT {names} FROM {work.incoming.logged} AS l JOIN {work.incoming.reattributed} AS r ON {same}"
        changes = work.warehouse.stage("silver__moved", select)
        work.warehouse.apply(log, changes, old_key_columns={name: name for name in IDENTITY})
        gone = f"EXISTS (SELECT 1 FROM {changes} AS r WHERE {same})"
        kept = f"SELECT {column_list_sql(log.names, 'l')} FROM {work.incoming.logged} AS l WHERE NOT {gone}"
        # The part of the log that was read must stay equal to the log.
        work.warehouse.stage("silver__logged", kept, f"SELECT {column_list_sql(log.names)} FROM {changes}")


def _multi_event_keys_sql(work: _MergeJob) -> str:
    """SELECT of the keys that must be replayed: several new events at once, or late events."""
    several = f"SELECT entity_key FROM {work.incoming.new_rows} GROUP BY entity_key HAVING COUNT(*) > 1"
    if work.incoming.one_per_key:
        several = f"SELECT entity_key FROM {work.incoming.new_rows} WHERE FALSE"
    return f"{several} UNION SELECT entity_key FROM {work.incoming.late_keys}" if work.incoming.has_late else several


def _select_step_changes(work: _MergeJob, stored: str, many: str) -> str:
    """SELECT of the changed versions of keys with a single new event, which is applied to the last version."""
    shape = shape_of(work.entity)
    last = f"(SELECT * FROM {stored} WHERE _last AND entity_key NOT IN (SELECT entity_key FROM {many}))"
    unsure = [
        name for group in group_carried(shape, _read_known_columns(work, work.incoming.new_rows)) for name in group
    ]
    unsure += [name for name in shape.overwritten if name not in unsure]
    stepped = append_sql(last, work.incoming.new_rows, shape, partly_known=unsure)
    if not shape.overwritten:
        return stepped
    taken = ", ".join(
        f"CASE WHEN e.operation = 'U' AND {knows_sql(name, 'e')} THEN e.{quote(name)} ELSE l.{quote(name)} END AS {quote(name)}"
        for name in shape.overwritten
    )
    newest = f"(SELECT l.entity_key, {taken} FROM {last} AS l JOIN {work.incoming.new_rows} AS e USING (entity_key))"
    return f"{stepped}\nUNION ALL\n{_select_earlier_versions(work, stored, newest, 'TRUE')}"


def _select_first_versions(work: _MergeJob, stored: str, many: str) -> str:
    """SELECT of the first versions of new keys."""
    unless = f"n.entity_key IN (SELECT entity_key FROM {stored} UNION ALL SELECT entity_key FROM {many})"
    return first_versions_sql(work.incoming.new_rows, shape_of(work.entity), unless=unless)


def _read_known_columns(work: _MergeJob, events: str) -> list[str | None]:
    return [row[0] for row in work.warehouse.rows(f"SELECT DISTINCT known_columns FROM {events} WHERE operation = 'U'")]


def _select_fold_changes(work: _MergeJob, stored: str, many: str, story: str) -> list[str]:
    """Replay the keys in `many`; SELECTs of the changed versions."""
    _note_ties(work, story)
    shape = shape_of(work.entity)
    spoken = work.warehouse.rows(f"SELECT DISTINCT known_columns, source, operation FROM {story}")
    sources = find_followed_sources((source, operation) for _, source, operation in spoken)
    known = [known for known, _, operation in spoken if operation == "U" or (sources and operation != "D")]
    text = fold_sql(story, shape, carried=group_carried(shape, known), sources=sources)
    folded = work.warehouse.stage("silver__folded", text)
    moves = [_select_changes(work, stored, folded, many)]
    if work.entity.overwritten:
        moves.append(_select_earlier_versions(work, stored, folded, "n.version_number = 1"))
    return moves


def _select_replay_events(work: _MergeJob, stored: str, many: str) -> str:
    """SELECT of the events to replay: the full log of late keys; of other keys the last version (as an event) and the new events.

    A last version that has ended is followed by its delete.
    """
    columns = tuple(work.entity.columns)
    names = column_list_sql((*IDENTITY[:4], *columns, "known_columns", "hash", "observed", "place", "batch_id"), "x")
    any_source = quote_literal(
        next(iter(work.entity.sources), "")
    )  # Of updates and deletes, it does not matter whose they are.
    rest = f"{column_list_sql(columns, 'x')}, NULL, '', 0, 0, x.batch_id"
    to_fold = f"x.entity_key IN (SELECT entity_key FROM {many})"
    base = f"FROM {stored} AS x WHERE x._last AND NOT x._late AND {to_fold}"
    ended = f"{base} AND NOT x.is_current"
    parts = [
        f"SELECT {names} FROM {work.incoming.new_rows} AS x WHERE {to_fold}",
        f"SELECT x.entity_key, {micros_sql('x.valid_from')}, 'U', {any_source}, {rest} {base}",
        f"SELECT x.entity_key, {micros_sql('x.valid_to')}, 'D', {any_source}, {rest} {ended}",
    ]
    if work.incoming.has_late:
        late = f"SELECT entity_key FROM {work.incoming.late_keys}"
        parts.append(f"SELECT {names} FROM {work.incoming.logged} AS x WHERE x.entity_key IN ({late})")
    return "\nUNION ALL\n".join(parts)


def _note_ties(work: _MergeJob, story: str) -> None:
    """Remember keys with an update and a delete or an absence at one instant.

    What such an update said may be in no version, so the last version cannot stand in for the log of that key.
    """
    ends = f"SELECT entity_key, sequence FROM {story} WHERE operation IN ('D', 'A')"
    if not work.warehouse.rows(f"{ends} LIMIT 1"):
        return
    tied, name = work.warehouse.ref("meta", "tied_keys"), quote_literal(work.entity.entity)
    work.warehouse.append(
        "meta",
        TIED_KEYS.name,
        TIED_KEYS.names,
        f"SELECT DISTINCT {name}, x.entity_key FROM {story} AS x\n"
        f"JOIN ({ends}) AS y ON y.entity_key = x.entity_key AND y.sequence = x.sequence\n"
        f"WHERE x.operation = 'U' AND NOT EXISTS "
        f"(SELECT 1 FROM {tied} AS t WHERE t.entity = {name} AND t.entity_key = x.entity_key)",
    )


def _select_changes(work: _MergeJob, stored: str, folded: str, many: str) -> str:
    """SELECT of stored versions to delete (`_row`, `_key`, `_number`) beside their replacements, without equal pairs.

    Versions before the last one stay where the fold began at the last one; `_select_earlier_versions` updates what is
    overwritten in them.
    """
    names = versions_table(work.entity).names
    differ = any_differs_sql((f"f.{quote(name)}", f"s.{quote(name)}") for name in names[1:])
    return (
        f"SELECT s._row, s.entity_key AS _key, s.version_number AS _number, {column_list_sql(names, 'f')}\n"
        f"FROM (SELECT * FROM {stored} WHERE (_last OR _late) AND entity_key IN (SELECT entity_key FROM {many})) AS s\n"
        f"FULL OUTER JOIN (\n{_select_new_versions(work, stored, folded)}\n) AS f\n"
        "  ON f.entity_key = s.entity_key AND f.version_number = s.version_number\n"
        f"WHERE s.entity_key IS NULL OR f.entity_key IS NULL OR {differ}"
    )


def _select_new_versions(work: _MergeJob, stored: str, folded: str) -> str:
    """The folded versions; where the fold began at the last version, numbers go on from there."""
    columns = (*work.entity.columns, "valid_from", "valid_to", "is_current")
    return (
        f"SELECT v.entity_key, {column_list_sql(columns, 'v')},\n"
        "  CAST(v.version_number + COALESCE(b.version_number - 1, 0) AS INTEGER) AS version_number, v.batch_id\n"
        f"FROM {folded} AS v LEFT JOIN {stored} AS b ON b.entity_key = v.entity_key AND b._last AND NOT b._late"
    )


def _select_earlier_versions(work: _MergeJob, stored: str, newest: str, condition: str) -> str:
    """Versions before the last one, which neither step nor fold looked at: they take over only what is overwritten.

    `newest` has a row a key (given `condition`) with those columns.
    """
    names = work.entity.overwritten
    columns = ", ".join(f"{'n' if name in names else 'o'}.{quote(name)}" for name in work.entity.columns)
    differ = any_differs_sql((f"n.{quote(name)}", f"o.{quote(name)}") for name in names)
    return (
        "SELECT o._row, o.entity_key AS _key, o.version_number AS _number,\n"
        f"  o.entity_key, {columns}, o.valid_from, o.valid_to, o.is_current, o.version_number, o.batch_id\n"
        f"FROM {stored} AS o JOIN {newest} AS n ON n.entity_key = o.entity_key AND {condition}\n"
        f"WHERE NOT o._last AND NOT o._late AND {differ}"
    )


def _write(work: _MergeJob, changes: str, strangers: str, *, use_row_ids: bool) -> WriteCounts:
    """Write the changed and the first versions, and record the changed keys for gold."""
    old_key_columns = {"entity_key": "_key", "version_number": "_number"}
    written = work.warehouse.apply(
        versions_table(work.entity),
        changes,
        old_key_columns=old_key_columns,
        inserts=strangers,
        use_row_ids=use_row_ids,
    )
    if written.rows:
        _record_changes(work, changes, strangers)
    return written


def _record_changes(work: _MergeJob, moved: str, strangers: str) -> None:
    keys = f"SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key FROM {moved}"
    record_changes(work.warehouse, work.entity, keys, f"SELECT entity_key FROM ({strangers}) AS strangers")


def record_changes(warehouse: Warehouse, entity: Entity, *keys: str) -> None:
    """Append the changed keys (SELECTs of `entity_key`, none twice) to `meta.change_feed`, under one new number."""
    changes, progress = warehouse.ref("meta", "change_feed"), warehouse.ref("meta", "consumer_offset")
    newest = (
        f"SELECT COALESCE(MAX(change_id), 0) + 1 FROM (SELECT change_id FROM {changes} "
        f"UNION ALL SELECT change_id FROM {progress} WHERE entity NOT LIKE '@%') AS ids"
    )
    number, name = warehouse.rows(newest)[0][0], quote_literal(entity.entity)
    selects = [f"SELECT {number}, {name}, entity_key FROM ({select}) AS told" for select in keys]
    warehouse.append("meta", CHANGE_FEED.name, CHANGE_FEED.names, "\nUNION ALL ".join(selects))
