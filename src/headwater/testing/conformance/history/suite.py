"""The invariants of history that chance can try, by their numbers (DESIGN, section 6)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from headwater.testing.conformance.history import checks, generate
from headwater.testing.conformance.history.entity import COLUMNS
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.property import PropertyCheck
from headwater.testing.conformance.shrink import Batches
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import render_table


def render_batches(batches: Batches[Event]) -> str:
    """An example, drawn: batch after batch, `...` where an event does not say anything of a column."""
    names = ("arrives", "key", "at", "op", *(name for name in (*COLUMNS, "colour") if name != "thing_id"))
    rows = [
        {"arrives": number, "key": event.key, "at": event.sequence, "op": event.operation, **event.values}
        for number, batch in enumerate(batches, 1)
        for event in batch
    ]
    used = [name for name in names if name != "colour" or any(name in row for row in rows)]
    return render_table(used, rows)


def _make_check(
    name: str,
    promise: str,
    check: Callable[[SelfTestTenants, Batches[Event]], str],
    drawn: Callable[[Random], Batches[Event]] = generate.draw_any_order,
    part: float = 1.0,
) -> PropertyCheck[Event]:
    return PropertyCheck(
        name=name,
        promise=promise,
        draw=drawn,
        check=check,
        relabel=generate.relabel_keys,
        show=render_batches,
        part=part,
    )


HISTORY: tuple[PropertyCheck[Event], ...] = (
    _make_check("1", "any order, batching or repetition of events gives the oracle's history", checks.check_oracle),
    _make_check("1-in-order", "so does the order in which they happened", checks.check_oracle, generate.draw_in_order),
    _make_check("1-at-once", "so do several merges in one transaction", checks.check_one_transaction),
    _make_check("2", "replaying any batch writes no row", checks.check_replay),
    _make_check("3", "versions are non-empty and disjoint, at most one current", checks.check_disjoint),
    _make_check("4", "versions that touch differ in a tracked column", checks.check_touching),
    _make_check("5", "as of an instant is the fold of the log up to it", checks.check_as_of, part=0.4),
    _make_check(
        "7", "NULL, '' and absent stay three things", checks.check_null_and_empty, generate.draw_null_and_empty
    ),
    _make_check(
        "8", "a delete closes, a second is nothing, an update reopens", checks.check_stretches, generate.draw_stretches
    ),
    _make_check("9", "a rebuild is identical to what grew", checks.check_rebuild),
    _make_check("10", "a further column makes no version", checks.check_new_column, generate.draw_new_column, 0.03),
    _make_check("11", "no tenant's rows move when another's do", checks.check_neighbours, generate.draw_two_batches),
    _make_check(
        "13", "rows written are bounded by the affected keys", checks.check_write_bound, generate.draw_two_batches
    ),
    _make_check("14", "the same rows as DuckDB in memory", checks.check_like_duckdb),
)
"""In the order of their numbers; 6 is told with the star, 12 needs a process to kill."""
