"""The star of the whole blueprint after months of life: nothing dangles, nothing is missing, nothing is billed twice."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headwater import blueprints
from tests.e2e.builders import Service, create_msp

FACTS = Path(blueprints.__file__).parent / "msp" / "models" / "facts"


@pytest.fixture(scope="module")
def synced_project(tmp_path_factory):
    """A project that has followed a company for months, a run a fortnight, and its service."""
    service = Service(seed=3, companies=4, months=1)
    project = create_msp(tmp_path_factory.mktemp("star") / "msp", service)
    project.run()
    for _ in range(3):
        service.advance(days=15)
        service.add_fault("drop_contact")
        assert project.run()["outcome"] == "succeeded"
    yield project, service
    service.close()


def facts():
    """(fact, lookup, dimension) of every lookup that the blueprint declares."""
    for path in sorted(FACTS.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            for name, lookup in document.get("lookups", {}).items():
                yield document["fact"], name, lookup["dimension"]


def choose_key(dimension):
    """The surrogate key of a dimension."""
    return "date_key" if dimension == "date" else f"{dimension}_key"


@pytest.mark.slow
def test_every_key_of_every_fact_leads_to_a_member(synced_project):
    project, _ = synced_project
    seen = list(facts())
    assert len(seen) > 40
    counts = (
        f"SELECT '{fact}.{lookup}', COUNT(*) FROM gold.fact_{fact} AS f "
        f"ANTI JOIN gold.dim_{dimension} AS d ON f.{lookup}_key = d.{choose_key(dimension)}"
        for fact, lookup, dimension in seen
    )
    dangling = project.query(" UNION ALL ".join(counts))
    assert len(dangling) == len(seen)
    assert [(name, count) for name, count in dangling if count] == []
    print(f"{len(seen)} lookups of {len({fact for fact, _, _ in seen})} facts, none dangling")


@pytest.mark.slow
def test_there_is_a_fact_for_each_time_entry_internal_ones_too(synced_project):
    project, service = synced_project
    truth = service.read_truth("time/entries")
    found = project.query("SELECT time_entry_id FROM gold.fact_time_entry")
    assert sorted(key for (key,) in found) == sorted(truth)
    hours = project.query("SELECT SUM(hours) FROM gold.fact_time_entry")[0][0]
    assert round(float(hours), 2) == round(sum(record["actualHours"] for record in truth.values()), 2)
    status = dict(project.query("SELECT effective_billing_status, COUNT(*) FROM gold.fact_time_entry GROUP BY ALL"))
    print(f"{len(truth)} time entries: {status}")
    assert status["Internal"] > 0
    assert status["Prepaid"] > 0


@pytest.mark.slow
def test_prepaid_and_internal_work_is_in_no_invoice_line(synced_project):
    project, _ = synced_project
    classes = dict(
        project.query(
            "SELECT a.class, COUNT(*) FROM gold.fact_invoice_line AS l JOIN gold.fact_time_entry AS t USING (time_entry_id)"
            " JOIN gold.dim_agreement AS a ON a.agreement_key = l.agreement_key GROUP BY ALL"
        )
    )
    assert classes
    assert not {"prepaid_hours", "internal_project"} & set(classes)
    stray = project.query(
        "SELECT COUNT(*) FROM gold.fact_invoice_line AS l JOIN gold.fact_time_entry AS t USING (time_entry_id)"
        " WHERE t.is_timapottur OR t.effective_billing_status IN ('Internal', 'Prepaid')"
    )
    assert stray == [(0,)]
    print(f"service lines by class of agreement: {classes}")


@pytest.mark.slow
def test_history_is_there_renames_are_versions_and_the_dropped_are_closed(synced_project):
    project, service = synced_project
    versions = project.query("SELECT COUNT(*) FILTER (NOT is_current), COUNT(*) FILTER (is_current) FROM silver.ticket")
    assert versions[0][0] > 0
    current = {key for (key,) in project.query("SELECT contact_id FROM silver.contact_current")}
    assert current == set(service.read_truth("company/contacts"))
    closed = project.query(
        "SELECT COUNT(DISTINCT entity_key) FROM silver.contact AS c ANTI JOIN silver.contact_current USING (entity_key)"
    )
    assert closed[0][0] >= 3
    names = {record["id"]: record["name"] for record in service.read_truth("company/companies").values()}
    assert (
        dict(project.query("SELECT company_id, name FROM gold.dim_company WHERE is_current AND company_key > 0"))
        == names
    )


@pytest.mark.slow
def test_a_rebuild_of_the_whole_blueprint_is_identical(synced_project):
    project, service = synced_project
    before = project.read_tables()
    service.list_requests(clear=True)
    assert project("rebuild").json["outcome"] == "succeeded"
    assert service.read_state()["requests"] == []
    after = project.read_tables()
    assert after.keys() == before.keys()
    for table, rows in before.items():
        assert after[table] == rows, table
    print(f"{len(before)} tables, {sum(map(len, before.values()))} rows, identical")
    assert project.run()["written"] == {}
