"""The checks of the star schema: each returns the difference between a warehouse and the expected result, empty if none."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from headwater.testing.conformance.batches import Batches, flatten
from headwater.testing.conformance.history.entity import among_condition
from headwater.testing.conformance.history.oracle import OPEN
from headwater.testing.conformance.star.compare import Rows
from headwater.testing.conformance.star.load import (
    EntityEvent,
    build_star,
    build_table,
    create_tables,
    merge_all,
    sort_rows,
)
from headwater.testing.conformance.star.model import COMPANY, MEMBER, WORK, make_star
from headwater.testing.conformance.star.oracle import build_expected_key, build_expected_lookups, find_company
from headwater.testing.conformance.star.strategies import ID_RANGE
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table
from headwater.warehouse.base import Warehouse, WriteCounts

DESK = make_star(MEMBER, WORK)
OWNERS = make_star(COMPANY)
LOOKUP_COLUMNS = ("entry", "key", "name", "inferred", "key today", "name today", "inferred today")


def _open_desk(tenants: SelfTestTenants) -> Warehouse:
    return tenants.open_shared_tenant("desk", lambda warehouse: create_tables(warehouse, "member", "entry"))


def check_point_in_time(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Each row of work refers to the version of the reference implementation, then and today."""
    warehouse = _open_desk(tenants)
    for batch in batches:
        merge_all(warehouse, batch)
    build_star(warehouse, DESK)
    return _find_wrong_lookups(warehouse, flatten(batches), flatten(batches))


def check_inferred(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """After every batch, each row of work refers to the expected version. An inferred member keeps its key later."""
    warehouse = _open_desk(tenants)
    for number in range(1, len(batches) + 1):
        merge_all(warehouse, batches[number - 1])
        build_star(warehouse, DESK)
        if difference := _find_wrong_lookups(warehouse, flatten(batches[:number]), flatten(batches)):
            return f"after batch {number}, {difference}"
    return ""


def _find_wrong_lookups(warehouse: Warehouse, arrived: list[EntityEvent], items: Iterable[EntityEvent]) -> str:
    keys = {item.event.key for item in items if item.entity == "entry"}
    actual = sort_rows(
        warehouse.rows(
            "SELECT f.entry_id, f.member_key, d.name, d.is_inferred, f.today_key, t.name, t.is_inferred "
            "FROM gold.fact_entry AS f LEFT JOIN gold.dim_member AS d ON d.member_key = f.member_key "
            f"LEFT JOIN gold.dim_member AS t ON t.member_key = f.today_key WHERE {among_condition('f.entity_key', keys)}"
        )
    )
    expected = build_expected_lookups(arrived)
    if actual == expected:
        return ""
    wrong = {row[0] for row in {*actual} ^ {*expected}}
    tables = (
        render_table(LOOKUP_COLUMNS, _name_columns(LOOKUP_COLUMNS, (row for row in rows if row[0] in wrong)))
        for rows in (expected, actual)
    )
    return "expected\n{}\nfound\n{}".format(*tables)


def check_repointing(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """A load writes exactly the rows of work whose record or whose lookups changed."""
    warehouse = _open_desk(tenants)
    for number, batch in enumerate(batches, 1):
        merge_all(warehouse, batch)
        build_table(warehouse, DESK, MEMBER)
        before = _read_work(warehouse)
        result = build_table(warehouse, DESK, WORK)
        after = _read_work(warehouse)
        expected = WriteCounts(deleted=len(before - after), inserted=len(after - before))
        if result != expected:
            changes = f"{expected.inserted} rows of work changed and {expected.deleted} existed before"
            return f"batch {number}: {changes}; the load wrote {result.inserted} and deleted {result.deleted}"
    return _find_wrong_lookups(warehouse, flatten(batches), flatten(batches))


def _read_work(warehouse: Warehouse) -> set[tuple[Any, ...]]:
    """The rows that a load of work may write: its own, and inferred members."""
    tables = [table for table in warehouse.tables("gold") if table in {"fact_entry", "dim_member"}]
    return {(table, *row) for table in tables for row in warehouse.rows(f"SELECT * FROM gold.{table}")}


def check_companies(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """A dimension of two entities has the expected keys, and at every instant the expected T2, T1 and T0 values."""
    warehouse = tenants.open_shared_tenant("owners", lambda created: create_tables(created, "company", "address"))
    for batch in batches:
        merge_all(warehouse, batch)
    build_star(warehouse, OWNERS)
    keys = sorted({item.event.key for item in flatten(batches) if item.entity == "company"})
    rows = warehouse.rows(
        "SELECT entity_key, company_key, epoch_us(valid_from), epoch_us(valid_to), segment, city, name, phone, born, "
        f"is_current FROM gold.dim_company WHERE {among_condition('entity_key', keys)} ORDER BY entity_key, valid_from"
    )
    for key in keys:
        example = _find_example(key)
        items = [item for item in flatten(batches) if _find_example(item.event.key) == example]
        if difference := _find_wrong_version(key, [row for row in rows if row[0] == key], items):
            return difference
    return ""


def _find_example(key: str) -> int:
    """The number of the example that a key belongs to."""
    return int(key.removeprefix("desk:")) // ID_RANGE


VERSION_COLUMNS = ("key", "member_key", "from", "to", "segment", "city", "name", "phone", "born", "current")


def _find_wrong_version(key: str, rows: Rows, items: list[EntityEvent]) -> str:
    instants = sorted({item.event.sequence for item in items})
    states = [state for instant in instants if (state := find_company(key, instant, items))]
    for number, row in enumerate(rows):
        expected = (
            build_expected_key(key, row[2] if number else None),
            states[-1][2],
            states[-1][3],
            states[0][0],
            row[3] == OPEN,
        )
        if (row[1], *row[6:]) != expected:
            return f"version {number + 1} should have key, name, phone, born and current {expected}\n{_render_versions(rows)}"
    for before, after in itertools.pairwise(rows):
        if before[3] > after[2] or (before[3] == after[2] and before[4:6] == after[4:6]):
            return f"versions overlap, or are adjacent and equal\n{_render_versions(rows)}"
    for instant in instants:
        state = find_company(key, instant, items)
        actual = [row[4:6] for row in rows if row[2] <= instant < row[3]]
        if actual != ([state[:2]] if state else []):
            return f"at {instant} expected {state[:2] if state else 'nothing'}\n{_render_versions(rows)}"
    return ""


def _render_versions(rows: Rows) -> str:
    return "found\n" + render_table(VERSION_COLUMNS, _name_columns(VERSION_COLUMNS, rows))


def _name_columns(names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(names, row, strict=True)) for row in rows)
