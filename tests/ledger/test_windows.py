from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.ledger.sql.ledger import SqlLedger
from headwater.windows import merge_windows
from tests.ledger.builders import NOON, extract_batch, make_batch, make_feed, make_window


def test_a_year_of_hourly_runs_is_one_window(ledger: SqlLedger) -> None:
    for hour in range(48):
        extract_batch(ledger, make_batch(hour, hour + 1))
    assert ledger.list_windows(make_feed()) == (make_window(0, 48),)


def test_a_gap_stays_a_gap_until_it_is_read(ledger: SqlLedger) -> None:
    extract_batch(ledger, make_batch(0, 1))
    extract_batch(ledger, make_batch(2, 3))
    assert ledger.list_windows(make_feed()) == (make_window(0, 1), make_window(2, 3))
    extract_batch(ledger, make_batch(1, 2))
    assert ledger.list_windows(make_feed()) == (make_window(0, 3),)


def test_a_window_is_committed_only_when_it_was_read_to_the_end(ledger: SqlLedger) -> None:
    ledger.begin_batch(make_batch())
    assert ledger.list_windows(make_feed()) == ()


def test_sweeps_and_snapshots_commit_no_window(ledger: SqlLedger) -> None:
    for purpose in ("sweep", "snapshot"):
        extract_batch(ledger, make_batch(purpose=purpose))
    assert ledger.list_windows(make_feed()) == ()


def test_the_beginning_of_time_survives(ledger: SqlLedger) -> None:
    parcel = create_batch(make_feed(), Window(since=EPOCH, until=NOON))
    extract_batch(ledger, parcel)
    assert ledger.list_windows(make_feed())[0].is_unbounded


def test_each_parent_has_its_own_windows(ledger: SqlLedger) -> None:
    first = create_batch(make_feed(), make_window(0, 1))
    row = ledger.begin_batch(first, parents=["7", "3", "7"])
    assert row.parents == ("7", "3")
    ledger.commit_window(first)
    second = create_batch(make_feed(), make_window(1, 2))
    ledger.begin_batch(second, parents=["3", "9"])
    ledger.commit_window(second)
    assert ledger.list_windows_by_parent(make_feed()) == {
        "3": (make_window(0, 2),),
        "7": (make_window(0, 1),),
        "9": (make_window(1, 2),),
    }
    assert ledger.list_windows(make_feed(), parent="7") == (make_window(0, 1),)
    assert ledger.list_windows(make_feed()) == ()
    assert ledger.list_batches("acme")[1].parents == ("3", "9")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlLedger]:
    path: Path = tmp_path_factory.mktemp("windows")
    ledger = SqlLedger("sqlite:///ledger.db", root=path)
    yield ledger
    ledger.close()


FRESH = count()
SPANS = st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda span: make_window(span[0], span[0] + span[1]))


@settings(max_examples=60, deadline=None)
@given(spans=st.lists(SPANS, max_size=6))
def test_what_is_committed_is_the_union_whatever_the_order(shared: SqlLedger, spans: list[Window]) -> None:
    own = Feed(tenant=f"t{next(FRESH)}", connection="psa", resource="tickets")
    for span in spans:
        parcel = create_batch(own, span)
        shared.begin_batch(parcel)
        shared.commit_window(parcel)
    assert shared.list_windows(own) == merge_windows(spans)


def test_to_look_for_windows_of_a_wrong_clock_waits_for_no_writer(
    ledger: SqlLedger, ledger_url: str, tmp_path: Path
) -> None:
    extract_batch(ledger, make_batch(0, 1))
    with closing(SqlLedger(ledger_url, root=tmp_path)) as other, other._database.write(make_feed().tenant):
        assert ledger.discard_windows(make_feed(), later_than=make_window(0, 1).until, ahead=None) == ()
    assert ledger.discard_windows(make_feed(), later_than=make_window(0, 1).since, ahead=None)
    assert ledger.list_windows(make_feed()) == ()
