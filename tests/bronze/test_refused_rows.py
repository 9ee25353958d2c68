"""A refused record is written as a row with the columns of bronze, as far as they can be converted."""

from __future__ import annotations

import time

import duckdb
import pytest

from headwater.bronze.contract import with_overrides
from headwater.bronze.land import find_refused_file
from headwater.bronze.quarantine import read_record
from headwater.model.field import build_contract
from tests.bronze.bench import Bench, to_instant


def read_refused_rows(bench, columns):
    path = find_refused_file(bench.batch, bench.lake)
    return duckdb.sql(f"SELECT {columns} FROM read_parquet('{path}') ORDER BY _line").fetchall()


def read_refused_columns(bench):
    path = find_refused_file(bench.batch, bench.lake)
    return {row[0]: row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()}


def test_a_refused_record_is_written_with_the_types_of_bronze(bench):
    result = bench.land([
        {"id": 1},
        {"id": "7.0", "hours": "x", "at": "2026-01-02T03:04:05+02:00", "price": "12.30", "company": {"id": 5, "name": 3}},
    ])  # fmt: skip
    assert result.kept == 1
    assert read_refused_columns(bench) == bench.read_columns()
    assert read_refused_rows(bench, '_line, id, hours, "at", company_id, company_name, CAST(price AS TEXT)') == [
        (2, 7, None, to_instant("2026-01-02T01:04:05"), 5, "3", "12.3000")
    ]
    assert [path for path in bench.lake.list("acme/bronze") if "refused" in path] == []


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b'{"id":4,"hours":"x","name":"\\ud800"}', 4),
        (b'{"id":"seven","hours":"x"}', None),
        (b'{"id":9223372036854775808}', None),
        (b'{"id":4,"id":5}', None),
        (b'{"id":4,"name":"a","name":"b"}', 4),
        (b'{"id":4,"hours":NaN}', 4),
        (b'{"id":4,"name":"\xff"}', 4),
        (b'{"id":4,"hours":"x","extra":' + b'{"a":[' * 5000 + b"]}" * 5000 + b"}", 4),
        (b'{"id":4,"hours":"x","extra":"}}]]","more":{"a":"\\"}"}}', 4),
        (b'{"id":4,', None),
        (b"[4]", None),
        (b"", None),
    ],
)
def test_a_key_is_null_if_it_cannot_be_converted(bench, record, key):
    assert len(bench.land([{"id": 1}, record]).refused) == 1
    assert read_refused_rows(bench, "_line, id") == [(2, key)]


def test_without_refusals_there_is_no_file_and_a_new_landing_removes_the_old_one(bench):
    bench.land([{"id": 1}])
    assert find_refused_file(bench.batch, bench.lake) is None
    bench.land([{"id": 1, "hours": "x"}])
    assert read_refused_rows(bench, "id") == [(1,)]
    bench.contract = with_overrides(bench.contract, {"hours": "text"})
    bench.land()
    assert find_refused_file(bench.batch, bench.lake) is None


def test_sweep_keys_separators_and_parents_are_kept(tmp_path):
    bench = Bench(
        tmp_path, build_contract("T", {"a": "text", "b.c": "bigint"}), key=("a", "b.c"), parent={"resource": "owners"}
    )
    bench.use_sweep()
    bench.write_raw([{"a": "x|y", "b": {"c": "no"}}, {"a": "x" * 200, "b": {"c": 3}}, {"a": ["x"], "b": {"c": 4}}])
    bench.lake.write(bench.lake.build_batch_path("raw", bench.batch, ".parents.json"), b'[["10", 1], ["20", 2]]')
    assert bench.land().kept == 1
    assert read_refused_rows(bench, "_line, _parent, a, b_c") == [(1, "10", "x|y", None), (3, "20", None, 4)]


def test_the_time_of_refused_records_is_linear(bench):
    def measure_seconds(count):
        bench.write_raw(
            [{"id": n, "hours": "x", "name": str(n), "company": {"id": n}} for n in range(count)], page=1000
        )
        before = time.process_time()
        assert len(bench.land().refused) == count
        return time.process_time() - before

    measure_seconds(100)
    small, large = measure_seconds(1000), measure_seconds(8000)
    print(f"1,000 refused: {small:.2f} s; 8,000: {large:.2f} s")
    assert large < 16 * max(small, 0.1)


def test_a_record_of_ten_million_values_is_refused_alone_with_its_key(bench):
    large_record = b'{"id":2,"extra":[' + b",".join([b"1"] * 10_000_000) + b"]}"
    result = bench.land([b'{"id":1}', large_record, b'{"id":3,"hours":"x"}', b'{"id":4}'])
    assert (result.kept, [row.line for row in result.refused]) == (2, [2, 3])
    assert result.refused[0].reasons[0]["rule"] == "a record may have at most 1,000,000 values"
    assert read_refused_rows(bench, "_line, id") == [(2, 2), (3, 3)]
    assert len(read_record(result.refused[0], bench.lake)) == len(large_record)
    result = bench.land([b'{"id":1}', large_record])
    assert (result.kept, [row.line for row in result.refused]) == (1, [2])


def test_separators_in_text_do_not_count_as_values_and_too_many_bytes_are_refused(bench):
    text = b"[,{" * 4_000_000
    result = bench.land([b'{"id":1,"name":"%s"}' % text, b'{"id":2,"name":"%s"}' % (b"x" * (64 << 20)), b'{"id":3}'])
    assert [(row.line, row.reasons[0]["rule"][:40]) for row in result.refused] == [
        (2, "a record may have at most 67,108,864 byt")
    ]
    assert bench.read_rows("id, length(name)") == [(1, len(text)), (3, None)]
