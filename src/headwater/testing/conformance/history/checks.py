"""The checks of history: each returns the difference between a warehouse and the expected result, empty if there is none."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from headwater.silver.merge.result import MergeResult
from headwater.silver.schema.migrate import drop_entity, migrate_tables
from headwater.temporal.asof import valid_at_sql
from headwater.temporal.sql import timestamp_sql
from headwater.testing.conformance.batches import Batches, flatten
from headwater.testing.conformance.history.compare import (
    CURRENT,
    FROM,
    NAMES,
    NUMBER,
    TO,
    compare_states,
    find_difference,
    read_histories,
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
from headwater.testing.conformance.history.oracle import (
    OPEN,
    Event,
    find_state,
    group_by_key,
    merge_duplicates,
    sort_events,
)
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table
from headwater.warehouse.base import Warehouse

Row = tuple[Any, ...]


def _open_tenant(tenants: SelfTestTenants, role: str = "history") -> Warehouse:
    return tenants.open_shared_tenant(role, lambda warehouse: migrate_tables(warehouse, THING))


def _merge_batches(tenants: SelfTestTenants, batches: Batches[Event]) -> Warehouse:
    warehouse = _open_tenant(tenants)
    for batch in batches:
        merge_events(warehouse, batch)
    return warehouse


def check_oracle(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """The batches, merged one after the other, give the history of the reference implementation."""
    return find_difference(_merge_batches(tenants, batches), flatten(batches))


def check_one_transaction(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """Several merges in one transaction give the history of the reference implementation."""
    warehouse = _open_tenant(tenants)
    merge_events(warehouse, batches[0])
    with warehouse.transaction():
        for batch in batches[1:]:
            merge_events(warehouse, batch)
    return find_difference(warehouse, flatten(batches))


def check_reads(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """Reads that are merged in their order give the same history, one by one or together, although repetitions are left out."""
    events, one_by_one = flatten(batches), _open_tenant(tenants)
    for batch in batches:
        merge_events(one_by_one, batch, in_order=True)
    together = _open_tenant(tenants, "reads")
    merge_events(together, events, in_order=True)
    return find_difference(one_by_one, events) or compare_states(
        "one by one",
        read_stored(one_by_one, events, meta=False),
        "together",
        read_stored(together, events, meta=False),
    )


def check_replay(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """Each batch, merged again, writes nothing."""
    warehouse = _merge_batches(tenants, batches)
    before = read_stored(warehouse, flatten(batches))
    for number, batch in enumerate(batches, 1):
        if difference := _describe_writes(merge_events(warehouse, batch)):
            return f"batch {number}, merged again, {difference}"
    return compare_states("before the replay", before, "after it", read_stored(warehouse, flatten(batches)))


def check_same_read(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """A later read that returns the same states writes nothing."""
    warehouse, events = _open_tenant(tenants), flatten(batches)
    merge_events(warehouse, events)
    before = read_stored(warehouse, events)
    newest = {(event.key, event.sequence): event for event in sort_events(merge_duplicates(events))}
    again = [replace(event, batch="b9", observed=9, first=None) for event in newest.values()]
    if difference := _describe_writes(merge_events(warehouse, again, in_order=True)):
        return f"the same states, read again, {difference}"
    return compare_states("before the second read", before, "after it", read_stored(warehouse, events))


def _describe_writes(result: MergeResult) -> str:
    if (result.events, result.inserted, result.deleted) == (0, 0, 0):
        return ""
    return f"added {result.events} events, wrote {result.inserted} and deleted {result.deleted} versions"


def check_disjoint(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """Versions are non-empty, disjoint and numbered in time, and at most one version of a key is current."""
    for rows in read_histories(_merge_batches(tenants, batches), flatten(batches)):
        if not _is_disjoint(rows):
            return f"found\n{render_versions(rows)}"
    return ""


def _is_disjoint(rows: list[Row]) -> bool:
    return (
        all(row[FROM] < row[TO] for row in rows)
        and all(row[TO] <= later[FROM] for row, later in itertools.pairwise(rows))
        and [row[NUMBER] for row in rows] == list(range(1, len(rows) + 1))
        and all(row[CURRENT] == (row[TO] == OPEN) for row in rows)
        and sum(row[CURRENT] for row in rows) <= 1
    )


def check_adjacent(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """Adjacent versions differ in a tracked column."""
    tracked = [NAMES.index(name) for name in COLUMNS if name not in THING.overwritten]
    for rows in read_histories(_merge_batches(tenants, batches), flatten(batches)):
        for row, later in itertools.pairwise(rows):
            if row[TO] == later[FROM] and all(row[place] == later[place] for place in tracked):
                return f"found\n{render_versions((row, later))}"
    return ""


def check_as_of(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """The state as of an instant is the result of the events up to it, at and around each event."""
    warehouse, events = _merge_batches(tenants, batches), flatten(batches)
    events_by_key = group_by_key(events)
    for instant in sorted({event.sequence + step for event in events for step in (-1, 0, 1)}):
        states = {key: find_state(own, key, instant) for key, own in events_by_key.items()}
        for rows in _read_as_of(warehouse, instant, states):
            for key, state in sorted(states.items()):
                if rows.get(key) != (None if state is None else (state.get("name"), state.get("size"))):
                    return _describe_state(instant, key, state, rows.get(key))
    return ""


def _read_as_of(warehouse: Warehouse, instant: int, keys: Iterable[str]) -> Iterator[dict[str, Row]]:
    """The state of each key at an instant, by each kind of query that the engine has."""
    at = timestamp_sql(str(instant))
    queries = [valid_at_sql("silver.thing", columns=("entity_key", "name", "size"), at=at)]
    if warehouse.capabilities.as_of_functions:
        queries.append(f"SELECT entity_key, name, size FROM silver.thing_asof({at})")
    for query in queries:
        rows = warehouse.rows(f"SELECT * FROM ({query}) AS asked WHERE {among_condition('entity_key', keys)}")
        yield {row[0]: tuple(row[1:]) for row in rows}


def _describe_state(instant: int, key: str, state: dict[str, Any] | None, row: Row | None) -> str:
    names = ("name", "size")
    expected = [] if state is None else [{name: state.get(name) for name in names}]
    actual = [] if row is None else [dict(zip(names, row, strict=True))]
    tables = f"expected\n{render_table(names, expected)}\nfound\n{render_table(names, actual)}"
    return f"at {instant}, of {key}\n{tables}"


def check_overwritten(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """An overwritten column has its newest value on all versions."""
    warehouse, events = _merge_batches(tenants, batches), flatten(batches)
    place = NAMES.index("note")
    for rows in read_histories(warehouse, events):
        if len({row[place] for row in rows}) > 1:
            return f"found\n{render_versions(rows)}"
    return find_difference(warehouse, events)


def check_null_and_empty(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """NULL, the empty text and a missing value remain different, in the versions and in the log."""
    warehouse, events = _merge_batches(tenants, batches), flatten(batches)
    if difference := find_difference(warehouse, events):
        return difference
    expected, keys = len(merge_duplicates(events)), among_condition("entity_key", {event.key for event in events})
    actual = warehouse.rows(f"SELECT count(*) FROM silver.thing_log WHERE {keys}")[0][0]
    return "" if actual == expected else f"{expected} events differ, and the log has {actual}"


def check_intervals(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """A delete closes a version, a second delete changes nothing, and an update opens the next version."""
    warehouse, events = _merge_batches(tenants, batches), flatten(batches)
    for rows in read_histories(warehouse, events):
        own = sort_events(event for event in events if event.key == rows[0][0])
        text = "".join("U" if event.operation == "U" else " " for event in own)
        count, is_open = len(text.split()), text.endswith("U")
        if (len(rows), any(row[CURRENT] for row in rows)) != (count, is_open):
            last = "the last" if is_open else "none"
            return f"expected {count} versions, {last} current; found\n{render_versions(rows)}"
    return find_difference(warehouse, events)


def check_rebuild(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """A history that is rebuilt from all events is identical to the incremental one."""
    warehouse, events = _merge_batches(tenants, batches), flatten(batches)
    before = read_stored(warehouse, events)["silver.thing"]
    drop_entity(warehouse, THING)
    migrate_tables(warehouse, THING)
    merge_events(warehouse, sorted(events, key=lambda event: event.hash))
    after = read_stored(warehouse, events)["silver.thing"]
    return compare_states("incremental", {"silver.thing": before}, "rebuilt", {"silver.thing": after})


def check_new_column(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """An additional column creates no version, is NULL in the stored rows, and takes part in later merges."""
    warehouse = tenants.create_tenant()
    migrate_tables(warehouse, THING)
    merge_events(warehouse, batches[0])
    before = {"versions": read_versions(warehouse)}
    migrate_tables(warehouse, WIDER)
    difference = compare_states("before the column", before, "with it", {"versions": read_versions(warehouse)})
    colours = warehouse.rows("SELECT DISTINCT colour FROM silver.thing_current")
    if not difference and colours not in ([], [(None,)]):
        difference = f"the new column should be NULL, and is {colours}"
    for batch in batches[1:]:
        merge_events(warehouse, batch, WIDER)
    difference = difference or find_difference(warehouse, flatten(batches), WIDER)
    tenants.erase(warehouse.tenant)
    return difference


def check_isolation(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """A merge for one tenant changes no row of another, and each tenant has its own history."""
    warehouse = _open_tenant(tenants)
    merge_events(warehouse, batches[0])
    before = read_stored(warehouse, batches[0])
    other = _open_tenant(tenants, "neighbour")
    for batch in batches[1:]:
        merge_events(other, batch)
    difference = compare_states("before the other wrote", before, "afterwards", read_stored(warehouse, batches[0]))
    return difference or find_difference(other, flatten(batches[1:]))


def check_write_bound(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """A merge writes no more than the keys that arrive can need, and does not change other keys."""
    warehouse = _open_tenant(tenants)
    merge_events(warehouse, batches[0])
    all_keys = {event.key for event in flatten(batches)}
    for batch in batches[1:]:
        keys = {event.key for event in batch}
        # Without keys, `read_versions` would read all of them.
        others = (all_keys - keys) or {"none"}
        count, before = len(read_versions(warehouse, keys=keys)), {"versions": read_versions(warehouse, keys=others)}
        result = merge_events(warehouse, batch)
        if result.events > len(batch) or result.deleted > count or result.inserted > count + 2 * len(batch):
            return f"{len(batch)} events arrived for keys with {count} versions: the merge {_describe_writes(result)}"
        after = {"versions": read_versions(warehouse, keys=others)}
        if difference := compare_states("other keys before", before, "afterwards", after):
            return difference
    return find_difference(warehouse, flatten(batches))


def check_like_duckdb(tenants: SelfTestTenants, batches: Batches[Event]) -> str:
    """Versions and log are the same as in an in-memory DuckDB."""
    reference = tenants.open_shared_reference(lambda warehouse: migrate_tables(warehouse, THING))
    warehouse, events = _merge_batches(tenants, batches), flatten(batches)
    for batch in batches:
        merge_events(reference, batch)
    expected, actual = (read_stored(each, events, meta=False) for each in (reference, warehouse))
    return compare_states("DuckDB has", expected, "found", actual)
