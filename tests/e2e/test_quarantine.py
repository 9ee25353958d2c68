"""One record never stops a feed: it waits by itself, whatever is wrong with it."""

from __future__ import annotations

import pytest

from tests.e2e.byte_service import ByteShop, serve

DEEP = b'{"id":2,"any":' + b'{"a":[' * 5000 + b"]}" * 5000 + b"}"
CROWD = b'{"id":2,"any":[' + b",".join([b"1"] * 10_000_000) + b"]}"


@pytest.fixture
def service():
    with serve() as made:
        yield made


@pytest.fixture
def shop(tmp_path, service):
    return ByteShop(tmp_path / "desk", service)


@pytest.mark.parametrize(
    ("odd", "rule"),
    [
        (DEEP, "nested"), (CROWD, "1,000,000 values"), (b'{"id":2,"name":"\xff"}', "UTF-8"), (b'{"id":2,"a":NaN}', "NaN"),
        (b"{}", "must be there"), (b"[2]", "an object"), (b"null", "an object"), (b'{"id":2,"\\u0000":1,"id":3}', "twice"),
    ],
    ids=["deep", "crowd", "bytes", "nan", "empty", "list", "null", "twice"],
)  # fmt: skip
def test_a_record_that_cannot_be_kept_waits_and_can_be_shown_and_discarded(shop, service, odd, rule):
    service.send(b'{"id":1,"name":"a"}', odd, b'{"id":3,"name":"c"}')
    report = shop.run()
    assert (report["outcome"], report["kept"], report["quarantined"]) == ("succeeded", 2, 1)
    assert shop.values("name") == [(1, "a"), (3, "c")]
    (waiting,) = shop("quarantine", "list").json["quarantined"]
    assert rule in waiting["reasons"][0]["rule"]
    assert (
        shop("quarantine", "show", waiting["id"]).json["record"].encode()[:40]
        == odd.decode(errors="replace").encode()[:40]
    )
    shop("quarantine", "discard", waiting["id"])
    assert shop("quarantine", "list").json == {"quarantined": []}


def test_a_list_that_is_null_is_an_empty_page_and_a_missing_one_an_error_that_says_so(tmp_path, service):
    shop = ByteShop(tmp_path / "desk", service, records="items")
    service.body = b'{"items": null, "total": 0}'
    assert shop.run()["rows"] == 0
    service.body = b'{"total": 0}'
    report = shop.run(code=1)
    assert "no list of records at `items`" in report["steps"][0]["error"]["message"]


def test_a_read_of_which_all_is_refused_is_no_success(shop, service):
    service.send(b'{"id":"x"}', b'{"id":"y"}')
    report = shop.run(code=3)
    assert report["outcome"] == "partial"
    assert [
        (one["finding"], one["count"], one["table"]) for one in report["findings"] if one["finding"] != "sweep_skipped"
    ] == [("all_refused", 2, "bronze.things")]
    service.send(b'{"id":"x"}', b'{"id":1}')
    assert shop.run()["outcome"] == "succeeded"


@pytest.mark.slow
def test_one_record_of_each_kind_that_cannot_be_kept_stops_no_warehouse(tmp_path, service, warehouse):
    shop = ByteShop(tmp_path / "desk", service, warehouse=warehouse)
    service.send('{"id":1,"name":"a"}', '{"id":2,"name":"b"}', '{"id":9,"name":"z"}')
    shop.run()
    crowd = b'{"id":7,"any":[' + b",".join([b"1"] * 1_100_000) + b"]}"
    odd = (DEEP, crowd, rb'{"id":8,"name":"a\ud800"}', b'{"id":6,"double":1e400}')
    service.send(b'{"id":1,"name":"a2"}', *odd, b'{"id":3,"name":"c"}')
    report = shop.run()
    assert (report["outcome"], report["kept"], report["quarantined"]) == ("succeeded", 2, 4)
    # The second one is there, though its record is too deep; the ninth is not.
    rows = [("it:1", 1, False, "a"), ("it:1", 2, True, "a2"), ("it:2", 1, True, "b"), ("it:3", 1, True, "c")]
    assert shop.history("name") == [*rows, ("it:9", 1, False, "z")]
    waiting = shop("quarantine", "list").json["quarantined"]
    assert [one["line"] for one in waiting] == [2, 3, 4, 5]
    assert shop("quarantine", "discard", "--resource", "things").json == {"discarded": 4}
    before = shop.silver()
    shop("rebuild")
    assert shop.silver() == before


def test_a_nul_is_kept_where_the_warehouse_can_and_refused_alone_where_not(tmp_path, service, warehouse):
    holds_nul = (warehouse or {}).get("kind") != "postgres"
    shop = ByteShop(tmp_path / "desk", service, warehouse=warehouse)
    odd = [rb'{"id":2,"name":"a\u0000b"}', rb'{"id":3,"any":{"a":["\u0000"]}}', rb'{"id":4,"any":{"\u0000":1}}']
    service.send(b'{"id":1,"name":"a"}', *odd, rb'{"id":5,"name":"\\u0000"}', rb'{"id":6,"other":"\u0000"}')
    report = shop.run()
    kept = {1, 5, 6} | ({2, 3, 4} if holds_nul else set())
    assert {row[0] for row in shop.values("name")} == kept
    assert (5, "\\u0000") in shop.values("name")
    waiting = shop("quarantine", "list").json["quarantined"]
    assert report["quarantined"] == len(waiting) == 6 - len(kept)
    assert all("NUL" in one["reasons"][0]["rule"] for one in waiting)
    assert shop("rebuild").json["outcome"] == "succeeded"
    assert {row[0] for row in shop.values("name")} == kept
