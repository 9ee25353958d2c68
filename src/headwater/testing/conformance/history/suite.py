"""The invariants of history that chance can try, by their numbers (DESIGN, section 6)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from headwater.testing.conformance.history import checks, generate
from headwater.testing.conformance.history.entity import COLUMNS
from headwater.testing.conformance.history.oracle import Seen
from headwater.testing.conformance.property import Property
from headwater.testing.conformance.shrink import Batches
from headwater.testing.conformance.tenants import Ground
from headwater.testing.tables import draw


def shown(batches: Batches[Seen]) -> str:
    """An example, drawn: batch after batch, `...` where an event does not say anything of a column."""
    names = ("arrives", "key", "at", "op", *(name for name in (*COLUMNS, "colour") if name != "thing_id"))
    rows = [
        {"arrives": number, "key": event.key, "at": event.sequence, "op": event.operation, **event.values}
        for number, batch in enumerate(batches, 1)
        for event in batch
    ]
    used = [name for name in names if name != "colour" or any(name in row for row in rows)]
    return draw(used, rows)


def _line(
    name: str,
    promise: str,
    check: Callable[[Ground, Batches[Seen]], str],
    drawn: Callable[[Random], Batches[Seen]] = generate.in_any_order,
    part: float = 1.0,
) -> Property[Seen]:
    return Property(name=name, promise=promise, draw=drawn, check=check, apart=generate.apart, show=shown, part=part)


HISTORY: tuple[Property[Seen], ...] = (
    _line("1", "any order, batching or repetition of events gives the oracle's history", checks.like_the_oracle),
    _line("1-in-order", "so does the order in which they happened", checks.like_the_oracle, generate.as_they_happened),
    _line("1-at-once", "so do several merges in one transaction", checks.in_one_transaction),
    _line("2", "replaying any batch writes no row", checks.replayed),
    _line("3", "versions are non-empty and disjoint, at most one current", checks.disjoint),
    _line("4", "versions that touch differ in a tracked column", checks.different_where_they_touch),
    _line("5", "as of an instant is the fold of the log up to it", checks.as_of, part=0.4),
    _line("7", "NULL, '' and absent stay three things", checks.nothing_is_not_empty, generate.nothing_empty_or_absent),
    _line(
        "8", "a delete closes, a second is nothing, an update reopens", checks.stretches, generate.comings_and_goings
    ),
    _line("9", "a rebuild is identical to what grew", checks.rebuilt),
    _line("10", "a further column makes no version", checks.widened, generate.coloured_later, 0.03),
    _line("11", "no tenant's rows move when another's do", checks.neighbours, generate.two_batches),
    _line("13", "rows written are bounded by the affected keys", checks.bounded, generate.two_batches),
    _line("14", "the same rows as DuckDB in memory", checks.like_duckdb),
)
"""In the order of their numbers; 6 is told with the star, 12 needs a process to kill."""
