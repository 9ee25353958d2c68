"""A past day in plain SQL, and tables written to files."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest

from headwater.dtypes import DUCKDB
from headwater.errors import WarehouseError
from headwater.warehouse.base import CanExport, Table, TableColumn
from headwater.warehouse.dialect.condition import parse_condition
from headwater.warehouse.duckdb.engine import DuckDB
from tests.warehouse.files.test_engine import ROWS as OF_ALL_TYPES
from tests.warehouse.files.test_engine import TYPES, fill

ROWS = """
    SELECT * FROM (VALUES
        (1, 'a', TIMESTAMP '2026-03-01 10:00:00', TIMESTAMP '2026-03-02 00:00:00.000001'),
        (2, '', TIMESTAMP '2026-03-02 00:00:00.000001', TIMESTAMP '9999-12-31 00:00:00'),
        (3, NULL, TIMESTAMP '2026-03-02 00:00:00.000001', TIMESTAMP '9999-12-31 00:00:00')
    ) AS t(id, name, valid_from, valid_to)
"""


THING = Table(
    layer="silver",
    name="thing",
    columns=tuple(
        TableColumn(name=name, dtype=dtype)
        for name, dtype in (("id", "integer"), ("name", "text"), ("valid_from", "timestamp"), ("valid_to", "timestamp"))
    ),
    has_validity=True,
)


@pytest.fixture
def warehouse(tmp_path):
    with closing(DuckDB("acme", str(tmp_path / "acme.duckdb"), threads=1)) as warehouse:
        warehouse.ensure(THING)
        warehouse.append("silver", "thing", THING.names, ROWS)
        yield warehouse


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize(
    ("instant", "ids"),
    [
        ("TIMESTAMP '2026-03-01 09:59:59.999999'", []),
        ("TIMESTAMP '2026-03-01 10:00:00'", [1]),
        ("'2026-03-01 10:00:00'", [1]),
        ("'2026-03-01T12:00:00+02:00'", [1]),
        ("'2026-03-01T11:59:59+02:00'", []),
        ("'2026-03-01T10:00:00Z'", [1]),
        ("TIMESTAMPTZ '2026-03-01 12:00:00+02'", [1]),
        ("TIMESTAMPTZ '2026-03-01 11:59:59+02'", []),
        ("DATE '2026-03-02'", [1]),
        ("TIMESTAMP '2026-03-02 00:00:00.000001'", [2, 3]),
    ],
)
def test_an_instant_means_the_same_however_it_is_given_and_wherever_the_session_is(warehouse, zone, instant, ids):
    warehouse.execute(f"SET TimeZone = '{zone}'")
    assert [row[0] for row in warehouse.rows(f"SELECT id FROM silver.thing_asof({instant}) ORDER BY id")] == ids


def test_it_is_no_table_sees_new_columns_and_goes_with_its_table(warehouse):
    assert warehouse.tables("silver") == ("thing",)
    warehouse.execute("ALTER TABLE silver.thing ADD COLUMN further INTEGER")
    assert warehouse.rows("SELECT further FROM silver.thing_asof('2026-03-01 10:00:00')") == [(None,)]
    warehouse.ensure(THING)
    warehouse.drop("silver", "thing")
    assert warehouse.rows("SELECT 1 FROM duckdb_functions() WHERE function_name = 'thing_asof'") == []


def test_a_digest_follows_rows_and_columns_and_not_their_order(warehouse):
    before = warehouse.digest("silver", "thing")
    warehouse.execute("CREATE TABLE silver.other AS SELECT * FROM silver.thing ORDER BY id DESC")
    assert warehouse.digest("silver", "other") == before
    warehouse.execute("UPDATE silver.other SET name = NULL WHERE id = 2")
    assert warehouse.digest("silver", "other") != before
    warehouse.execute("UPDATE silver.other SET name = '' WHERE id = 2")
    assert warehouse.digest("silver", "other") == before
    warehouse.execute("ALTER TABLE silver.other RENAME COLUMN name TO label")
    assert warehouse.digest("silver", "other") != before


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_an_export_holds_every_row_and_tells_null_from_empty(warehouse, tmp_path, file_format):
    path = tmp_path / f"it's.{file_format}"
    assert warehouse.export("silver", "thing", str(path), file_format) == 3
    read = {"parquet": "read_parquet(?)", "csv": "read_csv(?, allow_quoted_nulls = false)"}[file_format]
    with duckdb.connect() as reader:
        rows = reader.execute(f"SELECT * FROM {read} ORDER BY id", [str(path)]).fetchall()
    assert rows == warehouse.rows("SELECT * FROM silver.thing ORDER BY id")


def test_an_export_to_where_nobody_may_write_is_told(warehouse, tmp_path):
    with pytest.raises(WarehouseError):
        warehouse.export("silver", "thing", str(tmp_path / "nowhere" / "x.csv"), "csv")


# Postgres cannot hold U+0000.
ROWS_OF_ALL_TYPES = [row for row in OF_ALL_TYPES if "\0" not in str(row[1])]
CSV_TYPES = "{" + ", ".join(f"'{name}': '{DUCKDB.get(dtype, dtype)}'" for name, dtype in TYPES.items()) + "}"


def test_a_condition_is_taken_in_brackets_and_without_comments():
    assert parse_condition("a = 1 OR b -- so be it", "duckdb", where="--where") == "(a = 1 OR b)"
    with pytest.raises(WarehouseError, match="one expression"):
        parse_condition("", "duckdb", where="--where")


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_every_engine_that_exports_writes_the_same_rows_and_knows_what_changed(engine, tmp_path, file_format):
    warehouse = engine.open()
    if not isinstance(warehouse, CanExport):
        pytest.skip("it writes no files")
    fill(warehouse, ROWS_OF_ALL_TYPES)
    before = warehouse.digest("silver", "thing")
    assert warehouse.digest("silver", "thing") == before
    path = tmp_path / f"thing.{file_format}"
    assert warehouse.export("silver", "thing", str(path), file_format) == len(ROWS_OF_ALL_TYPES)
    read = {
        "parquet": "read_parquet(?)",
        "csv": f"read_csv(?, allow_quoted_nulls = false, auto_detect = false, header = true, columns = {CSV_TYPES})",
    }[file_format]
    with duckdb.connect() as reader:
        assert reader.execute(f"SELECT * FROM {read} ORDER BY id", [str(path)]).fetchall() == ROWS_OF_ALL_TYPES
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    warehouse.append("silver", "thing", ("id",), "SELECT 9")
    assert warehouse.digest("silver", "thing") != before
    warehouse.delete("silver", "thing", "id = 9")
    warehouse.delete("silver", "thing", "TRUE")
    assert warehouse.export("silver", "thing", str(tmp_path / "none"), file_format) == 0
