from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from headwater.batch import Batch, create_batch
from headwater.errors import StateError
from headwater.ledger.base import RunOutcome
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import (
    DRIFT,
    Hands,
    extract_batch,
    land_batch,
    make_batch,
    make_feed,
    make_page,
    make_refusal,
    make_window,
)


def test_a_batch_goes_all_the_way(ledger: SqlLedger) -> None:
    parcel = make_batch()
    assert ledger.find_batch("acme", parcel.id) is None
    assert ledger.begin_batch(parcel).state == "extracting"
    ledger.record_page(parcel, make_page(1))
    ledger.record_page(parcel, make_page(2, rows=4))
    ledger.commit_window(parcel)
    ledger.record_landing(parcel, kept=13, refused=[make_refusal(parcel)], drift=[DRIFT])
    ledger.complete_batches([parcel])
    row = ledger.find_batch("acme", parcel.id)
    assert row is not None
    assert row.batch == parcel
    assert (row.state, row.rows, row.kept, row.quarantined, row.pages) == ("completed", 14, 13, 1, 2)
    assert ledger.list_pages(parcel) == (make_page(1), make_page(2, rows=4))


WRITES: list[tuple[str, Callable[[SqlLedger, Batch], object]]] = [
    ("begin", lambda ledger, parcel: ledger.begin_batch(parcel)),
    ("record", lambda ledger, parcel: ledger.record_page(parcel, make_page(1))),
    ("record two", lambda ledger, parcel: ledger.record_page(parcel, make_page(2))),
    ("forget", lambda ledger, parcel: ledger.discard_pages(parcel, after=1)),
    ("begin anew", lambda ledger, parcel: ledger.restart_batch(parcel, read_at=parcel.window.until)),
    ("record again", lambda ledger, parcel: ledger.record_page(parcel, make_page(1))),
    ("fail", lambda ledger, parcel: ledger.fail_batch(parcel, "503")),
    ("go on", lambda ledger, parcel: ledger.begin_batch(parcel)),
    ("advance", lambda ledger, parcel: ledger.commit_window(parcel)),
    (
        "land",
        lambda ledger, parcel: ledger.record_landing(parcel, kept=9, refused=[make_refusal(parcel)], drift=[DRIFT]),
    ),
    ("complete", lambda ledger, parcel: ledger.complete_batches([parcel])),
    ("reopen", lambda ledger, parcel: ledger.reopen_batches("acme")),
    ("land again", lambda ledger, parcel: ledger.record_landing(parcel, kept=10, refused=[], drift=[])),
    ("settle", lambda ledger, parcel: ledger.update_quarantine("acme", ledger.list_refused("acme"))),
    ("mark", lambda ledger, parcel: ledger.set_mark("acme", "swept", "yes")),
    ("start", lambda ledger, parcel: ledger.start_run("acme", "r1")),
    ("end", lambda ledger, parcel: ledger.end_run("acme", "r1", outcome=RunOutcome.SUCCEEDED, counts={"rows": 1})),
]


def test_every_write_repeated_changes_nothing(ledger: SqlLedger, hands: Hands) -> None:
    parcel = make_batch()
    for name, write in WRITES:
        write(ledger, parcel)
        before = dump_ledger(ledger)
        hands.sleep(60)
        write(ledger, parcel)
        assert dump_ledger(ledger) == before, name


def dump_ledger(ledger: SqlLedger) -> object:
    tenants = ledger.list_tenants()
    return (
        tenants,
        ledger.list_batches("acme"),
        [ledger.list_pages(row.batch) for row in ledger.list_batches("acme")],
        ledger.list_windows(make_feed()),
        ledger.list_refused("acme", states=()),
        ledger.list_drift("acme"),
        ledger.get_mark("acme", "swept"),
        ledger.list_runs("acme"),
    )


def test_a_failed_batch_keeps_its_pages_and_goes_on_from_where_it_was(ledger: SqlLedger) -> None:
    parcel = make_batch()
    ledger.begin_batch(parcel)
    ledger.record_page(parcel, make_page(1))
    ledger.fail_batch(parcel, "503 at page 2")
    failed = ledger.find_batch("acme", parcel.id)
    assert failed is not None
    assert (failed.state, failed.stage, failed.reason) == ("failed", "extracting", "503 at page 2")
    again = ledger.begin_batch(parcel)
    assert (again.state, again.pages, again.tries) == ("extracting", 1, 2)
    ledger.record_page(parcel, make_page(2))


def test_a_batch_that_failed_to_land_is_not_read_again(ledger: SqlLedger) -> None:
    parcel = make_batch()
    extract_batch(ledger, parcel)
    ledger.fail_batch(parcel, "disk full")
    assert ledger.begin_batch(parcel).state == "extracted"
    ledger.fail_batch(parcel, "disk full")
    ledger.record_landing(parcel, kept=10, refused=[], drift=[])
    row = ledger.find_batch("acme", parcel.id)
    assert row is not None
    assert row.state == "transformed"


def test_forgotten_pages_are_counted_no_more(ledger: SqlLedger) -> None:
    parcel = make_batch()
    ledger.begin_batch(parcel)
    for number in (1, 2, 3):
        ledger.record_page(parcel, make_page(number))
    ledger.discard_pages(parcel, after=1)
    row = ledger.find_batch("acme", parcel.id)
    assert row is not None
    assert (row.pages, row.rows) == (1, 10)
    ledger.record_page(parcel, make_page(2, rows=7))
    assert [one.rows for one in ledger.list_pages(parcel)] == [10, 7]


def test_a_page_out_of_turn_is_refused(ledger: SqlLedger) -> None:
    parcel = make_batch()
    ledger.begin_batch(parcel)
    ledger.record_page(parcel, make_page(1))
    with pytest.raises(StateError, match="recorded in order") as caught:
        ledger.record_page(parcel, make_page(3))
    assert "page 3 after 1 pages" in caught.value.details
    with pytest.raises(StateError):
        ledger.record_page(parcel, make_page(1, rows=11))
    assert ledger.list_pages(parcel) == (make_page(1),)


def test_nothing_is_recorded_of_a_batch_that_never_began(ledger: SqlLedger) -> None:
    parcel = make_batch()
    for write in (
        lambda: ledger.record_page(parcel, make_page(1)),
        lambda: ledger.commit_window(parcel),
        lambda: ledger.record_landing(parcel, kept=0, refused=[], drift=[]),
        lambda: ledger.complete_batches([parcel]),
        lambda: ledger.fail_batch(parcel, "no"),
    ):
        with pytest.raises(StateError, match="has no such batch"):
            write()


def test_a_state_cannot_be_jumped_over(ledger: SqlLedger) -> None:
    parcel = make_batch()
    ledger.begin_batch(parcel)
    with pytest.raises(StateError, match="only while"):
        ledger.record_landing(parcel, kept=0, refused=[], drift=[])
    ledger.fail_batch(parcel, "503")
    with pytest.raises(StateError, match="only while"):
        ledger.commit_window(parcel)
    ledger.begin_batch(parcel)
    ledger.commit_window(parcel)
    with pytest.raises(StateError, match="only while"):
        ledger.record_page(parcel, make_page(1))
    with pytest.raises(StateError, match="only while"):
        ledger.complete_batches([parcel])


def test_rows_read_are_rows_kept_and_rows_quarantined(ledger: SqlLedger) -> None:
    parcel = make_batch()
    extract_batch(ledger, parcel)
    with pytest.raises(StateError, match="rows kept") as caught:
        ledger.record_landing(parcel, kept=10, refused=[make_refusal(parcel)], drift=[])
    assert caught.value.details == "10 read, 10 kept, 1 quarantined"
    assert ledger.list_refused("acme") == ()


def test_completed_is_all_or_none(ledger: SqlLedger) -> None:
    first, second = make_batch(0, 1), make_batch(1, 2)
    land_batch(ledger, first)
    extract_batch(ledger, second)
    with pytest.raises(StateError):
        ledger.complete_batches([first, second])
    assert [row.state for row in ledger.list_batches("acme")] == ["transformed", "extracted"]


def test_batches_come_in_the_order_in_which_they_began(ledger: SqlLedger) -> None:
    parcels = [make_batch(hour, hour + 1) for hour in (5, 1, 3)]
    for parcel in parcels:
        ledger.begin_batch(parcel)
    ledger.begin_batch(parcels[0])
    assert [row.batch for row in ledger.list_batches("acme")] == parcels
    assert [row.batch for row in ledger.list_batches("acme", limit=2)] == parcels[1:]
    ledger.fail_batch(parcels[1], "no")
    assert [row.batch for row in ledger.list_batches("acme", states=("failed",))] == [parcels[1]]
    assert ledger.list_batches("acme", feed=make_feed("contacts")) == ()


def test_latest_is_the_newest_that_was_read_to_the_end(ledger: SqlLedger) -> None:
    assert ledger.find_latest(make_feed(), purpose="sweep") is None
    for hour in (1, 2, 3):
        ledger.begin_batch(make_batch(0, hour, purpose="sweep"))
    for hour in (1, 2):
        ledger.commit_window(make_batch(0, hour, purpose="sweep"))
    ledger.fail_batch(make_batch(0, 2, purpose="sweep"), "the guard stopped it")
    assert ledger.find_latest(make_feed(), purpose="sweep") == make_batch(0, 2, purpose="sweep")
    assert ledger.find_latest(make_feed(), purpose="snapshot") is None


def test_readings_count_how_often_a_window_was_begun(ledger: SqlLedger) -> None:
    ledger.begin_batch(make_batch(0, 1))
    ledger.begin_batch(create_batch(make_feed(), make_window(0, 1), attempt=2))
    ledger.begin_batch(make_batch(0, 1, purpose="sweep"))
    assert ledger.count_attempts(make_feed()) == {("changes", make_window(0, 1)): 2, ("sweep", make_window(0, 1)): 1}


def test_reopen_puts_back_what_was_landed(ledger: SqlLedger) -> None:
    for hour, finish in ((0, "completed"), (1, "landed"), (2, "extracted"), (3, "extracting")):
        parcel = make_batch(hour, hour + 1)
        if finish == "extracting":
            ledger.begin_batch(parcel)
        elif finish == "extracted":
            extract_batch(ledger, parcel)
        else:
            land_batch(ledger, parcel)
        if finish == "completed":
            ledger.complete_batches([parcel])
    assert ledger.reopen_batches("acme", make_feed("contacts")) == 0
    assert ledger.reopen_batches("acme", make_feed()) == 2
    assert [row.state for row in ledger.list_batches("acme")] == ["extracted"] * 3 + ["extracting"]
    assert ledger.list_windows(make_feed()) == (make_window(0, 3),)


def test_times_are_kept_to_the_microsecond(ledger: SqlLedger, hands: Hands) -> None:
    hands.at += timedelta(microseconds=123457)
    row = ledger.begin_batch(make_batch())
    assert row.started_at == hands.at
