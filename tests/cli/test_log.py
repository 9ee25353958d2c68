"""Events become log lines without a terminal, and a drawing with one."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from threading import Thread

import pytest
from rich.console import Console

from headwater import events
from headwater.batch import Feed, Window, create_batch
from headwater.cli.log import open_listener
from headwater.cli.progress import ProgressDisplay
from headwater.clock import EPOCH
from headwater.run.event_log import to_log_line

FEED = Feed(tenant="acme", connection="psa", resource="tickets")
BATCH = create_batch(FEED, Window(since=EPOCH, until=datetime(2026, 3, 1, tzinfo=UTC)))
SWEEP = create_batch(FEED, BATCH.window, purpose="sweep")

ONE_OF_EACH = (
    events.ReadStarted(tenant="acme", batch=BATCH),
    events.ReadDropped(tenant="acme", batch=BATCH, pages=4, why="the declaration changed"),
    events.PageCommitted(tenant="acme", batch=BATCH, page=1, rows=1000, size=4096),
    events.BatchExtracted(tenant="acme", batch=BATCH, rows=1000, pages=1),
    events.RequestSent(tenant="acme", connection="psa"),
    events.RequestRetried(tenant="acme", where="GET /tickets", why="429", after=2.5, tries=1),
    events.BatchLanded(tenant="acme", batch=BATCH, kept=999, quarantined=1),
    events.DriftSeen(tenant="acme", batch=BATCH, field="x[y]", kind="new"),
    events.Repaired(tenant="acme", batch=BATCH, field="at", rows=3),
    events.VersionsWritten(tenant="acme", entity="ticket", events=5, inserted=4, deleted=1),
    events.TableBuilt(tenant="acme", table="dim_company", inserted=4, deleted=1),
    events.FindingMade(tenant="acme", finding=events.Finding(table="dim_company", finding="unmatched_value", count=2)),
    events.StepFailed(tenant="acme", step="extract:psa/tickets", error="No.\n  at    there"),
    events.StepSkipped(tenant="acme", step="conform:ticket", because="extract:psa/tickets"),
)


def test_every_kind_of_event_is_tried_here():
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)}
    assert {type(event) for event in ONE_OF_EACH} == kinds - {events.Event}


def test_a_finding_is_spread_into_the_fields_of_its_line():
    (line,) = (to_log_line(event) for event in ONE_OF_EACH if isinstance(event, events.FindingMade))
    assert (line.name, line.level) == ("finding_made", "warning")
    assert line.fields == {
        "tenant": "acme",
        "table": "dim_company",
        "finding": "unmatched_value",
        "count": 2,
        "detail": "",
    }


def test_an_event_is_a_name_and_fields():
    line = to_log_line(ONE_OF_EACH[3])
    assert line.name == "batch_extracted"
    assert line.level == "info"
    assert line.fields == {
        "tenant": "acme",
        "connection": "psa",
        "resource": "tickets",
        "window": "beginning .. 2026-03-01T00:00:00Z",
        "rows": 1000,
        "pages": 1,
    }


def test_a_read_that_is_not_of_changes_says_so():
    assert to_log_line(events.ReadStarted(tenant="acme", batch=SWEEP)).fields["purpose"] == "sweep"


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_without_a_terminal_an_event_is_one_line_on_standard_error(event, capsys, monkeypatch):
    monkeypatch.setenv("HEADWATER_LOG_LEVEL", "debug")
    with open_listener() as listen:
        listen(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.match(r"\d\d:\d\d:\d\d (debug |warning |error )?[a-z_]+ tenant=acme ", err)


def test_pages_and_what_came_to_nothing_are_told_only_to_who_asks(capsys):
    idle = events.VersionsWritten(tenant="acme", entity="ticket", events=0, inserted=0, deleted=0)
    with open_listener() as listen:
        for event in (events.ReadStarted(tenant="acme", batch=SWEEP), idle):
            listen(event)
    assert capsys.readouterr().err == ""


def test_a_line_reads_as_the_contract_shows_it(capsys):
    with open_listener() as listen:
        listen(ONE_OF_EACH[3])
    line = capsys.readouterr().err
    assert line[9:] == (
        "batch_extracted tenant=acme connection=psa resource=tickets "
        'window="beginning .. 2026-03-01T00:00:00Z" rows=1000 pages=1\n'
    )


def test_values_are_quoted_so_that_a_line_can_be_parsed(capsys):
    with open_listener() as listen:
        listen(events.StepFailed(tenant="acme", step="C:\\data", error='No "key" in C:\\data.\n  at    there\u2028end'))
    line = capsys.readouterr().err
    assert line.endswith(r'error="No \"key\" in C:\\data. | at    there | end"' + "\n")
    assert r" step=C:\data " in line


def test_on_a_terminal_a_run_is_drawn():
    screen = io.StringIO()
    with ProgressDisplay(Console(file=screen, force_terminal=True, width=100)) as drawing:
        for event in ONE_OF_EACH:
            drawing.on_event(event)
    told = screen.getvalue()
    assert "psa/tickets" in told
    assert "999 kept, 1 quarantined" in told
    assert "step_failed" in told
    assert "x[y]" in told


def test_a_terminal_gets_the_drawing(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with open_listener() as listen:
        listen(ONE_OF_EACH[0])
    assert "psa/tickets" in screen.getvalue()


def test_many_threads_may_tell_at_once():
    screen = io.StringIO()
    with ProgressDisplay(Console(file=screen, force_terminal=True, width=100)) as drawing:
        threads = [Thread(target=lambda: [drawing.on_event(event) for event in ONE_OF_EACH]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert "8,000 rows" in screen.getvalue()
