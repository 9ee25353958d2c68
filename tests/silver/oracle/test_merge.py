"""Sets of events, merged in any order, batching and repetition, against the oracle; every column, on every engine.

HEADWATER_EXAMPLES raises how many sets are drawn.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.silver.merge.merge import merge
from tests.silver.oracle.event import Event, sort_values
from tests.silver.oracle.fold import build_versions
from tests.silver.oracle.stage import (
    NAMES,
    OVERWRITTEN,
    WIDGET,
    hash_values,
    open_warehouse,
    read_stored,
    stage_events,
    to_stored_rows,
)

EXAMPLES = int(os.environ.get("HEADWATER_EXAMPLES", "30"))
TOGETHER = 10
"""How many sets share a merge: keys do not know of each other."""
MANY = settings(max_examples=-(-EXAMPLES // TOGETHER), deadline=None, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.timeout(max(300, 30 * EXAMPLES))
NUMBERS = itertools.count(1)
OBSERVED = range(10, 17)
KNOWN = {
    "shop.a": st.fixed_dictionaries(
        {}, optional={"name": st.sampled_from([None, "", "a", "b"]), "size": st.sampled_from([None, 0, 1])}
    ),
    "shop.b": st.fixed_dictionaries(
        {}, optional={"note": st.sampled_from([None, "", "x", "y"]), "size": st.sampled_from([None, 0, 1])}
    ),
}


@st.composite
def draw_sighting(draw: st.DrawFn) -> Event:
    """One observation of one event, by one batch."""
    operation, source = draw(st.sampled_from("UUUUDAAP")), draw(st.sampled_from(sorted(KNOWN)))
    values = sort_values(draw(KNOWN[source]) if operation == "U" else {})
    observed = draw(st.sampled_from(OBSERVED))
    place = draw(st.integers(0, 3)) if operation != "P" else -1
    return Event(
        key=draw(st.sampled_from(["p:1", "p:2"])),
        sequence=draw(st.integers(1, 7)),
        operation=operation,
        source=source,
        values=values,
        observed=observed,
        place=place,
        first_observed=observed,
        batch=f"b{observed}{draw(st.sampled_from('xy'))}",
        hash=hash_values(values),
    )


SETS = st.lists(draw_sighting(), min_size=1, max_size=14)
SIZES = st.lists(st.integers(1, 5), max_size=5)


def cut(events, sizes):
    rest = list(events)
    parts = []
    for size in sizes:
        parts, rest = [*parts, rest[:size]], rest[size:]
    return [part for part in (*parts, rest) if part]


@pytest.fixture(scope="module")
def warehouse(engine):
    with open_warehouse(engine) as warehouse:
        yield warehouse


def copy_to_connection(events, number):
    """The same events of another connection."""
    return [replace(one, key=f"p{number}{one.key[1:]}") for one in events]


def check(warehouse, sets, parts_of_each, *, in_order=False):
    """Merged in those parts, each set of events is the history of the oracle. The sets share each merge."""
    numbers = [next(NUMBERS) for _ in sets]
    for parts in itertools.zip_longest(*parts_of_each, fillvalue=()):
        events = [one for number, part in zip(numbers, parts, strict=True) for one in copy_to_connection(part, number)]
        merge(warehouse, WIDGET, stage_events(warehouse, events), in_order=in_order)
    for number, events in zip(numbers, sets, strict=True):
        assert read_stored(warehouse, f"p{number}") == to_stored_rows(
            build_versions(copy_to_connection(events, number), NAMES, OVERWRITTEN)
        )


@MANY
@given(sets=st.lists(st.tuples(SETS, SIZES, st.randoms(use_true_random=False)), min_size=TOGETHER, max_size=TOGETHER))
def test_any_order_batching_and_repetition_of_events_is_the_history_of_the_oracle(warehouse, sets):
    parts_of_each = []
    for events, sizes, chance in sets:
        shuffled = [*events, *chance.choices(events, k=chance.randint(0, 4))]
        chance.shuffle(shuffled)
        parts_of_each.append(cut(shuffled, sizes))
    check(warehouse, [events for events, _, _ in sets], parts_of_each)


@MANY
@given(sets=st.lists(SETS, min_size=TOGETHER, max_size=TOGETHER))
def test_events_in_the_order_of_their_reads_are_the_history_of_the_oracle(warehouse, sets):
    """Each read is one merge that says that nothing was observed before."""
    once = [[replace(one, batch=f"b{one.observed}") for one in events] for events in sets]
    reads = [[[one for one in events if one.observed == observed] for observed in OBSERVED] for events in once]
    check(warehouse, once, reads, in_order=True)
