"""What arrives, held against what is known: which events are news, and which keys they arrive late for."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import literal
from headwater.silver.tables import log_table
from headwater.temporal.keys import hash60
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse
from headwater.warehouse.places import events_of

IDENTITY = ("entity_key", "sequence", "operation", "hash")
"""What tells one event from another."""

STAGED = ("silver__arriving", "silver__late", "silver__logged", "silver__known", "silver__news", "silver__restated")
"""Temporary tables of this module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """Events that are news, staged."""

    fresh: str
    """Events that the log does not have."""
    late: str
    """Keys (`entity_key`, `key_hash`) whose history must be folded from the whole log."""
    restated: str | None
    """Events of the log that an earlier batch had as well; with the earlier `batch_id`, so that order cannot matter."""
    events: int
    any_late: bool
    logged: str = ""
    """What the log has of the late keys, and perhaps of others; empty where none is late."""
    staged: tuple[str, ...] = STAGED

    @property
    def news(self) -> bool:
        """Whether anything has to be written."""
        return self.events > 0 or self.restated is not None


def arrive(warehouse: Warehouse, entity: Entity, events: str) -> Arriving:
    """Stage the events of a relation, each once, and find out what is news about them."""
    arriving = _once(warehouse, entity, events)
    count, first = warehouse.rows(f"SELECT COUNT(*), MIN(sequence) FROM {arriving}")[0]
    late = warehouse.stage("silver__late", _late_keys(warehouse, entity, arriving, first or 0))
    any_late = warehouse.count(late) > 0
    if not any_late:
        return Arriving(fresh=arriving, late=late, restated=None, events=count, any_late=False)
    return _held_against_log(warehouse, entity, arriving, late)


def _once(warehouse: Warehouse, entity: Entity, events: str) -> str:
    names = listed(log_table(entity).names[:-1])
    select = f"SELECT {names}, {hash60('entity_key')} AS key_hash FROM {events}"
    arriving = warehouse.stage("silver__arriving", select)
    twice = f"SELECT 1 FROM {arriving} GROUP BY {listed(IDENTITY)} HAVING COUNT(*) > 1 LIMIT 1"
    if not warehouse.rows(twice):
        return arriving
    ranked = f"SELECT *, ROW_NUMBER() OVER (PARTITION BY {listed(IDENTITY)} ORDER BY batch_id) AS _rank FROM {arriving}"
    once = warehouse.stage("silver__news", f"SELECT {names}, key_hash FROM ({ranked}) AS ranked WHERE _rank = 1")
    return warehouse.stage("silver__arriving", f"SELECT * FROM {once}")


def _late_keys(warehouse: Warehouse, entity: Entity, arriving: str, first: int) -> str:
    """Keys of which the log has an event that is not older than all that arrives, and keys with a tie.

    The log is searched from the first arriving instant on, so that the old parts of it are not even read. Two keys
    that share a hash make one of them late in vain: slower, never wrong.
    """
    log, tied = warehouse.ref("silver", f"{entity.entity}_log"), warehouse.ref("meta", "tied")
    return (
        "SELECT DISTINCT a.entity_key, a.key_hash\n"
        f"FROM (SELECT entity_key, key_hash, MIN(sequence) AS first FROM {arriving} GROUP BY entity_key, key_hash) AS a\n"
        f"JOIN {log} AS l ON l.key_hash = a.key_hash AND l.sequence >= a.first\n"
        f"WHERE l.sequence >= {first}\n"
        "UNION\n"
        f"SELECT a.entity_key, a.key_hash FROM {arriving} AS a\n"
        f"JOIN {tied} AS t ON t.entity_key = a.entity_key AND t.entity = {literal(entity.entity)}"
    )


def _held_against_log(warehouse: Warehouse, entity: Entity, arriving: str, late: str) -> Arriving:
    """Leaves out what the log has already, and keys that nothing new is said about.

    The log is read once: what it has of these keys is also what their versions are folded from.
    """
    logged = events_of(
        warehouse,
        warehouse.ref("silver", f"{entity.entity}_log"),
        hashes=f"SELECT key_hash FROM {late}",
        columns=log_table(entity).names,
        name="silver__logged",
    )
    same = " AND ".join(f"k.{name} = a.{name}" for name in IDENTITY)
    fresh = warehouse.stage(
        "silver__news", f"SELECT a.* FROM {arriving} AS a WHERE NOT EXISTS (SELECT 1 FROM {logged} AS k WHERE {same})"
    )
    restated = warehouse.stage(
        "silver__restated",
        f"SELECT {listed(IDENTITY, 'a')}, a.batch_id FROM {arriving} AS a JOIN {logged} AS k ON {same} "
        "WHERE a.batch_id < k.batch_id",
    )
    moved = f"SELECT entity_key FROM {fresh} UNION SELECT entity_key FROM {restated}"
    late = warehouse.stage("silver__known", f"SELECT * FROM {late} WHERE entity_key IN ({moved})")
    counts = [warehouse.count(name) for name in (fresh, restated, late)]
    return Arriving(
        fresh=fresh,
        late=late,
        logged=logged,
        restated=restated if counts[1] else None,
        events=counts[0],
        any_late=counts[2] > 0,
    )
