"""Tokens of connections: one process at a time renews them, and no newer ones are overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.errors import LeaseHeld, StateError
from headwater.ledger.lease_owner import build_lease_owner
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import Hands

MINE, OTHER = "here:1:x", "there:2:y"


def read_value(ledger: SqlLedger) -> str:
    row = ledger.find_token("acme", "psa")
    assert row is not None
    return row.value


def test_tokens_are_saved_replaced_and_forgotten_with_their_connection(ledger: SqlLedger, hands: Hands) -> None:
    assert ledger.find_token("acme", "psa") is None
    assert ledger.save_token("acme", "psa", "first") == 1
    assert ledger.save_token("acme", "psa", "second") == 2
    row = ledger.find_token("acme", "psa")
    assert row is not None
    assert (row.value, row.revision, row.saved_at, row.interrupted) == ("second", 2, hands.now(), False)
    assert "second" not in repr(row)
    assert ledger.find_token("other", "psa") is None
    ledger.remove_connection("acme", "psa")
    assert ledger.find_token("acme", "psa") is None
    assert not ledger.forget_token("acme", "psa")


def test_one_process_renews_at_a_time_and_the_claim_ends(ledger: SqlLedger, hands: Hands) -> None:
    with pytest.raises(StateError):
        ledger.claim_token("acme", "psa", MINE, seconds=60)
    ledger.save_token("acme", "psa", "first")
    assert ledger.claim_token("acme", "psa", MINE, seconds=60).value == "first"
    with pytest.raises(LeaseHeld):
        ledger.claim_token("acme", "psa", OTHER, seconds=60)
    ledger.release_token("acme", "psa", OTHER)
    with pytest.raises(LeaseHeld):
        ledger.claim_token("acme", "psa", OTHER, seconds=60)
    ledger.release_token("acme", "psa", MINE)
    assert not ledger.claim_token("acme", "psa", OTHER, seconds=60).interrupted
    hands.sleep(61)
    assert ledger.claim_token("acme", "psa", MINE, seconds=60).interrupted, "the other one never said how it ended"


def test_the_claim_of_a_dead_process_ends_at_once(ledger: SqlLedger) -> None:
    ledger.save_token("acme", "psa", "first")
    host, pid, start = build_lease_owner().split(":")
    boot, namespace, _, number = start.split("-")
    dead = f"{host}:{pid}:{boot}-{namespace}-1-{number}"
    ledger.claim_token("acme", "psa", dead, seconds=600)
    assert ledger.claim_token("acme", "psa", MINE, seconds=60).interrupted


def test_an_answer_that_was_lost_is_remembered_until_there_are_new_tokens(ledger: SqlLedger) -> None:
    ledger.save_token("acme", "psa", "first")
    ledger.claim_token("acme", "psa", MINE, seconds=60)
    ledger.release_token("acme", "psa", MINE, interrupted=True)
    assert ledger.claim_token("acme", "psa", MINE, seconds=60).interrupted
    ledger.release_token("acme", "psa", MINE)
    assert ledger.claim_token("acme", "psa", MINE, seconds=60).interrupted
    ledger.save_token("acme", "psa", "second")
    assert not ledger.claim_token("acme", "psa", MINE, seconds=60).interrupted


def test_tokens_that_follow_older_ones_do_not_replace_newer_ones(ledger: SqlLedger) -> None:
    first = ledger.save_token("acme", "psa", "first")
    assert ledger.save_token("acme", "psa", "second", revision=first) == 2
    assert ledger.save_token("acme", "psa", "late", revision=first) is None
    assert read_value(ledger) == "second"
    ledger.forget_token("acme", "psa")
    assert ledger.save_token("acme", "psa", "late", revision=2) is None
    assert ledger.find_token("acme", "psa") is None, "who removes a connection does not get its tokens back"


def test_only_the_commit_of_tokens_is_flushed(tmp_path: Path) -> None:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    ledger.save_token("acme", "psa", "first")
    with ledger._database.write_durably("acme") as tx:
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with ledger._database.write("acme") as tx:
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    ledger.close()
