"""One record never stops a feed: it waits by itself, whatever is wrong with it, and everybody is told."""

from __future__ import annotations

import pytest

from tests.e2e.desk import Desk, serving
from tests.grid.postgres_server import postgres_server

DEEP = b'{"id":2,"any":' + b'{"a":[' * 5000 + b"]}" * 5000 + b"}"
CROWD = b'{"id":2,"any":[' + b",".join([b"1"] * 10_000_000) + b"]}"


@pytest.fixture
def service():
    with serving() as made:
        yield made


@pytest.fixture
def desk(tmp_path, service):
    return Desk(tmp_path / "desk", service)


@pytest.fixture(scope="module")
def postgres():
    with postgres_server() as url:
        yield url


@pytest.mark.parametrize(
    ("odd", "rule"),
    [
        (DEEP, "nested"), (CROWD, "1,000,000 values"), (b'{"id":2,"name":"\xff"}', "UTF-8"), (b'{"id":2,"a":NaN}', "NaN"),
        (b"{}", "must be there"), (b"[2]", "is an object"), (b"null", "is an object"), (b'{"id":2,"\\u0000":1,"id":3}', "twice"),
    ],
    ids=["deep", "crowd", "bytes", "nan", "empty", "list", "null", "twice"],
)  # fmt: skip
def test_a_record_that_cannot_be_kept_waits_and_can_be_shown_and_discarded(desk, service, odd, rule):
    service.send(b'{"id":1,"name":"a"}', odd, b'{"id":3,"name":"c"}')
    report = desk.run()
    assert (report["outcome"], report["kept"], report["quarantined"]) == ("done", 2, 1)
    assert desk.values("name") == [(1, "a"), (3, "c")]
    (waiting,) = desk("quarantine", "list").json["quarantined"]
    assert rule in waiting["reasons"][0]["rule"]
    assert (
        desk("quarantine", "show", waiting["id"]).json["record"].encode()[:40]
        == odd.decode(errors="replace").encode()[:40]
    )
    desk("quarantine", "discard", waiting["id"])
    assert desk("quarantine", "list").json == {"quarantined": []}


def test_a_list_that_is_null_is_an_empty_page_and_a_missing_one_an_error_that_says_so(tmp_path, service):
    desk = Desk(tmp_path / "desk", service, records="items")
    service.body = b'{"items": null, "total": 0}'
    assert desk.run()["rows"] == 0
    service.body = b'{"total": 0}'
    report = desk.run(code=1)
    assert "no list of records at `items`" in report["steps"][0]["error"]["what"]


def test_a_read_of_which_all_is_refused_is_no_success(desk, service):
    service.send(b'{"id":"x"}', b'{"id":"y"}')
    report = desk.run(code=3)
    assert report["outcome"] == "partial"
    assert [
        (one["finding"], one["count"], one["table"]) for one in report["findings"] if one["finding"] != "not swept"
    ] == [("all_refused", 2, "bronze.things")]
    service.send(b'{"id":"x"}', b'{"id":1}')
    assert desk.run()["outcome"] == "done"


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_nul_is_kept_where_the_warehouse_can_and_refused_alone_where_not(
    tmp_path, service, engine, monkeypatch, request
):
    if engine == "postgres":
        monkeypatch.setenv("DESK_URL", request.getfixturevalue("postgres"))
    warehouse = {"kind": "postgres", "url": "env:DESK_URL"} if engine == "postgres" else None
    desk = Desk(tmp_path / "desk", service, warehouse=warehouse)
    odd = [rb'{"id":2,"name":"a\u0000b"}', rb'{"id":3,"any":{"a":["\u0000"]}}', rb'{"id":4,"any":{"\u0000":1}}']
    service.send(b'{"id":1,"name":"a"}', *odd, rb'{"id":5,"name":"\\u0000"}', rb'{"id":6,"other":"\u0000"}')
    report = desk.run()
    kept = {1, 5, 6} | ({2, 3, 4} if engine == "duckdb" else set())
    assert {row[0] for row in desk.values("name")} == kept
    assert (5, "\\u0000") in desk.values("name")
    waiting = desk("quarantine", "list").json["quarantined"]
    assert report["quarantined"] == len(waiting) == 6 - len(kept)
    assert all("NUL" in one["reasons"][0]["rule"] for one in waiting)
    assert desk("rebuild").json["outcome"] == "done"
    assert {row[0] for row in desk.values("name")} == kept
