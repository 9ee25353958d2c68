"""A plan carried out: what fails fails alone, what depends on it is skipped and says so."""

from __future__ import annotations

import threading

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH, parse_instant
from headwater.errors import Cancelled, PermanentError
from headwater.events import StepFailed, StepSkipped
from headwater.ledger.base import RunOutcome
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Plan
from headwater.run.pipeline.executor import execute
from headwater.run.pipeline.report import decide_outcome
from headwater.run.results import STOPPED, Finding

WINDOW = Window(since=EPOCH, until=parse_instant("2026-01-01"))


def plan_read(resource: str) -> tuple[Extract, Land]:
    batch = create_batch(Feed(tenant="acme", connection="psa", resource=resource), WINDOW)
    extract = Extract(batch=batch)
    return extract, Land(feed=batch.feed, batch=batch, after=(extract.id,))


def make_plan() -> Plan:
    tickets, companies = plan_read("tickets"), plan_read("companies")
    ticket = Conform(tenant="acme", entity="ticket", after=(tickets[1].id,))
    company = Conform(tenant="acme", entity="company", after=(companies[1].id,))
    dim = BuildDimension(tenant="acme", name="company", after=(company.id,))
    fact = LoadFact(tenant="acme", name="ticket", after=(ticket.id, dim.id))
    return Plan(tenant="acme", steps=(*tickets, *companies, ticket, company, dim, fact))


def test_all_that_can_be_done_is_done():
    done: list[str] = []
    results = execute(make_plan(), lambda step: done.append(step.id) or "", lambda event: None)
    assert {result.state for result in results} == {"succeeded"}
    assert len(done) == len(make_plan().steps)


def test_what_waits_comes_after_what_it_waits_for():
    done: list[str] = []
    execute(make_plan(), lambda step: done.append(step.id) or "", lambda event: None)
    for step in make_plan().steps:
        assert all(done.index(other) < done.index(step.id) for other in step.after)


def test_a_failure_takes_what_depends_on_it_and_nothing_else():
    events = []

    def run_step(step):
        if step.kind == "extract" and step.batch.feed.resource == "companies":
            raise PermanentError("the service said no")
        return ""

    results = execute(make_plan(), run_step, events.append)
    assert [result.state for result in results] == [
        "succeeded",
        "succeeded",
        "failed",
        "skipped",
        "succeeded",
        "skipped",
        "skipped",
        "skipped",
    ]
    assert sum(isinstance(event, StepFailed) for event in events) == 1
    assert sum(isinstance(event, StepSkipped) for event in events) == 4
    assert results[7].detail == "dimension:company did not succeed"


def test_a_defect_in_one_step_is_told_and_does_not_take_the_others():
    def run_step(step):
        if step.kind == "conform" and step.entity == "ticket":
            raise KeyError("unexpected")
        return ""

    results = execute(make_plan(), run_step, lambda event: None)
    assert [result.state for result in results].count("failed") == 1
    assert "internal error" in results[4].error.message


def test_a_stop_is_no_failure():
    def run_step(step):
        if step.kind == "extract":
            raise Cancelled
        return ""

    results = execute(make_plan(), run_step, lambda event: None)
    assert {result.state for result in results} == {"skipped"}
    assert results[0].detail == STOPPED
    assert decide_outcome(make_plan(), results, requested=()) is RunOutcome.CANCELLED


def test_a_run_succeeds_when_every_step_does_and_is_partial_with_a_finding_about_what_is_missing():
    results = execute(make_plan(), lambda step: "", lambda event: None)
    assert decide_outcome(make_plan(), results, requested=()) is RunOutcome.SUCCEEDED
    finding = Finding(table="silver.ticket", finding="deletes_waiting", count=2)
    assert decide_outcome(make_plan(), results, requested=(), findings=[finding]) is RunOutcome.PARTIAL


def test_reads_run_side_by_side_and_the_warehouse_is_written_by_one():
    both = threading.Barrier(2, timeout=10)
    writers: set[int] = set()

    def run_step(step):
        if step.kind == "extract":
            both.wait()
        if step.kind in ("conform", "dimension", "fact"):
            writers.add(threading.get_ident())
        return ""

    results = execute(make_plan(), run_step, lambda event: None)
    assert {result.state for result in results} == {"succeeded"}
    assert writers == {threading.get_ident()}
