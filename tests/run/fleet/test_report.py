"""The exit code of a fleet run, and what counts as unusual."""

from __future__ import annotations

import pickle

import pytest

from headwater.errors import DeclarationError
from headwater.events import Finding
from headwater.ledger.base import RunOutcome
from headwater.run.fleet.report import FleetReport, TenantResult, build_tenant_result
from headwater.run.results import RunReport, StepResult


def _build_report(*outcomes):
    tenants = tuple(TenantResult(tenant=f"t{number}", outcome=outcome) for number, outcome in enumerate(outcomes))
    return FleetReport(seconds=1.0, tenants=tenants)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), 0),
        (("succeeded", "succeeded"), 0),
        (("succeeded", "leased"), 0),
        (("leased",), 0),
        (("succeeded", "failed"), 3),
        (("succeeded", "partial"), 3),
        (("partial",), 3),
        (("failed", "partial"), 3),
        (("failed", "crashed", "timed_out"), 1),
        (("failed", "leased"), 1),
        (("cancelled", "not_started"), 3),
        (("succeeded", "not_started"), 3),
    ],
)
def test_the_exit_code_says_whether_some_or_all_failed(outcomes, code):
    assert _build_report(*outcomes).exit_code == code


def test_a_success_without_findings_is_not_unusual():
    assert not TenantResult(tenant="a", outcome="succeeded", rows=5).is_unusual
    finding = Finding(table="dim_a", finding="ancestor_cycle", count=1)
    assert TenantResult(tenant="a", outcome="succeeded", findings=(finding,)).is_unusual
    assert TenantResult(tenant="a", outcome="succeeded", quarantined=1).is_unusual
    assert TenantResult(tenant="a", outcome="leased").is_unusual


def test_a_result_travels_between_processes_whatever_its_error_is():
    error = DeclarationError("The secret `key` is not set.", where="headwater.yaml:9", hint="add it")
    steps = (StepResult(step="connect:psa", state="failed", error=error), StepResult(step="b", state="skipped"))
    report = RunReport(tenant="acme", outcome=RunOutcome.FAILED, seconds=1.5, written={"a": (1, 2)}, steps=steps)
    result = pickle.loads(pickle.dumps(build_tenant_result(report)))
    assert (result.outcome, result.inserted, result.seconds) == ("failed", 2, 1.5)
    assert [(item["kind"], item["at"], item["fix"]) for item in result.errors] == [
        ("DeclarationError", "headwater.yaml:9", "add it")
    ]
