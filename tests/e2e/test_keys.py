"""Surrogate keys on their way to others: JSON, JavaScript, jq, CSV; and gold that an earlier version made."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess

import duckdb
import pytest

from headwater.temporal.keys import hash60_sql
from tests.e2e.builders import create_msp

WIDE = 2**53


@pytest.fixture
def star(tmp_path, service):
    """The whole blueprint after one run, published as CSV too."""
    project = create_msp(tmp_path / "msp", service)
    project.declare(publish=[{"name": "sheets", "url": "sheets", "format": "csv"}])
    project.run()
    return project


def dimensions(project):
    """The dimensions with surrogate keys, and their columns."""
    found = project.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'gold' AND column_name = "
        "table_name[5:] || '_key' AND table_name LIKE 'dim_%' AND table_name <> 'dim_date'"
    )
    assert len(found) > 5
    return found


def keys(project):
    """Every surrogate key of every dimension, by the command line: the text that a machine gets."""
    texts = [f"SELECT '{name}' AS dimension, {key} AS key FROM gold.{name}" for name, key in dimensions(project)]
    return project("query", f"SELECT * FROM ({' UNION ALL '.join(texts)}) AS one ORDER BY ALL").out


@pytest.mark.slow
def test_every_key_of_the_blueprint_survives_json_javascript_jq_and_csv(star, tmp_path):
    said = keys(star)
    exact = [(name, str(key)) for name, key in json.loads(said)["rows"]]
    assert len(exact) > 60
    assert [(name, str(int(key))) for name, key in json.loads(said, parse_int=float)["rows"]] == exact
    assert all(-3 <= int(key) < WIDE for _, key in exact)
    readers = {
        "jq": ["jq", "-r", ".rows[] | \"\\(.[0]) \\(.[1] + 0)\""],
        "node": ["node", "-e", "for (const [n, k] of JSON.parse(require('fs').readFileSync(0)).rows) console.log(n, k + 0)"],
    }  # fmt: skip
    for name, words in readers.items():
        if shutil.which(name):
            lines = subprocess.run(words, input=said, capture_output=True, text=True, check=True).stdout.splitlines()
            assert [tuple(line.split()) for line in lines] == exact, name
    for name, key in dimensions(star):
        (file,) = (star.root / "sheets" / "acme" / name).glob("*.csv")
        with file.open(newline="") as lines:
            found = sorted(row[key] for row in csv.DictReader(lines))
        assert found == sorted(text for table, text in exact if table == name)


@pytest.mark.slow
@pytest.mark.long
def test_gold_with_keys_of_an_earlier_version_is_narrowed_by_a_run_without_news(star):
    before, named = star.read_tables(layers=("gold",)), dimensions(star)
    with duckdb.connect(str(star.data / "acme.duckdb")) as db:
        for name, key in named:
            widen(db, name, key)
        # An earlier version noted neither how keys are made nor the declarations of a comparison.
        db.execute("DELETE FROM meta.consumer_offset WHERE entity IN ('@keys', '@declared')")
        db.execute(
            "UPDATE meta.consumer_offset SET change_id = 1 WHERE entity = '@definition' AND consumer LIKE 'dim_%'"
        )
    assert star.read_tables(layers=("gold",)) != before
    planned = star("plan").out
    assert all(name.removeprefix("dim_") in planned for name, _ in named)
    report = star.run()
    found = [one for one in report["findings"] if one["finding"] == "keys_rebuilt"]
    assert {one["table"] for one in found} <= {f"gold.{name}" for name, _ in dimensions(star)}
    assert len(found) > 5
    assert star.read_tables(layers=("gold",)) == before
    assert not [one for one in star.run()["findings"] if "keys" in one["finding"]]


def widen(db, name, key):
    """Keys of 60 bits in a dimension and in every column of a fact that may be one of its keys."""
    start = "CASE WHEN ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from) = 1 THEN 'first' "
    start += "ELSE CAST(EPOCH_US(valid_from) AS VARCHAR) END"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE pairs AS SELECT {key} AS k, {hash60_sql('s || chr(124) || entity_key')} AS w FROM "
        f"(SELECT {key}, entity_key, {start} AS s FROM gold.{name} WHERE {key} >= 0)"
    )
    assert db.execute(f"SELECT COUNT(*) FROM pairs WHERE w % {WIDE} <> k").fetchone() == (0,)
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'gold' AND "
    columns += (
        f"(table_name LIKE 'fact_%' AND column_name LIKE '%_key' AND data_type = 'BIGINT' OR column_name = '{key}')"
    )
    for table, column in db.execute(columns).fetchall():
        db.execute(f"UPDATE gold.{table} SET {column} = w FROM pairs WHERE {column} = k")


@pytest.mark.slow
@pytest.mark.long
def test_counted_keys_stay_through_rebuilds_and_reach_every_reader(star):
    star.declare(surrogate="sequence")
    report = star.run()
    assert {one["finding"] for one in report["findings"] if "keys" in one["finding"]} == {"keys_rebuilt"}
    counted = star.read_tables(layers=("gold",))
    for name, key in dimensions(star):
        numbers = [number for (number,) in star.query(f"SELECT {key} FROM gold.{name} WHERE {key} >= 0 ORDER BY 1")]
        assert numbers == list(range(1, len(numbers) + 1)), name
    star("rebuild")
    again = star.read_tables(layers=("gold",))
    assert again.keys() == counted.keys()
    for table, kept in counted.items():
        assert again[table] == kept, table


def test_a_query_gives_whole_numbers_and_decimals_exactly(first_run):
    asked = "SELECT 9007199254740993 AS i, 1884518522.1684267241::DECIMAL(38,10) AS d, 'nan'::DOUBLE AS n, -0.1::DOUBLE AS f"
    asked += ", '-inf'::DOUBLE AS e"
    said = first_run("query", asked).out
    assert json.loads(said, parse_float=str)["rows"] == [
        [9007199254740993, "1884518522.1684267241", "NaN", "-0.1", "-Infinity"]
    ]
