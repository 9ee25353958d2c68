"""The checks of a whole star schema, each in its own tenant: keys, replays, rebuilds and reserved members."""

from __future__ import annotations

from headwater.gold.change_feed import drop_table
from headwater.model.tables import list_in_build_order, name_table
from headwater.testing.conformance.batches import Batches, flatten
from headwater.testing.conformance.star.compare import (
    compare_stars,
    find_duplicate_key,
    find_unresolved_key,
    read_comparable,
)
from headwater.testing.conformance.star.load import EntityEvent, build_star, create_tables, merge_all
from headwater.testing.conformance.star.model import STAR
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.base import Warehouse


def _build_incrementally(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> Warehouse:
    """The whole star schema in a new tenant, updated after every batch."""
    warehouse = create_tables(tenants.create_tenant())
    build_star(warehouse)
    for batch in batches:
        merge_all(warehouse, batch)
        build_star(warehouse)
    return warehouse


def check_same_keys(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Incremental builds give the same star schema as one build of all events, with the same keys."""
    incremental, full = _build_incrementally(tenants, batches), create_tables(tenants.create_tenant())
    merge_all(full, flatten(batches))
    build_star(full)
    difference = compare_stars(
        "in the incremental builds", read_comparable(incremental), "in the full build", read_comparable(full)
    )
    difference = difference or find_duplicate_key(incremental)
    for warehouse in (incremental, full):
        tenants.erase(warehouse.tenant)
    return difference


def check_replay(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """All batches, merged and built again, write nothing."""
    warehouse = _build_incrementally(tenants, batches)
    before = read_comparable(warehouse)
    for batch in batches:
        merge_all(warehouse, batch)
    result = build_star(warehouse)
    difference = f"a replay wrote {result.inserted} rows and deleted {result.deleted}" if result.rows else ""
    difference = difference or compare_stars("before the replay", before, "after it", read_comparable(warehouse))
    tenants.erase(warehouse.tenant)
    return difference


def check_rebuild(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """A rebuild in place writes nothing, and tables that are dropped and built again have the same rows."""
    warehouse = _build_incrementally(tenants, batches)
    before, result = read_comparable(warehouse), build_star(warehouse, rebuild=True)
    difference = f"a rebuild wrote {result.inserted} rows and deleted {result.deleted}" if result.rows else ""
    for table in reversed(list_in_build_order(STAR.declarations)):
        drop_table(warehouse, name_table(table))
    build_star(warehouse)
    difference = difference or compare_stars("before the rebuild", before, "after it", read_comparable(warehouse))
    tenants.erase(warehouse.tenant)
    return difference


RESERVED = [(-3,), (-2,), (-1,)]


def check_reserved(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """Every dimension has its three reserved members, and every key of a fact refers to the expected row."""
    warehouse = _build_incrementally(tenants, batches)
    difference = find_unresolved_key(warehouse)
    for name in STAR.declarations.dimensions:
        members = warehouse.rows(f"SELECT {name}_key FROM gold.dim_{name} WHERE {name}_key < 0 ORDER BY 1")
        if members != RESERVED:
            difference = difference or f"dim_{name} should have the reserved members -3, -2 and -1, and has {members}"
    difference = difference or _find_wrong_reserved_key(warehouse)
    tenants.erase(warehouse.tenant)
    return difference


def _find_wrong_reserved_key(warehouse: Warehouse) -> str:
    """The first wrong key for a missing reference, one that does not apply, or a day outside the calendar, in words."""
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


def check_like_duckdb(tenants: SelfTestTenants, batches: Batches[EntityEvent]) -> str:
    """The whole star schema is the same as in an in-memory DuckDB."""
    reference = tenants.open_reference()
    create_tables(reference)
    for batch in batches:
        merge_all(reference, batch)
    build_star(reference)
    warehouse = _build_incrementally(tenants, batches)
    difference = compare_stars("DuckDB has", read_comparable(reference), "found", read_comparable(warehouse))
    reference.close()
    tenants.erase(warehouse.tenant)
    return difference
