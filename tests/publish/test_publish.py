"""Tables that are published after a run: those of the warehouse, read back by other eyes."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest
from pyarrow import parquet

from headwater.errors import DeclarationError, UnsupportedError
from headwater.plan.dependencies import build_dependencies
from headwater.run import app
from tests.publish.builders import publish_by_name
from tests.run.inspect.builders import erase, make_contact_event, make_project, remember

BOTH = """
publish:
  - {name: lakehouse, url: out/lakehouse, format: parquet, layer: silver, tables: [contact, contact_log]}
  - {name: sheets, url: out/sheets, format: csv, layer: silver, tables: [contact_current]}
"""
ANNA = {"contact_id": 1, "company_id": 7, "first_name": "Anna", "title": ""}


@pytest.fixture
def root(tmp_path):
    root = make_project(tmp_path / "shop", more=BOTH)
    remember(root, make_contact_event("psa:1", "2026-01-01", **ANNA, last_name='Alt, "the" first'))
    return root


def publish(root, name="lakehouse"):
    with app.open_project(root) as workspace, closing(workspace.open_tenant("acme").open_warehouse()) as warehouse:
        return publish_by_name(workspace, warehouse, name)


def read(root, what):
    with duckdb.connect() as db:  # a connection of its own: the shared one may still hold somebody's unread result
        return db.sql(f"SELECT * FROM '{root}/out/{what}' ORDER BY ALL").fetchall()


def read_stored(root, table):
    with app.open_project(root) as workspace:
        rows = app.run_query(workspace.open_tenant("acme"), f"SELECT * FROM silver.{table} ORDER BY ALL").rows
    return [tuple(value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in row) for row in rows]


def test_parquet_and_csv_hold_what_the_warehouse_holds(root):
    assert publish(root).startswith("2 of 2 tables written to ")
    publish(root, "sheets")
    assert read(root, "lakehouse/acme/contact/*.parquet") == read_stored(root, "contact")
    assert read(root, "lakehouse/acme/contact_log/*.parquet") == read_stored(root, "contact_log")
    text = (root / "out" / "sheets" / "acme" / "contact_current" / "part-0.csv").read_text()
    assert 'psa:1,1,7,Anna,"Alt, ""the"" first","",2026-01-01 00:00:00' in text


def test_a_replay_writes_nothing_and_news_only_what_they_change(root):
    publish(root)
    current = root / "out" / "lakehouse" / "acme" / "current"
    before = current.resolve()
    assert publish(root).startswith("0 of 2 ")
    assert current.resolve() == before
    remember(root, make_contact_event("psa:1", "2026-02-01", **ANNA, last_name="Neu"))
    assert publish(root).startswith("2 of 2 ")
    assert read(root, "lakehouse/acme/contact/*.parquet") == read_stored(root, "contact")
    remember(root, make_contact_event("psa:1", "2026-01-15", **ANNA, last_name='Alt, "the" first'))
    assert publish(root).startswith("1 of 2 ")


def test_another_format_is_written_anew(root):
    publish(root)
    path = root / "headwater.yaml"
    path.write_text(path.read_text().replace("format: parquet", "format: csv"))
    assert publish(root).startswith("2 of 2 ")
    assert [file.name for file in (root / "out/lakehouse/acme/contact").iterdir()] == ["part-0.csv"]


def test_publishing_comes_after_the_layer_that_is_published(root):
    with app.open_project(root) as workspace:
        view = build_dependencies(workspace.declarations, workspace.project.publish)
    assert (view.publish, view.publish_silver) == ((), ("lakehouse", "sheets"))


def test_an_erased_tenant_is_published_no_more(root):
    publish(root)
    erase(root)
    assert not (root / "out" / "lakehouse" / "acme").exists()


def test_an_engine_that_writes_no_files_says_so(root, monkeypatch):
    with app.open_project(root) as workspace, closing(workspace.open_tenant("acme").open_warehouse()) as warehouse:
        monkeypatch.delattr(type(warehouse), "export")
        with pytest.raises(UnsupportedError, match="does not write its tables to files"):
            publish_by_name(workspace, warehouse, "lakehouse")


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ("{name: a, url: gs://bucket/x, format: parquet}", "use a folder, `s3://bucket/prefix`"),
        ("{name: a, url: 's3://me:secret@bucket/x', format: csv}", "must not contain a password"),
        (
            "{name: a, url: s3://bucket/x, format: csv}\n  - {name: b, url: s3://bucket/x/, format: csv}",
            "have the same name",
        ),
        ("{name: a, url: x, format: csv, tables: [dim_companny]}", "gold has no table `dim_companny`"),
        ("{name: a, url: x, format: csv, layer: silver, tables: [dim_company]}", "silver has no table"),
        ("{name: a, url: x, format: csv}\n  - {name: a, url: y, format: csv}", "have the same name or folder"),
        ("{name: a, url: x, format: csv}\n  - {name: b, url: ./x/, format: parquet}", "have the same name or folder"),
        ("{name: a, url: x, format: orc}", "format"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path, declared, what):
    root = make_project(tmp_path / "shop", more=f"publish:\n  - {declared}\n")
    with pytest.raises(DeclarationError, match=what) as caught:
        app.open_project(root)
    assert "headwater.yaml:1" in caught.value.where


@pytest.fixture
def open_ended(root):
    """Two publications of the contacts, one of whom has changed, without a value for an open end."""
    remember(root, make_contact_event("psa:1", "2026-02-01", **ANNA, last_name="Neu"))
    path = root / "headwater.yaml"
    path.write_text(path.read_text().replace("layer: silver,", "layer: silver, open_end: null,"))
    return root


def test_an_open_end_is_no_value_where_readers_want_none(open_ended):
    publish(open_ended)
    publish(open_ended, "sheets")
    ends = read_ends(open_ended, "lakehouse/acme/contact/*.parquet")
    assert [(str(until), current) for until, current in ends] == [("2026-02-01 00:00:00", False), ("None", True)]
    sheet = (open_ended / "out/sheets/acme/contact_current/part-0.csv").read_text()
    assert "9999" not in sheet
    assert sheet.startswith("entity_key,contact_id,")
    # The log has no end and is as it was; nothing is left beside, and what was not asked for stays in the warehouse.
    assert read(open_ended, "lakehouse/acme/contact_log/*.parquet") == read_stored(open_ended, "contact_log")
    assert [file.name for file in (open_ended / "out/lakehouse/acme/contact").iterdir()] == ["part-0.parquet"]
    assert sum(str(row[-4]).startswith("9999") or "9999" in str(row) for row in read_stored(open_ended, "contact")) == 1


def read_ends(root, what):
    with duckdb.connect() as db:
        return db.sql(f"SELECT valid_to, is_current FROM '{root}/out/{what}' ORDER BY valid_from").fetchall()


def test_to_choose_another_open_end_writes_anew_and_only_tables_that_have_one(open_ended):
    publish(open_ended)
    assert publish(open_ended).startswith("0 of 2 ")
    path = open_ended / "headwater.yaml"
    path.write_text(path.read_text().replace("open_end: null", "open_end: 9999-12-31"))
    assert publish(open_ended).startswith("1 of 2 ")
    assert read(open_ended, "lakehouse/acme/contact/*.parquet") == read_stored(open_ended, "contact")


def test_an_open_end_of_another_kind_is_refused(open_ended):
    path = open_ended / "headwater.yaml"
    path.write_text(path.read_text().replace("open_end: null", "open_end: 2099-01-01"))
    with pytest.raises(DeclarationError), app.open_project(open_ended):
        pass


def test_published_instants_are_microseconds_without_a_zone(root):
    publish(root)
    schema = parquet.read_schema(next((root / "out/lakehouse/acme/contact").glob("*.parquet")))
    kinds = {str(kind) for kind in schema.types if "timestamp" in str(kind)}
    assert kinds == {"timestamp[us]"}
    assert schema.pandas_metadata is None
