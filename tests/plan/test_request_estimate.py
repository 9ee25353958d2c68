from __future__ import annotations

from dataclasses import replace

import pytest

from headwater.model.resource import Count
from headwater.plan.request_estimate import describe_requests, estimate_requests
from headwater.plan.state import FeedState
from headwater.plan.step import Extract
from headwater.wire.paging.page_number import PageNumber
from tests.plan.builders import DAY, UNTIL, make_batch, make_read_state


def make_state(name: str, **changed: object) -> FeedState:
    state = make_read_state(name, UNTIL - DAY / 24)
    return replace(state, resource=state.resource.model_copy(update=changed))


def estimate(read: Extract, state: FeedState, rows: int = 1) -> int:
    return estimate_requests([read], {read.batch.feed: state}, {read.batch.id: rows})["psa"]


@pytest.mark.parametrize(
    ("purpose", "count", "rows", "expected"),
    [
        ("changes", None, 1, 1),
        ("changes", Count(path="count"), 1, 1),
        ("sweep", None, 2_001, 3),
        ("sweep", Count(path="count"), 2_001, 4),
        ("sweep", Count(path="count"), 0, 2),
    ],
)
def test_a_read_needs_pages_and_a_count(purpose, count, rows, expected):
    state = make_state("tickets", count=count, paging=PageNumber(kind="page_number", size=1000))
    read = Extract(batch=make_batch("tickets", UNTIL - DAY, UNTIL, purpose=purpose))
    assert estimate(read, state, rows) == expected


def test_below_parents_the_ones_that_are_due_count():
    state = make_state("additions", paging=None, count=Count(path="count"))
    read = Extract(batch=make_batch("additions", UNTIL - DAY, UNTIL), parent="agreements")
    assert estimate(read, state) == len(state.parents) > 1
    assert estimate(replace(read, unchanged_by=UNTIL - DAY), state) == 1
    sweep = Extract(batch=make_batch("additions", UNTIL - DAY, UNTIL, purpose="sweep"), parent="agreements")
    assert estimate(sweep, state) == 2 * len(state.parents)


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        (1, "psa: at least 1 request, within a minute"),
        (61, "psa: at least 61 requests, which take at least 2 minutes at 60 a minute"),
        (6_000, "psa: at least 6,000 requests, which take at least 100 minutes at 60 a minute"),
    ],
)
def test_the_note_says_how_long_the_limits_make_them_last(requests, text):
    assert describe_requests("psa", requests, per_minute=60) == text
