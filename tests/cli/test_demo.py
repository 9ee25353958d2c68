"""The demo, run once in a subprocess. Its report is compared with the same simulation, run again here."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from rich.console import Console, Group

from headwater.batch import Feed, Window, create_batch
from headwater.cli.demo import project
from headwater.cli.demo.progress import PlainProgress, SyncResult
from headwater.cli.demo.render import render_report
from headwater.cli.demo.report import History, Refusal, Report, choose_days
from headwater.cli.demo.scenario import MONTHS, STEPS_AFTER_POLICY, STEPS_BEFORE_POLICY
from headwater.clock import EPOCH, parse_instant
from headwater.errors import DeclarationError
from headwater.events import PageCommitted
from headwater.run.results import TableStatus
from headwater.sandbox.connectwise.clock import START, add_months
from headwater.sandbox.connectwise.simulation import build_simulation


@dataclass
class Demo:
    folder: Path
    output: dict
    lines: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "headwater.cli", "demo", "my demo", "--json"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    assert process.returncode == 0, process.stderr
    return Demo(folder=folder, output=json.loads(process.stdout), lines=process.stderr)


def simulate_until(instant):
    """Simulate the company until an instant. Return its state."""
    simulation = build_simulation(months=MONTHS)
    simulation.advance(instant - add_months(START, MONTHS))
    return simulation.state


@pytest.fixture(scope="module")
def truth(demo):
    return simulate_until(parse_instant(demo.output["clock"]))


@pytest.mark.slow
def test_all_work_of_the_company_is_in_the_report(demo, truth):
    entries = truth.time_entries.rows.values()
    work = demo.output["work"]
    assert sum(row["entries"] for row in work) == len(entries)
    assert sum(row["hours"] for row in work) == pytest.approx(sum(entry.actual_hours for entry in entries))
    worth = sum(Decimal(str(entry.actual_hours)) * Decimal(str(entry.hourly_rate or 0)) for entry in entries)
    assert sum(row["revenue"] for row in work) == pytest.approx(float(worth))
    assert all(row["margin"] == pytest.approx(row["revenue"] - row["cost"]) for row in work)


@pytest.mark.slow
def test_internal_and_prepaid_work_is_shown_and_on_no_invoice(demo):
    classes = {row["class"]: row["hours"] for row in demo.output["work"]}
    paid = {row["status"]: row["hours"] for row in demo.output["paid"]}
    assert classes["internal_project"] == paid["Internal"] > 0
    assert classes["prepaid_hours"] == paid["Prepaid"] > 0
    assert sum(classes.values()) == pytest.approx(sum(paid.values()))
    assert demo.output["leaked"] == 0


@pytest.mark.slow
def test_tables_have_the_same_rows_as_the_simulation(demo, truth):
    rows = {(table["layer"], table["table"]): table["rows"] for table in demo.output["tables"]}
    assert rows["gold", "fact_time_entry"] == len(truth.time_entries.rows)
    assert rows["gold", "fact_ticket"] == len(truth.tickets.rows) + len(truth.project_tickets.rows)
    assert rows["gold", "fact_expense_entry"] == len(truth.expenses.rows) - 1, "one is in quarantine"
    assert rows["silver", "contact_current"] == len(truth.contacts.rows), "deleted contacts are deleted here, too"
    assert rows["silver", "company"] > rows["silver", "company_current"], "a company was renamed"


@pytest.mark.slow
def test_the_report_shows_the_company_as_it_was_on_each_day(demo):
    history = demo.output["history"]
    key = int(history["entity_key"].partition(":")[2])
    names = set()
    for day, version in history["as_of"]:
        evening = min(parse_instant(day) + timedelta(days=1), parse_instant(demo.output["clock"]))
        company = simulate_until(evening).companies.rows[key]
        assert version["name"] == company.name
        names.add(company.name)
    assert len(history["as_of"]) == 3
    assert len(names) > 1


@pytest.mark.slow
def test_quarantined_records_have_a_reason_and_some_are_readmitted(demo):
    flags = [row for row in demo.output["quarantine"] if row["field"] == "invoiceFlag"]
    amounts = [row for row in demo.output["quarantine"] if row["field"] == "amount"]
    assert [row["state"] for row in flags] == ["readmitted"] * 3
    assert [(row["state"], row["value"]) for row in amounts] == [("waiting", "11.900 kr.")]
    assert all(row["rule"] and row["record"] for row in (*flags, *amounts))
    assert demo.output["readmitted"] == 3


@pytest.mark.slow
def test_the_last_sync_reads_nothing(demo):
    assert demo.output["syncs"][-1]["records"] == 0
    assert max(sync["refused"] for sync in demo.output["syncs"]) == 4


@pytest.mark.slow
def test_every_step_advances_the_clock(demo):
    steps = (*STEPS_BEFORE_POLICY, *STEPS_AFTER_POLICY)
    span = timedelta(days=sum(step.days for step in steps), hours=sum(step.hours for step in steps))
    assert parse_instant(demo.output["clock"]) == add_months(START, MONTHS) + span
    assert parse_instant(demo.output["clock"]).hour == 0, "otherwise the hold-back would keep back changes"


@pytest.mark.slow
def test_the_example_command_works_as_printed(demo):
    process = subprocess.run(
        demo.output["query"], shell=True, cwd=demo.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stderr
    assert "since" in process.stdout
    assert "10 rows" in process.stdout
    assert (demo.folder / demo.output["warehouse"]).is_file()


@pytest.mark.slow
def test_progress_is_printed_as_plain_lines(demo):
    assert "first load" in demo.lines
    assert "Traceback" not in demo.lines
    assert "private" not in demo.lines


@pytest.mark.slow
def test_the_project_is_like_one_from_init(demo):
    declared = yaml.safe_load((demo.folder / "my demo" / "headwater.yaml").read_text(encoding="utf-8"))
    connection = declared["tenants"]["acme"]["connections"]["psa"]
    assert connection["settings"]["company"] == "acme"
    assert connection["secrets"]["private_key"] == "env:CONNECTWISE_PRIVATE_KEY"
    assert declared["policies"] == {"connectwise.time_entries": {"fields": {"invoiceFlag": "text"}}}


def test_another_folder_is_not_changed(tmp_path):
    (tmp_path / "letters.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(DeclarationError) as error:
        project.clear_folder(tmp_path)
    assert "letters.txt" in error.value.details
    assert error.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_another_project_is_not_changed(tmp_path):
    (tmp_path / "headwater.yaml").write_text("version: 1\nname: mine\n", encoding="utf-8")
    with pytest.raises(DeclarationError):
        project.clear_folder(tmp_path)
    assert (tmp_path / "headwater.yaml").read_text(encoding="utf-8") == "version: 1\nname: mine\n"


def test_a_second_demo_replaces_the_first_and_keeps_other_files(tmp_path):
    folder = tmp_path / "demo"
    project.clear_folder(folder)
    project.write_project(folder, "http://127.0.0.1:1")
    (folder / ".headwater").mkdir()
    (folder / ".headwater" / "acme.duckdb").write_bytes(b"old")
    (folder / "notes.md").write_text("mine", encoding="utf-8")
    project.clear_folder(folder)
    assert not (folder / "headwater.yaml").exists()
    assert not (folder / ".headwater").exists()
    assert (folder / "notes.md").read_text(encoding="utf-8") == "mine"
    project.write_project(folder, "http://127.0.0.1:2")
    assert 'base_url: "http://127.0.0.1:2"' in (folder / "headwater.yaml").read_text(encoding="utf-8")


def test_another_folder_is_an_error_before_anything_starts(shell, tmp_path):
    (tmp_path / "letters.txt").write_text("dear", encoding="utf-8")
    shell("demo", str(tmp_path), "--json")
    assert shell.code == 2
    assert shell.json["error"]["kind"] == "DeclarationError"


@pytest.mark.parametrize(
    ("starts", "days"),
    [
        ([1], [-58, -28, 2]),
        ([1, 5], [4, 5, 62]),
        ([1, 5, 9], [4, 5, 62]),
        ([1, 5, 9, 20], [4, 9, 62]),
    ],
)
def test_choose_days_returns_days_of_different_versions(starts, days):
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    today = date(2026, 3, 3)
    expected = [today - timedelta(days=60), today - timedelta(days=30), today]
    if len(starts) > 1:
        expected = [date(2026, 1, 1) + timedelta(days=day - 1) for day in days[:2]] + [today]
    chosen = choose_days([first + timedelta(days=day - 1) for day in starts], today=today)
    assert list(chosen) == expected


class ManualClock:
    """A clock that a test sets."""

    def __init__(self):
        self.at = 0.0

    def monotonic(self):
        return self.at


def test_plain_progress_prints_the_state_during_a_long_sync(capsys):
    clock = ManualClock()
    progress = PlainProgress(clock=clock)
    progress.begin_sync(date(2026, 1, 2), "first load")
    feed = Feed(tenant="acme", connection="psa", resource="tickets")
    batch = create_batch(feed, Window(since=EPOCH, until=EPOCH + timedelta(days=1)), purpose="changes", attempt=1)
    for at in (0.5, 1.0, 2.0, 2.5, 4.0):
        clock.at = at
        progress.on_event(PageCommitted(tenant="acme", batch=batch, page=0, rows=1000, size=1))
    progress.end_sync(SyncResult(day=date(2026, 1, 2), summary="first load", records=5000, quarantined=1, seconds=4.0))
    lines = capsys.readouterr().err.splitlines()[1:]
    assert lines == [
        "2026-01-02  first load",
        "            reading tickets: 3,000 records so far",
        "            reading tickets: 5,000 records so far",
        "            5,000 records read; 1 quarantined, 4.0 s",
    ]


def test_the_report_fits_on_80_columns():
    money = {"hours": Decimal("12345.5"), "revenue": Decimal(99_999_999), "cost": Decimal(1), "margin": Decimal(5)}
    version = {"name": "Garðyrkjustöðin Hraun slf.", "status": "Virkur", "territory": "Austurland", "hours": 9.5}
    refusal = Refusal(resource="expense_entries", record="58", state="waiting", field="amount",
                      value="11.900 kr.", rule="should be a valid number, unable to parse", )  # fmt: skip
    report = Report(
        tables=(
            TableStatus(layer="gold", table="dim_time_entry_status", rows=10_960),
            TableStatus(layer="gold", table="fact_agreement_period", rows=2_208),
            TableStatus(layer="silver", table="agreement_addition", rows=5_121),
            TableStatus(layer="silver", table="agreement_addition_log", rows=99),
        ),
        work=({"class": "software_service", **money}, {"class": "Unknown", **money}),
        paid=({"status": "DoNotBill", **money},),
        leaked=0,
        history=History(entity_key="psa:4", as_of=((date(2026, 1, 1), version),), versions=2),
        quarantine=(refusal,),
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=80)
    console.print(Group(*render_report(report)))
    lines = console.file.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    text = "\n".join(lines)
    assert "no agreement" in text
    assert "agreement_addition_log" not in text
    assert "…" not in text
