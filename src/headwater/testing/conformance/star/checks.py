"""How the star is held against its promises: each check says how a warehouse fails, and nothing where it holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.compare import FROM as SILVER_FROM
from headwater.testing.conformance.history.compare import find_difference, read_lives, render_versions
from headwater.testing.conformance.history.entity import THING, among_condition, merge_events
from headwater.testing.conformance.history.oracle import OPEN, Event
from headwater.testing.conformance.shrink import Batches, flatten
from headwater.testing.conformance.star.compare import Rows
from headwater.testing.conformance.star.generate import APART
from headwater.testing.conformance.star.load import (
    EntityEvent,
    build_star,
    build_table,
    create_tables,
    merge_all,
    sort_rows,
)
from headwater.testing.conformance.star.model import COMPANY, MEMBER, WORK, star_of
from headwater.testing.conformance.star.oracle import company_at, expected_key, expected_lookups
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table
from headwater.warehouse.base import Warehouse, WriteCounts

DESK = star_of(MEMBER, WORK)
OWNERS = star_of(COMPANY)
POINTS = ("entry", "key", "name", "inferred", "key today", "name today", "inferred today")


def _desk_tenant(ground: SelfTestTenants) -> Warehouse:
    return ground.shared_tenant("desk", lambda warehouse: create_tables(warehouse, "member", "entry"))


def check_point_in_time(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether each row of work points at the version that the oracle says, then and today."""
    warehouse = _desk_tenant(ground)
    for batch in batches:
        merge_all(warehouse, batch)
    build_star(warehouse, DESK)
    return _find_mispointed(warehouse, flatten(batches), flatten(batches))


def check_early_members(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether that is so after every batch, and a member met early keeps the key of its first version."""
    warehouse = _desk_tenant(ground)
    for number in range(1, len(batches) + 1):
        merge_all(warehouse, batches[number - 1])
        build_star(warehouse, DESK)
        found = _find_mispointed(warehouse, flatten(batches[:number]), flatten(batches))
        if found:
            return f"after batch {number}, {found}"
    return ""


def _find_mispointed(warehouse: Warehouse, said: list[EntityEvent], every: Iterable[EntityEvent]) -> str:
    keys = {one.event.key for one in every if one.entity == "entry"}
    found = sort_rows(
        warehouse.rows(
            "SELECT f.entry_id, f.member_key, d.name, d.is_inferred, f.today_key, t.name, t.is_inferred "
            "FROM gold.fact_entry AS f LEFT JOIN gold.dim_member AS d ON d.member_key = f.member_key "
            f"LEFT JOIN gold.dim_member AS t ON t.member_key = f.today_key WHERE {among_condition('f.entity_key', keys)}"
        )
    )
    wanted = expected_lookups(said)
    if found == wanted:
        return ""
    wrong = {row[0] for row in {*found} ^ {*wanted}}
    pictures = (
        render_table(POINTS, _name_columns(POINTS, (row for row in rows if row[0] in wrong)))
        for rows in (wanted, found)
    )
    return "expected\n{}\nfound\n{}".format(*pictures)


def check_repointing(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether a load writes exactly the rows of work whose own record or whose answer changed."""
    warehouse = _desk_tenant(ground)
    for number, batch in enumerate(batches, 1):
        merge_all(warehouse, batch)
        build_table(warehouse, DESK, MEMBER)
        before = _read_work(warehouse)
        done = build_table(warehouse, DESK, WORK)
        after = _read_work(warehouse)
        wanted = WriteCounts(deleted=len(before - after), inserted=len(after - before))
        if done != wanted:
            said = f"{wanted.inserted} rows of work changed and {wanted.deleted} were there before"
            return f"batch {number}: {said}; the load wrote {done.inserted} and deleted {done.deleted}"
    return _find_mispointed(warehouse, flatten(batches), flatten(batches))


def _read_work(warehouse: Warehouse) -> set[tuple[Any, ...]]:
    """The rows that a load of work may write: its own, and members that only it knows of."""
    tables = [table for table in warehouse.tables("gold") if table in {"fact_entry", "dim_member"}]
    return {(table, *row) for table in tables for row in warehouse.rows(f"SELECT * FROM gold.{table}")}


def check_members(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether a member of two entities is at every instant what the events say, T2, T1 and T0, with the key it should have."""
    warehouse = ground.shared_tenant("owners", lambda made: create_tables(made, "company", "address"))
    for batch in batches:
        merge_all(warehouse, batch)
    build_star(warehouse, OWNERS)
    keys = sorted({one.event.key for one in flatten(batches) if one.entity == "company"})
    rows = warehouse.rows(
        "SELECT entity_key, company_key, epoch_us(valid_from), epoch_us(valid_to), segment, city, name, phone, born, "
        f"is_current FROM gold.dim_company WHERE {among_condition('entity_key', keys)} ORDER BY entity_key, valid_from"
    )
    for key in keys:
        near = [one for one in flatten(batches) if _key_index(one) // APART == int(key.removeprefix("desk:")) // APART]
        found = _compare_life(key, [row for row in rows if row[0] == key], near)
        if found:
            return found
    return ""


def _key_index(said: EntityEvent) -> int:
    return int(said.event.key.removeprefix("desk:")) - 1


LIFE = ("key", "member_key", "from", "to", "segment", "city", "name", "phone", "born", "current")


def _compare_life(key: str, rows: Rows, said: list[EntityEvent]) -> str:
    instants = sorted({one.event.sequence for one in said})
    lived = [state for instant in instants if (state := company_at(key, instant, said))]
    for number, row in enumerate(rows):
        wanted = (
            expected_key(key, row[2] if number else None),
            lived[-1][2],
            lived[-1][3],
            lived[0][0],
            row[3] == OPEN,
        )
        if (row[1], *row[6:]) != wanted:
            return f"version {number + 1} should have key, name, phone, born and current {wanted}\n{_render_life(rows)}"
    for before, after in itertools.pairwise(rows):
        if before[3] > after[2] or (before[3] == after[2] and before[4:6] == after[4:6]):
            return f"versions overlap, or touch and do not differ\n{_render_life(rows)}"
    for instant in instants:
        state = company_at(key, instant, said)
        there = [row[4:6] for row in rows if row[2] <= instant < row[3]]
        if there != ([state[:2]] if state else []):
            return f"at {instant} expected {state[:2] if state else 'nothing'}\n{_render_life(rows)}"
    return ""


def _render_life(rows: Rows) -> str:
    return "found\n" + render_table(LIFE, _name_columns(LIFE, rows))


def _name_columns(names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(names, row, strict=True)) for row in rows)


def check_overwritten(ground: SelfTestTenants, batches: Batches[Event]) -> str:
    """Whether what is overwritten stands on all versions as it was said last."""
    warehouse = ground.shared_tenant("history", lambda made: migrate_tables(made, THING))
    for batch in batches:
        merge_events(warehouse, batch)
    events = flatten(batches)
    for rows in read_lives(warehouse, events):
        if len({row[4] for row in rows}) > 1:
            return f"found\n{render_versions(sorted(rows, key=lambda row: row[SILVER_FROM]))}"
    return find_difference(warehouse, events)
