"""The Python API on a real project: the same results and the same errors as the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import headwater
from headwater.api.project import BackfillOptions, RunFailedError, RunOptions
from tests.e2e.builders import create_shop


def test_import_costs_nothing():
    program = (
        "import sys, headwater; print([n for n in sys.modules if n.startswith('headwater.')], 'duckdb' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['headwater.version'] False"


def test_all_names_can_be_imported():
    assert headwater.__all__ == sorted(headwater.__all__)
    assert all(getattr(headwater, name) is not None for name in headwater.__all__)
    with pytest.raises(AttributeError, match="no attribute `opne`"):
        _ = headwater.opne


def test_the_results_equal_those_of_the_command_line(shop):
    with headwater.open(Path(shop.root)) as project:
        report = project.run()
        assert (report.outcome.value, report.kept > 0) == ("succeeded", True)
        assert project.run().written == {}
        sql = "SELECT * FROM gold.dim_company ORDER BY company_key"
        assert [row[0] for row in project.query(sql)] == [row[0] for row in shop("query", sql).json["rows"]]
        assert project.query(sql).columns == tuple(shop("query", sql).json["columns"])
        at = datetime(2026, 1, 20, tzinfo=UTC)
        assert len(project.as_of(at, "company")) == len(shop("as-of", "2026-01-20", "company").json["rows"])
        assert len(project.history("company", 2).moments) == len(shop("history", "company", "2").json["moments"])
        assert {table.table: table.rows for table in project.tables()} == {
            table["table"]: table["rows"] for table in shop("status").json["tables"]
        }
        assert project.rebuild(entity="company").outcome.value == "succeeded"
        assert project.check().entities == tuple(shop("check").json["entities"])


def test_a_relation_keeps_every_digit(shop):
    with headwater.open(".") as project:
        project.run()
        relation = project.query(
            "SELECT 9007199254740993 AS n, 1.10::decimal(18,2) AS money, TIMESTAMP '9999-12-31' AS until, true AS flag "
            "UNION ALL SELECT NULL, NULL, NULL, NULL ORDER BY 1 NULLS LAST"
        )
        assert relation.rows()[0][:2] == (9007199254740993, Decimal("1.10"))
        assert isinstance(relation.arrow(), pa.Table)
        frame = relation.df()
        assert isinstance(frame, pd.DataFrame)
        assert frame["n"][0] == 9007199254740993
        assert frame["n"][1] is pd.NA
        assert frame["money"][0] == Decimal("1.10")
        assert str(frame["until"][0]) == "9999-12-31 00:00:00"
        polar = relation.pl()
        assert isinstance(polar, pl.DataFrame)
        assert polar["n"].to_list() == [9007199254740993, None]
        with pytest.raises(headwater.DeclarationError, match="same name"):
            project.query("SELECT 1 AS a, 2 AS a").to_dicts()
        assert relation.to_dicts()[1] == {"n": None, "money": None, "until": None, "flag": None}


def test_a_notebook_shows_the_first_rows_and_escapes_them(shop):
    with headwater.open(".") as project:
        project.run()
        relation = project.query("SELECT i AS number, '<b>' AS text FROM range(25) AS numbers(i) -- all of them")
        shown = relation._repr_html_()
        assert shown.count("<tr>") == 21
        assert "first 20 rows" in shown
        assert "&lt;b&gt;" in shown
        assert "<b>" not in shown
        assert repr(project.query("SELECT 1 AS a")) == "a\n1\n1 row"
        assert "column_name" in repr(project.query("DESCRIBE gold.dim_company"))


def test_a_failed_step_is_an_exception_that_has_the_report(shop, service):
    try:
        with headwater.open(".") as project:
            service.add_fault("repeated_page", path="time/entries", after=1)
            assert project.run(raise_on_failure=False).exit_code == 3
            service.add_fault("repeated_page", path="time/entries", after=1)
            with pytest.raises(RunFailedError) as raised:
                project.run(fresh=True)
            error = raised.value
            assert error.report.outcome.value == "partial"
            assert "time_entries" in error.where
            assert "steps failed" in error.details
    finally:
        service.clear_faults()


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda project: project.run(tenant="nobody"), "DeclarationError", "There is no tenant `nobody`."),
        (lambda project: project.run(layer="sliver"), "DeclarationError", "There is no layer `sliver`."),
        (lambda project: project.run(since="yesterday"), "DeclarationError", "This is not an instant."),
        (lambda project: project.run(since=datetime(2026, 1, 1)), "DeclarationError", "An instant needs a time zone."),  # noqa: DTZ001
        (lambda project: project.run(since="2026-02-01", until="2026-01-01"), "DeclarationError", "The time span is empty"),
        (lambda project: project.run(sweep=True, since="2026-02-01"), "DeclarationError", "A sweep reads all ids"),
        (lambda project: project.backfill(since="2026-01-01", chunk="soon"), "DeclarationError", "This is not a span of time."),
        (lambda project: project.query("DROP TABLE gold.dim_company"), "WarehouseError", "a query must be one"),
        (lambda project: project.history("nothing", "1"), "DeclarationError", "There is no entity `nothing`."),
        (lambda project: project.as_of("2026-01-01", "nothing"), "DeclarationError", "There is no entity or dimension"),
    ],
)  # fmt: skip
def test_errors_have_their_parts(shop, call, kind, message):
    with headwater.open(".") as project, pytest.raises(headwater.HeadwaterError) as raised:
        call(project)
    assert type(raised.value).__name__ == kind
    assert raised.value.message.startswith(message)
    assert raised.value.hint


def test_an_unknown_option_is_an_error_before_anything_runs(shop):
    with headwater.open(".") as project, pytest.raises(TypeError, match="`resorce`; did you mean `resource`"):
        project.run(resorce="companies")
    assert not shop.data.joinpath("ledger.db").exists()


def test_two_tenants_need_a_name(shop, service, tmp_path):
    shop.connect(service, tenant="beta")
    with headwater.open(str(shop.root)) as project:
        assert project.tenants == ("acme", "beta")
        with pytest.raises(headwater.DeclarationError, match="No tenant is selected"):
            project.run()
        assert project.run(tenant="beta", layer="raw").tenant == "beta"


def test_a_folder_without_a_project(tmp_path):
    with pytest.raises(headwater.HeadwaterError) as raised:
        headwater.open(tmp_path)
    assert "headwater.yaml" in str(raised.value)


def test_the_options_are_those_of_the_command_line(shop):
    """An option that a command gets later is offered here, too."""
    named = {"run": set(RunOptions.__annotations__), "backfill": set(BackfillOptions.__annotations__)}
    common = {"project", "env", "tenant", "json", "help", "debug"}
    common |= {"all", "jobs", "due", "tenant_pattern", "tenant_timeout", "queue"}  # of a run of all tenants
    for command, options in named.items():
        result = subprocess.run(
            [sys.executable, "-m", "headwater.cli", command, "--help"],
            capture_output=True, text=True, check=True, env={"COLUMNS": "200", "TERM": "dumb"},
        )  # fmt: skip
        words = {word.replace("-", "_") for word in re.findall(r"^ +--([a-z-]+)", result.stdout, re.MULTILINE)} - common
        assert words == options, command


@pytest.mark.parametrize("interactive", [True, False])
def test_progress_is_one_line_where_a_person_can_see_it(shop, capsys, interactive):
    with headwater.open(".", progress=interactive) as project:
        project.run()
    shown = capsys.readouterr().err
    assert ("\rreading" in shown) is interactive
    assert "\n" not in shown


def test_postgres_gives_the_same_frame(tmp_path, service, database, shop):
    other = create_shop(tmp_path / "other", service)
    other.declare(warehouse=database)
    sql = "SELECT entity_key, version_number, is_current FROM silver.company ORDER BY 1, 2"
    frames = []
    for root in (shop.root, other.root):
        with headwater.open(root) as project:
            project.run()
            frames.append(project.query(sql).df())
    assert frames[0].astype(str).equals(frames[1].astype(str))
