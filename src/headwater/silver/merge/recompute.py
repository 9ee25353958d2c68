"""Folds the keys that something is new about, and writes the versions that differ from the stored ones."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.names import quote, quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.merge.current_versions import StoredVersions, VersionLookup
from headwater.silver.merge.incoming import RAISED, IncomingEvents
from headwater.silver.schema.tables import CHANGE_FEED, IDENTITY, TIED_KEYS
from headwater.temporal.append import append_sql, first_versions_sql
from headwater.temporal.fold import find_followed_sources, fold_sql, group_carried
from headwater.temporal.sql import any_differs_sql, column_list_sql, knows_sql, micros_sql
from headwater.warehouse.base import Warehouse, WriteCounts


def recompute(tables: EntityTables, incoming: IncomingEvents) -> WriteCounts:
    """Append the new events to the log, recompute the affected keys and write the versions that differ."""
    warehouse, log = tables.warehouse, tables.log
    _update_observations(tables, incoming)
    versions = VersionLookup(tables, incoming).stage()
    warehouse.append("silver", log.name, log.names, f"SELECT {column_list_sql(log.names)} FROM {incoming.new_rows}")
    job = _MergeJob(
        tables=tables,
        incoming=incoming,
        versions=versions,
        replayed=_stage_replayed(warehouse, incoming),
    )
    return job.write()


def _update_observations(tables: EntityTables, incoming: IncomingEvents) -> None:
    """Update the observation columns of logged events that were observed again, or first by an earlier batch."""
    if not incoming.reattributed or not incoming.logged_rows:
        return
    warehouse, log, same = tables.warehouse, tables.log, " AND ".join(f"l.{name} = r.{name}" for name in IDENTITY)
    names = ", ".join(f"{'r' if name in RAISED else 'l'}.{quote(name)}" for name in log.names)
    select = f"SELECT {names} FROM {incoming.log_relation} AS l JOIN {incoming.reattributed} AS r ON {same}"
    changes = warehouse.stage("silver__moved", select)
    warehouse.apply(log, changes, old_key_columns={name: name for name in IDENTITY}, stored=[incoming.logged_rows])
    gone = f"EXISTS (SELECT 1 FROM {changes} AS r WHERE {same})"
    kept = f"SELECT {column_list_sql(log.names, 'l')} FROM {incoming.log_relation} AS l WHERE NOT {gone}"
    # The part of the log that was read must stay equal to the log.
    warehouse.stage("silver__logged", kept, f"SELECT {column_list_sql(log.names)} FROM {changes}")


def _stage_replayed(warehouse: Warehouse, incoming: IncomingEvents) -> str:
    """Stage the keys that must be replayed, because of several new events at once, or of late events; empty for none."""
    several = f"SELECT entity_key FROM {incoming.new_rows} GROUP BY entity_key HAVING COUNT(*) > 1"
    if incoming.one_per_key:
        if not incoming.has_late:
            return ""
        several = f"SELECT entity_key FROM {incoming.new_rows} WHERE FALSE"
    keys = warehouse.stage(
        "silver__many", f"{several} UNION {incoming.select_late()}" if incoming.has_late else several
    )
    return keys if warehouse.count(keys) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _MergeJob:
    """One entity's merge under way: from events that are in the log to versions."""

    tables: EntityTables
    incoming: IncomingEvents
    versions: StoredVersions
    replayed: str
    """The staged keys whose events are folded, empty for none; each other key has one new event, applied to its last version."""

    @property
    def versions_relation(self) -> str:
        """The relation of the versions that are looked at."""
        return self.versions.relation

    def write(self) -> WriteCounts:
        """Write the changed and the first versions, and record the changed keys for gold."""
        warehouse, selects = self.tables.warehouse, [self._select_step_changes()]
        if self.replayed:
            selects += self._select_fold_changes(warehouse.stage("silver__story", self._select_replay_events()))
        changes, inserts = warehouse.stage("silver__moved", *selects), self._select_first_versions()
        old_key_columns = {"entity_key": "_key", "version_number": "_number"}
        written = warehouse.apply(
            self.tables.versions, changes, old_key_columns=old_key_columns, inserts=inserts, stored=self.versions.rows
        )
        if written.rows:
            keys = f"SELECT DISTINCT COALESCE(entity_key, _key) AS entity_key FROM {changes}"
            record_changes(self.tables, keys, f"SELECT entity_key FROM ({inserts}) AS inserts")
        return written

    def _select_step_changes(self) -> str:
        """SELECT of the changed versions of keys with a single new event, which is applied to the last version."""
        shape, events = self.tables.columns, self.incoming.new_rows
        stepped_condition = f" AND entity_key NOT IN (SELECT entity_key FROM {self.replayed})" if self.replayed else ""
        last = f"(SELECT * FROM {self.versions_relation} WHERE _last{stepped_condition})"
        unsure = [name for group in group_carried(shape, self._read_known_columns()) for name in group]
        unsure += [name for name in shape.overwritten if name not in unsure]
        stepped = append_sql(last, events, shape, partly_known=unsure)
        if not shape.overwritten:
            return stepped
        values = ", ".join(
            f"CASE WHEN e.operation = 'U' AND {knows_sql(name, 'e')} THEN e.{quote(name)} ELSE l.{quote(name)} END "
            f"AS {quote(name)}"
            for name in shape.overwritten
        )
        newest = f"(SELECT l.entity_key, {values} FROM {last} AS l JOIN {events} AS e USING (entity_key))"
        return f"{stepped}\nUNION ALL\n{self._select_earlier_versions(newest, 'TRUE')}"

    def _select_first_versions(self) -> str:
        """SELECT of the first versions of new keys."""
        known = f"SELECT entity_key FROM {self.versions_relation}"
        if self.replayed:
            known += f" UNION ALL SELECT entity_key FROM {self.replayed}"
        unless = f"n.entity_key IN ({known})"
        return first_versions_sql(self.incoming.new_rows, self.tables.columns, unless=unless)

    def _read_known_columns(self) -> list[str | None]:
        select = f"SELECT DISTINCT known_columns FROM {self.incoming.new_rows} WHERE operation = 'U'"
        return [row[0] for row in self.tables.warehouse.rows(select)]

    def _select_fold_changes(self, events: str) -> list[str]:
        """Fold the staged `events`; SELECTs of the changed versions."""
        self._note_ties(events)
        warehouse, shape = self.tables.warehouse, self.tables.columns
        spoken = warehouse.rows(f"SELECT DISTINCT known_columns, source, operation FROM {events}")
        sources = find_followed_sources((source, operation) for _, source, operation in spoken)
        known = [known for known, _, operation in spoken if operation == "U" or (sources and operation != "D")]
        text = fold_sql(events, shape, carried=group_carried(shape, known), sources=sources)
        folded = warehouse.stage("silver__folded", text)
        selects = [self._select_changes(folded)]
        if shape.overwritten:
            selects.append(self._select_earlier_versions(folded, "n.version_number = 1"))
        return selects

    def _select_replay_events(self) -> str:
        """SELECT of the events to replay: the full log of late keys, and of other keys the last version and the new events.

        The last version counts as an event. One that has ended is followed by its delete.
        """
        entity, incoming = self.tables.entity, self.incoming
        columns = tuple(entity.columns)
        names = column_list_sql(
            (*IDENTITY[:4], *columns, "known_columns", "hash", "observed", "place", "batch_id"), "x"
        )
        # Of updates and deletes, it does not matter whose they are.
        any_source = quote_literal(next(iter(entity.sources), ""))
        rest = f"{column_list_sql(columns, 'x')}, NULL, '', 0, 0, x.batch_id"
        to_fold = f"x.entity_key IN (SELECT entity_key FROM {self.replayed})"
        base = f"FROM {self.versions_relation} AS x WHERE x._last AND NOT x._late AND {to_fold}"
        parts = [
            f"SELECT {names} FROM {incoming.new_rows} AS x WHERE {to_fold}",
            f"SELECT x.entity_key, {micros_sql('x.valid_from')}, 'U', {any_source}, {rest} {base}",
            f"SELECT x.entity_key, {micros_sql('x.valid_to')}, 'D', {any_source}, {rest} {base} AND NOT x.is_current",
        ]
        if incoming.has_late:
            late = f"x.entity_key IN ({incoming.select_late()})"
            parts.append(f"SELECT {names} FROM {incoming.log_relation} AS x WHERE {late}")
        return "\nUNION ALL\n".join(parts)

    def _note_ties(self, events: str) -> None:
        """Remember keys with an update and a delete or an absence at one instant.

        What such an update said may be in no version, so the last version cannot stand in for the log of that key.
        """
        warehouse = self.tables.warehouse
        ends = f"SELECT entity_key, sequence FROM {events} WHERE operation IN ('D', 'A')"
        if not warehouse.rows(f"{ends} LIMIT 1"):
            return
        tied = f"SELECT 1 FROM {warehouse.ref('meta', TIED_KEYS.name)} AS t WHERE t.{self.tables.own_condition}"
        warehouse.append(
            "meta",
            TIED_KEYS.name,
            TIED_KEYS.names,
            f"SELECT DISTINCT {quote_literal(self.tables.name)}, x.entity_key FROM {events} AS x\n"
            f"JOIN ({ends}) AS y ON y.entity_key = x.entity_key AND y.sequence = x.sequence\n"
            f"WHERE x.operation = 'U' AND NOT EXISTS ({tied} AND t.entity_key = x.entity_key)",
        )

    def _select_changes(self, folded: str) -> str:
        """SELECT of stored versions to delete (`_key`, `_number`) beside their replacements, without equal pairs.

        Versions before the last one stay where the fold began at the last one; `_select_earlier_versions` updates what is
        overwritten in them.
        """
        names = self.tables.versions.names
        differ = any_differs_sql((f"f.{quote(name)}", f"s.{quote(name)}") for name in names[1:])
        replayed = f"(_last OR _late) AND entity_key IN (SELECT entity_key FROM {self.replayed})"
        return (
            f"SELECT s.entity_key AS _key, s.version_number AS _number, {column_list_sql(names, 'f')}\n"
            f"FROM (SELECT * FROM {self.versions_relation} WHERE {replayed}) AS s\n"
            f"FULL OUTER JOIN (\n{self._select_new_versions(folded)}\n) AS f\n"
            "  ON f.entity_key = s.entity_key AND f.version_number = s.version_number\n"
            f"WHERE s.entity_key IS NULL OR f.entity_key IS NULL OR {differ}"
        )

    def _select_new_versions(self, folded: str) -> str:
        """The folded versions; where the fold began at the last version, numbers go on from there."""
        columns = (*self.tables.entity.columns, "valid_from", "valid_to", "is_current")
        return (
            f"SELECT v.entity_key, {column_list_sql(columns, 'v')},\n"
            "  CAST(v.version_number + COALESCE(b.version_number - 1, 0) AS INTEGER) AS version_number, v.batch_id\n"
            f"FROM {folded} AS v LEFT JOIN {self.versions_relation} AS b "
            "ON b.entity_key = v.entity_key AND b._last AND NOT b._late"
        )

    def _select_earlier_versions(self, newest: str, condition: str) -> str:
        """Versions before the last one, which neither step nor fold looked at: they take over only what is overwritten.

        `newest` has a row a key (given `condition`) with those columns.
        """
        entity, names = self.tables.entity, self.tables.columns.overwritten
        columns = ", ".join(f"{'n' if name in names else 'o'}.{quote(name)}" for name in entity.columns)
        differ = any_differs_sql((f"n.{quote(name)}", f"o.{quote(name)}") for name in names)
        return (
            "SELECT o.entity_key AS _key, o.version_number AS _number,\n"
            f"  o.entity_key, {columns}, o.valid_from, o.valid_to, o.is_current, o.version_number, o.batch_id\n"
            f"FROM {self.versions_relation} AS o JOIN {newest} AS n ON n.entity_key = o.entity_key AND {condition}\n"
            f"WHERE NOT o._last AND NOT o._late AND {differ}"
        )


def record_changes(tables: EntityTables, *keys: str) -> None:
    """Append the changed keys (SELECTs of `entity_key`, none twice) to `meta.change_feed`, under one new number."""
    change, name = _read_next_change(tables.warehouse), quote_literal(tables.name)
    selects = [f"SELECT {change}, {name}, entity_key FROM ({select}) AS changed" for select in keys]
    tables.warehouse.append("meta", CHANGE_FEED.name, CHANGE_FEED.names, "\nUNION ALL ".join(selects))


def _read_next_change(warehouse: Warehouse) -> int:
    changes, progress = warehouse.ref("meta", "change_feed"), warehouse.ref("meta", "consumer_offset")
    newest = (
        f"SELECT COALESCE(MAX(change_id), 0) + 1 FROM (SELECT change_id FROM {changes} "
        f"UNION ALL SELECT change_id FROM {progress} WHERE entity NOT LIKE '@%') AS ids"
    )
    return int(warehouse.rows(newest)[0][0])
