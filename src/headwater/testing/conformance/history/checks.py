"""How history is held against its promises: each check says how a warehouse fails, and nothing where it holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from headwater.silver.schema.migrate import drop_entity, migrate_tables
from headwater.temporal.asof import valid_at_sql
from headwater.temporal.sql import timestamp_sql
from headwater.testing.conformance.history.compare import (
    CURRENT,
    FROM,
    NAMES,
    NUMBER,
    TO,
    compare_states,
    find_difference,
    read_lives,
    read_stored,
    render_versions,
)
from headwater.testing.conformance.history.entity import (
    COLUMNS,
    THING,
    WIDER,
    among_condition,
    merge_events,
    read_versions,
)
from headwater.testing.conformance.history.oracle import OPEN, Event, merge_duplicates, sort_events, state_at
from headwater.testing.conformance.shrink import Batches, flatten
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table
from headwater.warehouse.base import Warehouse


def _own_tenant(ground: SelfTestTenants) -> Warehouse:
    return ground.shared_tenant("history", lambda warehouse: migrate_tables(warehouse, THING))


def _merge_batches(ground: SelfTestTenants, batches: Batches[Event]) -> Warehouse:
    warehouse = _own_tenant(ground)
    for batch in batches:
        merge_events(warehouse, batch)
    return warehouse


def check_oracle(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether the batches, merged one after the other, end in the history that the oracle tells."""
    return find_difference(_merge_batches(ground, batches), flatten(batches))


def check_one_transaction(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether several merges of one transaction do."""
    warehouse = _own_tenant(ground)
    merge_events(warehouse, batches[0])
    with warehouse.transaction():
        for batch in batches[1:]:
            merge_events(warehouse, batch)
    return find_difference(warehouse, flatten(batches))


def check_replay(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether each batch, merged again, writes nothing."""
    warehouse = _merge_batches(ground, batches)
    before = read_stored(warehouse, flatten(batches))
    for number, batch in enumerate(batches, 1):
        done = merge_events(warehouse, batch)
        if (done.events, done.inserted, done.deleted) != (0, 0, 0):
            return f"batch {number}, merged again, wrote {done.inserted} and deleted {done.deleted} versions"
    return compare_states("before the replay", before, "after it", read_stored(warehouse, flatten(batches)))


def check_disjoint(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether versions are non-empty, disjoint, numbered in time, and at most one of a key is current."""
    for rows in read_lives(_merge_batches(ground, batches), flatten(batches)):
        fine = all(row[FROM] < row[TO] for row in rows)
        fine &= all(one[TO] <= next_one[FROM] for one, next_one in itertools.pairwise(rows))
        fine &= [row[NUMBER] for row in rows] == list(range(1, len(rows) + 1))
        fine &= all(row[CURRENT] == (row[TO] == OPEN) for row in rows) and sum(row[CURRENT] for row in rows) <= 1
        if not fine:
            return f"found\n{render_versions(rows)}"
    return ""


def check_touching(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether versions that touch differ in a column that is tracked."""
    tracked = [NAMES.index(name) for name in COLUMNS if name not in THING.overwritten]
    for rows in read_lives(_merge_batches(ground, batches), flatten(batches)):
        for one, after in itertools.pairwise(rows):
            if one[TO] == after[FROM] and all(one[place] == after[place] for place in tracked):
                return f"found\n{render_versions((one, after))}"
    return ""


def check_as_of(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether the version at an instant is the fold of the log up to it, for every instant there is."""
    warehouse, events = _merge_batches(ground, batches), flatten(batches)
    keys = {event.key for event in events}
    around = {event.sequence + step for event in events for step in (-1, 0, 1)}
    for moment in sorted(around):
        wanted = {key: state for key in keys if (state := state_at(events, key, moment)) is not None}
        for found in _read_as_of(warehouse, moment, keys):
            for key in sorted(keys):
                state = wanted.get(key)
                if found.get(key) != (None if state is None else (state.get("name"), state.get("size"))):
                    return _describe_state(moment, key, state, found.get(key))
    return ""


def _read_as_of(warehouse: Warehouse, moment: int, keys: set[str]) -> Iterator[dict[str, tuple[Any, ...]]]:
    """What is there at an instant, by every way of asking that the engine has."""
    asked = [valid_at_sql("silver.thing", columns=("entity_key", "name", "size"), at=timestamp_sql(str(moment)))]
    if warehouse.capabilities.as_of_functions:
        asked.append(f"SELECT entity_key, name, size FROM silver.thing_asof({timestamp_sql(str(moment))})")
    for select in asked:
        own = f"SELECT * FROM ({select}) AS asked WHERE {among_condition('entity_key', keys)}"
        yield {row[0]: tuple(row[1:]) for row in warehouse.rows(own)}


def _describe_state(moment: int, key: str, state: dict[str, Any] | None, found: tuple[Any, ...] | None) -> str:
    names = ("name", "size")
    wanted = [] if state is None else [{name: state.get(name) for name in names}]
    there = [] if found is None else [dict(zip(names, found, strict=True))]
    return f"at {moment}, of {key}\nexpected\n{render_table(names, wanted)}\nfound\n{render_table(names, there)}"


def check_null_and_empty(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether NULL, the empty text and what is not said stay three things, in the versions and in the log."""
    warehouse, events = _merge_batches(ground, batches), flatten(batches)
    found = find_difference(warehouse, events)
    if found:
        return found
    wanted = len(merge_duplicates(events))
    keys = {event.key for event in events}
    there = warehouse.rows(f"SELECT count(*) FROM silver.thing_log WHERE {among_condition('entity_key', keys)}")[0][0]
    return "" if there == wanted else f"{wanted} events differ, and the log keeps {there}"


def check_stretches(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether a delete ends a stretch, a second one is nothing, and an update after it begins another."""
    warehouse, events = _merge_batches(ground, batches), flatten(batches)
    for rows in read_lives(warehouse, events):
        own = sort_events(event for event in events if event.key == rows[0][0])
        lived = "".join("U" if event.operation == "U" else " " for event in own)
        wanted = (len(lived.split()), lived.endswith("U"))
        if (len(rows), any(row[CURRENT] for row in rows)) != wanted:
            return f"expected {wanted[0]} versions, {'the last' if wanted[1] else 'none'} current; found\n{render_versions(rows)}"
    return find_difference(warehouse, events)


def check_rebuild(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether a history made anew from all events at once is the one that grew."""
    warehouse, events = _merge_batches(ground, batches), flatten(batches)
    before = read_stored(warehouse, events)["silver.thing"]
    drop_entity(warehouse, THING)
    migrate_tables(warehouse, THING)
    merge_events(warehouse, sorted(events, key=lambda event: event.hash))
    return compare_states(
        "grown", {"silver.thing": before}, "rebuilt", {"silver.thing": read_stored(warehouse, events)["silver.thing"]}
    )


def check_new_column(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether one more column makes no version, and history goes on with it."""
    warehouse = ground.create_tenant()
    migrate_tables(warehouse, THING)
    merge_events(warehouse, batches[0])
    before = read_versions(warehouse)
    migrate_tables(warehouse, WIDER)
    found = compare_states("before the column", {"versions": before}, "with it", {"versions": read_versions(warehouse)})
    for batch in batches[1:]:
        merge_events(warehouse, batch, WIDER)
    found = found or find_difference(warehouse, flatten(batches), WIDER)
    ground.erase(warehouse.tenant)
    return found


def check_neighbours(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether a tenant's rows stay as they are while another's move, and each has its own."""
    warehouse = _own_tenant(ground)
    merge_events(warehouse, batches[0])
    before = read_stored(warehouse, batches[0])
    other = ground.shared_tenant("neighbour", lambda made: migrate_tables(made, THING))
    for batch in batches[1:]:
        merge_events(other, batch)
    found = compare_states("before the other wrote", before, "afterwards", read_stored(warehouse, batches[0]))
    return found or find_difference(other, flatten(batches[1:]))


def check_write_bound(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether a merge writes no more than the keys that arrive can need."""
    warehouse = _own_tenant(ground)
    merge_events(warehouse, batches[0])
    for batch in batches[1:]:
        keys = {event.key for event in batch}
        had = len(read_versions(warehouse, keys=keys))
        done = merge_events(warehouse, batch)
        if done.events > len(batch) or done.deleted > had or done.inserted > had + 2 * len(batch):
            return (
                f"{len(batch)} events arrived for keys with {had} versions: "
                f"{done.events} events, {done.inserted} versions written and {done.deleted} deleted"
            )
    return find_difference(warehouse, flatten(batches))


def check_like_duckdb(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether versions and log are those that DuckDB in memory has."""
    judge = ground.shared_reference(lambda warehouse: migrate_tables(warehouse, THING))
    warehouse = _merge_batches(ground, batches)
    for batch in batches:
        merge_events(judge, batch)
    events = flatten(batches)
    return compare_states(
        "DuckDB has", read_stored(judge, events, meta=False), "found", read_stored(warehouse, events, meta=False)
    )
