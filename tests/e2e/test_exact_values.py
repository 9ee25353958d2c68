"""What is kept of a record: every digit, and one spelling of a value. From the service to history."""

from __future__ import annotations

import duckdb
import pytest

from tests.e2e.byte_service import FIELDS, ByteShop, serve


@pytest.fixture
def service():
    with serve() as made:
        yield made


@pytest.fixture
def shop(tmp_path, service):
    return ByteShop(tmp_path / "desk", service)


EXACT = [
    ("wide", "1884518522.1684267241", "1884518522.1684267241"),
    ("wide", "1234567890123456.1234567891", "1234567890123456.1234567891"),
    ("wide", "1884518522.16842672", "1884518522.1684267200"),
    ("money", "90071992547409.93", "90071992547409.9300"),
    ("money", '"12.30"', "12.3000"),
    ("money", "1e2", "100.0000"),
    ("money", "-0.0", "0.0000"),
    ("big", "9007199254740993.0", "9007199254740993"),
    ("big", "1e2", "100"),
    ("double", "-0.0", "0.0"),
    ("name", "12345678901234567890.5", "12345678901234567890.5"),
    ("any", "9007199254740993.5", "9007199254740993.5"),
]


def test_every_digit_reaches_history_and_what_is_published(tmp_path, service, warehouse):
    shop = ByteShop(tmp_path / "desk", service, warehouse=warehouse)
    shop.declare(publish=[{"name": "out", "url": "out", "format": "parquet", "layer": "silver"}])
    service.send(*(f'{{"id":{n},"{field}":{value}}}' for n, (field, value, _) in enumerate(EXACT)))
    assert shop.run()["outcome"] == "succeeded"
    with duckdb.connect() as reader:
        published = reader.read_parquet(str(shop.root / "out" / "acme" / "thing" / "*.parquet"))
        types = {name: kind for name, kind in zip(published.columns, published.types, strict=True) if name in FIELDS}
        assert {name: str(types[name]) for name in ("wide", "money", "big", "double")} == {
            "wide": "DECIMAL(38,10)", "money": "DECIMAL(18,4)", "big": "BIGINT", "double": "DOUBLE",
        }  # fmt: skip
        for field in {field for field, *_ in EXACT}:
            kept = [(n, text) for n, (name, _, text) in enumerate(EXACT) if name == field]
            values = [(n, text) for n, text in shop.values(field) if text is not None]
            assert [(n, format_double(text) if field == "double" else text) for n, text in values] == kept
            out = published.query(
                "thing", f'SELECT id, CAST("{field}" AS VARCHAR) FROM thing WHERE "{field}" IS NOT NULL ORDER BY 1'
            )
            assert out.fetchall() == kept


def format_double(text):
    """A double in one spelling: engines have two of them for zero."""
    return str(float(text))


SPELLED = {
    "small": ["1", "1.0", "1e0", '"1"', "10e-1"],
    "big": ["9007199254740993", "9007199254740993.0", "9007199254740993e0", '"9007199254740993"'],
    "wide": ["1884518522.1684267241", "1884518522.16842672410", '"1884518522.1684267241"', "18845185221684267241e-10"],
    "money": ["0", "-0.0", "0.00", "-0", '"0"', "0e5"],
    "double": ["0.1", "1e-1", "0.10", '"0.1"'],
    "nothing": ["0", "-0.0", "0e0", "-0"],
    "name": ["1", "1.0", "1e0", "10e-1"],
    "word": ['"é/"', r'"\u00e9\/"', r'"\u00E9/"'],
    "ok": ["true", '"true"', '"True"'],
    "on": ['"2026-01-01"', '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00"', '"2026-01-01T00:00:00.000+00:00"'],
    "at": [
        '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00+00:00"', '"2026-01-01T00:00:00.000Z"', '"2026-01-01"',
        '"2026-01-01T02:00:00.0000000+02:00"', '"2026-01-01 00:00:00"', '"2026-01-01T00:00Z"',
    ],
    "any": [
        '{"a":1,"b":[0,{"x":"é","y":null}],"c":"1.0"}', r'{ "c":"1.0", "b":[-0.0,{"y":null,"x":"\u00e9"}],"a":1.0}',
        r'{"c":"1\u002e0","b":[0e1,{"y":null, "x":"\u00E9"}],"a":10e-1}',
    ],
}  # fmt: skip
"""One value of each type in several spellings."""
TYPES = FIELDS | {"small": "integer", "nothing": "double", "word": "text", "ok": "boolean"}


@pytest.mark.parametrize("stamped", [False, True], ids=["unstamped", "stamped"])
def test_no_spelling_of_any_type_writes_anything(tmp_path, service, warehouse, stamped):
    shop = ByteShop(tmp_path / "desk", service, fields=TYPES | {"changed": "timestamp"}, warehouse=warehouse)
    if stamped:
        shop.update_entity_source(changed_at="changed")
    for turn in range(max(map(len, SPELLED.values()))):
        values = {name: spelled[turn % len(spelled)] for name, spelled in SPELLED.items()}
        together = ",".join(f'"{name}":{value}' for name, value in values.items())
        changed = SPELLED["at"][turn % len(SPELLED["at"])]
        alone = (f'{{"id":{n},"{name}":{value},"changed":{changed}}}' for n, (name, value) in enumerate(values.items()))
        service.send(
            *alone, f'{{"id":99,{together},"changed":{changed}}}', f'{{"changed":{changed},{together},"id":100}}'
        )
        report = shop.run()
        assert (report["quarantined"], report["findings"]) == (0, [])
        assert (turn, report["written"] == {}) == (turn, turn > 0)


def test_another_value_is_written(tmp_path, service):
    """What stands beside the test above: the smallest difference of each type is one."""
    shop = ByteShop(tmp_path / "desk", service, fields=TYPES)
    pairs = {
        "small": ("1", "2"), "big": ("9007199254740992", "9007199254740993"), "money": ("90071992547409.92", "90071992547409.93"),
        "wide": ("1884518522.1684267241", "1884518522.1684267242"), "double": ("1.5", "1.5000000000000002"),
        "name": ("1", '"1.0"'), "word": ('"é"', r'"e\u0301"'), "ok": ("true", "false"), "on": ('"2026-01-01"', '"2026-01-02"'),
        "at": ('"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00.000001Z"'), "any": ("[1,2]", "[2,1]"), "nothing": ("0", "null"),
    }  # fmt: skip
    for side in (0, 1):
        service.send(*(f'{{"id":{n},"{name}":{pair[side]}}}' for n, (name, pair) in enumerate(pairs.items())))
        shop.run()
    values = dict(shop.query("SELECT id, MAX(version_number) FROM silver.thing GROUP BY id"))
    assert {name: values[n] for n, name in enumerate(pairs)} == dict.fromkeys(pairs, 2)


def test_an_entity_that_holds_fewer_digits_than_bronze_says_how_many_values_it_rounds(shop, service):
    columns = {"id": "bigint", "wide": "decimal(18,4)", "name": "bigint", "money": "decimal(18,2)", "any": "bigint"}
    taken = {**{name: f'"{name}"' for name in columns}, "money": "money / 3"}
    entity = {"entity": "thing", "key": "id", "columns": columns, "sources": {"desk.things": {"map": taken}}}
    shop.write("models/entities/thing.yaml", entity)
    service.send(
        '{"id":1,"wide":1.23455,"name":"1.5","money":1,"any":7}',
        '{"id":2,"wide":1.5,"name":"12","money":3,"any":"seven"}',
    )
    report = shop("run", code=3).json
    findings = {(one["finding"], one["detail"].split(" ")[0]): one["count"] for one in report["findings"]}
    wrong = [("precision_loss", "thing.wide"), ("precision_loss", "thing.name"), ("type_mismatch", "thing.any")]
    assert findings == dict.fromkeys(wrong, 1)  # what an expression works out has the digits that its author chose
    assert shop.values("wide") == [(1, "1.2346"), (2, "1.5000")]


REFUSED = [
    ("money", "1e-5", "more than 4 digits"),
    ("money", "1.00005", "more than 4 digits"),
    ("money", "1e400", "out of range"),
    ("money", "NaN", "a record must be JSON"),
    ("big", "9223372036854775808", "out of range"),
    ("big", "1.5", "fractional part"),
    ("double", "1E400", "finite"),
    ("double", "Infinity", "a record must be JSON"),
    ("on", '"0000-00-00"', "ISO 8601 date"),
    ("name", '"\\ud800"', "surrogate"),
    ("money", "0012", "a record must be JSON"),
    ("any", '{"a":1,"a":2}', "twice"),
]


def test_what_cannot_be_held_exactly_waits_with_its_reason_and_the_rest_goes_on(shop, service):
    service.send('{"id":99,"money":0.0001}', *(f'{{"id":{n},"{one[0]}":{one[1]}}}' for n, one in enumerate(REFUSED)))
    report = shop.run()
    assert (report["kept"], report["quarantined"]) == (1, len(REFUSED))
    waiting = {row["line"]: row["reasons"][0] for row in shop("quarantine", "list").json["quarantined"]}
    for line, one in enumerate(REFUSED, 2):
        assert one[2] in waiting[line]["rule"], (one, waiting[line])
    assert shop.values("money") == [(99, "0.0001")]


def test_another_spelling_of_the_same_values_makes_no_version(shop, service):
    one = ['{"a":1,"b":{"x":[1,2.5],"y":null}}', "1", "100", "1e2", "[]", '"x"', '"\\u00e9"', "9007199254740993.50"]
    two = [
        '{ "b": {"y":null, "x":[1.0,25e-1]}, "a":1e0}', "1.0", "1e2", "100.0", "[ ]", '"x"', '"é"',
        "9007199254740993.5",
    ]  # fmt: skip
    for spelled in (one, two):
        service.send(
            *(
                f'{{"id":{n},"any":{value},"name":{value if value[0] in "19" else "null"}}}'
                for n, value in enumerate(spelled)
            ),
            '{"id":90,"double":%s,"money":%s,"at":"%s"}'
            % (
                ("1.0", "1.50", "2026-01-01T00:00:00Z")
                if spelled is one
                else ("1e0", '"1.5"', "2026-01-01T02:00:00.000+02:00")
            ),
        )
        shop.run()
    assert shop("query", "SELECT COUNT(*), MAX(version_number) FROM silver.thing").json["rows"] == [[len(one) + 1, 1]]
    service.send('{"id":0,"any":{"a":1,"b":{"x":[2.5,1],"y":null}}}')
    shop.run("--allow-drop")
    assert shop.values("any", "id = 0") == [
        (0, '{"a":1,"b":{"x":[1,2.5],"y":null}}'), (0, '{"a":1,"b":{"x":[2.5,1],"y":null}}'),
    ]  # fmt: skip


def test_texts_that_only_look_like_numbers_are_left_alone(shop, service):
    service.send(
        '{"id":1,"name":"1.0","any":"1.0"}', '{"id":2,"name":"0012","any":[" 1","1e0"]}', '{"id":3,"name":"","any":""}'
    )
    shop.run()
    assert shop.values("name") == [(1, "1.0"), (2, "0012"), (3, "")]
    assert shop.values("any") == [(1, '"1.0"'), (2, '[" 1","1e0"]'), (3, '""')]
