"""The test of connectors: right manifests of every kind pass, and mistakes and faulty behaviour are found."""

from __future__ import annotations

import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest

from headwater.cli.main import run_command
from headwater.errors import DeclarationError
from headwater.run.kit import check_connector as kit
from headwater.testing import check_connector
from headwater.testing.kit.service import SimulatedService
from tests.run.kit.manifests import MANIFESTS, write_connector


@pytest.mark.slow
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_right_manifest_of_each_kind_passes(tmp_path, name):
    folder = write_connector(tmp_path / "desk", name)
    report = check_connector(folder, only=("changes", "vanishing-rows"), lives=0)
    assert report.counts["failed"] == 0
    assert report.counts["passed"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("delta", "expired-delta"),
        ("delta", "expired-token"),
        ("session", "expired-token"),
        ("session", "error-in-200"),
        ("session", "wrong-clock"),
        ("keyset", "ties"),
        ("keyset", "missing-ids"),
        ("children", "new-parent"),
        ("link_header", "foreign-link"),
        ("next_url", "foreign-link"),
        ("unpaged", "slow-body"),
        ("token", "kill"),
    ],
)
def test_a_scenario_that_needs_something_of_the_manifest_is_played(tmp_path, name, scenario):
    folder = write_connector(tmp_path / "desk", name)
    report = check_connector(folder, only=(scenario,))
    assert "passed" in {result.outcome for result in report.results}


def test_the_file_of_a_test_stands_for_its_folder(tmp_path):
    folder = write_connector(tmp_path / "desk", "unpaged")
    file = folder / "test_desk.py"
    file.touch()
    assert check_connector(file, only=("empty",)).connector == "desk"


def test_the_last_total_does_not_prove_a_read_that_lost_a_record(tmp_path):
    """One record left after it was read, and another one slid past: the total of the last page is what was read."""
    folder = write_connector(tmp_path / "desk", "page_number")
    assert check_connector(folder, only=("moving-rows",)).results[0].outcome == "passed"


def test_the_installed_connector_passes():
    report = check_connector("connectwise", resources=("companies",), only=("complete", "limit-seconds"))
    assert [result.outcome for result in report.results] == ["passed", "passed"]
    assert report.exit_code == 0


@pytest.mark.slow
def test_one_resource_of_each_way_to_read_is_tested():
    report = check_connector("connectwise", only=("moving-rows",), lives=0)
    assert {result.resource for result in report.results} == {"companies", "expense_entries", "agreement_additions"}
    assert "tickets" in report.covered["companies"]
    assert report.shapes["expense_entries"].startswith("page_number")


def test_a_manifest_without_hold_back_loses_a_late_record(tmp_path):
    folder = write_connector(tmp_path / "desk", "forward_only", connector={"hold_back": "0s"})
    with pytest.raises(AssertionError, match="late-rows") as caught:
        check_connector(folder, only=("late-rows",))
    assert "missing: k00070" in str(caught.value)
    assert "`hold_back:`" in str(caught.value)


def build_options(*only, **more):
    return kit.ConnectorTestOptions(only=only, lives=0, **more)


def test_a_service_that_loses_a_record_in_silence_fails_the_test(tmp_path, monkeypatch):
    """The kit itself: if history lacks a record and no run says so, the scenario fails and names the record."""
    folder = write_connector(tmp_path / "desk", "forward_only")
    select = SimulatedService._select

    def select_without_one(service, collection, request, parent, **more):
        return [row for row in select(service, collection, request, parent, **more) if row.number != 4]

    monkeypatch.setattr(SimulatedService, "_select", select_without_one)
    report = kit.run_connector_test(kit.find_connector(str(folder)), build_options("complete"))
    assert (report.outcome, report.exit_code) == ("failed", 1)
    assert report.results[0].detail == "missing: k00004"


def test_an_outage_is_no_excuse_for_what_is_missing_after_it(tmp_path, monkeypatch):
    folder = write_connector(tmp_path / "desk", "forward_only")
    select = SimulatedService._select

    def select_without_one(service, collection, request, parent, **more):
        return [row for row in select(service, collection, request, parent, **more) if row.number != 9]

    monkeypatch.setattr(SimulatedService, "_select", select_without_one)
    with pytest.raises(AssertionError, match="missing: k00009"):
        check_connector(folder, only=("outage",))


def test_a_resource_without_texts_shows_changes_in_a_number(tmp_path):
    fields = {"id": "text", "hours": "double", "changed": "timestamp"}
    folder = write_connector(tmp_path / "desk", "offset", fields=fields, deletes={"kind": "none"})
    assert check_connector(folder, only=("changes",)).counts == {"passed": 1}


def test_what_arrives_at_a_stranger_fails_the_test(tmp_path, monkeypatch):
    folder = write_connector(tmp_path / "desk", "link_header")
    monkeypatch.setattr("headwater.extract.client.check_target", lambda url, **more: url)
    with pytest.raises(AssertionError, match="were sent to a host that is not declared"):
        check_connector(folder, only=("foreign-link",))


def test_a_secret_in_a_message_fails_the_test(tmp_path, monkeypatch):
    folder = write_connector(tmp_path / "desk", "link_header")
    monkeypatch.setattr(
        "headwater.run.kit.scenario_run._describe", lambda error: f"kit-secret-token-5f2c91 {error.message}"
    )
    with pytest.raises(AssertionError, match="the secret `token` is in a message"):
        check_connector(folder, only=("outage",))


def test_unknown_names_are_refused(tmp_path):
    folder = write_connector(tmp_path / "desk", "offset")
    with pytest.raises(DeclarationError, match="no such scenario"):
        check_connector(folder, only=("lats-rows",))
    with pytest.raises(DeclarationError, match="no resource `thing`") as caught:
        check_connector(folder, resources=("thing",))
    assert caught.value.hint == "did you mean `things`?"
    with pytest.raises(DeclarationError, match="This folder has no connector"):
        check_connector(tmp_path)


def test_a_test_that_plays_nothing_or_is_stopped_has_not_passed(tmp_path):
    folder = write_connector(tmp_path / "desk", "unpaged")
    with pytest.raises(AssertionError, match="no scenario was played for desk: the cursor is no delta"):
        check_connector(folder, only=("expired-delta",))
    report = kit.run_connector_test(kit.find_connector(str(folder)), build_options("empty", stop=lambda: True))
    assert (report.outcome, report.exit_code, report.results) == ("stopped", 1, ())


def test_few_requests_a_minute_do_not_slow_the_test_down(tmp_path):
    folder = write_connector(tmp_path / "desk", "offset", connector={"limits": {"requests_per_minute": 1}})
    assert check_connector(folder, only=("complete", "kill")).counts == {"passed": 2}


def run_cli(*words):
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_command(["connector", "test", *words])
    return code, out.getvalue(), err.getvalue()


def test_the_command_reports_in_json_and_shows_progress(tmp_path):
    folder = write_connector(tmp_path / "desk", "unpaged")
    code, out, err = run_cli(str(folder), "--only", "complete,kill", "--seed", "7", "--json")
    report = json.loads(out)
    assert (code, report["outcome"], report["exit_code"], report["seed"]) == (0, "passed", 0, 7)
    outcomes = {one["scenario"]: (one["outcome"], one["detail"]) for one in report["results"]}
    assert outcomes == {"complete": ("passed", ""), "kill": ("not_applicable", "the resource has one page")}
    assert err.startswith("passed complete resource=things seconds=")


def test_the_command_says_what_to_mend(tmp_path):
    folder = write_connector(tmp_path / "desk", "search", connector={"hold_back": "10s"})
    code, out, _ = run_cli(str(folder), "--only", "late-rows")
    assert code == 1
    assert "failed late-rows of things" in out
    assert "fix    look at `hold_back:` of the connector" in out
