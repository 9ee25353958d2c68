"""The promises of gold (DESIGN, section 7), and those invariants that the star keeps."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from headwater.testing.conformance.history import generate
from headwater.testing.conformance.history.suite import render_batches as shown_history
from headwater.testing.conformance.property import PropertyCheck
from headwater.testing.conformance.shrink import Batches
from headwater.testing.conformance.star import checks
from headwater.testing.conformance.star import rebuild_checks as whole
from headwater.testing.conformance.star.generate import (
    draw_company,
    draw_owners,
    draw_work,
    draw_work_before_members,
    relabel_keys,
)
from headwater.testing.conformance.star.load import EntityEvent
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table

WHOLE = 0.06
"""The whole star has tenants of its own for each example: a few are enough."""


def render_batches(batches: Batches[EntityEvent]) -> str:
    """An example, drawn: a table for each entity, with the columns that anything is said of."""
    said = [(number, one) for number, batch in enumerate(batches, 1) for one in batch]
    pictures = []
    for entity in dict.fromkeys(one.entity for _, one in said):
        rows = [
            {
                "arrives": number,
                "key": one.event.key,
                "at": one.event.sequence,
                "op": one.event.operation,
                **one.event.values,
            }
            for number, one in said
            if one.entity == entity
        ]
        used = [
            name
            for name in dict.fromkeys(name for row in rows for name in row)
            if any(_is_given(row, name) for row in rows)
        ]
        pictures.append(f"{entity}\n{render_table(used, rows)}")
    return "\n".join(pictures)


def _is_given(row: dict[str, object], name: str) -> bool:
    return row.get(name) is not None


def _make_check(
    name: str,
    promise: str,
    check: Callable[[SelfTestTenants, Batches[EntityEvent]], str],
    drawn: Callable[[Random], Batches[EntityEvent]],
    part: float,
) -> PropertyCheck[EntityEvent]:
    return PropertyCheck(
        name=name, promise=promise, draw=drawn, check=check, relabel=relabel_keys, show=render_batches, part=part
    )


OVERWRITTEN = PropertyCheck(
    name="6",
    promise="what is overwritten is the newest value on all versions",
    draw=generate.draw_any_order,
    check=checks.check_overwritten,
    relabel=generate.relabel_keys,
    show=shown_history,
)

STAR: tuple[PropertyCheck[EntityEvent], ...] = (
    _make_check(
        "6-star", "T1 is the last value, T0 the first, T2 what the events say", checks.check_members, draw_owners, 0.6
    ),
    _make_check("14-star", "the same star as DuckDB in memory", whole.check_like_duckdb, draw_company, WHOLE),
    _make_check(
        "point-in-time", "a fact points at the version of its instant", checks.check_point_in_time, draw_work, 0.6
    ),
    _make_check(
        "inferred",
        "a member met early keeps its key when it comes",
        checks.check_early_members,
        draw_work_before_members,
        0.4,
    ),
    _make_check(
        "re-pointing", "late news point anew exactly the facts they change", checks.check_repointing, draw_work, 0.4
    ),
    _make_check(
        "stable-keys",
        "a star that grew is the one made at once, key for key",
        whole.check_same_keys,
        draw_company,
        WHOLE,
    ),
    _make_check("star-replay", "a replay writes nothing to gold", whole.check_replay, draw_company, WHOLE),
    _make_check("star-rebuild", "a rebuild of gold is identical", whole.check_rebuild, draw_company, WHOLE),
    _make_check(
        "reserved", "every key resolves; -1, -2 and -3 mean what they should", whole.check_reserved, draw_company, WHOLE
    ),
)
