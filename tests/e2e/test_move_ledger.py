"""A project moves its ledger to Postgres, and goes on where it was."""

from __future__ import annotations

import os

import pytest


@pytest.mark.slow
def test_a_project_moves_its_ledger_and_reads_nothing_again(small, database):
    small.run()
    small.env["LEDGER_URL"] = os.environ["E2E_URL"]
    dry = small("ledger", "move", "--to", "env:LEDGER_URL").json
    assert dry["moved"] is False
    moved = small("ledger", "move", "--to", "env:LEDGER_URL", "--yes").json
    assert moved["moved"] is True
    assert moved["rows"] == dry["rows"]
    assert moved["rows"]["batch"] > 0
    assert "was moved" in small.run(code=1)["error"]["message"]
    assert "not empty" in small("ledger", "move", "--to", "env:LEDGER_URL", "--yes", code=1).error["message"]
    small.declare(ledger={"url": "env:LEDGER_URL"})
    assert small.run()["rows"] == 0
    assert "password" in small("ledger", "move", "--to", "postgresql://a:b@c/d", code=2).error["fix"]


def test_a_target_that_is_no_ledger_is_refused_before_anything_is_shown(small):
    small.run()
    error = small("ledger", "move", "--to", "nonsense", code=2).error
    assert (error["at"], error["fix"]) == ("--to", "one of: postgresql, sqlite")
