"""How a whole star is held against its promises, in a tenant of its own: keys, replays, rebuilds and reserved members."""

from __future__ import annotations

from headwater.gold.change_feed import drop_table
from headwater.model.tables import list_in_build_order, name_table
from headwater.testing.conformance.shrink import Batches, flatten
from headwater.testing.conformance.star.compare import compare_stars, find_doubled_key, find_lost_key, read_comparable
from headwater.testing.conformance.star.load import EntityEvent, build_star, create_tables, merge_all
from headwater.testing.conformance.star.model import STAR
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.base import Warehouse


def _grow_star(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> Warehouse:
    """The whole star in a tenant of its own, brought up to date after every batch."""
    warehouse = create_tables(ground.create_tenant())
    build_star(warehouse)
    for batch in batches:
        merge_all(warehouse, batch)
        build_star(warehouse)
    return warehouse


def check_same_keys(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether a star that grew is the one made at once of all events, key for key."""
    grown, anew = _grow_star(ground, batches), create_tables(ground.create_tenant())
    merge_all(anew, flatten(batches))
    build_star(anew)
    found = compare_stars("in what grew", read_comparable(grown), "in what was made at once", read_comparable(anew))
    found = found or find_doubled_key(grown)
    for warehouse in (grown, anew):
        ground.erase(warehouse.tenant)
    return found


def check_replay(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether all batches, merged and built once more, write nothing."""
    warehouse = _grow_star(ground, batches)
    before = read_comparable(warehouse)
    for batch in batches:
        merge_all(warehouse, batch)
    done = build_star(warehouse)
    found = f"a replay wrote {done.inserted} rows and deleted {done.deleted}" if done.rows else ""
    found = found or compare_stars("before the replay", before, "after it", read_comparable(warehouse))
    ground.erase(warehouse.tenant)
    return found


def check_rebuild(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether a rebuild in place writes nothing, and tables made anew are what they were."""
    warehouse = _grow_star(ground, batches)
    before, done = read_comparable(warehouse), build_star(warehouse, rebuild=True)
    found = f"a rebuild wrote {done.inserted} rows and deleted {done.deleted}" if done.rows else ""
    for table in reversed(list_in_build_order(STAR.declarations)):
        drop_table(warehouse, name_table(table))
    build_star(warehouse)
    found = found or compare_stars("before the rebuild", before, "after it", read_comparable(warehouse))
    ground.erase(warehouse.tenant)
    return found


RESERVED = [(-3,), (-2,), (-1,)]


def check_reserved(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether every dimension has its three reserved members, and every key of a fact a row that it should mean."""
    warehouse = _grow_star(ground, batches)
    found = find_lost_key(warehouse)
    for name in STAR.declarations.dimensions:
        there = warehouse.rows(f"SELECT {name}_key FROM gold.dim_{name} WHERE {name}_key < 0 ORDER BY 1")
        if there != RESERVED:
            found = found or f"dim_{name} should have the reserved members -3, -2 and -1, and has {there}"
    found = found or _check_reserved_keys(warehouse)
    ground.erase(warehouse.tenant)
    return found


def _check_reserved_keys(warehouse: Warehouse) -> str:
    """What a missing key, one that does not apply and a day outside of the calendar mean."""
    lookups = (
        ("member_key", "e.member_id IS NULL", -1),
        ("approver_key", "e.approver_id IS NULL AND (e.option IS NULL OR e.option <> 'NoCharge')", -1),
        ("approver_key", "e.approver_id IS NULL AND e.option = 'NoCharge'", -2),
        ("work_date_key", "e.started_at IS NULL", -1),
        ("work_date_key", "e.started_at < TIMESTAMP '2024-01-01 00:00:00'", -3),
    )
    for column, where, key in lookups:
        wrong = warehouse.rows(
            f"SELECT f.entry_id, f.{column} FROM gold.fact_entry AS f JOIN silver.entry_current AS e "
            f"ON e.entity_key = f.entity_key WHERE {where} AND f.{column} <> {key}"
        )
        if wrong:
            return f"entry {wrong[0][0]}: where {where}, {column} should be {key} and is {wrong[0][1]}"
    return ""


def check_like_duckdb(ground: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Whether the whole star is the one that DuckDB in memory builds."""
    judge = ground.new_reference()
    create_tables(judge)
    for batch in batches:
        merge_all(judge, batch)
    build_star(judge)
    warehouse = _grow_star(ground, batches)
    found = compare_stars("DuckDB has", read_comparable(judge), "found", read_comparable(warehouse))
    judge.close()
    ground.erase(warehouse.tenant)
    return found
