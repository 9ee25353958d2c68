"""What is read to find the rows of a few things: numbers of all rows, and texts of the few. Plans, not times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.gold.star import Star
from headwater.model.dimension import EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.project import Declarations
from headwater.silver.merge.merge import merge
from headwater.silver.schema.migrate import migrate_tables
from headwater.warehouse.base import RowKey
from headwater.warehouse.duckdb.engine import DuckDB

KEYS, CHANGES = 60_000, 100
MOST = 2_500
"""So many rows of a stored table may leave a scan: those that are asked for, and what a filter of hashes lets slip."""

NARROW = 4
"""So many columns a scan may read whose filter is not exact."""

STORED = ("silver.thing", "silver.thing_log", "gold.dim_thing", "gold.fact_thing")


def make_thing(kind: str) -> Entity:
    columns = {"thing_id": kind, "name": "text", "size": "bigint"}
    return Entity.model_validate(
        {"entity": "thing", "key": "thing_id", "columns": columns, "sources": {"shop.things": {"map": {}}}}
    )


def make_star(kind: str) -> Star:
    attributes = {"thing_id": "T1", "name": "T2"} if kind == "bigint" else {"name": "T2"}
    dimension = EntityDimension.model_validate({"dimension": "thing", "entity": "thing", "attributes": attributes})
    fact = Fact.model_validate(
        {
            "fact": "thing",
            "entity": "thing",
            "grain": ["thing_id"],
            "measures": {"size": "size"},
            "lookups": {"thing": {"dimension": "thing", "on": "thing_id", "strategy": "current"}},
        }
    )
    return Star(
        declarations=Declarations(
            entities={"thing": make_thing(kind)}, dimensions={"thing": dimension}, facts={"thing": fact}
        )
    )


def make_events_sql(kind: str, numbers: str, at: int, name: str) -> str:
    key = "i" if kind == "bigint" else "'x' || i"
    return (
        f"(SELECT 'a:' || {key} AS entity_key, CAST({at} + i AS BIGINT) AS sequence, 'U' AS operation, "
        f"'shop.things' AS source, CAST({at} + i AS BIGINT) AS stamp, CAST({at} + i AS BIGINT) AS observed, "
        f"CAST(i AS BIGINT) AS place, CAST({key} AS {kind}) AS thing_id, '{name}' || i AS name, CAST(i % 7 AS BIGINT) AS size, "
        f"CAST(NULL AS VARCHAR) AS known_columns, MD5('{name}' || i) AS hash, '{name}' AS batch_id FROM {numbers} AS t(i))"
    )


@contextmanager
def profile(warehouse: DuckDB, folder: Path) -> Iterator[list[dict]]:
    """The scans of stored tables, statement by statement, as the engine counted them."""
    file, scans, run = folder / "profile.json", [], warehouse._run  # what is sent is the matter here

    def run_profiled(statement, parameters=()):
        file.unlink(missing_ok=True)
        answer = run(statement, parameters)
        if file.exists():
            scans.extend(
                {**scan, "statement": statement} for scan in _list_scans(json.loads(file.read_text())["operator"])
            )
        return answer

    run("PRAGMA enable_profiling = 'json'", ())
    run(f"SET profiling_output = '{file}'", ())
    warehouse._run = run_profiled
    yield scans
    warehouse._run = run
    run("PRAGMA disable_profiling", ())


def _list_scans(operators: list[dict]) -> Iterator[dict]:
    for one in operators:
        table = one["extra_info"].get("Table", "")
        if table.split(".", 1)[-1] in STORED:
            yield {"table": table.split(".", 1)[-1], "rows": one["intermediate_rows"], **one["extra_info"]}
        yield from _list_scans(one.get("children", []))


def list_full_key_scans(scans: list[dict]) -> list[str]:
    """Statements that hold the text key of every row against those asked for, or take out more rows than are asked for."""
    return [
        f"{scan['table']}: {scan['rows']} rows, {scan.get('Projections')}, {scan.get('Dynamic Filters')}; {scan['statement']}"
        for scan in scans
        if scan["rows"] > MOST
        or ("entity_key IN" in str(scan.get("Dynamic Filters")) and "is_inferred" not in str(scan))
    ]


def list_wide_scans(scans: list[dict]) -> list[str]:
    """Statements that read many columns of rows that nobody asked for: unpacking those is what a merge would cost."""
    return [
        f"{scan['table']}: {scan['rows']} rows; {scan['statement']}"
        for scan in scans
        if isinstance(scan.get("Projections"), list)
        and len(scan["Projections"]) > NARROW
        and scan["rows"] > 3 * CHANGES
    ]


@pytest.fixture(params=["bigint", "text"])
def kind(request):
    return request.param


@pytest.fixture
def warehouse(tmp_path, kind):
    warehouse = DuckDB("acme", str(tmp_path / "acme.duckdb"), threads=1)
    migrate_tables(warehouse, make_thing(kind))
    merge(warehouse, make_thing(kind), make_events_sql(kind, f"range({KEYS})", 1_000_000, "first"))
    yield warehouse
    warehouse.close()


def test_a_merge_reads_the_text_key_of_no_row_but_those_it_is_about(warehouse, kind, tmp_path):
    changes = f"range(0, {KEYS}, {KEYS // CHANGES})"
    with profile(warehouse, tmp_path) as scans:
        counts = merge(warehouse, make_thing(kind), make_events_sql(kind, changes, 2_000_000, "second"))
    assert (counts.events, counts.inserted, counts.deleted) == (CHANGES, 2 * CHANGES, CHANGES)
    assert "silver.thing" in {scan["table"] for scan in scans}
    assert not list_full_key_scans(scans)
    assert not list_wide_scans(scans)
    # In order, the log is read for nothing but where the versions of things with texts as keys begin.
    assert kind == "text" or "silver.thing_log" not in {scan["table"] for scan in scans if scan["rows"]}


def test_a_late_batch_reads_the_text_key_of_no_row_but_those_it_is_about(warehouse, kind, tmp_path):
    changes = f"range(0, {KEYS}, {KEYS // CHANGES})"
    merge(warehouse, make_thing(kind), make_events_sql(kind, changes, 3_000_000, "third"))
    with profile(warehouse, tmp_path) as scans:
        counts = merge(warehouse, make_thing(kind), make_events_sql(kind, changes, 2_000_000, "second"))
    assert (counts.events, counts.inserted, counts.deleted) == (CHANGES, 3 * CHANGES, 2 * CHANGES)
    assert {"silver.thing", "silver.thing_log"} <= {scan["table"] for scan in scans}
    assert not list_full_key_scans(scans)
    assert not list_wide_scans(scans)


def test_numbers_far_apart_are_found_before_their_rows_are_read(tmp_path):
    """Of such numbers a filter lets a hundredth of all others slip, and those rows are not to be read."""
    opened = DuckDB("acme", str(tmp_path / "acme.duckdb"), threads=1)
    migrate_tables(opened, make_thing("bigint"))
    apart = f"(SELECT i * 1000003 FROM range({KEYS}) AS r(i))"
    merge(opened, make_thing("bigint"), make_events_sql("bigint", apart, 1_000_000, "first"))
    asked = f"(SELECT i * 1000003 FROM range(0, {KEYS}, {KEYS // CHANGES}) AS r(i))"
    with profile(opened, tmp_path) as scans:
        counts = merge(opened, make_thing("bigint"), make_events_sql("bigint", asked, 2_000_000, "second"))
    assert (counts.events, counts.inserted, counts.deleted) == (CHANGES, 2 * CHANGES, CHANGES)
    assert not list_wide_scans(scans)
    opened.close()


def test_the_texts_that_rows_are_found_by_are_not_packed(warehouse):
    """Of packed texts that partly repeat, as in any history of changes, all are unpacked to read a few."""
    warehouse.execute("CHECKPOINT")
    packed = warehouse.rows(
        "SELECT DISTINCT compression FROM pragma_storage_info('silver.thing') "
        "WHERE column_name = 'entity_key' AND segment_type = 'VARCHAR'"
    )
    assert packed == [("Uncompressed",)]


def test_an_enum_dimension_reads_rows_of_what_changed_only(warehouse, kind, tmp_path):
    whole = make_star(kind)
    sizes = EnumDimension.model_validate({"dimension": "size", "values_of": {"entity": "thing", "column": "size"}})
    build_dimension(warehouse, whole, sizes)
    first = warehouse.rows("SELECT * FROM gold.dim_size ORDER BY size_key")
    merge(
        warehouse, make_thing(kind), make_events_sql(kind, f"range(0, {KEYS}, {KEYS // CHANGES})", 2_000_000, "second")
    )
    with profile(warehouse, tmp_path) as scans:
        assert build_dimension(warehouse, whole, sizes).rows == 0
    assert warehouse.rows("SELECT * FROM gold.dim_size ORDER BY size_key") == first
    assert not list_full_key_scans([scan for scan in scans if "LIMIT 1" not in scan["statement"]])


def test_gold_reads_the_text_key_of_no_row_but_those_that_changed(warehouse, kind, tmp_path):
    whole, declared = make_star(kind), make_star(kind).declarations
    build_dimension(warehouse, whole, declared.dimensions["thing"])
    build_fact(warehouse, whole, declared.facts["thing"])
    changes = f"range(0, {KEYS}, {KEYS // CHANGES})"
    merge(warehouse, make_thing(kind), make_events_sql(kind, changes, 2_000_000, "second"))
    with profile(warehouse, tmp_path) as scans:
        built = build_dimension(warehouse, whole, declared.dimensions["thing"])
        loaded = build_fact(warehouse, whole, declared.facts["thing"])
    assert (built.inserted, built.deleted, loaded.rows) == (2 * CHANGES, CHANGES, 2 * CHANGES)
    if kind == "text":  # no number tells of the rows of a fact whose things have texts as keys, nor what they look up
        scans = [
            scan for scan in scans if scan["table"] != "gold.fact_thing" and "gold_likely" not in scan["statement"]
        ]
    assert not list_full_key_scans(scans)


def test_rows_are_found_where_every_version_begins_at_one_instant(tmp_path):
    """As in a collection without change stamps: then the instants tell nothing, and the key does."""
    opened = DuckDB("acme", str(tmp_path / "acme.duckdb"), threads=1)
    migrate_tables(opened, make_thing("text"))
    opened.execute(
        "INSERT INTO silver.thing SELECT 'a:x' || i, 'x' || i, 'n', 1, TIMESTAMP '2024-01-01', TIMESTAMP '9999-12-31', "
        "TRUE, 1, 'b' FROM range(600000) AS t(i)"
    )
    opened.execute(
        "INSERT INTO silver.thing_log SELECT entity_key, EPOCH_US(valid_from), 'U', 'shop.things', thing_id, name, size, NULL, "
        "'h', EPOCH_US(valid_from), EPOCH_US(valid_from), 0, EPOCH_US(valid_from), 'b', "
        "CAST('0x' || SUBSTRING(MD5(entity_key), 1, 15) AS BIGINT) FROM silver.thing"
    )
    rows = opened.select_rows(
        "looked",
        "silver",
        "thing",
        keys="SELECT 'a:x77' AS entity_key",
        columns=("entity_key", "name"),
        by=RowKey(log=opened.ref("silver", "thing_log")),
    )
    assert opened.rows(f"SELECT entity_key, name FROM {rows.relation}") == [("a:x77", "n")]
    opened.close()


def test_a_number_of_another_connection_is_no_match(tmp_path):
    opened = DuckDB("acme", str(tmp_path / "acme.duckdb"), threads=1)
    migrate_tables(opened, make_thing("bigint"))
    for connection in ("a", "b"):
        opened.execute(
            f"INSERT INTO silver.thing VALUES ('{connection}:7', 7, '{connection}', 1, TIMESTAMP '2024-01-01', "
            "TIMESTAMP '9999-12-31', TRUE, 1, 'b')"
        )
    for keys in ("('b:7')", "('b:7'), ('b:x')"):  # a key that is no number is looked for as a text
        asked = f"SELECT entity_key FROM (VALUES {keys}) AS asked(entity_key)"
        by = RowKey(number="thing_id")
        rows = opened.select_rows("looked", "silver", "thing", keys=asked, columns=("entity_key", "name"), by=by)
        assert opened.rows(f"SELECT name FROM {rows.relation}") == [("b",)]
    opened.close()
