"""The progress of a fleet: log lines without a terminal, one line on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from headwater.cli.fleet import progress
from headwater.run.app import FleetProgress, TenantResult

FAILED = TenantResult(tenant="t1", outcome="failed", errors=({"message": "No answer."},))


def report_all(listen):
    """Three tenants of four have ended, one of them failed; then the last one ends."""
    results = (TenantResult(tenant="t0", outcome="succeeded"), FAILED, TenantResult(tenant="t2", outcome="succeeded"))
    for done, result in enumerate((*results, TenantResult(tenant="t3", outcome="leased")), start=1):
        listen(FleetProgress(done=done, total=4, newest=result))


def test_the_log_has_each_unusual_tenant_and_the_end(capsys):
    with progress.open_progress() as listen:
        report_all(listen)
    lines = [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        'tenant=t1 outcome=failed error="No answer."',
        "tenant=t3 outcome=leased",
        "fleet 4 of 4 tenants: 1 failed, 1 leased, 2 succeeded",
    ]


def test_the_log_has_a_line_for_the_fleet_once_an_interval(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    with progress.open_progress() as listen:
        report_all(listen)
    shown = [line for line in capsys.readouterr().err.splitlines() if " fleet " in line]
    assert [line.partition(" fleet ")[2][:6] for line in shown] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_one_line(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.open_progress() as listen:
        report_all(listen)
    shown = terminal.getvalue()
    assert "4 of 4 tenants: 1 failed, 1 leased, 2 succeeded" in shown
    assert "outcome=" not in shown
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("errors", "text"), [((), ""), (({"message": "a"}, {"message": "b"}), ' error="a"')])
def test_a_tenant_is_shown_with_its_first_error(errors, text):
    line = progress.render_tenant(TenantResult(tenant="x", outcome="partial", errors=errors))
    assert line == f"tenant=x outcome=partial{text}"
