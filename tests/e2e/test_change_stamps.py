"""What is seen, and when, from the command line: stamps that stand still or are of the future, records twice, reads forced."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.e2e.record_service import CHANGES, RecordShop, Service, at, count_findings, record, serve


@pytest.fixture
def shop(tmp_path):
    """A project that asks for what changed, and asks for the last three days once more."""
    with serve(Service()) as service:
        made = RecordShop(tmp_path / "shelf", service, things={"cursor": CHANGES, "overlap": "3d"})
        made.entity("thing", {"things": {"deleted": "gone"}})
        yield made


def names(shop):
    """The current name of each thing."""
    return shop.query("SELECT thing_id, name FROM silver.thing_current ORDER BY ALL")


def force(shop):
    """Read all that there is once more, any records."""
    return shop("backfill", "--since", "2025-12-01", "--force", code=None).json


def test_what_changed_under_an_unmoved_stamp_is_seen_all_of_it(shop):
    numbers = range(1, 21)
    shop.on(2, things=[record(n, f"old {n}", day=1) for n in numbers])
    shop.on(3, things=[record(n, f"new {n}", day=1) for n in numbers])
    assert names(shop) == [(n, f"new {n}") for n in numbers]
    assert shop.query("SELECT count(*) FROM silver.thing") == [(20,)]
    back = [record(n, f"old {n}", day=1) for n in numbers]
    shop.on(4, things=back)
    assert names(shop) == [(n, f"old {n}") for n in numbers]  # what is seen again wins again
    before = shop.read_tables()
    assert shop.on(5, things=back)["written"] == {}
    assert shop.read_tables() == before


def test_a_backfill_that_is_forced_brings_what_is_new_and_forced_again_writes_nothing(shop):
    numbers = range(1, 21)
    shop.on(2, things=[record(n, f"old {n}", day=1) for n in numbers])
    shop.on(20)
    shop.service.day = 30
    shop.service.collections["things"] = [record(n, f"new {n}", day=1) for n in numbers]
    assert shop.run()["written"] == {}  # nobody asks for that day any more
    force(shop)
    assert names(shop) == [(n, f"new {n}") for n in numbers]
    before = shop.read_tables()
    assert force(shop)["written"] == {}
    assert shop.read_tables() == before  # to the last column of the log, the batch among them
    shop("rebuild")
    assert shop.read_tables() == before


def test_of_one_key_twice_in_a_read_the_later_record_counts(shop):
    first = [record(n, f"first {n}", day=1) for n in range(1, 11)]
    later = [record(n, f"later {n}", day=1) for n in range(1, 11)]
    shop.on(2, things=[*first, *later])
    assert names(shop) == [(n, f"later {n}") for n in range(1, 11)]
    before = shop.read_tables()
    shop.on(3)
    assert shop.read_tables() == before
    shop.on(4, things=[*later, *first])
    assert names(shop) == [(n, f"first {n}") for n in range(1, 11)]


def test_a_delete_flag_under_an_unmoved_stamp_closes_and_reopens_when_it_is_taken_back(shop):
    shop.on(3, things=[record(1, "a", day=1), record(2, "b", day=1)])
    shop.on(4, things=[record(1, "a", day=1, gone=True), record(2, "b2", day=2)])
    assert names(shop) == [(2, "b2")]
    shop.on(5, things=[record(1, "a", day=1), record(2, "b2", day=2)])
    assert shop.lives() == [("psa:1", "a", 1, None), ("psa:2", "b", 1, 2), ("psa:2", "b2", 2, None)]
    before = shop.read_tables()
    shop("rebuild")
    assert shop.read_tables() == before


SINCE = {"kind": "changes", "params": {"since": "{since}"}, "field": "changed"}
WHOLE = {"kind": "snapshot", "every": "0s"}


@pytest.mark.parametrize("cursor", [SINCE, WHOLE], ids=["since", "snapshot"])
def test_a_stamp_of_the_future_counts_as_of_its_read_and_is_told(shop, cursor):
    shop.write_connector(things={"cursor": cursor})
    far = {"changed": "2062-01-01T00:00:00Z"}
    report = shop.on(3, things=[record(1, "wrong", **far), record(2, "fine", day=2)])
    findings = [one for one in report["findings"] if one["finding"] == "future_stamp"]
    assert [one["count"] for one in findings] == [1]
    assert "psa:1" in findings[0]["detail"]
    assert "2062-01-01" in findings[0]["detail"]
    assert names(shop) == [(1, "wrong"), (2, "fine")]
    stamps = (
        "SELECT stamp = epoch_us(TIMESTAMP '2062-01-01'), sequence = observed FROM silver.thing_log WHERE thing_id = 1"
    )
    assert shop.query(stamps) == [(True, True)]

    before = shop.read_tables()
    assert count_findings(shop.on(4))["future_stamp"] == 1
    assert shop.read_tables() == before  # seen again, it is no news

    shop.on(6, things=[record(1, "honest", day=5), record(2, "fine", day=2)])
    assert names(shop) == [(1, "honest"), (2, "fine")]
    findings = shop("as-of", "2026-01-06", "thing", "--columns", "thing_id,name").json["rows"]
    assert sorted(map(tuple, findings)) == names(shop)  # what counts today and what is current agree
    assert shop.lives()[:2] == [("psa:1", "wrong", 3, 5), ("psa:1", "honest", 5, None)]


def test_a_clock_that_is_a_little_ahead_is_believed(shop):
    shop.on(3, things=[record(1, "a", changed="2026-01-03T00:04:00Z"), record(2, "b", changed="2026-01-03T00:06:00Z")])
    shop.on(4)
    begins = shop.query("SELECT thing_id, valid_from > TIMESTAMP '2026-01-03 00:03:00' FROM silver.thing ORDER BY ALL")
    assert (1, True) in begins


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1899-12-30T00:00:00Z"])
def test_a_stamp_before_all_computers_is_one_all_the_same(shop, stamp):
    shop.write_connector(things={"cursor": WHOLE})
    shop.on(3, things=[record(1, "old", changed=stamp)])
    shop.on(5, things=[record(1, "new", day=4)])
    when = datetime.fromisoformat(stamp)
    rows = shop.query("SELECT name, valid_from, is_current FROM silver.thing ORDER BY version_number")
    assert rows == [("old", when.replace(tzinfo=None), False), ("new", datetime(2026, 1, 4), True)]  # noqa: DTZ001
    assert "missing_stamp" not in count_findings(shop.on(6))
    assert at(4) == "2026-01-04T00:00:00Z"


# Each of a stamp that went back: what was said last, what is current, and what the second read is told to be.
BEFORE = record(1, "newest", day=3)
ANCIENT = record(1, "ancient", changed="0001-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (BEFORE, ANCIENT),
        (BEFORE, record(1, "older", day=2)),
        (record(1, "nothing said", day=None), record(1, "older", day=2)),
        (record(1, "far", changed="2062-01-01T00:00:00Z"), record(1, "older", day=2)),
    ],
    ids=["ancient", "older", "none_before", "future_before"],
)
def test_a_stamp_that_goes_back_with_other_content_is_told_by_each_read(shop, first, then):
    shop.write_connector(things={"cursor": WHOLE})
    shop.on(4, things=[first, record(2, "beside", day=2)])
    before = names(shop)
    for day in (5, 6):  # it is so until the service says a later stamp
        report = shop.on(day, code=3, things=[then, record(2, "beside", day=2)])
        assert report["outcome"] == "partial"
        findings = [one for one in report["findings"] if one["finding"] == "stamp_went_back"]
        assert [one["count"] for one in findings] == [1]
        assert "psa:1 was said to be from 2026-01-0" in findings[0]["detail"]
        assert f"is now from {then['changed']}" in findings[0]["detail"]
    assert names(shop) == before  # history goes by what the service itself says is later
    assert "stamp_went_back" not in count_findings(
        shop.on(8, things=[record(1, "honest", day=7), record(2, "beside", day=2)])
    )
    assert (1, "honest") in names(shop)


def test_where_a_window_of_changes_shows_a_stamp_that_went_back_it_is_told_and_names_the_thing(shop):
    shop.on(4, things=[record(n, "new", day=3) for n in range(1, 13)])
    report = shop.on(5, code=3, things=[record(n, "restored", day=2) for n in range(1, 13)])
    assert count_findings(report)["stamp_went_back"] == 12
    assert {name for _, name in names(shop)} == {"new"}


def test_a_stamp_that_goes_back_in_a_forced_backfill_of_many_windows_is_told(shop):
    shop.on(40, things=[record(1, "new", day=39), record(2, "beside", day=2)])
    shop.service.collections["things"] = [record(1, "restored", day=5), record(2, "beside", day=2)]
    report = shop("backfill", "--since", "2026-01-01", "--chunk", "7d", "--force", code=3).json
    assert count_findings(report)["stamp_went_back"] == 1


def test_a_stamp_that_goes_back_is_told_where_a_record_is_asked_for_by_id(shop):
    shop.write_connector(
        things={
            "cursor": SINCE,
            "deletes": {"kind": "sweep", "params": {"fields": "id"}},
            "verify": {"path": "things/{id}"},
        }
    )
    shop.on(4, things=[record(1, "new", day=3), record(2, "beside", day=2)])
    shop.service.hidden = {1}
    report = shop.on(20, code=3, things=[record(1, "restored", day=1), record(2, "beside", day=2)])
    assert count_findings(report)["stamp_went_back"] == 1


def test_what_only_fills_in_the_past_went_nowhere(shop):
    """A feed that gives every version of a thing, in one read and in windows that are read later."""
    versions = [record(1, f"version {day}", day=day) for day in (10, 12, 14)]
    shop.on(15, things=list(reversed(versions)))
    assert names(shop) == [(1, "version 14")]
    assert "stamp_went_back" not in count_findings(shop.on(16))  # the last three days once more
    older = [record(1, f"version {day}", day=day) for day in (2, 4, 8)]
    shop.service.collections["things"] = [*versions, *older]
    for words in (("--until", "2026-01-05"), ("--until", "2026-01-15", "--chunk", "3d", "--force")):
        report = shop("backfill", "--since", "2026-01-01", *words, "--force").json
        assert "stamp_went_back" not in count_findings(report)
    assert [name for _, name, *_ in shop.lives()] == [f"version {day}" for day in (2, 4, 8, 10, 12, 14)]


def test_a_stamp_that_goes_back_with_the_same_content_hides_nothing(shop):
    shop.write_connector(things={"cursor": WHOLE})
    shop.on(4, things=[record(1, "same", day=3)])
    assert "stamp_went_back" not in count_findings(shop.on(5, things=[record(1, "same", day=2)]))
    assert names(shop) == [(1, "same")]


@pytest.mark.parametrize(
    ("first", "then", "left"),
    [
        (record(1, "a", day=3), record(1, "a", day=2, gone=True), []),
        (record(1, "a", day=3, gone=True), record(1, "a", day=2), [(1, "a")]),
    ],
    ids=["flagged", "unflagged"],
)
def test_a_flag_under_a_stamp_that_went_back_is_believed_of_a_snapshot_that_deletes_and_told_of_another(
    shop, first, then, left
):
    shop.write_connector(things={"cursor": WHOLE})
    shop.on(4, things=[first])
    assert "stamp_went_back" not in count_findings(shop.on(5, things=[then]))
    assert names(shop) == left
    shop.write_connector(things={"cursor": WHOLE, "deletes": {"kind": "none"}})
    shop.on(7, things=[first | {"changed": at(6)}])
    assert count_findings(shop.on(8, code=3, things=[then]))["stamp_went_back"] == 1
