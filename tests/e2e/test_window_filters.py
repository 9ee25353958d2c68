"""Answers are held against what was asked, and the first window asks for everything, through the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.odd_service import CHANGES, OddService, OddShop, serve, things

OPEN_END = {**CHANGES, "params": {"since": "{since}"}}
OLD = [
    {"id": 1, "name": "never stamped", "changed": None},
    {"id": 2, "name": "stamped with nothing", "changed": "0001-01-01T00:00:00Z"},
    {"id": 3, "name": "of 1969", "changed": "1969-07-20T20:17:40Z"},
    *things(4),
]


def _now():
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _later():
    """After the end of a window that is asked for now."""
    return f"{datetime.now(UTC) + timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def odd():
    with serve(OddService(things(1, 2, 3))) as running:
        yield running


def test_a_filter_that_knows_only_a_lower_bound_does_not_jam(odd, tmp_path):
    odd.records[2]["changed"] = _later()
    shop = OddShop(tmp_path / "shop", odd, cursor=OPEN_END)
    for number in range(10, 13):
        odd.records += [{"id": number, "name": "new", "changed": _now()}]
        assert shop.run()["outcome"] == "succeeded"
    assert shop.current() == [1, 2, 3, 10, 11, 12]
    # What was taken before its window is read again with it, and history adds nothing for that.
    assert shop.query("SELECT count(*) FROM silver.thing WHERE thing_id = 3") == [(1,)]


def test_a_lower_bound_that_is_ignored_is_noticed_all_the_same(odd, tmp_path):
    shop = OddShop(tmp_path / "shop", odd, cursor=OPEN_END, overlap="0s")
    shop.run()
    odd.filter_records = lambda params: odd.records
    report = shop.run(code=1)
    assert "ignored the filter" in report["steps"][0]["error"]["message"]


def test_an_upper_bound_that_was_sent_is_held_against_the_answer(odd, tmp_path):
    odd.records[2]["changed"] = _later()
    odd.filter_records = lambda params: odd.records
    report = OddShop(tmp_path / "shop", odd).run(code=None)
    assert "ignored the filter" in report["steps"][0]["error"]["message"]


def test_the_first_window_can_be_asked_for_without_its_lower_bound(odd, tmp_path):
    odd.records = OLD
    shop = OddShop(tmp_path / "shop", odd, cursor={**OPEN_END, "first": {"since": ""}})
    shop.run()
    assert shop.current() == [1, 2, 3, 4]
    assert "since" not in odd.requests[0][1]
    odd.requests.clear()
    shop.run()
    assert odd.requests[0][1]["since"] > "2020"


def test_without_a_word_about_it_the_lower_bound_is_the_year_one(odd, tmp_path):
    odd.records = OLD
    shop = OddShop(tmp_path / "shop", odd)
    shop.run()
    assert shop.current() == [2, 3, 4]


def test_a_connection_that_begins_some_day_keeps_its_bound(odd, tmp_path):
    odd.records = OLD
    shop = OddShop(tmp_path / "shop", odd, cursor={**CHANGES, "first": {"since": ""}})
    shop.declare(tenants={"acme": {"connections": {"odd": {
        "connector": "odd", "settings": {"base_url": odd.url}, "since": "2000-01-01"}}}})  # fmt: skip
    shop.run()
    assert odd.requests[0][1]["since"] == "2000-01-01T00:00:00Z"
    assert shop.current() == [4]
