"""A service that misbehaves in every way it can: in the end the tables hold what it holds."""

from __future__ import annotations

import pytest

PATHS = {
    "company": "company/companies",
    "contact": "company/contacts",
    "member": "system/members",
    "time_entry": "time/entries",
}

PASSING = [
    {"kind": "truncated", "times": 2},
    {"kind": "rate_limit", "retry_after": 1, "times": 2},
    {"kind": "rate_limit", "retry_after": 1, "as": "date"},
    {"kind": "error", "status": 500, "times": 2},
    {"kind": "error", "status": 503},
    {"kind": "timeout", "seconds": 2},
    {"kind": "reset", "times": 2},
]
"""Faults that a run gets over by itself."""

LASTING = [
    {"kind": "error", "status": 500},
    {"kind": "repeated_page"},
    {"kind": "ignored_filter"},
]
"""Faults that end the read of a resource, until the service is well again."""


def assert_true(project, service):
    """Silver's current rows are the records of the service."""
    for entity, path in PATHS.items():
        keys = {key for (key,) in project.query(f"SELECT {entity}_id FROM silver.{entity}_current")}
        assert keys == set(service.read_truth(path)), entity
    stamps = {
        key: stamp.isoformat() + "Z"
        for key, stamp in project.query("SELECT time_entry_id, updated_at FROM silver.time_entry_current")
    }
    assert stamps == {key: record["_info"]["lastUpdated"] for key, record in service.read_truth("time/entries").items()}
    notes = dict(project.query("SELECT time_entry_id, notes FROM silver.time_entry_current"))
    assert notes == {key: record.get("notes") for key, record in service.read_truth("time/entries").items()}
    names = dict(project.query("SELECT company_id, name FROM silver.company_current"))
    assert names == {key: record["name"] for key, record in service.read_truth("company/companies").items()}
    facts = project.query("SELECT COUNT(*), COUNT(DISTINCT time_entry_id) FROM gold.fact_time_entry")
    assert facts == [(len(stamps), len(stamps))]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_run_gets_over_what_passes(small, service, fault):
    service.add_fault(path="time/entries", after=2, **fault)
    assert small.run()["outcome"] == "succeeded"
    assert service.read_state()["faults"] == []
    assert_true(small, service)


@pytest.mark.parametrize("fault", LASTING, ids=lambda fault: fault["kind"])
def test_what_lasts_stops_one_resource_until_it_is_over(small, service, fault):
    service.add_fault(path="time/entries", after=3, times=99, **fault)
    report = small.run(code=3)
    (error,) = [step["error"] for step in report["steps"] if step["state"] == "failed"]
    print(error)
    assert "time_entries" in error["at"]
    service.clear_faults()
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)


def test_a_link_that_leads_elsewhere_is_not_followed_where_pages_are_asked_by_key(small, service):
    service.add_fault("foreign_next", path="time/entries", after=2, times=99, url="https://elsewhere.example/next")
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)


def test_a_link_that_leads_elsewhere_stops_the_read_where_links_are_followed(small, service):
    small.edit_manifest(
        lambda manifest: manifest.update(
            paging={"kind": "link_header", "size_param": "pageSize", "size": 40}, look_back="90d"
        )
    )
    service.add_fault("foreign_next", path="time/entries", after=4, times=99, url="https://elsewhere.example/next")
    report = small.run(code=3)
    (error,) = [step["error"] for step in report["steps"] if step["state"] == "failed"]
    print(error)
    assert error["kind"] == "PermanentError"
    assert "elsewhere.example" in str(error)
    service.clear_faults()
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)


def test_records_that_change_while_being_paged_are_all_there_in_the_end(small, service):
    service.add_fault("mutate_while_paging", records=3)
    small.run()
    service.clear_faults()
    service.advance(hours=1)
    small.run()
    assert_true(small, service)
    assert small.run()["written"] == {}


def test_late_rows_come_in_with_an_overlap(small, service):
    small.connect(service, overlap={"time_entries": "10d"})
    small.run()
    service.advance(days=1)
    ids = service.add_fault("late_rows", path="time/entries", records=4, days=5)["ids"]
    service.advance(hours=1)
    report = small.run()
    found = {key for (key,) in small.query("SELECT time_entry_id FROM silver.time_entry_current")}
    assert set(ids) <= found
    assert_true(small, service)
    assert report["written"]["silver.time_entry"]["deleted"] == 0, "what is known already is dropped by the change log"


def test_everything_at_once(small, service):
    for at, fault in enumerate(PASSING):
        service.add_fault(after=3 * at, **fault)
    service.add_fault("mutate_while_paging", records=2)
    assert small.run(code=None)["outcome"] in ("succeeded", "partial")
    service.clear_faults()
    service.advance(hours=1)
    assert small.run()["outcome"] == "succeeded"
    assert_true(small, service)
