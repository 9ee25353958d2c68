from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from headwater.errors import StateError
from headwater.ledger.base import Drift
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import DRIFT, NOON, Hands, extract_batch, land_batch, make_batch, make_feed, make_refusal


def test_a_refused_record_waits_with_its_reasons(ledger: SqlLedger) -> None:
    parcel = make_batch()
    land_batch(ledger, parcel)
    (row,) = ledger.list_refused("acme")
    assert row.reasons == ({"field": "closedDate", "value": "soon", "rule": "timestamp"},)
    assert (row.state, row.tries, row.first_seen, row.last_tried) == ("waiting", 1, NOON, NOON)
    assert ledger.list_refused("acme", feed=make_feed()) == ledger.list_refused("acme", batch_id=parcel.id) == (row,)
    assert (
        ledger.list_refused("acme", feed=make_feed("contacts")) == ledger.list_refused("acme", batch_id="other") == ()
    )


def test_a_readmitted_record_is_kept_and_counted(ledger: SqlLedger) -> None:
    parcel = make_batch()
    land_batch(ledger, parcel)
    (row,) = ledger.list_refused("acme")
    later = NOON + timedelta(hours=1)
    ledger.update_quarantine("acme", [replace(row, state="readmitted", tries=2, last_tried=later)])
    assert ledger.list_refused("acme") == ()
    (settled,) = ledger.list_refused("acme", states=("readmitted",))
    assert (settled.tries, settled.last_tried, settled.first_seen) == (2, later, NOON)
    after = ledger.find_batch("acme", parcel.id)
    assert after is not None
    assert (after.rows, after.kept, after.quarantined) == (10, 10, 0)


def test_what_was_discarded_stays_discarded_when_all_is_built_again(ledger: SqlLedger, hands: Hands) -> None:
    parcel = make_batch()
    extract_batch(ledger, parcel)
    ledger.record_landing(parcel, kept=7, refused=[make_refusal(parcel, line) for line in (1, 2, 3)], drift=[])
    one, two, _ = ledger.list_refused("acme")
    ledger.update_quarantine("acme", [replace(one, state="discarded"), replace(two, state="readmitted")])
    ledger.complete_batches([parcel])
    assert ledger.reopen_batches("acme") == 1
    hands.sleep(60)
    ledger.record_landing(parcel, kept=8, refused=[make_refusal(parcel, line) for line in (1, 3)], drift=[])
    rows = ledger.list_refused("acme", states=())
    assert [(row.line, row.state, row.first_seen) for row in rows] == [(1, "discarded", NOON), (3, "waiting", NOON)]


def test_settling_what_is_not_there_is_an_error(ledger: SqlLedger) -> None:
    parcel = make_batch()
    land_batch(ledger, parcel)
    with pytest.raises(StateError, match="no such refused record"):
        ledger.update_quarantine("acme", [make_refusal(parcel, 99)])
    with pytest.raises(StateError, match="no such refused record"):
        ledger.update_quarantine("globex", ledger.list_refused("acme"))


def test_drift_is_told_as_the_youngest_batch_saw_it(ledger: SqlLedger) -> None:
    old, young = make_batch(0, 1), make_batch(1, 2)
    extract_batch(ledger, old)
    extract_batch(ledger, young)
    ledger.record_landing(young, kept=10, refused=[], drift=[replace(DRIFT, detail="young")])
    ledger.record_landing(
        old, kept=10, refused=[], drift=[replace(DRIFT, detail="old"), Drift(field="size", kind="missing")]
    )
    assert [(seen.field, seen.detail) for _, seen in ledger.list_drift("acme")] == [("colour", "young"), ("size", "")]
    assert ledger.list_drift("acme", make_feed("contacts")) == ()
