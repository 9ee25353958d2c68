"""What a set of events means, worked out by hand."""

from __future__ import annotations

import itertools

from tests.silver.oracle.event import Event, build_log, sort_values
from tests.silver.oracle.fold import build_versions


def make_event(operation, sequence, source="a", observed=0, place=0, batch="1", **values):
    content = sort_values(values)
    place = -1 if operation == "P" else place
    return Event("k", sequence, operation, source, content, observed, place, observed, batch)


def fold_in_every_order(events, over=(), names=("n", "m")):
    """The same for every order and repetition: from, to, values of the columns."""
    histories = {
        tuple(
            (one.valid_from, one.valid_to, *(dict(one.values)[name] for name in names))
            for one in build_versions(order, names, over)
        )
        for order in itertools.permutations([*events, events[0]], len(events) + 1)
    }
    assert len(histories) == 1
    return list(histories.pop())


def test_versions_follow_tracked_columns_and_numbers_count_them():
    versions = build_versions([make_event("U", 5, n=1), make_event("U", 6, n=1), make_event("U", 7, n=2)], ("n",))
    assert [(one.number, one.valid_from, one.valid_to, one.is_current) for one in versions] == [
        (1, 5, 7, False),
        (2, 7, None, True),
    ]


def test_what_an_event_does_not_know_is_carried_forward_across_a_gap_too():
    assert fold_in_every_order(
        [make_event("U", 5, n=1, m=1), make_event("D", 6), make_event("U", 7, source="b", m=2)]
    ) == [
        (5, 6, 1, 1),
        (7, None, 1, 2),
    ]


def test_null_is_said_and_absent_is_not():
    assert fold_in_every_order([make_event("U", 5, n=1, m=1), make_event("U", 6, n=None)]) == [
        (5, 6, 1, 1),
        (6, None, None, 1),
    ]


def test_an_overwritten_column_has_its_newest_value_everywhere():
    assert fold_in_every_order(
        [make_event("U", 5, n=1, m=1), make_event("U", 6, n=2, m=2), make_event("D", 7)], over=("m",)
    ) == [
        (5, 6, 1, 2),
        (6, 7, 2, 2),
    ]


def test_under_one_instant_observed_then_place_then_rank_decides():
    assert fold_in_every_order([make_event("U", 5, observed=2, n=1), make_event("U", 5, observed=1, place=9, n=2)]) == [
        (5, None, 1, None)
    ]
    assert fold_in_every_order([make_event("U", 5, place=1, n=1), make_event("U", 5, place=2, n=2)]) == [
        (5, None, 2, None)
    ]
    assert fold_in_every_order([make_event("U", 5, n=1), make_event("D", 5)]) == [(5, None, 1, None)]
    assert fold_in_every_order([make_event("U", 5, n=1), make_event("A", 5, observed=1)]) == []


def test_d_after_d_is_nothing_and_an_update_after_a_delete_reopens():
    assert fold_in_every_order(
        [make_event("U", 5, n=1), make_event("D", 6), make_event("D", 7), make_event("U", 8, n=1)]
    ) == [
        (5, 6, 1, None),
        (8, None, 1, None),
    ]


def test_presence_undoes_an_absence_and_never_a_delete():
    assert fold_in_every_order([make_event("U", 5, n=1), make_event("A", 6), make_event("P", 7)]) == [
        (5, 6, 1, None),
        (7, None, 1, None),
    ]
    assert fold_in_every_order([make_event("U", 5, n=1), make_event("D", 6), make_event("P", 7)]) == [(5, 6, 1, None)]
    assert fold_in_every_order(
        [make_event("U", 5, n=1), make_event("D", 6), make_event("A", 7), make_event("P", 8)]
    ) == [(5, 6, 1, None)]


def test_absence_of_one_source_closes_nothing_that_another_shows():
    two = [make_event("U", 5, n=1), make_event("U", 6, source="b", n=1), make_event("A", 7)]
    assert fold_in_every_order(two) == [(5, None, 1, None)]
    assert fold_in_every_order([*two, make_event("A", 8, source="b")]) == [(5, 8, 1, None)]


def test_presence_alone_is_no_version():
    assert fold_in_every_order([make_event("P", 5), make_event("A", 6), make_event("D", 7)]) == []


def test_a_repetition_moves_the_last_observation_and_keeps_the_first_batch():
    log = build_log([make_event("U", 5, observed=3, batch="3", n=1), make_event("U", 5, observed=1, batch="1", n=1)])
    (event,) = log
    assert (event.observed, event.first_observed, event.batch) == (3, 1, "1")
