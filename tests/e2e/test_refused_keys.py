"""A refused record was there: its own snapshot does not delete its thing, whatever its key is made of."""

from __future__ import annotations

import json
import time

import pytest

from tests.e2e.byte_service import ByteShop, serve

LONG = "k" * 200
KINDS = {
    "long": ({"k": ("text", "long")}, [f'"long":"{LONG}{n}"' for n in (1, 2, 3)], [f"{LONG}{n}" for n in (1, 2, 3)]),
    "made": (
        {"k": ("text", "upper(a) || '-' || b")}, ['"a":"x","b":"1"', '"a":"y","b":"1"', '"a":"x","b":"2"'],
        ["X-1", "Y-1", "X-2"],
    ),
    "parted": (
        {"k": ("text", "c"), "l": ("text", "d")}, ['"c":"p|q","d":"r"', '"c":"p","d":"q|r"', r'"c":"p\\","d":"q:r|"'],
        [r"p\|q|r", r"p|q\|r", r"p\\|q:r\|"],
    ),
    "exact": (
        {"k": ("decimal(38,10)", "wide")},
        ['"wide":1884518522.1684267241', '"wide":1884518522.1684267242', '"wide":1234567890123456789012345678.1234567891'],
        ["1884518522.1684267241", "1884518522.1684267242", "1234567890123456789012345678.1234567891"],
    ),
    "numbered": (
        {"k": ("text", "code")}, ['"code":1e2', '"code":1.0', '"code":12345678901234567890.50'],
        ["100", "1", "12345678901234567890.5"],
    ),
    "whole": (
        {"k": ("bigint", "big")}, ['"big":9007199254740993.0', '"big":9007199254740992', '"big":"9007199254740994"'],
        ["9007199254740993", "9007199254740992", "9007199254740994"],
    ),
    "timed": (
        {"k": ("date", "day")}, ['"day":"2026-01-01T00:00:00Z"', '"day":"2026-01-02"', '"day":"0001-01-01"'],
        ["2026-01-01", "2026-01-02", "0001-01-01"],
    ),
}  # fmt: skip
"""Entities by what their keys are made of: the parts of a key with their types and expressions, three records, their keys."""

FIELDS = {
    "id": "bigint", "long": "text", "a": "text", "b": "text", "c": "text", "d": "text", "wide": "decimal(38,10)", "code": "text",
    "big": "bigint", "day": "date", "name": "text", "count": "bigint",
}  # fmt: skip


@pytest.fixture
def service():
    with serve() as made:
        yield made


def entity(name, parts):
    """An entity with such a key and a name."""
    columns = {column: kind for column, (kind, _) in parts.items()}
    taken = {column: expression for column, (_, expression) in parts.items()}
    return {
        "entity": name, "key": list(parts), "columns": {**columns, "name": "text"},
        "sources": {"desk.things": {"map": {**taken, "name": "name"}}},
    }  # fmt: skip


def make_shop(tmp_path, service, parts):
    """A project whose things have such a key."""
    return ByteShop(tmp_path / "desk", service, fields=FIELDS, entity=entity("thing", parts))


def test_a_refused_record_is_spared_whatever_its_key_is_made_of_and_an_absent_one_is_not(tmp_path, service):
    shop = make_shop(tmp_path, service, {"k": ("bigint", "id")})
    for name, (parts, _, _) in KINDS.items():
        shop.write(f"models/entities/{name}.yaml", entity(name, parts))
    records = [
        f'{{"id":{n},{",".join(texts[n] for _, texts, _ in KINDS.values())},"name":"%s"%s}}' for n in range(3)
    ]  # fmt: skip
    service.send(*(one % ("old", "") for one in records))
    shop.run()
    service.send(records[0] % ("new", ',"count":"x"'), records[2] % ("new", ""))
    report = shop.run()
    assert (report["outcome"], report["quarantined"], report["findings"]) == ("succeeded", 1, [])
    keys = {name: [f"it:{key}" for key in keys_of_kind] for name, (_, _, keys_of_kind) in KINDS.items()}
    kept = {
        name: {(first, 1, True, "old"), (gone, 1, False, "old"), (last, 1, False, "old"), (last, 2, True, "new")}
        for name, (first, gone, last) in keys.items()
    }
    assert {name: set(shop.history("name", entity=name)) for name in KINDS} == kept
    shop.declare(policies={"desk.things": {"fields": {"count": "text"}}})
    assert shop("quarantine", "retry").json == {"tried": 1, "readmitted": 1, "refused": 0}
    for name, (first, *_) in keys.items():
        readmitted = {(first, 1, False, "old"), (first, 2, True, "new")}
        assert set(shop.history("name", entity=name)) == kept[name] - {(first, 1, True, "old")} | readmitted
    before = shop.silver(*KINDS)
    assert shop("rebuild").json["outcome"] == "succeeded"
    assert shop.silver(*KINDS) == before


def test_a_read_with_a_key_that_cannot_be_read_makes_nothing_absent_and_says_so(tmp_path, service):
    shop = make_shop(tmp_path, service, {"k": ("text", "a")})
    service.send('{"id":1,"a":"x"}', '{"id":2,"a":"y"}', '{"id":3,"a":"z"}')
    shop.run()
    service.send('{"id":1,"a":["x"]}', '{"id":3,"a":"z"}')
    (found,) = shop.run(code=None)["findings"]
    assert (found["finding"], found["table"]) == ("sweep_skipped", "silver.thing")
    assert "no readable key" in found["detail"]
    assert shop.history() == [("it:x", 1, True), ("it:y", 1, True), ("it:z", 1, True)]
    before = shop.silver()
    shop("rebuild", code=None)
    assert shop.silver() == before
    # Once a read shows all of its keys, what it does not show is gone after all.
    service.send('{"id":1,"a":"x"}', '{"id":3,"a":"z"}')
    assert shop.run()["findings"] == []
    assert shop.history() == [("it:x", 1, True), ("it:y", 1, False), ("it:z", 1, True)]


def test_what_readmits_the_last_unreadable_key_lets_the_absences_of_its_read_follow(tmp_path, service):
    shop = make_shop(tmp_path, service, {"k": ("text", "CAST(big AS text)")})
    service.send('{"id":1,"big":1}', '{"id":2,"big":2}')
    shop.run()
    service.send('{"id":1,"big":"one"}')
    shop.run(code=None)
    assert shop.history() == [("it:1", 1, True), ("it:2", 1, True)]
    shop.declare(policies={"desk.things": {"fields": {"big": "text"}}})
    assert shop("quarantine", "retry").json["readmitted"] == 1
    rows = [("it:1", 1, False), ("it:2", 1, False), ("it:one", 1, True)]
    assert shop.history() == rows
    before = shop.silver()
    shop("rebuild")
    assert shop.silver() == before


def test_a_refused_record_that_holds_a_number_of_many_digits_as_well_stops_nothing(tmp_path, service):
    shop = make_shop(tmp_path, service, {"k": ("bigint", "id")})
    odd = '{"id":2,"wide":1234567890123456789012345678.1234567891,"count":"x"}'
    service.send('{"id":1}', odd, '{"id":3,"wide":1e30,"count":"x"}', '{"id":4}')
    report = shop.run()
    assert (report["outcome"], report["kept"], report["quarantined"]) == ("succeeded", 2, 2)


def test_a_collection_whose_records_name_no_key_of_their_own_is_read_whole(tmp_path, service):
    shop = make_shop(tmp_path, service, {"k": ("text", "a || b")})
    shop.update_resource(key=[])
    for records, keys in (
        ((1, 2), [("it:x1", 1, True), ("it:x2", 1, True)]),
        ((2,), [("it:x1", 1, False), ("it:x2", 1, True)]),
    ):
        service.send(*(f'{{"a":"x","b":"{n}"}}' for n in records))
        assert shop.run()["outcome"] == "succeeded"
        assert shop.history() == keys


@pytest.mark.slow
def test_a_snapshot_half_of_which_is_refused_costs_in_proportion(tmp_path, service):
    shop = make_shop(tmp_path, service, {"k": ("text", "a || '|' || b")})

    def records(count, odd):
        return [json.dumps({"a": f"a{n}", "b": "b", "id": n, **(odd if n % 2 else {})}) for n in range(count)]

    def measure_cpu_seconds(count):
        """The seconds of processor time for a snapshot of so many records, half of them refused."""
        service.send(*records(count, {}))
        shop.run()
        service.send(*records(count, {"count": "x"}))
        before = time.process_time()
        report = shop.run()
        took = time.process_time() - before
        assert (report["quarantined"], report["written"], report["findings"]) == (count // 2, {}, [])
        return took

    measure_cpu_seconds(100)
    small, large = measure_cpu_seconds(4000), measure_cpu_seconds(16_000)
    print(f"2,000 refused: {small:.2f} s; 8,000: {large:.2f} s")
    # In proportion it is four times as much, and less while the rest of a run counts; a square would be sixteen times.
    assert large < 8 * small
    assert shop("query", "SELECT COUNT(*) FROM silver.thing WHERE is_current").json["rows"] == [[16_000]]
