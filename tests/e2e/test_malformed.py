"""One bad record in a page of a thousand: kept out, explained, and let in once its rule is relaxed."""

from __future__ import annotations

import duckdb
import pytest

from tests.e2e.builders import create_shop

FIELD = "hourlyRate"


@pytest.fixture
def malformed_run(tmp_path, start_service):
    """A project that read a page of 1000 records, one of them malformed; its service; and the report of the run."""
    service = start_service(companies=6, months=4)
    project = create_shop(tmp_path / "shop", service, size=1000, resources=["time_entries", "companies", "members"])
    # One window for all, so that a page is full.
    project.edit_manifest(lambda manifest: manifest["resources"][6].update(look_back="0d"))
    assert len(service.read_truth("time/entries")) > 1000
    service.add_fault("malformed", path="time/entries", records=1, field=FIELD)
    return project, service, project.run()


def bronze(project):
    files = project.data / "lake" / "acme" / "bronze" / "psa" / "time_entries" / "*-changes-*.parquet"
    source = f"read_parquet('{files}', union_by_name = true)"
    with duckdb.connect() as connection:
        return dict(connection.execute(f"SELECT _line <= 1000, COUNT(*) FROM {source} GROUP BY ALL").fetchall())


def test_the_other_999_are_landed_and_the_one_waits_with_its_reason(malformed_run):
    project, service, report = malformed_run
    total = len(service.read_truth("time/entries"))
    assert (report["outcome"], report["quarantined"]) == ("succeeded", 1)
    assert bronze(project) == {True: 999, False: total - 1000}
    (waiting,) = project("quarantine", "list").json["quarantined"]
    (reason,) = waiting["reasons"]
    assert (reason["field"], reason["value"]) == (FIELD, "ekki tala")
    assert reason["rule"]
    shown = project("quarantine", "show", waiting["id"]).json
    assert '"ekki tala"' in shown["record"]
    print(f"bronze: {bronze(project)}; quarantine: {reason}")


def test_once_the_rule_is_relaxed_a_retry_brings_it_in_without_asking_the_service(malformed_run):
    project, service, _ = malformed_run
    total = len(service.read_truth("time/entries"))
    (waiting,) = project("quarantine", "list").json["quarantined"]
    key = int(waiting["key"])
    wanted = f"SELECT COUNT(*) FROM gold.fact_time_entry WHERE time_entry_id = {key}"
    assert project.query(wanted) == [(0,)]
    service.list_requests(clear=True)
    assert project("quarantine", "retry").json == {"tried": 1, "readmitted": 0, "refused": 1}
    project.declare(policies={"connectwise.time_entries": {"fields": {FIELD: "text"}}})
    assert project("quarantine", "retry").json == {"tried": 1, "readmitted": 1, "refused": 0}
    assert service.read_state()["requests"] == []
    assert project.query(wanted) == [(1,)]
    assert project.query("SELECT COUNT(*) FROM silver.time_entry_current") == [(total,)]
    assert project.query("SELECT COUNT(*) FROM gold.fact_time_entry") == [(total,)]
    assert project("quarantine", "list").json == {"quarantined": []}
    before = project.read_tables()
    assert project("rebuild").json["outcome"] == "succeeded"
    assert project.read_tables() == before
    assert project("quarantine", "list").json == {"quarantined": []}
    assert project.run()["written"] == {}


def test_a_relaxed_field_that_silver_needs_as_a_number_is_empty_there_and_kept_as_text_in_bronze(small, service):
    service.add_fault("malformed", path="time/entries", records=1, field="actualHours")
    small.run()
    (waiting,) = small("quarantine", "list").json["quarantined"]
    small.declare(policies={"connectwise.time_entries": {"fields": {"actualHours": "text"}}})
    assert small("quarantine", "retry").json == {"tried": 1, "readmitted": 1, "refused": 0}
    hours = dict(small.query("SELECT time_entry_id, hours FROM silver.time_entry_current"))
    truth = {key: record["actualHours"] for key, record in service.read_truth("time/entries").items()}
    assert {key: None if value is None else float(value) for key, value in hours.items()} == truth | {
        int(waiting["key"]): None
    }
    before = small.read_tables()
    again = small("rebuild", code=3).json
    assert [(one["table"], one["finding"], one["count"]) for one in again["findings"]] == [
        ("silver.time_entry", "type_mismatch", 1)
    ]
    assert small.read_tables() == before
