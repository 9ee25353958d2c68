"""The demo from outside: run once, its report held against the company that it was about, which lives a second time here."""

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
from headwater.cli.demo.progress import Plain, Told
from headwater.cli.demo.render import page
from headwater.cli.demo.report import History, Refusal, Report, telling_days
from headwater.cli.demo.scenario import AFTER, BEFORE, MONTHS
from headwater.clock import EPOCH, parse_instant
from headwater.errors import DeclarationError
from headwater.events import PageCommitted
from headwater.run.results import TableStatus
from headwater.sandbox.connectwise.clock import START, add_months
from headwater.sandbox.connectwise.simulation import build_simulation


@dataclass
class Demo:
    folder: Path
    told: dict
    lines: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    words = [sys.executable, "-m", "headwater.cli", "demo", "my demo", "--json"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return Demo(folder=folder, told=json.loads(done.stdout), lines=done.stderr)


def company_at(instant):
    """The simulated company, as it was at an instant."""
    simulation = build_simulation(months=MONTHS)
    simulation.advance(instant - add_months(START, MONTHS))
    return simulation.state


@pytest.fixture(scope="module")
def truth(demo):
    return company_at(parse_instant(demo.told["clock"]))


@pytest.mark.slow
def test_all_work_of_the_company_is_in_the_report(demo, truth):
    entries = truth.time_entries.rows.values()
    work = demo.told["work"]
    assert sum(row["entries"] for row in work) == len(entries)
    assert sum(row["hours"] for row in work) == pytest.approx(sum(entry.actual_hours for entry in entries))
    worth = sum(Decimal(str(entry.actual_hours)) * Decimal(str(entry.hourly_rate or 0)) for entry in entries)
    assert sum(row["revenue"] for row in work) == pytest.approx(float(worth))
    assert all(row["margin"] == pytest.approx(row["revenue"] - row["cost"]) for row in work)


@pytest.mark.slow
def test_internal_and_prepaid_work_is_shown_and_on_no_invoice(demo):
    classes = {row["class"]: row["hours"] for row in demo.told["work"]}
    paid = {row["status"]: row["hours"] for row in demo.told["paid"]}
    assert classes["internal_project"] == paid["Internal"] > 0
    assert classes["prepaid_hours"] == paid["Prepaid"] > 0
    assert sum(classes.values()) == pytest.approx(sum(paid.values()))
    assert demo.told["leaked"] == 0


@pytest.mark.slow
def test_the_tables_hold_what_the_company_holds(demo, truth):
    rows = {(table["layer"], table["table"]): table["rows"] for table in demo.told["tables"]}
    assert rows["gold", "fact_time_entry"] == len(truth.time_entries.rows)
    assert rows["gold", "fact_ticket"] == len(truth.tickets.rows) + len(truth.project_tickets.rows)
    assert rows["gold", "fact_expense_entry"] == len(truth.expenses.rows) - 1, "one waits in quarantine"
    assert rows["silver", "contact_current"] == len(truth.contacts.rows), "those that vanished are gone here too"
    assert rows["silver", "company"] > rows["silver", "company_current"], "somebody was renamed"


@pytest.mark.slow
def test_the_company_was_what_the_report_says_on_each_day(demo):
    history = demo.told["history"]
    key = int(history["entity_key"].partition(":")[2])
    names = set()
    for day, version in history["as_of"]:
        evening = min(parse_instant(day) + timedelta(days=1), parse_instant(demo.told["clock"]))
        company = company_at(evening).companies.rows[key]
        assert version["name"] == company.name
        names.add(company.name)
    assert len(history["as_of"]) == 3
    assert len(names) > 1


@pytest.mark.slow
def test_what_was_refused_is_told_with_its_reason_and_some_of_it_came_back(demo):
    flags = [row for row in demo.told["quarantine"] if row["field"] == "invoiceFlag"]
    amounts = [row for row in demo.told["quarantine"] if row["field"] == "amount"]
    assert [row["state"] for row in flags] == ["readmitted"] * 3
    assert [(row["state"], row["value"]) for row in amounts] == [("waiting", "11.900 kr.")]
    assert all(row["rule"] and row["record"] for row in (*flags, *amounts))
    assert demo.told["readmitted"] == 3


@pytest.mark.slow
def test_the_last_sync_reads_nothing(demo):
    assert demo.told["syncs"][-1]["records"] == 0
    assert max(told["refused"] for told in demo.told["syncs"]) == 4


@pytest.mark.slow
def test_every_day_of_the_story_was_lived(demo):
    chapters = (*BEFORE, *AFTER)
    span = timedelta(days=sum(one.days for one in chapters), hours=sum(one.hours for one in chapters))
    assert parse_instant(demo.told["clock"]) == add_months(START, MONTHS) + span
    assert parse_instant(demo.told["clock"]).hour == 0, "so that nothing waits behind the hold-back"


@pytest.mark.slow
def test_the_command_to_try_works_as_printed(demo):
    done = subprocess.run(
        demo.told["query"], shell=True, cwd=demo.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "since" in done.stdout
    assert "10 rows" in done.stdout
    assert (demo.folder / demo.told["warehouse"]).is_file()


@pytest.mark.slow
def test_it_says_what_it_does_in_plain_lines(demo):
    assert "first load" in demo.lines
    assert "Traceback" not in demo.lines
    assert "private" not in demo.lines


@pytest.mark.slow
def test_the_project_is_one_that_a_person_could_have_written(demo):
    declared = yaml.safe_load((demo.folder / "my demo" / "headwater.yaml").read_text(encoding="utf-8"))
    connection = declared["tenants"]["acme"]["connections"]["psa"]
    assert connection["settings"]["company"] == "acme"
    assert connection["secrets"]["private_key"] == "env:CONNECTWISE_PRIVATE_KEY"
    assert declared["policies"] == {"connectwise.time_entries": {"fields": {"invoiceFlag": "text"}}}


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(DeclarationError) as refused:
        project.clear(tmp_path)
    assert "letters.txt" in refused.value.details
    assert refused.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_project_of_somebody_is_left_alone(tmp_path):
    (tmp_path / "headwater.yaml").write_text("version: 1\nname: mine\n", encoding="utf-8")
    with pytest.raises(DeclarationError):
        project.clear(tmp_path)
    assert (tmp_path / "headwater.yaml").read_text(encoding="utf-8") == "version: 1\nname: mine\n"


def test_a_demo_begins_anew_in_its_own_folder_and_keeps_what_others_put_there(tmp_path):
    folder = tmp_path / "demo"
    project.clear(folder)
    project.write(folder, "http://127.0.0.1:1")
    (folder / ".headwater").mkdir()
    (folder / ".headwater" / "acme.duckdb").write_bytes(b"old")
    (folder / "notes.md").write_text("mine", encoding="utf-8")
    project.clear(folder)
    assert not (folder / "headwater.yaml").exists()
    assert not (folder / ".headwater").exists()
    assert (folder / "notes.md").read_text(encoding="utf-8") == "mine"
    project.write(folder, "http://127.0.0.1:2")
    assert 'base_url: "http://127.0.0.1:2"' in (folder / "headwater.yaml").read_text(encoding="utf-8")


def test_a_foreign_folder_is_refused_before_anything_starts(shell, tmp_path):
    (tmp_path / "letters.txt").write_text("dear", encoding="utf-8")
    shell("demo", str(tmp_path), "--json")
    assert shell.code == 2
    assert shell.json["error"]["kind"] == "DeclarationError"


@pytest.mark.parametrize(
    ("beginnings", "days"),
    [
        ([1], [-58, -28, 2]),
        ([1, 5], [4, 5, 62]),
        ([1, 5, 9], [4, 5, 62]),
        ([1, 5, 9, 20], [4, 9, 62]),
    ],
)
def test_the_three_days_show_what_changed(beginnings, days):
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    today = date(2026, 3, 3)
    expected = [today - timedelta(days=60), today - timedelta(days=30), today]
    if len(beginnings) > 1:
        expected = [date(2026, 1, 1) + timedelta(days=day - 1) for day in days[:2]] + [today]
    found = telling_days([first + timedelta(days=day - 1) for day in beginnings], today=today)
    assert list(found) == expected


class Watch:
    """A clock that a test turns."""

    def __init__(self):
        self.at = 0.0

    def monotonic(self):
        return self.at


def test_plain_lines_speak_up_when_it_takes_long(capsys):
    watch = Watch()
    plain = Plain(clock=watch)
    plain.begin(date(2026, 1, 2), "first load")
    feed = Feed(tenant="acme", connection="psa", resource="tickets")
    batch = create_batch(feed, Window(since=EPOCH, until=EPOCH + timedelta(days=1)), purpose="changes", attempt=1)
    for at in (0.5, 1.0, 2.0, 2.5, 4.0):
        watch.at = at
        plain.event(PageCommitted(tenant="acme", batch=batch, page=0, rows=1000, size=1))
    plain.end(Told(day=date(2026, 1, 2), said="first load", records=5000, refused=1, seconds=4.0))
    lines = capsys.readouterr().err.splitlines()[1:]
    assert lines == [
        "2026-01-02  first load",
        "            reading tickets: 3,000 records so far",
        "            reading tickets: 5,000 records so far",
        "            5,000 records read; 1 quarantined, 4.0 s",
    ]


def test_the_page_fits_on_80_columns():
    money = {"hours": Decimal("12345.5"), "revenue": Decimal(99_999_999), "cost": Decimal(1), "margin": Decimal(5)}
    version = {"name": "Garðyrkjustöðin Hraun slf.", "status": "Virkur", "territory": "Austurland", "hours": 9.5}
    refusal = Refusal(resource="expense_entries", record="58", state="waiting", field="amount",
                      value="11.900 kr.", rule="should be a valid number, unable to parse", )  # fmt: skip
    found = Report(
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
    console.print(Group(*page(found)))
    lines = console.file.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    text = "\n".join(lines)
    assert "no agreement" in text
    assert "agreement_addition_log" not in text
    assert "…" not in text
