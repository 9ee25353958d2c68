"""How history is held against its promises: each check says how a warehouse fails, and nothing where it holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from headwater.silver.schema.migrate import drop, ready
from headwater.temporal.asof import valid_at_sql
from headwater.temporal.sql import timestamp_sql
from headwater.testing.conformance.history.compare import (
    CURRENT,
    FROM,
    NAMES,
    NUMBER,
    TO,
    alike,
    differing,
    lives,
    pictured,
    stored,
)
from headwater.testing.conformance.history.entity import COLUMNS, THING, WIDER, among, put, versions
from headwater.testing.conformance.history.oracle import OPEN, Seen, in_order, set_of, state_at
from headwater.testing.conformance.shrink import Batches, flat
from headwater.testing.conformance.tenants import Ground
from headwater.testing.tables import draw
from headwater.warehouse.base import Warehouse


def _own(ground: Ground) -> Warehouse:
    return ground.shared("history", lambda warehouse: ready(warehouse, THING))


def _merged(ground: Ground, batches: Batches[Seen]) -> Warehouse:
    warehouse = _own(ground)
    for batch in batches:
        put(warehouse, batch)
    return warehouse


def like_the_oracle(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether the batches, merged one after the other, end in the history that the oracle tells."""
    return differing(_merged(ground, batches), flat(batches))


def in_one_transaction(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether several merges of one transaction do."""
    warehouse = _own(ground)
    put(warehouse, batches[0])
    with warehouse.transaction():
        for batch in batches[1:]:
            put(warehouse, batch)
    return differing(warehouse, flat(batches))


def replayed(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether each batch, merged again, writes nothing."""
    warehouse = _merged(ground, batches)
    before = stored(warehouse, flat(batches))
    for number, batch in enumerate(batches, 1):
        done = put(warehouse, batch)
        if (done.events, done.inserted, done.deleted) != (0, 0, 0):
            return f"batch {number}, merged again, wrote {done.inserted} and deleted {done.deleted} versions"
    return alike("before the replay", before, "after it", stored(warehouse, flat(batches)))


def disjoint(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether versions are non-empty, disjoint, numbered in time, and at most one of a key is current."""
    for rows in lives(_merged(ground, batches), flat(batches)):
        fine = all(row[FROM] < row[TO] for row in rows)
        fine &= all(one[TO] <= next_one[FROM] for one, next_one in itertools.pairwise(rows))
        fine &= [row[NUMBER] for row in rows] == list(range(1, len(rows) + 1))
        fine &= all(row[CURRENT] == (row[TO] == OPEN) for row in rows) and sum(row[CURRENT] for row in rows) <= 1
        if not fine:
            return f"found\n{pictured(rows)}"
    return ""


def different_where_they_touch(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether versions that touch differ in a column that is tracked."""
    tracked = [NAMES.index(name) for name in COLUMNS if name not in THING.overwritten]
    for rows in lives(_merged(ground, batches), flat(batches)):
        for one, after in itertools.pairwise(rows):
            if one[TO] == after[FROM] and all(one[place] == after[place] for place in tracked):
                return f"found\n{pictured((one, after))}"
    return ""


def as_of(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether the version at an instant is the fold of the log up to it, for every instant there is."""
    warehouse, events = _merged(ground, batches), flat(batches)
    keys = {event.key for event in events}
    around = {event.sequence + step for event in events for step in (-1, 0, 1)}
    for moment in sorted(around):
        wanted = {key: state for key in keys if (state := state_at(events, key, moment)) is not None}
        for found in _answers(warehouse, moment, keys):
            for key in sorted(keys):
                state = wanted.get(key)
                if found.get(key) != (None if state is None else (state.get("name"), state.get("size"))):
                    return _at(moment, key, state, found.get(key))
    return ""


def _answers(warehouse: Warehouse, moment: int, keys: set[str]) -> Iterator[dict[str, tuple[Any, ...]]]:
    """What is there at an instant, by every way of asking that the engine has."""
    asked = [valid_at_sql("silver.thing", columns=("entity_key", "name", "size"), at=timestamp_sql(str(moment)))]
    if warehouse.capabilities.asof:
        asked.append(f"SELECT entity_key, name, size FROM silver.thing_asof({timestamp_sql(str(moment))})")
    for select in asked:
        own = f"SELECT * FROM ({select}) AS asked WHERE {among('entity_key', keys)}"
        yield {row[0]: tuple(row[1:]) for row in warehouse.rows(own)}


def _at(moment: int, key: str, state: dict[str, Any] | None, found: tuple[Any, ...] | None) -> str:
    names = ("name", "size")
    wanted = [] if state is None else [{name: state.get(name) for name in names}]
    there = [] if found is None else [dict(zip(names, found, strict=True))]
    return f"at {moment}, of {key}\nexpected\n{draw(names, wanted)}\nfound\n{draw(names, there)}"


def nothing_is_not_empty(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether NULL, the empty text and what is not said stay three things, in the versions and in the log."""
    warehouse, events = _merged(ground, batches), flat(batches)
    found = differing(warehouse, events)
    if found:
        return found
    wanted = len(set_of(events))
    keys = {event.key for event in events}
    there = warehouse.rows(f"SELECT count(*) FROM silver.thing_log WHERE {among('entity_key', keys)}")[0][0]
    return "" if there == wanted else f"{wanted} events differ, and the log keeps {there}"


def stretches(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether a delete ends a stretch, a second one is nothing, and an update after it begins another."""
    warehouse, events = _merged(ground, batches), flat(batches)
    for rows in lives(warehouse, events):
        own = in_order(event for event in events if event.key == rows[0][0])
        lived = "".join("U" if event.operation == "U" else " " for event in own)
        wanted = (len(lived.split()), lived.endswith("U"))
        if (len(rows), any(row[CURRENT] for row in rows)) != wanted:
            return (
                f"expected {wanted[0]} versions, {'the last' if wanted[1] else 'none'} current; found\n{pictured(rows)}"
            )
    return differing(warehouse, events)


def rebuilt(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether a history made anew from all events at once is the one that grew."""
    warehouse, events = _merged(ground, batches), flat(batches)
    before = stored(warehouse, events)["silver.thing"]
    drop(warehouse, THING)
    ready(warehouse, THING)
    put(warehouse, sorted(events, key=lambda event: event.hash))
    return alike(
        "grown", {"silver.thing": before}, "rebuilt", {"silver.thing": stored(warehouse, events)["silver.thing"]}
    )


def widened(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether one more column makes no version, and history goes on with it."""
    warehouse = ground.fresh()
    ready(warehouse, THING)
    put(warehouse, batches[0])
    before = versions(warehouse)
    ready(warehouse, WIDER)
    found = alike("before the column", {"versions": before}, "with it", {"versions": versions(warehouse)})
    for batch in batches[1:]:
        put(warehouse, batch, WIDER)
    found = found or differing(warehouse, flat(batches), WIDER)
    ground.erase(warehouse.tenant)
    return found


def neighbours(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether a tenant's rows stay as they are while another's move, and each has its own."""
    warehouse = _own(ground)
    put(warehouse, batches[0])
    before = stored(warehouse, batches[0])
    other = ground.shared("neighbour", lambda made: ready(made, THING))
    for batch in batches[1:]:
        put(other, batch)
    found = alike("before the other wrote", before, "afterwards", stored(warehouse, batches[0]))
    return found or differing(other, flat(batches[1:]))


def bounded(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether a merge writes no more than the keys that arrive can need."""
    warehouse = _own(ground)
    put(warehouse, batches[0])
    for batch in batches[1:]:
        keys = {event.key for event in batch}
        had = len(versions(warehouse, keys=keys))
        done = put(warehouse, batch)
        if done.events > len(batch) or done.deleted > had or done.inserted > had + 2 * len(batch):
            return (
                f"{len(batch)} events arrived for keys with {had} versions: "
                f"{done.events} events, {done.inserted} versions written and {done.deleted} deleted"
            )
    return differing(warehouse, flat(batches))


def like_duckdb(ground: Ground, batches: Batches[Seen]) -> str:
    """Whether versions and log are those that DuckDB in memory has."""
    judge = ground.judge(lambda warehouse: ready(warehouse, THING))
    warehouse = _merged(ground, batches)
    for batch in batches:
        put(judge, batch)
    events = flat(batches)
    return alike("DuckDB has", stored(judge, events, meta=False), "found", stored(warehouse, events, meta=False))
