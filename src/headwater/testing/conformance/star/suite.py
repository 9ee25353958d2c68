"""The guarantees of gold, and the invariants that concern the star schema."""

from __future__ import annotations

from collections.abc import Callable

from headwater.testing.conformance.batches import Batches
from headwater.testing.conformance.draw import Draw
from headwater.testing.conformance.property_check import PropertyCheck
from headwater.testing.conformance.star import checks, rebuild_checks, strategies
from headwater.testing.conformance.star.load import EntityEvent
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table

WHOLE = 0.06
"""The part of the examples for a whole star schema. Each one has its own tenants, so it is expensive."""


def render_batches(batches: Batches[EntityEvent]) -> str:
    """An example as a table for each entity, with the columns that have a value."""
    items = [(number, item) for number, batch in enumerate(batches, 1) for item in batch]
    tables = []
    for entity in dict.fromkeys(item.entity for _, item in items):
        rows = [_to_row(number, item) for number, item in items if item.entity == entity]
        names = dict.fromkeys(name for row in rows for name in row)
        columns = [name for name in names if any(row.get(name) is not None for row in rows)]
        tables.append(f"{entity}\n{render_table(columns, rows)}")
    return "\n".join(tables)


def _to_row(number: int, item: EntityEvent) -> dict[str, object]:
    event = item.event
    return {"arrives": number, "key": event.key, "at": event.sequence, "op": event.operation, **event.values}


def _make_check(
    name: str,
    promise: str,
    find_difference: Callable[[SelfTestTenants, Batches[EntityEvent]], str],
    draw_example: Callable[[Draw], Batches[EntityEvent]] = strategies.draw_company,
    part: float = WHOLE,
) -> PropertyCheck[EntityEvent]:
    return PropertyCheck(
        name=name,
        promise=promise,
        draw_example=draw_example,
        find_difference=find_difference,
        relabel=strategies.relabel_keys,
        render=render_batches,
        part=part,
    )


STAR: tuple[PropertyCheck[EntityEvent], ...] = (
    _make_check(
        "6-star",
        "T1 is the last value, T0 the first, T2 what the events say",
        checks.check_companies,
        strategies.draw_owners,
        0.6,
    ),
    _make_check("14-star", "the same star as DuckDB in memory", rebuild_checks.check_like_duckdb),
    _make_check(
        "point-in-time",
        "a fact points at the version of its instant",
        checks.check_point_in_time,
        strategies.draw_work,
        0.6,
    ),
    _make_check(
        "inferred",
        "a member met early keeps its key when it comes",
        checks.check_inferred,
        strategies.draw_work_before_members,
        0.4,
    ),
    _make_check(
        "re-pointing",
        "late news point anew exactly the facts they change",
        checks.check_repointing,
        strategies.draw_work,
        0.4,
    ),
    _make_check("stable-keys", "a star that grew is the one made at once, key for key", rebuild_checks.check_same_keys),
    _make_check("star-replay", "a replay writes nothing to gold", rebuild_checks.check_replay),
    _make_check("star-rebuild", "a rebuild of gold is identical", rebuild_checks.check_rebuild),
    _make_check("reserved", "every key resolves; -1, -2 and -3 mean what they should", rebuild_checks.check_reserved),
)
"""The checks that draw examples."""
