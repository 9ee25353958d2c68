"""How a whole star is held against its promises, in a tenant of its own: keys, replays, rebuilds and reserved members."""

from __future__ import annotations

from headwater.gold.change_feed import drop
from headwater.model.tables import list_in_build_order, table_name
from headwater.testing.conformance.shrink import Batches, flat
from headwater.testing.conformance.star.compare import comparable, doubled_keys, lost_keys, unlike
from headwater.testing.conformance.star.load import Said, build, prepare, put_all
from headwater.testing.conformance.star.model import STAR
from headwater.testing.conformance.tenants import Ground
from headwater.warehouse.base import Warehouse


def _grown(ground: Ground, batches: Batches[Said]) -> Warehouse:
    """The whole star in a tenant of its own, brought up to date after every batch."""
    warehouse = prepare(ground.fresh())
    build(warehouse)
    for batch in batches:
        put_all(warehouse, batch)
        build(warehouse)
    return warehouse


def same_keys(ground: Ground, batches: Batches[Said]) -> str:
    """Whether a star that grew is the one made at once of all events, key for key."""
    grown, anew = _grown(ground, batches), prepare(ground.fresh())
    put_all(anew, flat(batches))
    build(anew)
    found = unlike("in what grew", comparable(grown), "in what was made at once", comparable(anew))
    found = found or doubled_keys(grown)
    for warehouse in (grown, anew):
        ground.erase(warehouse.tenant)
    return found


def replayed(ground: Ground, batches: Batches[Said]) -> str:
    """Whether all batches, merged and built once more, write nothing."""
    warehouse = _grown(ground, batches)
    before = comparable(warehouse)
    for batch in batches:
        put_all(warehouse, batch)
    done = build(warehouse)
    found = f"a replay wrote {done.inserted} rows and deleted {done.deleted}" if done.rows else ""
    found = found or unlike("before the replay", before, "after it", comparable(warehouse))
    ground.erase(warehouse.tenant)
    return found


def rebuilt(ground: Ground, batches: Batches[Said]) -> str:
    """Whether a rebuild in place writes nothing, and tables made anew are what they were."""
    warehouse = _grown(ground, batches)
    before, done = comparable(warehouse), build(warehouse, rebuild=True)
    found = f"a rebuild wrote {done.inserted} rows and deleted {done.deleted}" if done.rows else ""
    for table in reversed(list_in_build_order(STAR.declarations)):
        drop(warehouse, table_name(table))
    build(warehouse)
    found = found or unlike("before the rebuild", before, "after it", comparable(warehouse))
    ground.erase(warehouse.tenant)
    return found


RESERVED = [(-3,), (-2,), (-1,)]


def reserved(ground: Ground, batches: Batches[Said]) -> str:
    """Whether every dimension has its three reserved members, and every key of a fact a row that it should mean."""
    warehouse = _grown(ground, batches)
    found = lost_keys(warehouse)
    for name in STAR.declarations.dimensions:
        there = warehouse.rows(f"SELECT {name}_key FROM gold.dim_{name} WHERE {name}_key < 0 ORDER BY 1")
        if there != RESERVED:
            found = found or f"dim_{name} should have the reserved members -3, -2 and -1, and has {there}"
    found = found or _unreserved(warehouse)
    ground.erase(warehouse.tenant)
    return found


def _unreserved(warehouse: Warehouse) -> str:
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


def like_duckdb(ground: Ground, batches: Batches[Said]) -> str:
    """Whether the whole star is the one that DuckDB in memory builds."""
    judge = ground.judging()
    prepare(judge)
    for batch in batches:
        put_all(judge, batch)
    build(judge)
    warehouse = _grown(ground, batches)
    found = unlike("DuckDB has", comparable(judge), "found", comparable(warehouse))
    judge.close()
    ground.erase(warehouse.tenant)
    return found
