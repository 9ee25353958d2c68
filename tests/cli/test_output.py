"""What each command prints, for a machine and for a person."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from headwater.batch import Feed
from headwater.cli.output import to_json
from headwater.errors import PermanentError
from headwater.ledger.base import RefusedRow
from headwater.run.app import RunRequest
from headwater.run.manage.remove_tenant import Removal
from headwater.run.results import (
    CheckReport,
    Explanation,
    FeedStatus,
    Finding,
    QueryResult,
    RetryReport,
    RunReport,
    Status,
    StepResult,
    TableStatus,
)

REFUSED = RefusedRow(
    id="b1:7",
    batch_id="b1",
    feed=Feed(tenant="acme", connection="psa", resource="tickets"),
    line=7,
    key="42",
    reasons=({"field": "id", "value": "x[1]", "rule": "bigint"},),
    first_seen=datetime(2026, 3, 1, tzinfo=UTC),
)


def build_report(**changes):
    values = {
        "tenant": "acme",
        "outcome": "succeeded",
        "seconds": 1.25,
        "requests": 3,
        "rows": 1000,
        "kept": 999,
        "quarantined": 1,
        "written": {"silver.ticket": (2, 10)},
        "findings": (Finding(table="dim_company", finding="unmatched_value", count=2),),
    }
    return RunReport(**{**values, **changes})


def test_a_run_answers_with_its_report(shell):
    shell.verb("run", build_report())
    shell("run", "--json")
    assert shell.code == 0
    assert shell.json["written"] == {"silver.ticket": {"deleted": 2, "inserted": 10}}
    assert shell.json["exit_code"] == 0
    assert shell.json["findings"][0]["finding"] == "unmatched_value"
    shell("run")
    numbers = "1,000 records read in 3 requests, 999 kept, 1 quarantined"
    assert re.match(rf"Succeeded: acme, \d+\.\d s\. {numbers}", shell.out)
    assert "silver.ticket" in shell.out
    assert shell.err == ""


def test_what_failed_in_part_says_so_in_four_slots_and_with_code_3(shell):
    error = PermanentError("The service refused.", where="tickets", details="403", hint="ask for the right")
    step = StepResult(step="extract:psa/tickets", state="failed", error=error)
    shell.verb("run", build_report(outcome="partial", steps=(step,)))
    shell("run")
    assert shell.code == 3
    assert "failed extract:psa/tickets" in shell.out
    assert "  fix   ask for the right" in shell.out
    shell("run", "--json")
    assert shell.code == 3
    assert shell.json["steps"][0]["error"]["found"] == "403"


def test_a_run_hands_on_what_was_asked(shell):
    seen = []
    shell.verb("run", lambda tenant, request, *, stop: seen.append((tenant, request, stop())) or build_report())
    shell(
        *("run", "--project", "here", "--env", "production", "--tenant", "umbrella", "--connection", "psa"),
        *(
            "--resource",
            "tickets",
            "--layer",
            "bronze",
            "--since",
            "2026-03-01",
            "--until",
            "2026-03-02T08:00:00+01:00",
        ),
        "--allow-drop",
    )
    assert shell.code == 0, shell.err
    assert shell.opened[0][:2] == ("here", "production")
    request = RunRequest(
        connections=frozenset({"psa"}),
        resources=frozenset({"tickets"}),
        layers=frozenset({"raw", "bronze"}),
        since=datetime(2026, 3, 1, tzinfo=UTC),
        until=datetime(2026, 3, 2, 7, tzinfo=UTC),
        allow_drop=True,
    )
    assert seen == [("umbrella", request, False)]


def test_the_environment_may_come_from_the_environment(shell, monkeypatch):
    monkeypatch.setenv("HEADWATER_ENV", "production")
    shell.verb("run", build_report())
    shell("run")
    assert shell.opened[0][1] == "production"


def test_a_backfill_needs_its_beginning_and_takes_a_chunk(shell):
    seen = []
    shell.verb("run", lambda tenant, request, *, stop: seen.append(request) or build_report())
    assert shell("backfill").code == 2
    assert "--since" in shell.err
    assert shell("backfill", "--since", "2025-01-01", "--chunk", "30d").code == 0
    assert seen[0].since == datetime(2025, 1, 1, tzinfo=UTC)
    assert seen[0].chunk == timedelta(days=30)


def test_a_rebuild_may_name_an_entity(shell):
    seen = []
    shell.verb("rebuild", lambda tenant, *, entity, stop: seen.append(entity) or build_report(written={}))
    shell("rebuild", "--entity", "ticket")
    assert seen == ["ticket"]
    assert "nothing to write" in shell.out


def test_a_query_answers_with_columns_and_rows(shell):
    without_zone = datetime(2026, 3, 1, 8, tzinfo=UTC).replace(tzinfo=None)
    rows = ((1, Decimal("1.10"), without_zone, date(2026, 3, 1), None, "x[red]y"),)
    shell.verb("run_query", QueryResult(columns=("a", "b", "c", "d", "e", "f"), rows=rows))
    shell("query", "SELECT 1", "--json")
    assert shell.json == {
        "columns": ["a", "b", "c", "d", "e", "f"],
        "rows": [[1, 1.10, "2026-03-01T08:00:00Z", "2026-03-01", None, "x[red]y"]],
    }
    assert "1.10" in shell.out
    shell("query", "SELECT 1")
    assert "x[red]y" in shell.out
    assert "NULL" in shell.out
    assert "1 row" in shell.out


def test_a_wide_answer_is_not_squeezed_when_nobody_looks(shell):
    shell.verb("run_query", QueryResult(columns=("a",), rows=(("x" * 500,),)))
    assert "x" * 500 in shell("query", "SELECT 1").out


def test_numbers_without_a_number_are_texts_and_bytes_are_base64():
    value = {"nan": float("nan"), "inf": Decimal("Infinity"), "raw": b"\x00\xff", "id": UUID(int=1), "big": 2**70}
    assert to_json(value) == (
        '{"nan":"NaN","inf":"Infinity","raw":"AP8=","id":"00000000-0000-0000-0000-000000000001","big":1180591620717411303424}'
    )


def test_a_decimal_keeps_all_its_digits():
    assert to_json({"a": Decimal("12345678901234567890.123456789")}) == '{"a":12345678901234567890.123456789}'


def test_check_says_what_is_in_good_order(shell):
    found = CheckReport(
        project="my-msp",
        connectors=("connectwise",),
        entities=("ticket",),
        dimensions=(),
        facts=(),
        tenants=("acme",),
        warnings=("env:X is not set",),
    )
    shell.verb("check_project", found)
    assert "my-msp is in good order" in shell("check").out
    assert "! env:X is not set" in shell.out
    assert shell("check", "--json").json["warnings"] == ["env:X is not set"]


def test_status_shows_feeds_and_tables(shell):
    feed = FeedStatus(
        connection="psa",
        resource="tickets",
        until=datetime(2026, 3, 1, tzinfo=UTC),
        windows=1,
        rows=5,
        waiting=0,
        drift=("closed_flag: new",),
    )
    found = Status(
        tenant="acme",
        warehouse="acme.duckdb",
        feeds=(feed,),
        tables=(TableStatus(layer="gold", table="dim_company", rows=3),),
        last_run={"outcome": "succeeded"},
    )
    shell.verb("read_status", found)
    assert shell("status", "--json").json["feeds"][0]["until"] == "2026-03-01T00:00:00Z"
    shell("status")
    assert "2026-03-01T00:00:00Z" in shell.out
    assert "dim_company" in shell.out
    assert "Failed" not in shell.out
    shell.verb("read_status", replace(found, feeds=(replace(feed, drift=(), failed="no answer\n  at    x"),)))
    shell("status")
    assert "no answer" in shell.out.partition("Failed")[2]
    assert "drift" not in shell.out


def test_plan_prints_its_lines_and_its_value(shell):
    shell.verb("plan", "a plan")
    shell.verb("render_plan", ["read psa/tickets", "land it"])
    shell.verb("dump_plan", {"steps": []})
    assert shell("plan").out == "read psa/tickets\nland it\n"
    assert shell("plan", "--json").json == {"steps": []}


def test_explain_shows_lineage_and_statements(shell):
    found = Explanation(
        name="dim_company",
        kind="dimension",
        declared="models/company.yaml:1",
        lineage=(("name", "name", "connectwise.companies.name"),),
        sql=("SELECT 1",),
    )
    shell.verb("explain", found)
    assert shell("explain", "dim_company", "--json").json["lineage"] == [
        {"column": "name", "expression": "name", "sources": "connectwise.companies.name"}
    ]
    assert "SELECT 1;" in shell("explain", "dim_company").out


def test_quarantine_lists_shows_retries_and_discards(shell):
    shell.verb("list_refused", (REFUSED,))
    shell.verb("read_refused", (REFUSED, '{"id": "x[1]"}'))
    shell.verb("retry", RetryReport(tried=2, readmitted=1, refused=1))
    shell.verb("discard", 1)
    row = shell("quarantine", "list", "--json").json["quarantined"][0]
    assert (row["id"], row["resource"], row["reasons"][0]["rule"]) == ("b1:7", "tickets", "bigint")
    assert "id: bigint (saw x[1])" in shell("quarantine", "list").out
    assert shell("quarantine", "show", "b1:7", "--json").json["record"] == '{"id": "x[1]"}'
    assert '{"id": "x[1]"}' in shell("quarantine", "show", "b1:7").out
    assert shell("quarantine", "retry", "--json").json == {"tried": 2, "readmitted": 1, "refused": 1}
    assert shell("quarantine", "discard", "b1:7", "--json").json == {"discarded": 1}


def test_nothing_is_discarded_unless_it_is_named(shell):
    shell.verb("discard", AssertionError("not to be asked"))
    assert shell("quarantine", "discard").code == 2


def test_a_retry_hands_on_ids_and_feed(shell):
    seen = []
    shell.verb("retry", lambda tenant, **options: seen.append(options) or RetryReport(tried=0, readmitted=0, refused=0))
    shell("quarantine", "retry", "b1:7", "b1:8", "--resource", "tickets")
    assert list(seen[0].pop("ids")) == ["b1:7", "b1:8"]
    assert seen[0] == {"connection": None, "resource": "tickets"}


def test_tenants_are_added_listed_and_removed(shell):
    seen = []
    planned = Removal(tenant="umbrella", connections=("psa",), batches=3, refused=1, erased=("lake: x",))
    shell.verb("add_tenant", lambda workspace, name: seen.append(name))
    shell.verb("list_tenants", [{"tenant": "acme", "lives": "headwater.yaml"}])
    shell.verb("plan_removal", lambda workspace, name, *, erase: planned if erase else replace(planned, erased=()))
    shell.verb("remove_tenant", lambda workspace, name, *, erase: seen.append((name, erase)))
    assert shell("tenant", "add", "umbrella", "--json").json == {"tenant": "umbrella", "added": True}
    assert shell("tenant", "list", "--json").json == {"tenants": [{"tenant": "acme", "lives": "headwater.yaml"}]}
    assert "acme" in shell("tenant", "list").out
    assert "its files and tables stay" in shell("tenant", "remove", "umbrella", "--yes").out
    assert shell("tenant", "remove", "umbrella", "--erase", "--yes", "--json").json["erased"] is True
    assert "erases lake: x" in shell("tenant", "remove", "umbrella", "--erase").err
    assert shell.code == 2
    assert "would remove" in shell("tenant", "remove", "umbrella", "--dry-run").out
    assert seen == ["umbrella", ("umbrella", False), ("umbrella", True)]


def test_a_connection_is_added_with_settings_and_references(shell):
    seen = []
    shell.verb("add_connection", lambda *arguments: seen.append(arguments))
    shell.verb("list_missing_values", lambda *arguments: ())
    words = (
        "connection",
        "add",
        "psa",
        "--connector",
        "connectwise",
        "--set",
        "base_url=https://x/?a=b",
        "--set",
        "company=acme",
    )
    shell(*words, "--secret", "public_key=env:KEY", "--resource", "tickets", "--resource", "companies")
    assert shell.code == 0, shell.err
    declaration = {
        "connector": "connectwise",
        "settings": {"base_url": "https://x/?a=b", "company": "acme"},
        "secrets": {"public_key": "env:KEY"},
        "resources": ["tickets", "companies"],
    }
    assert seen == [("acme", "psa", declaration)]
    assert shell("connection", "add", "psa", "--connector", "c", "--set", "oops").code == 2
    assert "`oops` is not NAME=VALUE" in shell.err


def test_connections_are_listed_and_tested(shell):
    shell.verb("list_connections", [])
    shell.verb("check_connection", {"connector": "connectwise", "url": "https://x", "seconds": 0.1})
    assert "no connections yet" in shell("connection", "list").out
    assert shell("connection", "test", "psa", "--json").json["connector"] == "connectwise"


def test_connectors_are_listed(shell):
    shell.verb(
        "list_connectors",
        [{"name": "connectwise", "title": "ConnectWise PSA", "resources": 30, "confidence": "verified"}],
    )
    assert shell("connector", "list", "--json").json["connectors"][0]["resources"] == 30
    assert "ConnectWise PSA" in shell("connector", "list").out


def test_init_names_what_it_wrote(shell, tmp_path):
    shell.verb("init_project", lambda folder, *, blueprint, connector: [folder / "headwater.yaml"])
    shell("init", str(tmp_path), "--blueprint", "msp", "--json")
    assert shell.json == {"written": [str(tmp_path / "headwater.yaml")]}


def test_models_are_generated_from_a_specification(shell, tmp_path):
    shell.verb("generate_models", lambda spec, out, **options: ["Ticket", "Company"])
    shell("generate", "models", "spec.json", str(tmp_path / "schemas.py"), "--json")
    assert shell.json["models"] == ["Ticket", "Company"]


def test_the_schema_is_one_object(shell):
    shell.verb("build_json_schema", {"type": "object"})
    assert shell("schema", "--json").json == {"type": "object"}
    assert shell("schema").out.startswith("{\n")


def test_the_sandbox_takes_this_process_s_place(shell, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "execv", lambda path, words: seen.append((path, words)))
    shell("sandbox", "connectwise", "--port", "8765", "--seed", "7", "--speed", "2")
    words = [sys.executable, "-m", "headwater.sandbox", "connectwise", "--port", "8765", "--seed", "7", "--speed", "2"]
    assert seen == [(sys.executable, words)]


@pytest.mark.parametrize(
    "words", [("run", "--since", "yesterday"), ("run", "--layer", "platinum"), ("rnu",), ("run", "--nope")]
)
def test_a_command_line_that_cannot_be_meant_leaves_with_2(shell, words):
    shell(*words)
    assert shell.code == 2
    assert shell.out == ""
    assert "`headwater" in shell.err.partition("\n  fix   ")[2]
    assert not any(words in shell.err for words in ("Value error", "isoformat"))
    shell(*words, "--json")
    assert shell.code == 2
    assert set(shell.json["error"]) == {"kind", "message", "at", "found", "fix"}
