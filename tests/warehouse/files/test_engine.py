"""Tables as files: every value comes back, a state is whole or not there, one writer, nothing is left lying about."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from headwater.errors import WarehouseError
from headwater.warehouse.base import Table, TableColumn
from headwater.warehouse.dml import overwrite_rows
from headwater.warehouse.files import table_store
from headwater.warehouse.files.engine import Files
from headwater.warehouse.files.table_store import GRACE, MANIFEST
from headwater.warehouse.files.tables import MAX_FILES

FORMATS = ("parquet", "csv", "delta")

TYPES = {
    "id": "bigint", "text": "text", "other": "text", "small": "integer", "real": "double", "money": "decimal(18,4)",
    "yes": "boolean", "day": "date", "at": "timestamp", "bag": "json",
}  # fmt: skip
THING = Table(
    layer="silver",
    name="thing",
    columns=tuple(TableColumn(name=name, dtype=dtype, required=name == "id") for name, dtype in TYPES.items()),
    key=("id",),
    primary_key=("id",),
)
at = datetime.fromisoformat
NOTHING = (None,) * 9
ROWS = [
    (1, *NOTHING),
    (2, "", " ", 0, 0.0, Decimal("0.0000"), False, date(1, 1, 1), at("0001-01-01"), "{}"),
    (3, "NULL", "\\N", -1, float("inf"), Decimal("-1.5000"), True, date(9999, 12, 31), at("9999-12-31"), '""'),
    (4, 'a\nb\r\nc,"q"', "\r", 2**31 - 1, 5e-324, Decimal("99999999999999.9999"), None, None, None, '{"a": ""}'),
    (5, "\0z", "é\u2028\u0085", None, 0.1, None, None, None, at("2026-03-01 23:59:59.999999"), None),
    (2**62, ",", "'", None, 1e300, None, None, None, at("1969-12-31 23:59:59.999999"), None),
]
ARROW = pa.schema(
    [("id", pa.int64()), ("text", pa.string()), ("other", pa.string()), ("small", pa.int32()), ("real", pa.float64()),
     ("money", pa.decimal128(18, 4)), ("yes", pa.bool_()), ("day", pa.date32()), ("at", pa.timestamp("us")),
     ("bag", pa.string())]
)  # fmt: skip


def open_files(place, file_format="parquet", **more):
    return Files("acme", str(place), file_format, threads=1, **more)


def fill(warehouse, rows=ROWS, table=THING):
    warehouse.ensure(table)
    staged = warehouse.stage("rows", pa.Table.from_pylist([dict(zip(TYPES, row, strict=True)) for row in rows], ARROW))
    return warehouse.append(table.layer, table.name, tuple(TYPES), f"SELECT * FROM {staged}")


def read_rows(warehouse, name="thing"):
    return warehouse.rows(f"SELECT * FROM silver.{name} ORDER BY id")


def list_ids(warehouse):
    return [row[0] for row in warehouse.rows("SELECT id FROM silver.thing ORDER BY id")]


def add(warehouse, *numbers, name="thing"):
    values = ", ".join(f"({number})" for number in numbers)
    return warehouse.append("silver", name, ("id",), f"SELECT * FROM (VALUES {values}) AS v(id)")


def on_disk(place):
    return sorted(file.name for file in (place / "acme").rglob("*.parquet"))


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_value_comes_back_as_it_was(tmp_path, file_format):
    with closing(open_files(tmp_path, file_format)) as warehouse:
        assert fill(warehouse) == len(ROWS)
        assert read_rows(warehouse) == ROWS
    with closing(open_files(tmp_path, file_format, read_only=True)) as warehouse:
        assert read_rows(warehouse) == ROWS
        assert [column.dtype for column in warehouse.describe("silver", "thing")] == [*[*TYPES.values()][:-1], "text"]
        assert warehouse.schema_of("SELECT * FROM silver.thing")["at"] == "TIMESTAMP"


@pytest.mark.parametrize("file_format", FORMATS)
def test_verbs_do_to_files_what_they_do_to_tables(tmp_path, file_format):
    with closing(open_files(tmp_path, file_format)) as warehouse:
        fill(warehouse)
        assert warehouse.delete("silver", "thing", "id > 5") == 1
        assert warehouse.delete("silver", "thing", "small > 1000000000000") == 0
        assert warehouse.update("silver", "thing", {"text": "'new'", "small": "small - 1"}, "small >= 0") == 2
        statement = "SELECT id, text, small FROM silver.thing WHERE text = 'new' ORDER BY id"
        assert warehouse.rows(statement) == [(2, "new", -1), (4, "new", 2**31 - 2)]
        done = overwrite_rows(
            warehouse, "silver", "thing", where="id IN (1, 2)", columns=("id", "text"), select="SELECT 9, 'nine'"
        )
        assert (done.deleted, done.inserted) == (2, 1)
        assert list_ids(warehouse) == [3, 4, 5, 9]
        warehouse.drop_columns("silver", "thing", ("bag", "real"))
        wider = Table(
            layer="silver",
            name="thing",
            columns=(*(column for column in THING.columns if column.name in ("id", "text")),
                     TableColumn(name="small", dtype="bigint"), TableColumn(name="fresh", dtype="double")),
        )  # fmt: skip
        warehouse.ensure(wider)
        types = {column.name: column.dtype for column in warehouse.describe("silver", "thing")}
        assert (types["small"], types["fresh"]) == ("bigint", "double")
        assert "bag" not in types
        assert warehouse.rows("SELECT DISTINCT fresh FROM silver.thing") == [(None,)]
        warehouse.drop("silver", "thing")
        assert warehouse.describe("silver", "thing") is None


def test_a_value_that_has_to_be_there_is_asked_for(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        with pytest.raises(WarehouseError, match="refused") as caught:
            warehouse.append("silver", "thing", ("text",), "SELECT 'x'")
        assert "NOT NULL constraint failed: id" in caught.value.details
        assert len(read_rows(warehouse)) == len(ROWS)


def test_readers_see_what_was_committed_and_nothing_of_what_was_undone(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        warehouse.ensure_view("silver", "thing_text", "SELECT id, text FROM silver.thing WHERE text IS NOT NULL")
        with pytest.raises(ZeroDivisionError):
            change_and_fail(warehouse, tmp_path)
        assert read_rows(warehouse) == ROWS
        assert (warehouse.tables("silver"), warehouse.tables("gold")) == (("thing", "thing_text"), ())
        assert len(warehouse.rows("SELECT * FROM silver.thing_text")) == len(ROWS) - 1
        assert len(on_disk(tmp_path)) == 1
        warehouse.delete("silver", "thing", "id > 1")
        assert list_ids(warehouse) == [1]


def change_and_fail(warehouse, place):
    with warehouse.transaction():
        warehouse.delete("silver", "thing", "TRUE")
        warehouse.drop("silver", "thing_text")
        warehouse.ensure(Table(layer="gold", name="new", columns=THING.columns))
        with closing(open_files(place, read_only=True)) as reader:
            assert read_rows(reader) == ROWS
        assert list_ids(warehouse) == []
        raise ZeroDivisionError


def test_a_view_goes_with_the_columns_of_its_table(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        warehouse.ensure_view("silver", "all_of_it", "SELECT * FROM silver.thing")
        warehouse.drop_columns("silver", "thing", ("bag",))
        assert len(warehouse.rows("SELECT * FROM silver.all_of_it")[0]) == len(TYPES) - 1
        assert len(warehouse.describe("silver", "all_of_it")) == len(TYPES) - 1


def test_a_second_writer_of_a_folder_is_refused_and_a_reader_is_not(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        with pytest.raises(WarehouseError, match="in use by another process"):
            open_files(tmp_path)
        with closing(open_files(tmp_path, read_only=True)) as reader:
            assert len(list_ids(reader)) == len(ROWS)
    open_files(tmp_path).close()


def test_a_reader_reaches_the_tenants_files_only_and_writes_nothing(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
    with closing(open_files(tmp_path, read_only=True)) as reader:
        for statement in (f"SELECT * FROM '{tmp_path}/secret.csv'", "SET enable_external_access = true"):
            with pytest.raises(WarehouseError):
                reader.rows(statement)
        with pytest.raises(WarehouseError, match="read-only"):
            reader.delete("silver", "thing", "id = 1")
        assert len(list_ids(reader)) == len(ROWS)
        told = reader.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'silver'")
        assert told == [("thing",)]


def test_what_is_not_there_is_not_made_by_looking(tmp_path):
    with pytest.raises(WarehouseError, match="cannot be opened"):
        open_files(tmp_path / "new", read_only=True)
    assert not (tmp_path / "new").exists()


def test_rows_that_come_are_one_more_file_and_many_files_become_one(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        add(warehouse, *range(1000, 1200))
        sizes = []
        for number in range(10, 10 + 2 * MAX_FILES):
            add(warehouse, number)
            sizes.append(len(warehouse._tables["silver", "thing"].files))
        assert max(sizes) == MAX_FILES
        assert sizes[:3] == [3, 4, 5]
        assert list_ids(warehouse) == sorted(list_ids(warehouse))
        assert len(list_ids(warehouse)) == len(ROWS) + 200 + 2 * MAX_FILES
        big = next(piece for piece in warehouse._tables["silver", "thing"].files if piece.rows == 200)
        assert (tmp_path / "acme" / big.path).is_file()


class Hours:
    """A clock that is set by hand."""

    def __init__(self):
        self.instant = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.instant


def test_files_that_no_pointer_names_stay_for_an_hour_for_who_reads_by_the_one_before(tmp_path, monkeypatch):
    clock = Hours()
    monkeypatch.setattr(table_store, "SystemClock", lambda: clock)
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        with closing(open_files(tmp_path, read_only=True)) as reader:
            warehouse.delete("silver", "thing", "id = 1")
            assert read_rows(reader) == ROWS
        assert len(on_disk(tmp_path)) == 2
        clock.instant += GRACE - timedelta(minutes=1)
        warehouse.delete("silver", "thing", "id = 2")
    with closing(open_files(tmp_path)):
        assert len(on_disk(tmp_path)) == 3
    clock.instant += timedelta(minutes=2)
    with closing(open_files(tmp_path)) as warehouse:
        assert len(on_disk(tmp_path)) == 2
        clock.instant += GRACE
        warehouse.delete("silver", "thing", "id = 3")
        assert len(on_disk(tmp_path)) == 2
    assert len(list((tmp_path / "acme" / "_retired").iterdir())) == 1


def test_what_a_dead_writer_left_is_cleared_away_by_the_next(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
    (tmp_path / "acme" / "silver" / "thing" / "left.parquet").write_bytes(b"half")
    open_files(tmp_path, read_only=True).close()
    assert len(on_disk(tmp_path)) == 2
    open_files(tmp_path).close()
    assert len(on_disk(tmp_path)) == 1


class PulledOut(BaseException):
    """The power went."""


def read_state(warehouse):
    return (
        list_ids(warehouse),
        len(warehouse.rows("SELECT * FROM silver.other")) if warehouse.tables("silver") != ("thing",) else None,
    )


@pytest.mark.parametrize("file_format", FORMATS)
def test_stopped_before_any_touch_of_the_disk_the_state_is_the_one_before_or_the_one_after(
    tmp_path, file_format, monkeypatch
):
    finished = False
    for moment in range(60):
        place = tmp_path / str(moment)
        with closing(open_files(place, file_format)) as warehouse:
            fill(warehouse)
        finished = run_until_death(place, file_format, moment, monkeypatch)
        with closing(open_files(place, file_format)) as warehouse:
            after = [1, 2, 3, 4, 7, 8]
            assert read_state(warehouse) in (([row[0] for row in ROWS], None), (after, 1))
            if finished:
                assert read_state(warehouse) == (after, 1)
            else:
                change(warehouse)
                assert read_state(warehouse) == (after, 1)
            assert read_state(warehouse) == (after, 1)
        if file_format == "delta":
            check_delta(place, "silver/thing", after)
        if finished:
            break
    assert finished


def change(warehouse):
    """Both ways of writing, and a new table: all in one transaction."""
    with warehouse.transaction():
        overwrite_rows(
            warehouse,
            "silver",
            "thing",
            where="id > 4",
            columns=("id",),
            select="SELECT * FROM (VALUES (7), (8)) AS v(id)",
        )
        warehouse.ensure(Table(layer="silver", name="other", columns=THING.columns[:1]))
        warehouse.delete("silver", "other", "TRUE")
        add(warehouse, 1, name="other")


def run_until_death(place, file_format, moment, monkeypatch):
    """Change the tables, and die before the given touch of the disk; whether the change came to its end before."""
    warehouse = open_files(place, file_format)
    count = iter(range(1000))

    def count_touches(verb):
        def touch(*arguments, **named):
            if next(count) == moment:
                raise PulledOut
            return verb(*arguments, **named)

        return touch

    with monkeypatch.context() as patched:
        store = warehouse._table_store.store
        for name in ("commit", "swap", "write", "remove", "clear"):
            patched.setattr(store, name, count_touches(getattr(store, name)))
        # Who is dead undoes nothing.
        patched.setattr(warehouse._table_store, "undo", lambda drafts: None)
        try:
            change(warehouse)
        except PulledOut:
            return False
        else:
            return True
        finally:
            warehouse.close()


def check_delta(place, table, wanted):
    read = DeltaTable(str(place / "acme" / table))
    assert sorted(pa.table(read.to_pyarrow_table())["id"].to_pylist()) == wanted


def test_an_exception_in_the_middle_of_a_commit_takes_delta_tables_back(tmp_path, monkeypatch):
    with closing(open_files(tmp_path, "delta")) as warehouse:
        fill(warehouse)
        monkeypatch.setattr(warehouse._table_store.store, "swap", lambda *arguments, **named: None)
        with pytest.raises(WarehouseError, match="another writer"):
            warehouse.delete("silver", "thing", "id > 1")
        check_delta(tmp_path, "silver/thing", [row[0] for row in ROWS])
        assert len(list_ids(warehouse)) == len(ROWS)
        monkeypatch.undo()
        warehouse.delete("silver", "thing", "id > 1")
        check_delta(tmp_path, "silver/thing", [1])
        add(warehouse, 2)
        check_delta(tmp_path, "silver/thing", [1, 2])


def test_every_delta_table_is_whole_to_any_reader_with_instants_in_utc(tmp_path):
    with closing(open_files(tmp_path, "delta")) as warehouse:
        fill(warehouse)
        table = DeltaTable(str(tmp_path / "acme" / "silver" / "thing"))
        assert pa.table(table.to_pyarrow_table()).schema.field("at").type == pa.timestamp("us", tz="UTC")
        assert table.protocol().min_reader_version == 1
        warehouse.delete("silver", "thing", "TRUE")
        check_delta(tmp_path, "silver/thing", [])
        warehouse.ensure(Table(layer="silver", name="empty", columns=THING.columns))
        check_delta(tmp_path, "silver/empty", [])
        warehouse.drop("silver", "empty")
        fill(warehouse, table=Table(layer="silver", name="empty", columns=THING.columns))
        check_delta(tmp_path, "silver/empty", [row[0] for row in ROWS])


def test_a_reader_at_any_moment_sees_the_tables_of_one_commit(tmp_path):
    other = Table(layer="gold", name="other", columns=THING.columns[:1])
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
        warehouse.ensure(other)
        seen, stop = set(), threading.Event()

        def read_both():
            while not stop.is_set():
                with closing(open_files(tmp_path, read_only=True)) as reader:
                    statement = "SELECT MAX(id) FILTER (id < 1000) FROM {}"
                    one, two = (reader.rows(statement.format(name))[0][0] for name in ("silver.thing", "gold.other"))
                    seen.add((one, two))

        reading = threading.Thread(target=read_both)
        reading.start()
        for number in range(10, 60):
            with warehouse.transaction():
                add(warehouse, number)
                overwrite_rows(warehouse, "gold", "other", where="TRUE", columns=("id",), select=f"SELECT {number}")
        stop.set()
        reading.join()
    assert len(seen) > 3
    assert all(one == two or two is None for one, two in seen)


def test_a_pointer_that_is_damaged_or_newer_or_of_another_format_is_told(tmp_path):
    with closing(open_files(tmp_path)) as warehouse:
        fill(warehouse)
    with pytest.raises(WarehouseError, match="another format") as caught:
        open_files(tmp_path, "csv")
    assert caught.value.details == "stored as parquet, declared as csv"
    manifest = tmp_path / "acme" / MANIFEST
    text = manifest.read_text()
    manifest.write_text(text.replace('"version": 1', '"version": 2'))
    with pytest.raises(WarehouseError, match="newer version of Headwater"):
        open_files(tmp_path)
    manifest.write_text(text[:100])
    with pytest.raises(WarehouseError, match="damaged"):
        open_files(tmp_path)
    manifest.write_text(text)
    open_files(tmp_path).close()


def test_a_past_day_is_asked_for_by_name_and_a_digest_follows_rows(tmp_path):
    columns = tuple(TableColumn(name=name, dtype=dtype) for name, dtype in
                    (("id", "bigint"), ("valid_from", "timestamp"), ("valid_to", "timestamp")))  # fmt: skip
    with closing(open_files(tmp_path)) as warehouse:
        warehouse.ensure(Table(layer="silver", name="day", columns=columns, has_validity=True))
        rows = "SELECT * FROM (VALUES (1, TIMESTAMP '2026-01-01', TIMESTAMP '2026-02-01')) AS v(a, b, c)"
        warehouse.append("silver", "day", ("id", "valid_from", "valid_to"), rows)
        before = warehouse.digest("silver", "day")
        warehouse.append("silver", "day", ("id",), "SELECT 1 WHERE FALSE")
        assert warehouse.digest("silver", "day") == before
    with closing(open_files(tmp_path, read_only=True)) as warehouse:
        assert warehouse.digest("silver", "day") == before
        assert warehouse.rows("SELECT id FROM silver.day_asof('2026-01-15')") == [(1,)]
        assert warehouse.rows("SELECT id FROM silver.day_asof('2026-02-01')") == []


def test_it_computes_beyond_its_memory_by_a_temporary_folder_that_goes(tmp_path):
    warehouse = Files("acme", str(tmp_path), memory="60MB", threads=1)
    spill = warehouse._spill
    warehouse.ensure(THING)
    warehouse.append("silver", "thing", ("id", "text"), "SELECT range, md5(range::VARCHAR) FROM range(1000000)")
    sorting = (
        "SELECT COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY text) AS n FROM silver.thing) AS s WHERE n > 0"
    )
    assert warehouse.rows(sorting) == [(1_000_000,)]
    warehouse.close()
    assert not spill.exists()


def test_erasing_removes_every_file(tmp_path):
    warehouse = open_files(tmp_path)
    fill(warehouse)
    warehouse.erase()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
