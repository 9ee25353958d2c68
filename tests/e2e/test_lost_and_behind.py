"""What a run did not finish, what changed in a declaration and what somebody dropped is made up for by the next run.

All of it while no resource is due, so that nothing else lets the run look at these tables.
"""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest

from tests.e2e.record_service import CHANGES, RecordShop, Service, record, serve

HOUR = 1 / 24
FACT = {
    "fact": "entry", "entity": "entry", "grain": ["thing_id"], "measures": {"size": "length(name)"},
    "lookups": {
        "kind": {"dimension": "kind", "on": "thing_id", "strategy": "current"},
        "day": {"dimension": "day", "on": "cast(at as date)", "strategy": "direct"},
    },
}  # fmt: skip
DAYS = {"dimension": "day", "calendar": "gregorian", "first": "2026-01-01", "last": "2026-01-31"}


@pytest.fixture
def service():
    with serve(Service()) as made:
        yield made


@pytest.fixture
def project(tmp_path, service):
    """Kinds, which are due once a day, entries, a dimension of both kinds, and a fact with an entry of an unknown kind."""
    project = RecordShop(
        tmp_path / "shelf",
        service,
        kinds={"cursor": CHANGES, "every": "1d"},
        entries={"cursor": CHANGES, "every": "1d"},
    )
    project.entity("kind", ["kinds"])
    project.entity(
        "entry",
        {"entries": {"map": {"thing_id": "id", "name": "name", "at": "changed"}}},
        columns={"thing_id": "bigint", "name": "text", "at": "timestamp"},
    )
    project.write("models/dimensions/kind.yaml", {"dimension": "kind", "entity": "kind", "attributes": {"name": "T2"}})
    project.write("models/dimensions/day.yaml", DAYS)
    project.write("models/facts/entry.yaml", FACT)
    kinds, entries = [record(1, "a", day=1), record(2, "b", day=1)], [record(n, "x", day=2) for n in (1, 2, 3)]
    report = project.on(3, kinds=kinds, entries=entries)
    assert report["outcome"] == "succeeded"
    assert project.on(3 + HOUR)["written"] == {}
    return project


def read_kinds(project):
    """The names in the dimension, without reserved and inferred members."""
    sql = "SELECT name FROM gold.dim_kind WHERE kind_key > 0 AND is_current AND NOT is_inferred ORDER BY 1"
    return [name for (name,) in project.query(sql)]


def count_lost_facts(project, dimension, key):
    join = f"LEFT JOIN gold.dim_{dimension} AS d ON d.{key}_key = f.{key}_key WHERE d.{key}_key IS NULL"
    return project.query(f"SELECT COUNT(*) FROM gold.fact_entry AS f {join}")[0][0]


def drop(project, table):
    with closing(duckdb.connect(str(project.data / "acme.duckdb"))) as connection:
        connection.execute(f"DROP TABLE {table}")


def test_a_table_whose_step_failed_is_tried_again_although_its_resource_is_not_due(project):
    project.declare(publish=[{"name": "out", "url": "out", "format": "parquet"}])
    project.write(
        "models/dimensions/kind.yaml",
        {
            "dimension": "kind",
            "entity": "kind",
            "attributes": {"name": {"value": "cast(name as bigint)", "history": "T2"}},
        },
    )
    first = project.on(3 + 2 * HOUR, code=3)
    again = project.on(3 + 3 * HOUR, code=3)
    for report in (first, again):
        assert {step["step"] for step in report["steps"] if step["state"] == "failed"} == {"dimension:kind"}
        assert not (project.root / "out" / "acme" / "current").exists(), "readers get only complete states"


def test_a_change_of_a_dimension_and_of_a_measure_arrives_although_no_resource_is_due(project):
    project.write(
        "models/dimensions/kind.yaml",
        {"dimension": "kind", "entity": "kind", "attributes": {"name": {"value": "upper(name)", "history": "T2"}}},
    )
    project.write("models/facts/entry.yaml", {**FACT, "measures": {"size": "length(name) * 2"}})
    project.on(3 + 2 * HOUR)
    assert read_kinds(project) == ["A", "B"]
    assert project.query("SELECT SUM(size) FROM gold.fact_entry") == [(6,)]
    assert project.on(3 + 3 * HOUR)["written"] == {}


def test_gold_follows_a_run_that_stopped_at_silver(project, service):
    service.collections["kinds"] = [record(1, "c", day=4), record(2, "b", day=1)]
    project.on(5, "--layer", "silver")
    assert read_kinds(project) == ["a", "b"]
    project.on(5 + HOUR)
    assert read_kinds(project) == ["b", "c"]


def test_days_follow_their_declaration(project):
    project.write("models/dimensions/day.yaml", {**DAYS, "last": "2026-02-28", "holidays": {"2026-01-02": "second"}})
    project.on(3 + 2 * HOUR)
    assert project.query("SELECT COUNT(*), MAX(date) FROM gold.dim_day WHERE day_key > 0")[0][0] == 59
    assert count_lost_facts(project, "day", "day") == 0


def test_a_dropped_dimension_comes_back_with_the_members_that_only_facts_know(project):
    before = project.query("SELECT COUNT(*) FROM gold.dim_kind")
    drop(project, "gold.dim_kind")
    project.on(3 + 2 * HOUR)
    assert project.query("SELECT COUNT(*) FROM gold.dim_kind") == before
    assert count_lost_facts(project, "kind", "kind") == 0
    assert project.on(3 + 3 * HOUR)["written"] == {}


@pytest.mark.parametrize("table", ["kind_log", "entry_log"])
def test_a_dropped_log_is_rebuilt_with_its_history(project, table):
    before = project.read_tables(layers=("silver",))
    drop(project, f"silver.{table}")
    report = project.on(3 + 2 * HOUR)
    assert any(f"silver.{table} is missing" in finding["detail"] for finding in report["findings"])
    assert project.read_tables(layers=("silver",)) == before


def test_a_publication_is_not_written_without_a_table_that_is_lost(project):
    project.declare(publish=[{"name": "out", "url": "out", "format": "parquet"}])
    project.on(3 + 2 * HOUR)
    drop(project, "gold.fact_entry")
    error = project("publish", code=2).error
    assert "gold.fact_entry" in error["found"]
    project.on(3 + 3 * HOUR)
    project("publish")
