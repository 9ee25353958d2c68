"""`headwater step` takes a step as JSON, by its id, from standard input, or out of a plan."""

from __future__ import annotations

import io
import json
import sys

import pytest

from headwater.run.results import RunReport, StepResult

STEP = {"id": "conform:company", "kind": "conform"}
OTHER = {"id": "fact:time_entry", "kind": "fact"}


@pytest.fixture
def call(shell):
    """What the verb was asked for."""
    request = {}

    def run_step(workspace, tenant, step, *, plan, options):
        request.update(tenant=tenant, step=step, plan=plan, options=options)
        state = "failed" if request["step"] == "fact:broken" else "succeeded"
        result = StepResult(step="conform:company", state=state, detail="9 versions inserted")
        return RunReport(tenant="acme", outcome=state, seconds=0.1, steps=(result,))

    shell.verb("run_step", run_step)
    return request


def test_json_and_an_id_and_standard_input(shell, call, monkeypatch):
    shell("step", json.dumps(STEP), "--tenant", "acme", "--json")
    assert (shell.code, call["step"], call["tenant"], call["plan"]) == (0, STEP, "acme", None)
    assert shell.json["steps"][0]["detail"] == "9 versions inserted"
    shell("step", "conform:company", "--wait", "5", "--allow-drop")
    assert (call["step"], call["options"].wait, call["options"].allow_drop) == ("conform:company", 5.0, True)
    assert "conform:company" in shell.out
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(OTHER) + "\n"))
    shell("step", "-")
    assert call["step"] == OTHER


def test_a_step_of_a_plan_in_a_file(shell, call, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"steps": [STEP]}))
    shell("step", "conform:company", "--plan", str(plan))
    assert (call["step"], call["plan"]) == ("conform:company", {"steps": [STEP]})


def test_a_failure_is_exit_code_1(shell, call):
    assert shell("step", "fact:broken", "--json").code == 1
    assert shell.json["exit_code"] == 1


@pytest.mark.parametrize("text", ["{", '{"id"'])
def test_what_is_not_json_is_refused(shell, call, text):
    shell("step", text, "--json")
    assert shell.code == 2
    assert shell.json["error"]["message"] == "STEP is not JSON."
    assert not call
