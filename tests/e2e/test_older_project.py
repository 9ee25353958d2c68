"""A project that version 0.1 made goes on: no row of history or of the star changes, nothing is rebuilt, news arrive."""

from __future__ import annotations

import duckdb
import pytest

from tests.e2e.older_project import PagedService, collections, company, entry, unpack_project
from tests.e2e.record_service import serve


@pytest.fixture
def service():
    with serve(PagedService()) as running:
        yield running


@pytest.fixture
def older(tmp_path, service):
    return unpack_project(tmp_path, service)


def rows(project):
    """Every row of silver and gold by value, whatever the columns are called."""
    return project.read_tables(read_times=True)


def findings(report):
    return [one["finding"] for one in report["findings"] if not one["finding"].startswith("clock_")]


def test_commands_that_only_read_work_before_the_first_run(older, service):
    before = rows(older)
    status = older("status").json
    assert status["last_run"]["outcome"] == "partial"
    assert {row["table"]: row["rows"] for row in status["tables"]}["company_log"] == 12
    assert older("as-of", "2026-01-02T12:00:00Z", "company").json["rows"]
    assert len(older("history", "company", "psa:2").json["moments"]) == 3
    steps = [step["id"] for step in older("plan").json["steps"]]
    assert "conform:area" in steps
    assert older("query", "SELECT COUNT(*) FROM gold.fact_entry").json["rows"] == [[5]]
    assert rows(older) == before
    assert service.requests == []


def test_a_run_with_nothing_new_changes_no_row_and_rebuilds_no_table(older, service):
    before = rows(older)
    report = older.run()
    assert report["outcome"] == "succeeded"
    assert report["written"] == {}
    assert findings(report) == []
    assert next((path, page) for path, page, _ in service.requests if path == "/areas") == ("/areas", 2), "it goes on"
    assert rows(older) == before
    assert older.run()["written"] == {}
    assert rows(older) == before


def test_a_change_arrives_after_the_first_run(older):
    older.run()
    before = rows(older)
    changes = collections(3)
    changes["companies"][0] = company(1, "North Pole", 5)
    changes["entries"].append(entry(7, 1, 5, 5, started=5))
    report = older.on(6, **changes)
    assert report["outcome"] == "succeeded"
    assert findings(report) == []
    after = rows(older)
    assert set(before["silver.company_log"]) < set(after["silver.company_log"])
    names = [row[0] for row in older.query("SELECT name FROM silver.company WHERE entity_key = 'psa:1' ORDER BY ALL")]
    assert names == ["North", "North", "North Pole"]
    assert older.query(
        "SELECT c.name, CAST(f.hours AS VARCHAR) FROM gold.fact_entry AS f JOIN gold.dim_company AS c USING (company_key) "
        "WHERE f.entry_id = 7"
    ) == [("North Pole", "5.00")]


def test_a_rebuild_makes_the_same_history(older):
    older.run()
    before = older.read_tables()
    assert older("rebuild").json["outcome"] == "succeeded"
    after = older.read_tables()
    assert after["silver.entry"] == before["silver.entry"]
    assert after["gold.fact_entry"] == before["gold.fact_entry"]


def test_it_holds_a_row_in_each_table_of_the_schema_meta(older):
    with duckdb.connect(str(older.data / "acme.duckdb"), read_only=True) as db:
        tables = db.sql("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()
        empty = [name for (name,) in tables if not db.sql(f'SELECT 1 FROM meta."{name}" LIMIT 1')]
    assert len(tables) == 8
    assert empty == ["change"], "what every table of gold has consumed is deleted"
