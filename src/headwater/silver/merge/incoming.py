"""What arrives, held against what is known: which events are news, and which keys they arrive late for."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.silver.entity_tables import EntityTables
from headwater.silver.schema.tables import IDENTITY
from headwater.temporal.fold import order_sql
from headwater.temporal.keys import hash60_sql
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, Warehouse

RAISED = ("stamp", "observed", "place", "first_observed", "batch_id")
"""What an event that is observed once more may take over from that observation."""

_SAME = " AND ".join(f"k.{name} = a.{name}" for name in IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingEvents:
    """Events that are news, staged."""

    new_rows: str
    """Events that the log does not have."""
    late_keys: str
    """Keys (`entity_key`, `key_hash`) whose history must be folded from the whole log; maybe empty where none is late."""
    reattributed: str | None
    """Events of the log that were observed later, or first earlier, than it says; with what it is to say (`RAISED`)."""
    events: int
    has_late: bool
    one_per_key: bool
    """Whether no key has two events among them."""
    logged_rows: StagedRows | None = None
    """What the log has of the late keys, and perhaps of others; None where none is late."""

    @property
    def log_relation(self) -> str:
        """The relation of what the log has of the late keys."""
        return self.logged_rows.relation if self.logged_rows else ""

    @property
    def has_changes(self) -> bool:
        """Whether anything has to be written."""
        return self.events > 0 or self.reattributed is not None

    def select_late(self) -> str:
        """SELECT of the keys whose history must be folded from the whole log."""
        return f"SELECT entity_key FROM {self.late_keys}"


def dedupe_events(tables: EntityTables, events: str, *, in_order: bool = False) -> IncomingEvents:
    """Deduplicate the events of a relation against the log, and find the keys with late events.

    With `in_order`, an instant whose events are all known, and stay in their order, is no news: see `merge`.
    """
    return _Deduplication(tables=tables, in_order=in_order).run(events)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deduplication:
    """Events that arrive, and the log that they are compared with."""

    tables: EntityTables
    in_order: bool

    @property
    def _warehouse(self) -> Warehouse:
        return self.tables.warehouse

    def run(self, events: str) -> IncomingEvents:
        arriving = self._stage_arriving(events)
        # Numbers are counted several times as fast as the texts of keys, and mostly show that no key comes twice.
        counts = f"SELECT COUNT(*), COUNT(DISTINCT key_hash), MIN(sequence) FROM {arriving}"
        count, keys, first = self._warehouse.rows(counts)[0]
        if keys < count:
            arriving = self._merge_duplicates(arriving)
        select = self._late_keys_sql(arriving, first or 0)
        is_cheap = self._warehouse.is_small("silver", self.tables.log.name)
        late = "" if is_cheap and not self._has_rows(select) else self._warehouse.stage("silver__late", select)
        if late and self._warehouse.count(late):
            return self._drop_logged(arriving, late, one_per_key=keys == count)
        return IncomingEvents(
            new_rows=arriving,
            late_keys=late,
            reattributed=None,
            events=count if keys == count else self._warehouse.count(arriving),
            has_late=False,
            one_per_key=keys == count,
        )

    def _has_rows(self, select: str) -> bool:
        return bool(self._warehouse.rows(f"SELECT 1 FROM ({select}) AS late LIMIT 1"))

    def _stage_arriving(self, events: str) -> str:
        names = [name for name in self.tables.log.names if name not in {"first_observed", "key_hash"}]
        key_hash = hash60_sql("entity_key")
        select = f"SELECT {column_list_sql(names)}, observed AS first_observed, {key_hash} AS key_hash FROM {events}"
        return self._warehouse.stage("silver__arriving", select)

    def _merge_duplicates(self, arriving: str) -> str:
        """Each event once: observed last as late as any says, and first as early."""
        names = self.tables.log.names
        twice = f"SELECT 1 FROM {arriving} GROUP BY {column_list_sql(IDENTITY)} HAVING COUNT(*) > 1 LIMIT 1"
        if not self._warehouse.rows(twice):
            return arriving
        theirs = {"stamp", "first_observed", "batch_id"}
        values = ", ".join(f'_{name} AS "{name}"' if name in theirs else f'"{name}"' for name in names)
        select = f"SELECT {values} FROM ({_select_ranked(arriving)}) AS ranked WHERE _rank = 1"
        once = self._warehouse.stage("silver__news", select)
        return self._warehouse.stage("silver__arriving", f"SELECT {column_list_sql(names)} FROM {once}")

    def _late_keys_sql(self, arriving: str, first: int) -> str:
        """Keys of which the log has an event that is not older than all that arrives, and keys whose last version is not enough.

        That is so after a tie, and for an absence or a presence: what it means depends on what each source showed. The log is
        searched from the first arriving instant on, so that the old parts of it are not even read. Two keys that share a hash
        make one of them late in vain: slower, never wrong.
        """
        log, tied = self.tables.log_ref, self._warehouse.ref("meta", "tied_keys")
        return (
            "SELECT DISTINCT a.entity_key, a.key_hash\n"
            f"FROM (SELECT entity_key, key_hash, MIN(sequence) AS first FROM {arriving} GROUP BY entity_key, key_hash) AS a\n"
            f"JOIN {log} AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first\n"
            f"WHERE l.sequence >= {first}\n"
            "UNION\n"
            f"SELECT a.entity_key, a.key_hash FROM {arriving} AS a WHERE a.operation IN ('A', 'P')\n"
            "UNION\n"
            f"SELECT a.entity_key, a.key_hash FROM {arriving} AS a\n"
            f"JOIN {tied} AS t ON t.entity_key = a.entity_key AND t.{self.tables.own_condition}"
        )

    def _drop_logged(self, arriving: str, late: str, *, one_per_key: bool) -> IncomingEvents:
        """Leaves out what the log has already, and keys that nothing new is said about.

        The log is read once: what it has of these keys is also what their versions are folded from.
        """
        stage, count = self._warehouse.stage, self._warehouse.count
        hashes = f"SELECT key_hash FROM {late}"
        rows = self.tables.select_events("silver__logged", hashes=hashes, columns=self.tables.log.names)
        logged = rows.relation
        is_known = f"EXISTS (SELECT 1 FROM {logged} AS k WHERE {_SAME})"
        fresh = stage("silver__news", f"SELECT a.* FROM {arriving} AS a WHERE NOT {is_known}")
        restated = stage("silver__restated", _select_reobserved(arriving, logged))
        if self.in_order and count(restated):
            self._drop_idle(fresh, restated, logged)
        moved = f"SELECT entity_key FROM {fresh} UNION SELECT entity_key FROM {restated}"
        late = stage("silver__known", f"SELECT * FROM {late} WHERE entity_key IN ({moved})")
        return IncomingEvents(
            new_rows=fresh,
            late_keys=late,
            logged_rows=rows,
            reattributed=restated if count(restated) else None,
            events=count(fresh),
            has_late=count(late) > 0,
            one_per_key=one_per_key,
        )

    def _drop_idle(self, fresh: str, restated: str, logged: str) -> None:
        """Drop from `restated` the instants without new information whose events keep their order."""
        stage = self._warehouse.stage
        instants = f"SELECT entity_key, sequence FROM {restated} EXCEPT SELECT entity_key, sequence FROM {fresh}"
        touched = stage("silver__touched", instants)
        ranked = _select_order_changes(restated, logged, touched)
        moved = stage(
            "silver__moved_instants",
            f"SELECT DISTINCT entity_key, sequence FROM ({ranked}) AS ranked WHERE _was <> _becomes",
        )
        among = "SELECT 1 FROM {relation} AS x WHERE x.entity_key = r.entity_key AND x.sequence = r.sequence"
        idle = f"EXISTS ({among.format(relation=touched)}) AND NOT EXISTS ({among.format(relation=moved)})"
        # What was first observed earlier is no repetition: that read came late.
        news = stage("silver__touched", f"SELECT r.* FROM {restated} AS r WHERE r._earlier = 1 OR NOT ({idle})")
        stage("silver__restated", f"SELECT * FROM {news}")


def split_reads(warehouse: Warehouse, events: str) -> list[str]:
    """The events of a relation, parted by when they were observed where one instant of a key was observed twice.

    So a repetition is held against what was known before it, however many reads arrive at once.
    """
    least, most = warehouse.rows(f"SELECT MIN(observed), MAX(observed) FROM {events}")[0]
    if least == most:
        return [events]
    twice = "GROUP BY entity_key, sequence HAVING MIN(observed) < MAX(observed) LIMIT 1"
    if not warehouse.rows(f"SELECT 1 FROM {events} {twice}"):
        return [events]
    observed = sorted(row[0] for row in warehouse.rows(f"SELECT DISTINCT observed FROM {events}"))
    return [f"(SELECT * FROM {events} WHERE observed = {instant}) AS one_read" for instant in observed]


def _select_ranked(arriving: str) -> str:
    """The events, those that arrive several times numbered from the last observation (`_rank`), with what is true of all."""
    same = f"PARTITION BY {column_list_sql(IDENTITY)}"
    whole = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
    early = ", ".join(
        f"FIRST_VALUE({name}) OVER ({same} ORDER BY first_observed, batch_id {whole}) AS _{name}"
        for name in ("first_observed", "batch_id")
    )
    return (
        f"SELECT *, {early}, MAX(stamp) OVER ({same} ORDER BY observed {whole}) AS _stamp,\n"
        f"  ROW_NUMBER() OVER ({same} ORDER BY observed DESC, place DESC, batch_id) AS _rank FROM {arriving}"
    )


def _select_reobserved(arriving: str, logged: str) -> str:
    """Events of the log that what arrives says more of, with the latest and the first observation of both."""
    later = "(a.observed > k.observed OR (a.observed = k.observed AND a.place > k.place))"
    earlier = (
        "(a.first_observed < k.first_observed OR (a.first_observed = k.first_observed AND a.batch_id < k.batch_id))"
    )
    stamped = "(a.stamp IS NOT NULL AND (k.stamp IS NULL OR a.stamp > k.stamp))"
    chosen = {"stamp": stamped, "observed": later, "place": later, "first_observed": earlier, "batch_id": earlier}
    raised = ",\n  ".join(f"CASE WHEN {chosen[name]} THEN a.{name} ELSE k.{name} END AS {name}" for name in RAISED)
    return (
        f"SELECT {column_list_sql(IDENTITY, 'a')},\n  {raised},\n  CASE WHEN {earlier} THEN 1 ELSE 0 END AS _earlier\n"
        f"FROM {arriving} AS a JOIN {logged} AS k ON {_SAME} WHERE {later} OR {earlier} OR {stamped}"
    )


def _select_order_changes(restated: str, logged: str, touched: str) -> str:
    """The logged events of the `touched` instants: the place of each at its instant, before (`_was`) and after (`_becomes`)."""
    same = _SAME.replace("a.", "r.")
    new = {name: f"COALESCE(r.{name}, k.{name})" for name in ("observed", "place")}
    window = "ROW_NUMBER() OVER (PARTITION BY k.entity_key, k.sequence ORDER BY {order})"
    return (
        f"SELECT k.entity_key, k.sequence, {window.format(order=order_sql('k'))} AS _was,\n"
        f"  {window.format(order=order_sql('k', **new))} AS _becomes\n"
        f"FROM {logged} AS k JOIN {touched} AS t ON t.entity_key = k.entity_key AND t.sequence = k.sequence\n"
        f"LEFT JOIN {restated} AS r ON {same}"
    )
