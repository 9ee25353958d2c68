"""A past that was really synced: asked for by day, followed back to the raw records, and published while others read."""

from __future__ import annotations

import json
import threading

import duckdb


def read_publication(root):
    """One look of a reader: the rows of each table of one state."""
    place = root / "out" / "acme"
    tables = json.loads((place / "current").resolve().joinpath("_manifest.json").read_text())["tables"]
    with duckdb.connect() as db:
        return {
            name: (entry["rows"], db.sql(f"SELECT COUNT(*) FROM '{place / entry['files'][0]}'").fetchall()[0][0])
            for name, entry in tables.items()
        }


def test_every_past_is_there_and_every_version_leads_back_to_its_record(small, service):
    small.declare(publish=[{"name": "lake", "url": "out", "format": "parquet"}])
    small.run()
    stop, looks = threading.Event(), []

    def look():
        while not stop.is_set():
            looks.append(read_publication(small.root))

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(3):
        service.advance(days=20)
        small.run()
    stop.set()
    reader.join()

    assert len(looks) > 3
    assert all(rows == counted for seen in looks for rows, counted in seen.values())
    assert read_publication(small.root)["fact_time_entry"][1] == len(small.read_tables()["gold.fact_time_entry"])

    days = [row[0] for row in small.query("SELECT DISTINCT valid_from FROM silver.company ORDER BY 1")]
    for day in days:
        tables = small("as-of", day.isoformat(), "company", "--columns", "entity_key,name").json["rows"]
        sql = "SELECT entity_key, name FROM silver.company WHERE valid_from <= '{0}' AND valid_to > '{0}' ORDER BY 1"
        assert [tuple(row) for row in tables] == small.query(sql.format(day))
        macro = f"SELECT entity_key, name FROM gold.dim_company_asof(TIMESTAMP '{day}') WHERE company_key > 0"
        small("query", macro)

    (key,) = small.query("SELECT entity_key FROM silver.company ORDER BY version_number DESC, entity_key LIMIT 1")[0]
    life = small("history", "company", key, "--raw").json
    assert len(life["moments"]) > 1
    for moment in life["moments"]:
        (raw,) = moment["records"]
        record = json.loads(raw["record"])
        assert f"psa:{record['id']}" == key
        assert record["_info"]["lastUpdated"] == moment["at"]
        assert raw["path"].endswith(f"{moment['batch_id']}.jsonl.zst")
        for change in moment["changes"]:
            if change["column"] == "name":
                assert record["name"] == change["new"]
    assert life["moments"][-1]["until"] is None
    assert (
        json.loads(life["moments"][-1]["records"][0]["record"])["name"]
        == service.read_truth("company/companies")[record["id"]]["name"]
    )
