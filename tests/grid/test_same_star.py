"""One company, the whole blueprint, every engine: the same gold rows, table by table and value by value."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from headwater.warehouse.duckdb.engine import DuckDB
from tests.e2e.builders import Service, create_msp
from tests.grid.engines import LONG


def tables(warehouse):
    """Every table of silver and gold, as sorted rows."""
    return {
        f"{layer}.{name}": sorted(
            map(repr, warehouse.rows(f'SELECT {list_columns(warehouse, layer, name)} FROM {layer}."{name}"'))
        )
        for layer in ("silver", "gold")
        for name in warehouse.tables(layer)
    }


def list_columns(warehouse, layer, name):
    return ", ".join(sorted(f'"{column.name}"' for column in warehouse.describe(layer, name)))


def same(one, other):
    assert sorted(one) == sorted(other)
    for name, rows in one.items():
        assert other[name] == rows, name


def looks(project, *env):
    """What people ask goes the same way on every engine."""
    ask = "SELECT company_key, valid_from FROM gold.dim_company WHERE company_key < 0 ORDER BY 1"
    assert project("query", ask, *env).json["rows"][0] == [-3, "1970-01-01T00:00:00Z"]
    assert project("query", ask, *env).json == project("query", ask).json
    assert project("query", "DELETE FROM gold.dim_company", *env, code=None).code != 0
    names = {row["table"] for row in project("status", *env).json["tables"]}
    assert {"company", "dim_company", "fact_ticket"} <= names
    assert project("explain", "dim_company", *env).json["sql"]
    day = ("as-of", "2100-01-01", "company")
    assert project(*day, *env).json == project(*day).json


@pytest.mark.slow
@pytest.mark.parametrize("name", ["postgres", pytest.param("files", marks=LONG)])
def test_the_same_company_gives_the_same_rows_on_each_engine_and_duckdb(tmp_path, engines, name):
    engine = engines(name)
    service = Service(companies=2, months=1)
    try:
        project = create_msp(tmp_path / "msp", service)
        project.declare(environments={"shared": {"warehouse": engine.settings()}})
        assert project.run()["outcome"] == "succeeded"
        rebuilt = project("rebuild", "--env", "shared").json
        assert rebuilt["outcome"] == "succeeded", rebuilt

        def read_own():
            with closing(DuckDB("acme", str(project.data / "acme.duckdb"), read_only=True)) as opened:
                return tables(opened)

        def read_shared():
            with closing(engine.open("acme", read_only=True)) as opened:
                return tables(opened)

        same(read_own(), read_shared())
        assert len(read_own()) > 40
        again = project.run("--env", "shared", "--layer", "gold")
        assert again["written"] == {}
        looks(project, "--env", "shared")
        service.advance(days=3)
        news = project.run("--env", "shared")
        assert news["outcome"] == "succeeded"
        assert news["written"]
        project("rebuild")
        same(read_own(), read_shared())
        project.declare(tenants={})
        project("tenant", "remove", "acme", "--yes", "--erase", "--env", "shared")
        assert engine.open("acme").tables("gold") == ()
    finally:
        service.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@LONG
def test_the_same_company_gives_the_same_rows_on_spark_and_duckdb(tmp_path, spark_engine):
    """All of the past at once: each command would start Spark anew, so there are only two of them."""
    service = Service(companies=2, months=1)
    try:
        project = create_msp(tmp_path / "msp", service)
        project.declare(environments={"shared": {"warehouse": spark_engine.settings()}})
        assert project.run()["outcome"] == "succeeded"
        assert run_command(project, "rebuild", "--env", "shared")["outcome"] == "succeeded"
        with closing(DuckDB("acme", str(project.data / "acme.duckdb"), read_only=True)) as judge:
            wanted = tables(judge)
        with closing(spark_engine.open("acme", read_only=True)) as opened:
            same(wanted, tables(opened))
        assert len(wanted) > 80
        assert run_command(project, "run", "--env", "shared", "--layer", "gold")["written"] == {}
    finally:
        service.close()


def run_command(project, *words):
    """What a command that takes its time says in the end."""
    with project.start(*words, "--json") as process:
        out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, out + err
    return json.loads(out)
