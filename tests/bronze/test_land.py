from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

import headwater.connectors.connectwise.schemas as schemas
from headwater.bronze import scan
from headwater.bronze.contract import with_overrides
from headwater.bronze.land import LandResult, land_batch
from headwater.bronze.parquet_writer import ParquetWriter
from headwater.errors import DeclarationError, LakeError, SafetyCheckError
from headwater.model.field import build_contract, list_contract_fields
from tests.bronze.bench import NOW, Bench, to_instant

FIXTURES = Path(__file__).parent / "fixtures"


def test_records_are_typed_and_flattened(bench):
    record = {
        "id": 7, "name": "Þór", "hours": 1.5, "done": True, "at": "2026-01-02T03:04:05+02:00", "on": "2026-01-02", "count": 3,
        "price": 1.5, "extra": {"b": 1, "a": [1.0, "x"]}, "company": {"id": 2, "name": "C"},
        "_info": {"lastUpdated": "2026-01-01T00:00:00Z"},
    }  # fmt: skip
    result = bench.land([record, {"id": 8}])
    assert (result.kept, result.refused, result.drift) == (2, (), ())
    assert bench.read_columns() == {
        "_line": "BIGINT", "id": "BIGINT", "name": "VARCHAR", "hours": "DOUBLE", "done": "BOOLEAN", "at": "TIMESTAMP",
        "on": "DATE", "count": "INTEGER", "price": "DECIMAL(18,4)", "extra": "VARCHAR", "company_id": "BIGINT",
        "company_name": "VARCHAR", "_info_lastUpdated": "TIMESTAMP",
    }  # fmt: skip
    full, bare = bench.read_rows()
    assert full[:6] == (1, 7, "Þór", 1.5, True, to_instant("2026-01-02T01:04:05"))
    assert (full[8], full[9]) == (Decimal("1.5"), '{"a":[1,"x"],"b":1}')
    assert bare == (2, 8, *[None] * 11)


def test_an_empty_batch_lands_with_no_row_and_no_file(bench):
    assert bench.land().kept == 0
    assert bench.lake.list("acme") == []


def test_an_empty_batch_needs_no_contract(bench):
    def load_contract():
        pytest.fail("its classes take long to build")

    assert land_batch(bench.batch, bench.resource, load_contract, bench.lake, now=NOW) == LandResult()


@pytest.mark.parametrize(
    ("bad", "field", "value", "rule"),
    [
        (b'{"id":1,"hours":"abc"}', "hours", "abc", "number"),
        (b'{"id":1,"count":1.5}', "count", "1.5", "integer"),
        (b'{"id":1,"count":2147483648}', "count", "2147483648", "out of range"),
        (b'{"id":9223372036854775808}', "id", "9223372036854775808", "out of range"),
        (b'{"id":true}', "id", "true", "boolean"),
        (b'{"id":null}', "id", "", "integer"),
        (b'{"name":"x"}', "id", "", "must be there"),
        (b'{"id":1,"name":{"a":1}}', "name", '{"a":1}', "string"),
        (b'{"id":1,"name":true}', "name", "true", "string"),
        (b'{"id":1,"done":"maybe"}', "done", "maybe", "boolean"),
        (b'{"id":1,"at":"yesterday"}', "at", "yesterday", "timestamp"),
        (b'{"id":1,"at":"2026-13-01T00:00:00Z"}', "at", "2026-13-01T00:00:00Z", "month"),
        (b'{"id":1,"at":1700000000}', "at", "1700000000", "timestamp"),
        (b'{"id":1,"on":"2026-01-01T10:00:00Z"}', "on", "2026-01-01T10:00:00Z", "not a date"),
        (b'{"id":1,"price":1e15}', "price", "1000000000000000", "out of range"),
        (b'{"id":1,"company":"C"}', "company", "C", "dictionary"),
        (b'{"id":1,"company":{"id":"x"}}', "company.id", "x", "integer"),
        (b'{"id":1,"hours":1e400}', "hours", "1e+400", "finite"),
        (b'{"id":1,', "", '{"id":1,', "JSON"),
        (b"", "", "", "JSON"),
        (b"[1]", "", "[1]", "object"),
        (b"null", "", "", "object"),
        (b'{"id":1} {"id":2}', "", '{"id":1} {"id":2}', "JSON"),
        (b'{"id":1,"id":2}', "", '{"id":1,"id":2}', "twice"),
        (b'{"id":1,"company":{"id":1,"id":2}}', "", '{"id":1,"company":{"id":1,"id":2}}', "twice"),
        (b'{"id":1,"name":"\xff"}', "", '{"id":1,"name":"\ufffd"}', "UTF-8"),
        (b'{"id":1,"name":"\\ud800"}', "", '{"id":1,"name":"?"}', "surrogate"),
    ],
)
def test_a_record_that_violates_its_contract_is_refused_alone_with_a_reason(bench, bad, field, value, rule):
    good = [{"id": n, "name": str(n), "at": "2026-01-01T00:00:00Z"} for n in range(4)]
    result = bench.land([good[0], good[1], bad, good[2], good[3]])
    assert [row[0] for row in bench.read_rows("_line")] == [1, 2, 4, 5]
    assert bench.read_rows("id, name") == [(n, str(n)) for n in range(4)]
    (refused,) = result.refused
    assert (refused.id, refused.line, refused.first_seen) == (f"{bench.batch.id}:3", 3, NOW)
    (reason,) = refused.reasons
    assert (reason["field"], reason["value"]) == (field, value)
    assert rule in reason["rule"]


def test_a_refused_record_has_all_reasons_and_its_key(bench):
    result = bench.land([{"id": 5, "hours": "x", "done": "maybe", "company": {"id": "z"}}])
    assert {reason["field"] for reason in result.refused[0].reasons} == {"hours", "done", "company.id"}
    assert result.refused[0].key == "5"
    assert {drift.field for drift in result.drift if drift.kind == "retyped"} == {"hours", "done", "company.id"}
    assert bench.read_rows() == []
    assert len(bench.read_columns()) == 13


@pytest.mark.parametrize(
    ("value", "field", "kept"),
    [
        ("5.0", "count", 5),
        ('"12"', "count", 12),
        ('"2015-12-24T22: 08: 22Z"', "at", to_instant("2015-12-24T22:08:22")),
        ('"1800-01-01T08:00:00Z"', "at", to_instant("1800-01-01T08:00:00")),
        ('"2015-12-24"', "at", to_instant("2015-12-24T00:00:00")),
        ('"2015-12-24t22:08:22z"', "at", to_instant("2015-12-24T22:08:22")),
        ('"2015-12-24T22:08:22.1234567-0500"', "at", to_instant("2015-12-25T03:08:22.123456")),
        ('"2026-01-01T00:00:00Z"', "on", to_instant("2026-01-01T00:00:00").date()),
        ("1.5", "name", "1.5"),
        ("12", "name", "12"),
        ('" 1.5"', "price", Decimal("1.5")),
        ('"true"', "done", True),
        ('"2.5"', "hours", 2.5),
    ],
)
def test_a_repaired_value_is_kept_and_reported(bench, value, field, kept):
    result = bench.land([{"id": 1}, f'{{"id":2,"{field}":{value}}}'.encode(), {"id": 3}])
    assert [row[0] for row in bench.read_rows(f'"{field}"')] == [None, kept, None]
    assert [row[0] for row in bench.read_rows("_line")] == [1, 2, 3]
    assert all(drift.kind == "repaired" and drift.rows == 1 for drift in result.drift)


@pytest.mark.parametrize(
    ("name", "contract"),
    [("agreements", "Agreement"), ("companies", "Company"), ("tickets", "Ticket"), ("time_entries", "TimeEntry")],
)
def test_recorded_responses_land_without_a_refusal(tmp_path, name, contract):
    bench = Bench(tmp_path, getattr(schemas, contract), custom_fields="customFields")
    result = bench.land(json.loads((FIXTURES / f"{name}.json").read_text()))
    assert result.refused == ()
    assert result.kept == 1


def test_unusual_timestamps_of_a_recorded_company_are_repaired(tmp_path):
    bench = Bench(tmp_path, schemas.Company)
    result = bench.land(json.loads((FIXTURES / "companies.json").read_text()))
    assert bench.read_rows("_info_lastUpdated, dateAcquired") == [
        (to_instant("2015-12-24T22:08:22"), to_instant("2002-08-20T18:04:26"))
    ]
    assert {drift.field for drift in result.drift if drift.kind == "repaired"} == {"_info.lastUpdated", "dateAcquired"}


def test_custom_fields_stay_a_list_and_get_a_column_for_each_id(tmp_path):
    bench = Bench(tmp_path, schemas.Agreement, custom_fields="customFields")
    custom_fields = [
        {"id": 5, "caption": "Number", "type": "Text", "value": "A-1"},
        {"id": 12, "caption": "Score", "value": 3},
    ]
    result = bench.land([{"id": 1, "customFields": custom_fields}, {"id": 2, "customFields": []}, {"id": 3}])
    assert result.custom_field_names == {"5": "Number", "12": "Score"}
    assert bench.read_rows("customFields_5, customFields_12") == [("A-1", "3"), (None, None), (None, None)]
    assert bench.read_rows("customFields[1].value, len(customFields)")[0] == ("A-1", 2)


def test_custom_fields_are_found_beyond_the_first_block_and_next_to_misfits(tmp_path):
    bench = Bench(tmp_path, schemas.Agreement, custom_fields="customFields")
    padding = [{"id": n, "name": "x" * 60_000} for n in range(100)]
    late = {"id": 100, "customFields": [{"id": 9, "caption": "Late", "value": True}]}
    assert bench.land([*padding, late]).custom_field_names == {"9": "Late"}
    assert bench.read_rows("customFields_9")[-1] == ("true",)
    result = bench.land([{"id": "x"}, {"id": "7.0", "customFields": [{"id": "3", "value": "v"}]}, late])
    assert result.custom_field_names == {"3": "", "9": "Late"}
    assert bench.read_rows("id, customFields_3, customFields_9") == [(7, "v", None), (100, None, "true")]


def test_a_frozen_resource_gets_no_new_column(tmp_path):
    bench = Bench(tmp_path, schemas.Agreement, custom_fields="customFields")
    bench.land([{"id": 1, "customFields": [{"id": 5, "caption": "N", "value": "A"}]}], drift="freeze")
    assert "customFields_5" not in bench.read_columns()


def test_new_fields_are_reported_with_their_path_and_ignored_links_are_not(tmp_path):
    bench = Bench(tmp_path, schemas.Ticket)
    record = {
        "id": 1, "brandNew": 1, "company": {"id": 1, "colour": "red", "_info": {"x_href": "u"}},
        "_info": {"notes_href": "u", "lastUpdated": None}, "customFields": [{"id": 1, "shade": None}],
    }  # fmt: skip
    result = bench.land([record, {"id": 2, "brandNew": "x"}])
    new = {drift.field: (drift.detail, drift.rows) for drift in result.drift if drift.kind == "new"}
    assert new == {"brandNew": ("number", 2), "company.colour": ("text", 1), "customFields.shade": ("null", 1)}


def test_a_whole_record_in_a_reference_is_one_drift(tmp_path):
    bench = Bench(tmp_path, schemas.Ticket)
    (drift,) = bench.land([{"id": 1, "company": {"id": 1, **{f"field{n}": n for n in range(9)}}}]).drift
    assert (drift.field, drift.rows) == ("company.*", 1)
    assert drift.detail.startswith("9 fields: field0, field1")


def test_missing_fields_are_reported(bench):
    result = bench.land([{"id": n, "name": "x"} for n in range(100)])
    missing = {drift.field for drift in result.drift if drift.kind == "missing"}
    assert missing == {"hours", "done", "at", "on", "count", "price", "extra", "company", "_info"}


def test_a_resource_that_refuses_drift_stops_and_writes_nothing(bench):
    bench.write_raw([{"id": 1, "novel": 1}])
    with pytest.raises(SafetyCheckError) as caught:
        bench.land(drift="refuse")
    assert "novel (new)" in caught.value.details
    assert bench.lake.list("acme") == [bench.lake.build_batch_path("raw", bench.batch, ".jsonl.zst")]
    assert not list(Path(bench.lake.store.url).rglob("*.tmp"))


def test_a_project_can_override_a_field_or_add_one(bench):
    bench.contract = with_overrides(bench.contract, {"hours": "text", "company": "text", "fresh.deep": "bigint"})
    result = bench.land(
        [
            {"id": 1, "hours": "abc", "company": {"id": 1}, "fresh": {"deep": 4}},
            {"id": 2, "hours": 2.5},
            {"id": 3, "hours": True},
        ]
    )
    assert result.refused == ()
    assert bench.read_rows("hours, company, fresh_deep") == [
        ("abc", '{"id":1}', 4),
        ("2.5", None, None),
        ("true", None, None),
    ]


def test_a_sweep_lands_keys_only(bench):
    bench.use_sweep()
    result = bench.land([{"id": 1, "hours": "not looked at"}, {"id": 2}])
    assert (result.kept, result.drift) == (2, ())
    assert bench.read_columns() == {"_line": "BIGINT", "id": "BIGINT"}


def test_records_of_a_parent_have_its_key(tmp_path):
    bench = Bench(tmp_path, parent={"resource": "owners"})
    bench.write_raw([{"id": n} for n in range(5)] + [{"id": "bad"}])
    bench.lake.write(
        bench.lake.build_batch_path("raw", bench.batch, ".parents.json"), b'[["10", 2], ["empty", 0], ["a|b", 4]]'
    )
    assert bench.land().kept == 5
    assert bench.read_rows("_line, _parent, id") == [
        (1, "10", 0),
        (2, "10", 1),
        (3, "a|b", 2),
        (4, "a|b", 3),
        (5, "a|b", 4),
    ]
    bench.lake.remove(bench.lake.build_batch_path("raw", bench.batch, ".parents.json"))
    with pytest.raises(LakeError):
        bench.land()


def test_omitted_fields_are_not_kept_checked_or_reported(tmp_path):
    bench = Bench(tmp_path, omit=("name", "company.name", "secret"))
    result = bench.land([{"id": 1, "name": {"no": 1}, "company": {"id": 2, "name": 5.5}, "secret": "x", "count": 1.0}])
    assert result.refused == ()
    assert [drift.kind for drift in result.drift] == ["repaired"]
    assert "name" not in bench.read_columns()
    assert "company_name" not in bench.read_columns()


def test_a_composite_key_must_be_complete(tmp_path):
    bench = Bench(tmp_path, build_contract("T", {"a": "text", "b.c": "bigint"}), key=("a", "b.c"))
    result = bench.land([{"a": "x", "b": {"c": 1}}, {"a": "x"}, {"a": "y", "b": {"c": None}}, {"b": {"c": 1}}])
    assert (result.kept, [row.line for row in result.refused]) == (1, [2, 3, 4])
    assert [row.key for row in result.refused] == ["x|", "y|", "|1"]


def test_two_observations_of_a_key_are_both_kept(bench):
    assert bench.land([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]).kept == 2


def test_a_record_of_many_megabytes_lands(bench):
    body = [{"id": 1}, {"id": 2, "name": "x" * 9_000_000}, {"id": 3}]
    assert bench.land(body).kept == 3
    assert bench.read_rows("length(name)") == [(None,), (9_000_000,), (None,)]
    assert bench.land([*body, {"id": "x"}]).kept == 3


def test_repeating_a_landing_gives_the_same_files(bench):
    lines = [{"id": n, "hours": "x" if n == 4 else 1} for n in range(9)]
    first = bench.land(lines)
    before = {path: bench.lake.read(path) for path in bench.lake.list("acme")}
    Path(bench.lake.prepare_draft(bench.lake.build_batch_path("bronze", bench.batch, ".parquet"))).write_bytes(
        b"torn by a kill"
    )
    assert bench.land() == first
    assert {path: bench.lake.read(path) for path in bench.lake.list("acme")} == before


def test_a_rebuild_under_a_relaxed_contract_empties_the_quarantine(bench):
    assert len(bench.land([{"id": 1, "hours": "x"}]).refused) == 1
    bench.contract = with_overrides(bench.contract, {"hours": "text"})
    assert bench.land().kept == 1
    assert bench.lake.list("acme/quarantine") == []


def test_a_damaged_raw_file_is_an_error(bench):
    bench.write_raw([{"id": n} for n in range(1000)], page=1000)
    path = bench.lake.build_batch_path("raw", bench.batch, ".jsonl.zst")
    body = bytearray(bench.lake.read(path))
    body[len(body) // 2] ^= 0xFF
    bench.lake.write(path, bytes(body))
    with pytest.raises(LakeError):
        bench.land()
    assert bench.lake.list("acme/bronze") == []


def test_a_truncated_raw_file_is_an_error(bench):
    bench.write_raw([{"id": 1}, {"id": 2}])
    with pytest.raises(LakeError) as caught:
        bench.land(rows=3)
    assert caught.value.details == "2 records instead of 3"
    assert bench.lake.list("acme/bronze") == []


def test_a_write_error_is_reported_with_a_hint(bench, monkeypatch):
    bench.write_raw([{"id": 1}])
    write = ParquetWriter.write

    def write_to_invalid_path(self, lines, shape, target, **options):
        return write(self, lines, shape, "/proc/nowhere/x.parquet", **options)

    monkeypatch.setattr(ParquetWriter, "write", write_to_invalid_path)
    with pytest.raises(LakeError) as caught:
        bench.land()
    assert caught.value.details
    assert caught.value.hint


def test_fields_with_the_same_column_are_refused(tmp_path):
    bench = Bench(tmp_path, build_contract("T", {"id": "bigint", "a_b": "text", "a.B": "text"}))
    bench.write_raw([{"id": 1}])
    with pytest.raises(DeclarationError, match="same column name"):
        bench.land()
    bench.contract = build_contract("T", {"name": "text"})
    with pytest.raises(DeclarationError, match="key"):
        bench.land()


def test_generated_contracts_have_distinct_columns():
    records = [
        kind
        for kind in vars(schemas).values()
        if isinstance(kind, type) and (kind.__doc__ or "").startswith("A record")
    ]
    assert len(records) == 20
    for record in records:
        names = [field.name.lower() for field in list_contract_fields(record)]
        assert len(names) == len(set(names))
        assert [field.dotted for field in list_contract_fields(record) if field.required] == ["id"]


@pytest.mark.parametrize("small_file", [scan.SMALL_FILE, 0])
@pytest.mark.parametrize(
    "value", [b'{"a":1}', b"{}", b"[]", b'["a"]', b"true", b"false", b"1.5", b"-0.5", b"1e3", b"1E-2", b"1e300"]
)
def test_values_that_are_not_text_are_found_among_similar_text(bench, monkeypatch, value, small_file):
    monkeypatch.setattr(scan, "SMALL_FILE", small_file)
    texts = ["{", "[x", "true", "1.5", "1e3", "trueish", "-", "0", "", "9.9.9"]
    lines = [json.dumps({"id": n, "name": text, "company": {"name": text}}).encode() for n, text in enumerate(texts)]
    result = bench.land(lines)
    assert (result.kept, result.drift) == (len(texts), ())
    assert bench.read_rows("name, company_name") == [(text, text) for text in texts]
    lines_with_value = [*lines, b'{"id":98,"name":%s}' % value, b'{"id":99,"company":{"name":%s}}' % value]
    result = bench.land(lines_with_value)
    fields = {drift.field for drift in result.drift}
    assert fields == {"name", "company.name"}
    is_number = value[:1] in b"-1"
    assert [row.line for row in result.refused] == ([] if is_number else [11, 12])
    assert {drift.kind for drift in result.drift} == ({"repaired"} if is_number else {"retyped"})


def test_custom_fields_of_later_lines_get_a_column_and_the_last_caption(tmp_path):
    bench = Bench(tmp_path, schemas.Agreement, custom_fields="customFields")
    early = {"id": 1, "customFields": [{"id": 10, "caption": "Early", "value": "e"}]}
    padding = [{"id": n, "name": "x" * 60_000} for n in range(2, 102)]
    late = {"id": 102, "customFields": [{"id": 9, "caption": "Late", "value": 1}, {"id": 10, "caption": "Other"}]}
    assert bench.land([early, *padding, late]).custom_field_names == {"9": "Late", "10": "Other"}
    rows = bench.read_rows("customFields_9, customFields_10")
    assert (rows[0], rows[-1]) == ((None, "e"), ("1", None))
    assert [name for name in bench.read_columns() if name.startswith("customFields_")] == [
        "customFields_9",
        "customFields_10",
    ]
