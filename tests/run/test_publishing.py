"""Tables that are published after a run: those of the warehouse, read back by other eyes."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest

from headwater.errors import DeclarationError, Unsupported
from headwater.plan.view import view_of
from headwater.run import app
from headwater.run.publishing import publish
from headwater.warehouse.base import Capabilities
from tests.run.past import erase, project, remember, said

BOTH = """
publish:
  - {name: lakehouse, url: out/lakehouse, format: parquet, layer: silver, tables: [contact, contact_log]}
  - {name: sheets, url: out/sheets, format: csv, layer: silver, tables: [contact_current]}
"""
ANNA = {"contact_id": 1, "company_id": 7, "first_name": "Anna", "title": ""}


@pytest.fixture
def root(tmp_path):
    made = project(tmp_path / "shop", more=BOTH)
    remember(made, said("psa:1", "2026-01-01", **ANNA, last_name='Alt, "the" first'))
    return made


def written(root, name="lakehouse"):
    with app.open_project(root) as opened, closing(opened.warehouse("acme")) as warehouse:
        return publish(opened, "acme", name, warehouse)


def read(root, what):
    with duckdb.connect() as db:  # a connection of its own: the shared one may still hold somebody's unread result
        return db.sql(f"SELECT * FROM '{root}/out/{what}' ORDER BY ALL").fetchall()


def stored(root, table):
    with app.open_project(root) as opened:
        found = app.query(opened, "acme", f"SELECT * FROM silver.{table} ORDER BY ALL").rows
    return [tuple(value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in row) for row in found]


def test_parquet_and_csv_hold_what_the_warehouse_holds(root):
    assert written(root).startswith("2 of 2 tables written to ")
    written(root, "sheets")
    assert read(root, "lakehouse/acme/contact/*.parquet") == stored(root, "contact")
    assert read(root, "lakehouse/acme/contact_log/*.parquet") == stored(root, "contact_log")
    text = (root / "out" / "sheets" / "acme" / "contact_current" / "part-0.csv").read_text()
    assert 'psa:1,1,7,Anna,"Alt, ""the"" first","",2026-01-01 00:00:00' in text


def test_a_replay_writes_nothing_and_news_only_what_they_change(root):
    written(root)
    current = root / "out" / "lakehouse" / "acme" / "current"
    before = current.resolve()
    assert written(root).startswith("0 of 2 ")
    assert current.resolve() == before
    remember(root, said("psa:1", "2026-02-01", **ANNA, last_name="Neu"))
    assert written(root).startswith("2 of 2 ")
    assert read(root, "lakehouse/acme/contact/*.parquet") == stored(root, "contact")
    remember(root, said("psa:1", "2026-01-15", **ANNA, last_name='Alt, "the" first'))
    assert written(root).startswith("1 of 2 ")


def test_another_format_is_written_anew(root):
    written(root)
    path = root / "headwater.yaml"
    path.write_text(path.read_text().replace("format: parquet", "format: csv"))
    assert written(root).startswith("2 of 2 ")
    assert [file.name for file in (root / "out/lakehouse/acme/contact").iterdir()] == ["part-0.csv"]


def test_publishing_comes_after_the_layer_that_is_published(root):
    with app.open_project(root) as opened:
        view = view_of(opened.declarations, opened.project.publish)
    assert (view.publish, view.publish_silver) == ((), ("lakehouse", "sheets"))


def test_an_erased_tenant_is_published_no_more(root):
    written(root)
    erase(root)
    assert not (root / "out" / "lakehouse" / "acme").exists()


def test_an_engine_that_writes_no_files_says_so(root, monkeypatch):
    with app.open_project(root) as opened, closing(opened.warehouse("acme")) as warehouse:
        monkeypatch.setattr(type(warehouse), "capabilities", Capabilities(dialect="duckdb"))
        with pytest.raises(Unsupported, match="does not write its tables to files"):
            publish(opened, "acme", "lakehouse", warehouse)


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ("{name: a, url: gs://bucket/x, format: parquet}", "write a folder, `s3://bucket/prefix`"),
        ("{name: a, url: 's3://me:secret@bucket/x', format: csv}", "never holds a password"),
        ("{name: a, url: s3://bucket/x, format: csv}\n  - {name: b, url: s3://bucket/x/, format: csv}", "share a name"),
        ("{name: a, url: x, format: csv, tables: [dim_companny]}", "gold has no table `dim_companny`"),
        ("{name: a, url: x, format: csv, layer: silver, tables: [dim_company]}", "silver has no table"),
        ("{name: a, url: x, format: csv}\n  - {name: a, url: y, format: csv}", "share a name or a folder"),
        ("{name: a, url: x, format: csv}\n  - {name: b, url: ./x/, format: parquet}", "share a name or a folder"),
        ("{name: a, url: x, format: orc}", "format"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path, declared, what):
    root = project(tmp_path / "shop", more=f"publish:\n  - {declared}\n")
    with pytest.raises(DeclarationError, match=what) as caught:
        app.open_project(root)
    assert "headwater.yaml:1" in caught.value.where
