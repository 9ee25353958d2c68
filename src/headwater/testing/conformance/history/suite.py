"""The invariants of history that random examples can test, by number."""

from __future__ import annotations

from collections.abc import Callable

from headwater.testing.conformance.batches import Batches
from headwater.testing.conformance.draw import Draw
from headwater.testing.conformance.history import checks, strategies
from headwater.testing.conformance.history.entity import COLUMNS
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.property_check import PropertyCheck
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table


def render_batches(batches: Batches[Event]) -> str:
    """An example as a table, batch by batch, with `...` for a column that an event does not have."""
    names = ("arrives", "key", "at", "op", *(name for name in (*COLUMNS, "colour") if name != "thing_id"))
    rows = [
        {"arrives": number, "key": event.key, "at": event.sequence, "op": event.operation, **event.values}
        for number, batch in enumerate(batches, 1)
        for event in batch
    ]
    columns = [name for name in names if name != "colour" or any(name in row for row in rows)]
    return render_table(columns, rows)


def _make_check(
    name: str,
    promise: str,
    find_difference: Callable[[SelfTestTenants, Batches[Event]], str],
    draw_example: Callable[[Draw], Batches[Event]] = strategies.draw_any_order,
    part: float = 1.0,
) -> PropertyCheck[Event]:
    return PropertyCheck(
        name=name,
        promise=promise,
        draw_example=draw_example,
        find_difference=find_difference,
        relabel=strategies.relabel_keys,
        render=render_batches,
        part=part,
    )


HISTORY: tuple[PropertyCheck[Event], ...] = (
    _make_check("1", "any order, batching or repetition of events gives the oracle's history", checks.check_oracle),
    _make_check(
        "1-in-order", "so does the order in which they happened", checks.check_oracle, strategies.draw_in_order
    ),
    _make_check("1-at-once", "so do several merges in one transaction", checks.check_one_transaction),
    _make_check("1-reads", "so do reads without what they only repeat", checks.check_reads, strategies.draw_reads),
    _make_check("2", "replaying any batch writes no row", checks.check_replay),
    _make_check("2-reads", "reading the same again writes no row", checks.check_same_read, strategies.draw_reads),
    _make_check("3", "versions are non-empty and disjoint, at most one current", checks.check_disjoint),
    _make_check("4", "versions that touch differ in a tracked column", checks.check_adjacent),
    _make_check("5", "as of an instant is the fold of the log up to it", checks.check_as_of, part=0.4),
    _make_check("6", "what is overwritten is the newest value on all versions", checks.check_overwritten),
    _make_check(
        "7", "NULL, '' and absent stay three things", checks.check_null_and_empty, strategies.draw_null_and_empty
    ),
    _make_check(
        "8",
        "a delete closes, a second is nothing, an update reopens",
        checks.check_intervals,
        strategies.draw_intervals,
    ),
    _make_check("9", "a rebuild is identical to what grew", checks.check_rebuild),
    _make_check("10", "a further column makes no version", checks.check_new_column, strategies.draw_new_column, 0.03),
    _make_check("11", "no tenant's rows move when another's do", checks.check_isolation, strategies.draw_two_batches),
    _make_check(
        "13", "rows written are bounded by the affected keys", checks.check_write_bound, strategies.draw_two_batches
    ),
    _make_check("14", "the same rows as DuckDB in memory", checks.check_like_duckdb),
)
"""In the order of their numbers. 12 is `CrashCheck`, which needs a process to kill."""
