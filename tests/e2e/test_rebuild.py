"""Whatever order it comes in, and however often: a rebuild, a new table, a narrowed run end in the same tables."""

from __future__ import annotations

import pytest

from tests.e2e.builders import create_shop

NEW_ENTITY = """
entity: work_hour
key: entry_id
columns: {entry_id: bigint, hours: "decimal(18,4)", charge: text}
sources:
  connectwise.time_entries:
    changed_at: _info.lastUpdated
    map: {entry_id: id, hours: actualHours, charge: chargeToType}
"""
NEW_STAR = """
dimension: charge
values_of: {entity: work_hour, column: charge}
---
fact: work_hour
entity: work_hour
grain: [entry_id]
lookups: {charge: {dimension: charge, on: charge, strategy: direct}}
measures: {hours: hours}
"""


@pytest.fixture
def synced_project(small, service):
    """A project that has followed its service for some weeks, over deletes, late rows and a refused record."""
    small.connect(service, overlap={"time_entries": "10d"})
    service.add_fault("malformed", path="time/entries", records=1, field="actualHours")
    small.run()
    for _ in range(3):
        service.advance(days=4)
        service.add_fault("drop_contact")
        service.add_fault("late_rows", path="time/entries", records=2, days=3)
        service.advance(hours=1)
        assert small.run()["outcome"] == "succeeded"
    service.list_requests(clear=True)
    return small


def check_no_requests(service):
    """Nobody asked the service for anything, not even for the time."""
    assert service.read_state()["requests"] == []


def test_a_rebuild_is_identical_in_every_table_and_every_column(synced_project, service):
    before = synced_project.read_tables(read_times=True)
    assert synced_project("rebuild").json["outcome"] == "succeeded"
    check_no_requests(service)
    assert synced_project.read_tables(read_times=True) == before
    assert synced_project("quarantine", "list").json["quarantined"]
    for entity in ("company", "time_entry"):
        assert synced_project("rebuild", "--entity", entity).json["outcome"] == "succeeded"
        check_no_requests(service)
        assert synced_project.read_tables(read_times=True) == before
    assert synced_project("rebuild", "--entity", "compny", code=2).error["fix"] == "did you mean `company`?"
    assert synced_project.run()["written"] == {}


def test_what_is_declared_later_fills_from_bronze_without_asking_the_service(synced_project, service):
    (synced_project.root / "models" / "entities" / "work_hour.yaml").write_text(NEW_ENTITY)
    (synced_project.root / "models" / "later.yaml").write_text(NEW_STAR)
    service.list_requests(clear=True)
    report = synced_project.run()
    assert service.list_requests() == []
    assert set(report["written"]) == {"silver.work_hour", "gold.dim_charge", "gold.fact_work_hour"}
    same = "SELECT time_entry_id, hours FROM silver.time_entry_current ORDER BY ALL"
    assert synced_project.query(same) == synced_project.query(
        "SELECT entry_id, hours FROM silver.work_hour_current ORDER BY ALL"
    )
    before = synced_project.read_tables()
    assert synced_project("rebuild").json["outcome"] == "succeeded"
    assert synced_project.read_tables() == before


def test_layer_by_layer_ends_in_the_tables_of_a_whole_run(tmp_path, service, shop_after_run):
    steps = create_shop(tmp_path / "steps", service)
    for layer in ("raw", "bronze", "silver", "gold"):
        report = steps.run("--layer", layer)
        assert report["outcome"] == "succeeded"
        silver = any(table.startswith("silver.") for table in report["written"])
        assert silver == (layer == "silver")
    assert steps.read_tables() == shop_after_run.read_tables()
    assert steps.run()["written"] == {}


def test_resource_by_resource_ends_in_the_rows_of_a_whole_run(tmp_path, service, shop_after_run):
    steps = create_shop(tmp_path / "steps", service)
    for resource in ("time_entries", "members", "contacts", "companies"):
        service.list_requests(clear=True)
        assert steps.run("--resource", resource)["outcome"] == "succeeded"
        asked = {
            line.partition("/3.0/")[2].partition("?")[0].removesuffix("/count") for line in service.list_requests()
        }
        assert len(asked) == 1
    assert steps.run()["outcome"] == "succeeded"
    assert steps.read_tables() == shop_after_run.read_tables()
    assert steps("run", "--resource", "tickts", code=2).error["kind"] == "DeclarationError"


def test_a_past_that_was_filled_later_in_chunks_ends_in_the_rows_of_a_whole_run(tmp_path, service, shop_after_run):
    steps = create_shop(tmp_path / "steps", service)
    span = ("--since", "2025-10-15", "--until", "2025-10-25")
    assert steps.run(*span)["outcome"] == "succeeded"
    some = steps.query("SELECT COUNT(*) FROM silver.time_entry_current")[0][0]
    assert 0 < some < len(service.read_truth("time/entries"))
    service.list_requests(clear=True)
    back = steps("backfill", "--since", "2025-09-01", "--until", "2025-11-01", "--chunk", "7d").json
    assert back["outcome"] == "succeeded"
    assert "2025-10-20" not in str(service.list_requests())
    assert steps.run()["outcome"] == "succeeded"
    whole, found = shop_after_run.read_tables(), steps.read_tables()
    assert found.keys() == whole.keys()
    keys = "SELECT time_entry_id, hours, notes, valid_from, valid_to, is_current FROM silver.time_entry ORDER BY ALL"
    assert steps.query(keys) == shop_after_run.query(keys)
    facts = "SELECT * EXCLUDE (loaded_at, batch_id) FROM gold.fact_time_entry ORDER BY ALL"
    assert steps.query(facts) == shop_after_run.query(facts)
    assert steps.run()["written"] == {}


def test_a_requested_rebuild_does_not_report_the_tables_that_it_dropped(shop_after_run):
    report = shop_after_run("rebuild", "--entity", "company").json
    details = [*report["notes"], *(finding["detail"] for finding in report["findings"])]
    assert any("a rebuild was started" in detail for detail in details)
    assert not any("missing" in detail for detail in details)
