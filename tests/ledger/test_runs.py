from __future__ import annotations

from datetime import timedelta

import pytest

from headwater.errors import StateError
from headwater.events import Finding
from headwater.ledger.base import ConnectionRow, RunOutcome
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import NOON, Hands


def test_runs_are_told_newest_first(ledger: SqlLedger, hands: Hands) -> None:
    for name in ("r1", "r2", "r3"):
        ledger.start_run("acme", name)
        hands.sleep(60)
        if name != "r2":
            ledger.end_run("acme", name, outcome=RunOutcome.PARTIAL, counts={"rows": 5})
    assert [(run.id, run.outcome) for run in ledger.list_runs("acme")] == [
        ("r3", "partial"),
        ("r2", "crashed"),
        ("r1", "partial"),
    ]
    oldest = ledger.list_runs("acme")[-1]
    assert (oldest.started_at, oldest.ended_at, oldest.counts) == (NOON, hands.at.replace(minute=1), {"rows": 5})
    assert [run.id for run in ledger.list_runs("acme", limit=1)] == ["r3"]


def test_a_run_that_never_began_cannot_end(ledger: SqlLedger) -> None:
    with pytest.raises(StateError, match="has no such run"):
        ledger.end_run("acme", "r9", outcome=RunOutcome.SUCCEEDED, counts={})


def test_findings_are_those_of_the_newest_build_of_each_table(ledger: SqlLedger) -> None:
    circle = Finding(table="dim_agreement", finding="ancestor_cycle", count=2, detail="7 -> 9 -> 7")
    other = Finding(table="dim_agreement_type", finding="unmatched_value", count=4)
    ledger.save_findings("acme", "dim_agreement", [circle, circle])
    ledger.save_findings("acme", "dim_agreement_type", [other])
    assert ledger.list_findings("acme") == (circle, other)
    ledger.save_findings("acme", "dim_agreement", [])
    assert ledger.list_findings("acme") == (other,)


def test_tenants_and_connections_live_in_the_ledger(ledger: SqlLedger) -> None:
    ledger.add_tenant("globex")
    ledger.add_tenant("acme")
    assert ledger.list_tenants() == ("acme", "globex")
    with pytest.raises(StateError, match="already"):
        ledger.add_tenant("acme")
    psa = ConnectionRow(tenant="acme", name="psa", declaration={"connector": "connectwise", "resources": ["tickets"]})
    ledger.add_connection(psa)
    ledger.add_connection(psa)
    assert ledger.list_connections("acme") == (psa,)
    assert ledger.list_connections("globex") == ()
    ledger.remove_tenant("acme")
    ledger.remove_tenant("acme")
    assert ledger.list_tenants() == ("globex",)
    assert ledger.list_connections("acme") == ()


def test_the_newest_success_of_each_tenant_is_known(ledger: SqlLedger, hands: Hands) -> None:
    outcomes = (RunOutcome.SUCCEEDED, RunOutcome.SUCCEEDED, RunOutcome.FAILED)
    for number, outcome in enumerate(outcomes):
        ledger.start_run("acme", f"r{number}")
        hands.sleep(60)
        ledger.end_run("acme", f"r{number}", outcome=outcome, counts={})
    ledger.start_run("globex", "r1")
    ledger.end_run("globex", "r1", outcome=RunOutcome.PARTIAL, counts={})
    assert ledger.list_last_successes() == {"acme": hands.at - timedelta(seconds=60)}
