"""An entity whose columns change, from the command line: refused until somebody decided, then as decided."""

from __future__ import annotations

import json
from contextlib import closing

import duckdb
import yaml

from headwater.model.load import load_declarations
from headwater.silver.schema.migrate import drop_entity, migrate_tables
from headwater.warehouse.duckdb.engine import DuckDB


def redeclare(project, *changes):
    """Write an entity of the project anew."""
    path = project.root / "models" / "entities" / "company.yaml"
    document = yaml.safe_load(path.read_text())
    for change in changes:
        change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def add_website(document):
    document["columns"]["website"] = "text"
    document["sources"]["connectwise.companies"]["map"]["website"] = "website"


def drop_phone(document):
    del document["columns"]["phone"], document["sources"]["connectwise.companies"]["map"]["phone"]


def rename_website(document):
    columns, mapped = document["columns"], document["sources"]["connectwise.companies"]["map"]
    columns["homepage"] = {"type": columns.pop("website"), "renamed_from": "website"}
    mapped["homepage"] = mapped.pop("website")


def choose_rebuild(document):
    document["on_schema_change"] = "rebuild"


SAW = "`website` is new; `phone` is no longer declared"


def findings(report):
    return [(one["table"], one["finding"]) for one in report["findings"]]


def check_refusal(project, *command):
    """The error of a command that will not guess."""
    error = project(*command, code=2).error
    assert error["message"].endswith("`on_schema_change` is not set; nothing was written")
    assert (error["kind"], error["at"]) == ("DeclarationError", "models/entities/company.yaml:1")
    assert error["found"] == SAW
    assert all(f"`on_schema_change: {choice}`" in error["fix"] for choice in ("from_now", "rebuild"))


def test_columns_that_come_and_go_are_refused_until_somebody_decides_and_then_count_from_now(shop_after_run, service):
    before = shop_after_run.read_tables()
    redeclare(shop_after_run, add_website, drop_phone)
    service.advance(days=1)
    service.list_requests(clear=True)
    for command in (("run",), ("plan",), ("rebuild", "--entity", "contact")):
        check_refusal(shop_after_run, *command)
    assert service.list_requests() == []
    assert shop_after_run.read_tables() == before
    assert (
        shop_after_run.run("--layer", "bronze")["outcome"] == "succeeded"
    )  # no history is written, so nobody need decide

    shop_after_run.declare(on_schema_change="from_now")  # for every entity that does not choose for itself
    assert shop_after_run("plan").json["notes"] == [
        f"company: {SAW} (on_schema_change: from_now): its history continues"
    ]
    past = "SELECT company_id, phone, valid_from FROM silver.company WHERE valid_from < '2025-12-31' ORDER BY ALL"
    phones = shop_after_run.query(past)
    report = shop_after_run.run()
    assert findings(report) == [("silver.company", "column_added"), ("silver.company", "column_retired")]
    assert set(phones) <= set(shop_after_run.query(past))
    assert shop_after_run.run()["findings"] == []
    key = shop_after_run.query("SELECT entity_key FROM silver.company WHERE phone IS NOT NULL ORDER BY ALL LIMIT 1")[0][
        0
    ]
    assert "'phone'" in str(shop_after_run("history", "company", key).json)

    query = "SELECT company_id, {}, phone, valid_from, batch_id FROM silver.company ORDER BY ALL"
    before = shop_after_run.query(query.format("website"))
    redeclare(shop_after_run, rename_website)
    report = shop_after_run.run()
    assert findings(report) == [("silver.company", "column_renamed")]
    assert report["written"] == {}
    assert shop_after_run.query(query.format("homepage")) == before


def test_a_history_is_made_anew_within_the_run_where_that_was_chosen(shop_after_run):
    redeclare(shop_after_run, add_website, drop_phone, choose_rebuild)
    why = f"{SAW} (on_schema_change: rebuild)"
    planned = shop_after_run("plan").json
    assert planned["notes"] == [f"company: {why}: its history is rebuilt"]
    assert [step["inputs"]["rebuild_reason"] for step in planned["steps"] if step["id"] == "conform:company"] == [why]
    assert "company (rebuild)" in shop_after_run.run_in_process("plan").out
    report = shop_after_run.run()
    assert findings(report) == [("silver.company", "history_rebuilt")]
    (detail,) = (step["detail"] for step in report["steps"] if step["step"] == "conform:company")
    assert detail.startswith("rebuilt: ")
    assert shop_after_run.query("SELECT COUNT(*) FROM silver.company WHERE website IS NULL") == [(0,)]
    names = [row[0] for row in shop_after_run.query("DESCRIBE silver.company")]
    assert ("website" in names, "phone" in names) == (True, False)
    made = shop_after_run.read_tables()
    assert shop_after_run.run()["written"] == {}
    assert shop_after_run("rebuild").json["outcome"] == "succeeded"
    assert shop_after_run.read_tables() == made

    # A rebuild of one history that was killed when its tables were there and nothing was in them yet.
    entity = load_declarations(shop_after_run.root / "models").entities["company"]
    with closing(DuckDB("acme", str(shop_after_run.data / "acme.duckdb"))) as warehouse:
        drop_entity(warehouse, entity)
        migrate_tables(warehouse, entity)
    assert findings(shop_after_run.run()) == [("silver.company", "history_rebuilt")]
    assert shop_after_run.read_tables() == made


OLDER = ("source", "stamp", "observed", "place", "first_observed")
"""What the change log of an older version did not have."""


def make_older(project):
    """Turn the history of a project into one that an older version kept, in which things are otherwise, too."""
    with duckdb.connect(str(project.data / "acme.duckdb")) as db:
        rows = db.sql("SELECT entity, declaration FROM meta.entity_schema").fetchall()
        for entity, shape in rows:
            document = json.loads(shape)
            del document["log"]
            db.execute("UPDATE meta.entity_schema SET declaration = ? WHERE entity = ?", [json.dumps(document), entity])
            kept = f"SELECT * EXCLUDE ({', '.join(OLDER)}) FROM silver.{entity}_log"
            db.sql(f"CREATE OR REPLACE TABLE silver.{entity}_log AS {kept}")
            db.sql(f"DELETE FROM silver.{entity} WHERE version_number > 1")
    return [entity for entity, _ in rows]


def test_a_history_of_an_older_version_is_made_anew_and_told(shop_after_run):
    before = shop_after_run.read_tables()
    entities = make_older(shop_after_run)
    assert shop_after_run.read_tables() != before
    key = shop_after_run.query("SELECT entity_key FROM silver.company LIMIT 1")[0][0]
    assert "older version of Headwater" in shop_after_run("history", "company", key, code=1).error["found"]
    assert all("older version of Headwater" in note for note in shop_after_run("plan").json["notes"])
    report = shop_after_run.run()
    assert findings(report) == [(f"silver.{entity}", "history_rebuilt") for entity in sorted(entities)]
    assert shop_after_run.read_tables() == before
    assert shop_after_run.run()["findings"] == []
