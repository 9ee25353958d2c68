"""The window algebra, compared with sets of small integers."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.batch import Window
from headwater.clock import EPOCH
from headwater.windows import find_missing_windows, merge_windows, split_window

HOUR = timedelta(hours=1)


def build_window(since: int, until: int) -> Window:
    return Window(since=EPOCH + since * HOUR, until=EPOCH + until * HOUR)


def list_hours(windows) -> set[int]:
    return {hour for w in windows for hour in range((w.since - EPOCH) // HOUR, (w.until - EPOCH) // HOUR)}


spans = st.tuples(st.integers(0, 30), st.integers(1, 12)).map(lambda pair: build_window(pair[0], pair[0] + pair[1]))


@given(st.lists(spans, max_size=12))
def test_merging_keeps_the_instants_and_leaves_gaps_between(windows):
    result = merge_windows(windows)
    assert list_hours(result) == list_hours(windows)
    assert all(one.until < other.since for one, other in itertools.pairwise(result))


@given(spans, st.lists(spans, max_size=12))
def test_missing_windows_are_the_requested_ones_without_the_committed_ones(requested, committed):
    result = find_missing_windows(requested, committed)
    assert list_hours(result) == list_hours([requested]) - list_hours(committed)
    assert result == merge_windows(result)


@given(spans, st.integers(1, 10), st.integers(0, 50), st.integers(0, 50))
def test_a_window_is_split_into_chunks_with_one_for_the_old_part(span, chunk, look_back, until):
    result = split_window(span, chunk=chunk * HOUR, look_back=look_back * HOUR, until=EPOCH + until * HOUR)
    assert list_hours(result) == list_hours([span])
    assert sum((w.until - w.since) // HOUR for w in result) == len(list_hours([span]))
    border = until - look_back
    young = [w for w in result if (w.since - EPOCH) // HOUR >= border]
    assert all(w.until - w.since <= chunk * HOUR for w in young)
    assert len(result) - len(young) <= 1
    assert all((w.until - EPOCH) // HOUR <= border for w in result if w not in young)


def test_all_of_history_is_one_old_window_and_chunks():
    requested = Window(since=EPOCH, until=EPOCH + timedelta(days=1000))
    result = split_window(requested, chunk=timedelta(days=30), look_back=timedelta(days=90), until=requested.until)
    assert [(w.until - w.since).days for w in result] == [910, 30, 30, 30]


def test_a_look_back_beyond_year_1_splits_everything():
    requested = build_window(0, 4)
    result = split_window(requested, chunk=2 * HOUR, look_back=timedelta(days=999_999), until=requested.until)
    assert result == (build_window(0, 2), build_window(2, 4))


def test_an_empty_chunk_is_refused():
    with pytest.raises(ValueError, match="longer than zero"):
        split_window(build_window(0, 1), chunk=timedelta(0), look_back=HOUR, until=EPOCH)
