"""A time span on the command line that can contain no change is refused, and a span that is cut is reported."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import CHANGES, RecordShop, Service, at, record, serve


@pytest.fixture
def shop(tmp_path):
    with serve(Service()) as service:
        service.day = 20
        service.collections["things"] = [record(1, day=3), record(2, day=12)]
        shop = RecordShop(tmp_path / "shop", service, things={"cursor": CHANGES})
        shop.entity("thing", ["things"])
        yield shop


def set_begin(shop, day):
    connection = {"connector": "shelf", "since": at(day), "settings": {"base_url": shop.service.url}}
    shop.declare(tenants={"acme": {"connections": {"psa": connection}}})


@pytest.mark.parametrize("command", ["run", "plan", "backfill"])
@pytest.mark.parametrize("until", [at(5), at(4)])
def test_a_span_that_ends_before_it_starts_is_refused(shop, command, until):
    error = shop(command, "--since", at(5), "--until", until, code=2).error
    assert error["at"] == "--since, --until"
    assert error["found"] == f"{at(5)} .. {until}"


@pytest.mark.parametrize("command", ["run", "plan", "backfill"])
@pytest.mark.parametrize("since", [at(20), at(400)])
def test_a_span_that_starts_at_or_after_the_time_of_the_service_is_refused(shop, command, since):
    error = shop(command, "--since", since, code=2).error
    assert error["at"] == "--since"
    assert at(20) in error["fix"]


@pytest.mark.parametrize("chunk", ["0d", "0s", "", "99999999999999d", "soon"])
def test_a_chunk_must_be_a_duration_longer_than_zero(shop, chunk):
    error = shop("backfill", "--since", at(1), "--chunk", chunk, code=2).error
    assert error["at"] == "--chunk"
    assert error["found"] == chunk


def test_a_chunk_of_zero_in_a_manifest_is_refused_with_its_line(shop):
    shop.write_connector(things={"cursor": CHANGES, "chunk": "0d"})
    error = shop("check", code=2).error
    assert error["at"].startswith("shelf/connector.yaml:")
    assert "zero" in error["fix"]


def test_a_span_before_since_of_the_connection_is_refused(shop):
    set_begin(shop, 10)
    error = shop("backfill", "--since", at(2), "--until", at(10), code=2).error
    assert at(10) in error["found"]
    assert "psa" in error["fix"]
    assert shop.run("--since", at(2), "--until", at(11))["rows"] == 0


def test_a_span_that_starts_before_since_of_the_connection_is_cut_and_the_report_says_so(shop):
    set_begin(shop, 10)
    report = shop.run("--since", at(2))
    assert report["rows"] == 1
    assert report["notes"] == [
        f"psa: requested since {at(2)}, but `since:` of the connection is {at(10)}: nothing older is read"
    ]


def test_since_of_a_connection_in_the_future_is_reported(shop):
    set_begin(shop, 30)
    assert "is in the future" in shop.run()["notes"][0]


def test_an_ordinary_run_has_no_notes(shop):
    assert shop.run()["notes"] == []


def test_the_history_of_a_backfilled_chunk_says_when_it_was_read(shop):
    """Not the end of its window, which may be years before the read."""
    shop("backfill", "--since", at(1), "--until", at(6), "--chunk", "2d")
    (moment,) = shop("history", "thing", "1").json["moments"]
    assert moment["batch_id"].startswith("20260106")
    assert moment["read_at"].startswith(at(20)[:16])
