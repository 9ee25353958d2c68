"""Folds the keys that something is new about, and writes the versions that differ from the stored ones."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import literal, quote
from headwater.silver.merge.current_versions import STAGED as STORED
from headwater.silver.merge.current_versions import stored_versions
from headwater.silver.merge.incoming import RAISED, Arriving
from headwater.silver.schema.tables import CHANGES, IDENTITY, TIED, log_table, shape_of, versions_table
from headwater.temporal.append import append_sql, first_versions_sql
from headwater.temporal.fold import find_followed_sources, fold_sql, group_carried
from headwater.temporal.sql import any_differs_sql, column_list, knows_sql, micros_sql
from headwater.warehouse.base import Warehouse, Written

STAGED = ("silver__many", "silver__story", "silver__folded", "silver__moved")
"""Temporary tables of this module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One entity's merge under way."""

    warehouse: Warehouse
    entity: Entity
    arriving: Arriving

    @property
    def log(self) -> str:
        return self.warehouse.ref("silver", f"{self.entity.entity}_log")

    @property
    def versions(self) -> str:
        return self.warehouse.ref("silver", self.entity.entity)


def recompute(warehouse: Warehouse, entity: Entity, arriving: Arriving) -> Written:
    """Append what is new to the log, work out the affected keys and write the versions that differ."""
    work = _Work(warehouse=warehouse, entity=entity, arriving=arriving)
    _restate(work)
    found = stored_versions(warehouse, entity, arriving)
    stored, log = found.relation, log_table(entity)
    warehouse.append("silver", log.name, log.names, f"SELECT {column_list(log.names)} FROM {arriving.fresh}")
    many = warehouse.stage("silver__many", _many(work))
    moves = [_stepped(work, stored, many)]
    if warehouse.count(many):
        story = warehouse.stage("silver__story", _story(work, stored, many))
        moves += _folded(work, stored, many, story)
    moved = warehouse.stage("silver__moved", *moves)
    written = _write(work, moved, _strangers(work, stored, many), by_row=found.by_row)
    for name in (*STAGED, *STORED):
        warehouse.unstage(name)
    return written


def _restate(work: _Work) -> None:
    """Let events that were observed again, or first by an earlier batch, say so."""
    if work.arriving.restated:
        log, same = log_table(work.entity), " AND ".join(f"l.{name} = r.{name}" for name in IDENTITY)
        names = ", ".join(f"{'r' if name in RAISED else 'l'}.{quote(name)}" for name in log.names)
        select = f"SELECT {names} FROM {work.arriving.logged} AS l JOIN {work.arriving.restated} AS r ON {same}"
        moved = work.warehouse.stage("silver__moved", select)
        work.warehouse.apply(log, moved, was={name: name for name in IDENTITY})
        gone = f"EXISTS (SELECT 1 FROM {moved} AS r WHERE {same})"
        kept = f"SELECT {column_list(log.names, 'l')} FROM {work.arriving.logged} AS l WHERE NOT {gone}"
        # What was read of the log is to be as the log is now.
        work.warehouse.stage("silver__logged", kept, f"SELECT {column_list(log.names)} FROM {moved}")


def _many(work: _Work) -> str:
    """Keys for which one step is not enough: several events at once, or late ones."""
    several = f"SELECT entity_key FROM {work.arriving.fresh} GROUP BY entity_key HAVING COUNT(*) > 1"
    return f"{several} UNION SELECT entity_key FROM {work.arriving.late}" if work.arriving.any_late else several


def _stepped(work: _Work, stored: str, many: str) -> str:
    """The versions that go and come where a single event meets the last version of its key."""
    shape = shape_of(work.entity)
    last = f"(SELECT * FROM {stored} WHERE _last AND entity_key NOT IN (SELECT entity_key FROM {many}))"
    unsure = [name for group in group_carried(shape, _known(work, work.arriving.fresh)) for name in group]
    unsure += [name for name in shape.overwritten if name not in unsure]
    stepped = append_sql(last, work.arriving.fresh, shape, unsure=unsure)
    if not shape.overwritten:
        return stepped
    taken = ", ".join(
        f"CASE WHEN e.operation = 'U' AND {knows_sql(name, 'e')} THEN e.{quote(name)} ELSE l.{quote(name)} END AS {quote(name)}"
        for name in shape.overwritten
    )
    newest = f"(SELECT l.entity_key, {taken} FROM {last} AS l JOIN {work.arriving.fresh} AS e USING (entity_key))"
    return f"{stepped}\nUNION ALL\n{_older(work, stored, newest, 'TRUE')}"


def _strangers(work: _Work, stored: str, many: str) -> str:
    """The first versions of keys that were never there before."""
    unless = f"n.entity_key IN (SELECT entity_key FROM {stored} UNION ALL SELECT entity_key FROM {many})"
    return first_versions_sql(work.arriving.fresh, shape_of(work.entity), unless=unless)


def _known(work: _Work, events: str) -> list[str | None]:
    return [row[0] for row in work.warehouse.rows(f"SELECT DISTINCT known FROM {events} WHERE operation = 'U'")]


def _folded(work: _Work, stored: str, many: str, story: str) -> list[str]:
    """Fold the keys in `many`; SELECTs of the versions that go and come."""
    _note_ties(work, story)
    shape = shape_of(work.entity)
    spoken = work.warehouse.rows(f"SELECT DISTINCT known, source, operation FROM {story}")
    sources = find_followed_sources((source, operation) for _, source, operation in spoken)
    known = [known for known, _, operation in spoken if operation == "U" or (sources and operation != "D")]
    text = fold_sql(story, shape, carried=group_carried(shape, known), sources=sources)
    folded = work.warehouse.stage("silver__folded", text)
    moves = [_moved(work, stored, folded, many)]
    if work.entity.overwritten:
        moves.append(_older(work, stored, folded, "n.version_number = 1"))
    return moves


def _story(work: _Work, stored: str, many: str) -> str:
    """The events to fold: the whole log of late keys; of the others the last version, as if it were an event, and news.

    A last version that has ended is followed by its delete.
    """
    columns = tuple(work.entity.columns)
    names = column_list((*IDENTITY[:4], *columns, "known", "hash", "observed", "place", "batch_id"), "x")
    any_source = literal(
        next(iter(work.entity.sources), "")
    )  # Of updates and deletes, it does not matter whose they are.
    rest = f"{column_list(columns, 'x')}, NULL, '', 0, 0, x.batch_id"
    to_fold = f"x.entity_key IN (SELECT entity_key FROM {many})"
    base = f"FROM {stored} AS x WHERE x._last AND NOT x._late AND {to_fold}"
    ended = f"{base} AND NOT x.is_current"
    parts = [
        f"SELECT {names} FROM {work.arriving.fresh} AS x WHERE {to_fold}",
        f"SELECT x.entity_key, {micros_sql('x.valid_from')}, 'U', {any_source}, {rest} {base}",
        f"SELECT x.entity_key, {micros_sql('x.valid_to')}, 'D', {any_source}, {rest} {ended}",
    ]
    if work.arriving.any_late:
        late = f"SELECT entity_key FROM {work.arriving.late}"
        parts.append(f"SELECT {names} FROM {work.arriving.logged} AS x WHERE x.entity_key IN ({late})")
    return "\nUNION ALL\n".join(parts)


def _note_ties(work: _Work, story: str) -> None:
    """Remember keys with an update and a delete or an absence at one instant.

    What such an update said may be in no version, so the last version cannot stand in for the log of that key.
    """
    ends = f"SELECT entity_key, sequence FROM {story} WHERE operation IN ('D', 'A')"
    if not work.warehouse.rows(f"{ends} LIMIT 1"):
        return
    tied, name = work.warehouse.ref("meta", "tied"), literal(work.entity.entity)
    work.warehouse.append(
        "meta",
        TIED.name,
        TIED.names,
        f"SELECT DISTINCT {name}, x.entity_key FROM {story} AS x\n"
        f"JOIN ({ends}) AS y ON y.entity_key = x.entity_key AND y.sequence = x.sequence\n"
        f"WHERE x.operation = 'U' AND NOT EXISTS "
        f"(SELECT 1 FROM {tied} AS t WHERE t.entity = {name} AND t.entity_key = x.entity_key)",
    )


def _moved(work: _Work, stored: str, folded: str, many: str) -> str:
    """Versions that are gone (`_row`, `_key`, `_number`) beside those that take their place; equal ones are left out.

    Versions before the last one, of keys whose fold began there, stay; `_older` sees to what is overwritten in them.
    """
    names = versions_table(work.entity).names
    differ = any_differs_sql((f"f.{quote(name)}", f"s.{quote(name)}") for name in names[1:])
    return (
        f"SELECT s._row, s.entity_key AS _key, s.version_number AS _number, {column_list(names, 'f')}\n"
        f"FROM (SELECT * FROM {stored} WHERE (_last OR _late) AND entity_key IN (SELECT entity_key FROM {many})) AS s\n"
        f"FULL OUTER JOIN (\n{_fresh(work, stored, folded)}\n) AS f\n"
        "  ON f.entity_key = s.entity_key AND f.version_number = s.version_number\n"
        f"WHERE s.entity_key IS NULL OR f.entity_key IS NULL OR {differ}"
    )


def _fresh(work: _Work, stored: str, folded: str) -> str:
    """The folded versions; where the fold began at the last version, numbers go on from there."""
    columns = (*work.entity.columns, "valid_from", "valid_to", "is_current")
    return (
        f"SELECT v.entity_key, {column_list(columns, 'v')},\n"
        "  CAST(v.version_number + COALESCE(b.version_number - 1, 0) AS INTEGER) AS version_number, v.batch_id\n"
        f"FROM {folded} AS v LEFT JOIN {stored} AS b ON b.entity_key = v.entity_key AND b._last AND NOT b._late"
    )


def _older(work: _Work, stored: str, newest: str, condition: str) -> str:
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


def _write(work: _Work, moved: str, strangers: str, *, by_row: bool) -> Written:
    """Take away and put in, and tell gold which keys that was about."""
    was = {"entity_key": "_key", "version_number": "_number"}
    written = work.warehouse.apply(versions_table(work.entity), moved, was=was, added=strangers, by_row=by_row)
    if written.rows:
        _tell(work, moved, strangers)
    return written


def _tell(work: _Work, moved: str, strangers: str) -> None:
    keys = f"SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key FROM {moved}"
    tell_changes(work.warehouse, work.entity, keys, f"SELECT entity_key FROM ({strangers}) AS strangers")


def tell_changes(warehouse: Warehouse, entity: Entity, *keys: str) -> None:
    """Append the keys (SELECTs of `entity_key`, none twice) whose versions changed to `meta.change`, under one new number."""
    changes, progress = warehouse.ref("meta", "change"), warehouse.ref("meta", "progress")
    newest = (
        f"SELECT COALESCE(MAX(change_id), 0) + 1 FROM (SELECT change_id FROM {changes} "
        f"UNION ALL SELECT change_id FROM {progress} WHERE entity NOT LIKE '@%') AS ids"
    )
    number, name = warehouse.rows(newest)[0][0], literal(entity.entity)
    selects = [f"SELECT {number}, {name}, entity_key FROM ({select}) AS told" for select in keys]
    warehouse.append("meta", CHANGES.name, CHANGES.names, "\nUNION ALL ".join(selects))
