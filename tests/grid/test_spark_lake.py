"""Bronze as Spark reads it: the same events with the same hashes that DuckDB makes of the same files."""

from __future__ import annotations

import random

import duckdb
import pytest

from headwater.batch import Feed, Window, create_batch
from headwater.clock import EPOCH, from_micros
from headwater.errors import WarehouseError
from headwater.model.entity import Entity
from headwater.silver.events import can_mismatch, select_events
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.lake_reader import LakeReader

NESTED = (
    'STRUCT(id BIGINT, "caption" VARCHAR, amount DOUBLE, "at" TIMESTAMP, on_day DATE, fee DECIMAL(18,4), ok BOOLEAN, '
    "tags VARCHAR[])[]"
)
STORED = {
    "id": "VARCHAR", "note": "VARCHAR", "small": "INTEGER", "big": "BIGINT", "hours": "DOUBLE", "price": "DECIMAL(18,4)",
    "born": "DATE", "seen": "TIMESTAMP", "ok": "BOOLEAN", "tags": "VARCHAR[]", "bag": NESTED, "stamp": "VARCHAR",
    "bare": "STRUCT(id BIGINT, name VARCHAR)[]", "doubles": "DOUBLE[]",
}  # fmt: skip
ENTITY = Entity.model_validate(
    {
        "entity": "thing",
        "key": ["id", "note"],
        "columns": {
            "id": "text", "note": "text", "small": "bigint", "big": "bigint", "hours": "double", "price": "decimal(18,4)",
            "born": "date", "seen": "timestamp", "ok": "boolean", "tags": "json", "bag": "json", "bare": "text",
            "big_text": "text", "hours_text": "text", "seen_text": "text", "hours_whole": "integer", "price_double": "double",
            "note_number": "bigint", "note_day": "date", "first_caption": "text", "price_cut": "decimal(18,1)", "doubles": "text",
            "born_at": "timestamp", "hours_cut": "decimal(9,2)",
        },
        "sources": {"shop.things": {"map": {}}},
    }
)  # fmt: skip
SAME = ("id", "note", "small", "big", "hours", "price", "born", "seen", "ok", "tags", "bag", "bare", "doubles")
READING = SourceMapping(
    source="shop.things",
    columns={
        **{name: f'"{name}"' for name in SAME},
        "big_text": "big", "hours_text": "hours", "seen_text": "seen", "hours_whole": "hours", "price_double": "price",
        "note_number": "note", "note_day": "note", "price_cut": "price", "born_at": "born", "hours_cut": "hours",
        "first_caption": "[item.caption FOR item IN bag IF lower(CAST(item.id AS VARCHAR)) = '1'][1]",
    },
    changed_at="stamp",
)  # fmt: skip
LETTERS = "abcÞæß😀'\"\\|~:,{}[]\n\t \u0001\u007f\u2028é"


def draw_record(chance: random.Random, number: int) -> dict:
    """One record, as odd as they come."""
    text = lambda: "".join(chance.choices(LETTERS, k=chance.randint(0, 6)))  # noqa: E731
    double = lambda: chance.choice(  # noqa: E731
        [
            0.0,
            -0.0,
            0.1,
            1e-7,
            12345678.9,
            1e15,
            123456789012.34,
            chance.uniform(-1e9, 1e9),
            chance.randint(0, 99999) / 100,
        ]
    )
    instant = lambda: from_micros(chance.randint(-(10**15), 4 * 10**15)).replace(tzinfo=None)  # noqa: E731
    price = lambda: chance.randint(-(10**12), 10**12) / 10**4  # noqa: E731
    note = chance.choice(["2026-01-05", " 12 ", "1.5", "1e3", "-0.5", text(), text()])
    bag = [
        {"id": chance.choice([1, 2, None]), "caption": text(), "amount": double(), "at": instant(), "on_day": instant().date(),
         "fee": price(), "ok": chance.choice([True, False, None]), "tags": chance.choice([None, [], [text(), None]])}
        for _ in range(chance.randint(0, 3))
    ]  # fmt: skip
    record = {
        "id": f"{number}{text()}", "note": note, "small": chance.randint(-9, 9), "big": chance.randint(-(2**63), 2**63 - 1),
        "hours": double(), "price": price(), "born": instant().date(), "seen": instant(), "ok": chance.choice([True, False]),
        "tags": [text(), None], "bag": [*bag, None], "bare": [{"id": 1, "name": text()}, {"id": None, "name": None}],
        "stamp": chance.choice(["2026-01-05T10:00:00Z", "2026-01-05T12:00:00.123456+02:00", "soon"]), "doubles": [double(), None],
    }  # fmt: skip
    return {name: None if name != "id" and chance.random() < 0.15 else value for name, value in record.items()}


def write_parquet(path, records, stored=STORED):
    stored = {**stored, "_line": "BIGINT"}
    with duckdb.connect() as duck:
        duck.execute(
            f"CREATE TABLE r ({', '.join(f'{chr(34)}{name}{chr(34)} {kind}' for name, kind in stored.items())})"
        )
        for line, record in enumerate(records):
            row = {**record, "_line": line}
            duck.execute(f"INSERT INTO r VALUES ({', '.join('?' for _ in stored)})", [row.get(name) for name in stored])
        duck.execute(f"COPY r TO '{path}'")
    return str(path)


def make_landed(*files):
    feed = Feed(tenant="acme", connection="psa", resource="things")
    window = Window(since=EPOCH, until=from_micros(1_767_225_600_000_000))
    return LandedBatch(source="shop.things", batch=create_batch(feed, window), files=files)


def events(warehouse, *batches, reading=READING):
    """The events of batches, as they are staged in a warehouse."""
    with LakeReader(warehouse) as lake:
        selects = []
        for one in batches:
            taken = ", ".join(f'{value} AS "{name}"' for name, value in reading.columns.items())
            files = ", ".join(f"'{file}'" for file in one.files)
            stored = lake.read_types(f"SELECT {taken} FROM read_parquet([{files}], union_by_name = true)")
            assert not any(can_mismatch("text", kind) for kind in stored.values())
            selects.append(select_events(ENTITY, reading, one, stored))
        staged = lake.stage("events", selects)
        columns = ", ".join(f'"{name}"' for name in ENTITY.columns)
        return warehouse.rows(f"SELECT entity_key, sequence, hash, {columns} FROM {staged} ORDER BY id")


@pytest.fixture(scope="module")
def spark(spark_engine):
    return spark_engine.open()


@pytest.fixture
def duckdb_warehouse():
    with_files = DuckDB("judge", ":memory:")
    yield with_files
    with_files.close()


def test_drawn_records_are_the_same_events(spark, duckdb_warehouse, tmp_path):
    chance = random.Random(4)
    records = [draw_record(chance, number) for number in range(1000, 1120)]
    files = [write_parquet(tmp_path / f"{first}.parquet", records[first : first + 60]) for first in (0, 60)]
    wanted, found = (events(one, *map(make_landed, files)) for one in (duckdb_warehouse, spark))
    assert len(wanted) == 120
    names = ("entity_key", "sequence", "hash", *ENTITY.columns)
    wrong = {
        name: (one, other)
        for row, twin in zip(wanted, found, strict=True)
        for name, one, other in zip(names, row, twin, strict=True)
        if one != other
    }
    assert wrong == {}


def test_a_file_that_lacks_a_column_and_one_that_has_it_otherwise(spark, duckdb_warehouse, tmp_path):
    first = write_parquet(
        tmp_path / "a.parquet", [{"id": "1", "hours": 12345678.9, "big": 7}], {**STORED, "note": "BIGINT"}
    )
    less = {name: kind for name, kind in STORED.items() if name not in ("price", "bag")}
    second = write_parquet(
        tmp_path / "b.parquet", [{"id": "2", "hours": "1.50", "note": "x"}], {**less, "hours": "VARCHAR"}
    )
    wanted, found = (events(one, make_landed(first, second)) for one in (duckdb_warehouse, spark))
    assert wanted == found
    assert len(found) == 2


def test_a_file_that_was_written_anew_is_read_anew(spark, duckdb_warehouse, tmp_path):
    path = tmp_path / "a.parquet"
    for name in ("one", "another"):
        file = make_landed(write_parquet(path, [{"id": name, "note": "n"}]))
        assert [row[0] for row in events(spark, file)] == [f"psa:{name}|n"]


def test_a_type_that_spark_has_not_is_refused(spark, tmp_path):
    file = write_parquet(tmp_path / "a.parquet", [{"id": 1}], {**STORED, "big": "UBIGINT"})
    with pytest.raises(WarehouseError, match="Spark cannot read a column of bronze"):
        spark.rows(f"SELECT id FROM read_parquet(['{file}'], union_by_name = true)")
