"""When a batch was read, by which declaration, and whether it was proved complete."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headwater.errors import StateError
from headwater.ledger.base import BatchRow, CountRow
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import NOON, Hands, extract_batch, make_batch, make_feed, make_page, make_window

LATER = NOON + timedelta(hours=2, microseconds=7)


def find_row(ledger: SqlLedger) -> BatchRow:
    row = ledger.find_batch("acme", make_batch().id)
    assert row is not None
    return row


def test_a_read_keeps_when_it_began_and_by_which_declaration(ledger: SqlLedger) -> None:
    begun = ledger.begin_batch(make_batch(), read_at=LATER, fingerprint="f1")
    assert (begun.read_at, begun.fingerprint, begun.proved, begun.disowned) == (LATER, "f1", None, False)
    ledger.record_page(make_batch(), make_page(1))
    ledger.fail_batch(make_batch(), "503")
    again = ledger.begin_batch(make_batch(), read_at=LATER + timedelta(days=1), fingerprint="f2")
    assert (again.read_at, again.fingerprint, again.pages) == (LATER, "f1", 1)


def test_a_read_without_a_page_begins_when_it_is_tried_again(ledger: SqlLedger) -> None:
    ledger.begin_batch(make_batch(), read_at=LATER, fingerprint="f1")
    ledger.fail_batch(make_batch(), "503")
    ledger.begin_batch(make_batch())
    assert find_row(ledger).read_at == LATER
    ledger.begin_batch(make_batch(), read_at=LATER + timedelta(days=1), fingerprint="f2")
    assert (find_row(ledger).read_at, find_row(ledger).fingerprint) == (LATER + timedelta(days=1), "f2")


def test_a_read_of_an_older_ledger_counts_from_when_it_was_begun_here_or_its_window_ended(ledger: SqlLedger) -> None:
    assert ledger.find_newest_read("acme", "psa") is None
    ledger.begin_batch(make_batch(-3, -2))
    assert ledger.find_newest_read("acme", "psa") == NOON + timedelta(hours=-2)
    ledger.begin_batch(make_batch(0, 5))  # its window ends later than its read began: the service's clock was ahead
    assert ledger.find_newest_read("acme", "psa") == NOON
    ledger.begin_batch(make_batch(5, 6), read_at=LATER)
    assert ledger.find_newest_read("acme", "psa") == LATER
    assert ledger.find_newest_read("acme", "other") is None


def test_a_discarded_window_of_an_older_ledger_counts_by_its_start_if_it_ended_after_it(ledger: SqlLedger) -> None:
    """History dates its records by this start, so a later read must not be dated before it."""
    extract_batch(ledger, make_batch(0, 5))
    assert ledger.discard_windows(make_feed(), later_than=NOON, ahead=None)
    assert ledger.find_newest_read("acme", "psa") == NOON
    later = make_batch(5, 6)
    ledger.begin_batch(later, read_at=LATER)
    ledger.commit_window(later)
    assert ledger.discard_windows(make_feed(), later_than=NOON, ahead=None)
    assert ledger.find_newest_read("acme", "psa") == NOON


def test_a_read_begun_anew_forgets_its_pages_and_begins_now(ledger: SqlLedger, hands: Hands) -> None:
    ledger.begin_batch(make_batch(), read_at=NOON, fingerprint="f1")
    ledger.record_page(make_batch(), make_page(1))
    for _ in range(2):
        row = ledger.restart_batch(make_batch(), read_at=LATER, fingerprint="f2")
        assert (row.read_at, row.fingerprint, row.pages, row.rows) == (LATER, "f2", 0, 0)
        assert ledger.list_pages(make_batch()) == ()
        before = find_row(ledger)
        hands.sleep(60)
    assert find_row(ledger) == before


def test_what_was_read_to_its_end_is_not_begun_anew(ledger: SqlLedger) -> None:
    extract_batch(ledger, make_batch())
    with pytest.raises(StateError, match="only while"):
        ledger.restart_batch(make_batch(), read_at=LATER)
    assert find_row(ledger).pages == 1


@pytest.mark.parametrize("proved", [True, False, None])
def test_the_end_of_a_read_says_whether_it_is_proved(ledger: SqlLedger, proved: bool | None) -> None:
    ledger.begin_batch(make_batch())
    ledger.commit_window(make_batch(), proved=proved)
    ledger.commit_window(make_batch(), proved=not proved)
    ledger.record_landing(make_batch(), kept=0, refused=[], drift=[])
    assert find_row(ledger).proved is proved


def test_an_abandoned_read_leaves_nothing(ledger: SqlLedger) -> None:
    ledger.begin_batch(make_batch(), parents=("1", "2"))
    ledger.record_page(make_batch(), make_page(1))
    ledger.fail_batch(make_batch(), "503")
    ledger.abandon_batch(make_batch())
    ledger.abandon_batch(make_batch())
    assert ledger.list_batches("acme") == ()
    assert ledger.list_pages(make_batch()) == ()
    assert ledger.begin_batch(make_batch()).parents == ()


def test_what_was_read_to_its_end_is_not_abandoned(ledger: SqlLedger) -> None:
    extract_batch(ledger, make_batch())
    ledger.fail_batch(make_batch(), "disk full")
    with pytest.raises(StateError, match="abandoned"):
        ledger.abandon_batch(make_batch())


def test_latest_looks_no_further_than_it_is_told(ledger: SqlLedger) -> None:
    for hour in (1, 2, 300_000):
        ledger.begin_batch(make_batch(0, hour, purpose="sweep"))
        ledger.commit_window(make_batch(0, hour, purpose="sweep"))
    now = make_window(0, 3).until
    assert ledger.find_latest(make_feed(), purpose="sweep") == make_batch(0, 300_000, purpose="sweep")
    assert ledger.find_latest(make_feed(), purpose="sweep", until=now) == make_batch(0, 2, purpose="sweep")
    assert ledger.find_latest(make_feed(), purpose="sweep", until=NOON) is None


def count(hour: int, unexplained: int, *, entity: str = "ticket") -> CountRow:
    numbers = {"service": 10, "here": 10 - unexplained, "unexplained": unexplained}
    return CountRow(feed=make_feed(), entity=entity, counted_at=NOON + timedelta(hours=hour), numbers=numbers)


def test_a_count_takes_the_place_of_the_one_before(ledger: SqlLedger) -> None:
    ledger.save_counts("acme", [count(0, 0), count(0, 1, entity="company")])
    ledger.save_counts("acme", [count(1, 0)])
    assert [(row.entity, row.counted_at, row.numbers["here"]) for row in ledger.list_counts("acme")] == [
        ("company", NOON, 9),
        ("ticket", NOON + timedelta(hours=1), 10),
    ]
    assert ledger.list_counts("other") == ()
    ledger.remove_tenant("acme")
    assert ledger.list_counts("acme") == ()


def test_a_difference_lasts_since_the_first_count_in_a_row_that_had_one(ledger: SqlLedger) -> None:
    def list_since(*unexplained: int) -> list[object]:
        instants: list[object] = []
        for hour, one in enumerate(unexplained):
            ledger.save_counts("acme", [count(hour, one)])
            instants.append(ledger.list_counts("acme")[0].differs_since)
        return instants

    first, third = NOON + timedelta(hours=1), NOON + timedelta(hours=4)
    assert list_since(0, 2, -1, 0, 3) == [None, first, first, None, third]
