"""What a service has and what is here: the line that shows what is missing, through the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.e2e.clock_service import DAY, ClockService, ClockShop, serve, stamp

SWEEP = {"kind": "sweep", "every": "0s", "params": {"ids": "1"}, "max_drop": 1}
COUNT = {"path": "items/count"}


@pytest.fixture
def service():
    with serve(ClockService()) as running:
        running.put(*range(1, 11))
        yield running


def read_count(shop):
    """The line of the only resource in `status`."""
    [row] = shop("status").json["counts"]
    assert (row["connection"], row["resource"], row["entity"]) == ("odd", "items", "item")
    return row


def test_equal_is_said_too(service, tmp_path):
    shop = ClockShop(tmp_path / "shop", service, count=COUNT)
    assert shop.run()["counts"][0]["line"] == "service 10 · here 10"
    assert read_count(shop)["numbers"]["unexplained"] == 0
    assert read_count(shop)["differs_since"] is None
    asked = len(service.requests)
    shop.run()
    shop("status")
    assert "/items/count" not in service.requests[asked:]  # once a day


def test_a_count_that_differs_is_shown_until_it_is_gone_and_a_finding_if_it_lasts(service, tmp_path):
    service.count = 12
    shop = ClockShop(tmp_path / "shop", service, count=COUNT)
    first = shop.run()
    assert first["counts"][0]["line"] == "service 12 · here 10 · not explained 2 (2 missing here)"
    assert "count_mismatch" not in shop.findings(first)
    since = read_count(shop)["differs_since"]
    assert since is not None
    yesterday(shop)
    again = shop.run(code=3)
    assert "not explained 2" in shop.findings(again)["count_mismatch"]
    assert "not explained 2" in shop("status").out
    service.count = None
    yesterday(shop)
    assert "count_mismatch" not in shop.findings(shop.run())
    assert read_count(shop)["line"] == "service 10 · here 10"


def yesterday(shop):
    """The counts were made a day ago."""
    shop.ledger("UPDATE record_count SET counted_at = counted_at - 86400000000")


def test_what_waits_in_quarantine_and_what_where_leaves_out_is_explained(service, tmp_path):
    for one in (1, 2, 3):
        service.items[one]["name"] = "other"
    for one in (4, 5):
        service.items[one]["size"] = "much"
    fields = {"id": "bigint", "name": "text", "changed": "timestamp", "size": "bigint"}
    source = {"changed_at": "changed", "where": "name <> 'other'", "map": {"item_id": "id", "name": "name"}}
    service.sweep = [*range(1, 11), 99]
    shop = ClockShop(
        tmp_path / "shop", service, fields=fields, deletes=SWEEP, entity={"sources": {"odd.items": source}}
    )
    line = "service 11 · here 5 · quarantined 2 · outside where 3 · not explained 1 (1 missing here)"
    shop.run(code=3)
    assert read_count(shop)["line"] == line
    assert "not explained 1" in shop.findings(shop.run(code=3))["count_mismatch"]
    numbers = read_count(shop)["numbers"]
    assert {name: numbers[name] for name in ("service", "here", "quarantined", "outside", "unexplained")} == {
        "service": 11, "here": 5, "quarantined": 2, "outside": 3, "unexplained": 1,
    }  # fmt: skip


def test_every_number_is_the_same_on_every_warehouse(service, tmp_path, warehouse):
    for one in (1, 2, 3):
        service.items[one]["name"] = "other"
    for one in (4, 5):
        service.items[one]["size"] = "much"
    service.items[6]["gone"] = True
    fields = {"id": "bigint", "name": "text", "changed": "timestamp", "size": "bigint", "gone": "boolean"}
    source = {"changed_at": "changed", "where": "name <> 'other'", "deleted": "coalesce(gone, false)",
              "map": {"item_id": "id", "name": "name"}}  # fmt: skip
    service.sweep = [*range(1, 11), 99]
    shop = ClockShop(
        tmp_path / "shop",
        service,
        fields=fields,
        overlap="1h",
        deletes=SWEEP,
        entity={"sources": {"odd.items": source}},
        warehouse=warehouse,
    )
    shop.run(code=3)
    line = "service 11 · here 4 · quarantined 2 · outside where 3 · flagged as deleted 1 · not explained 1 (1 missing here)"
    assert read_count(shop)["line"] == line
    assert read_count(shop)["differs_since"] is not None
    # The missing one is read, one is deleted, one is mended: only what waits and what is left out differs.
    service.put(99, ago=timedelta(minutes=1))
    service.put(4, ago=timedelta(minutes=1), size=4)
    service.sweep = [*range(1, 10), 99]
    service.ahead = timedelta(seconds=2)
    assert "count_mismatch" not in shop.findings(shop.run())
    line = "service 10 · here 5 · quarantined 1 · outside where 3 · flagged as deleted 1"
    assert read_count(shop)["line"] == line
    assert read_count(shop)["differs_since"] is None
    assert read_count(shop)["numbers"]["unexplained"] == 0


def test_a_count_of_its_own_is_held_against_every_warehouse(service, tmp_path, warehouse):
    service.count = 12
    shop = ClockShop(tmp_path / "shop", service, count=COUNT, warehouse=warehouse)
    assert shop.run()["counts"][0]["line"] == "service 12 · here 10 · not explained 2 (2 missing here)"
    yesterday(shop)
    assert "not explained 2" in shop.findings(shop.run(code=3))["count_mismatch"]


def test_a_snapshot_is_counted_on_every_warehouse(service, tmp_path, warehouse):
    shop = ClockShop(tmp_path / "shop", service, cursor={"kind": "snapshot", "every": "0s"}, warehouse=warehouse)
    assert shop.run()["counts"][0]["line"] == "service 10 · here 10"
    del service.items[1]
    service.ahead = timedelta(seconds=2)  # its clock tells whole seconds
    assert shop.run()["counts"][0]["line"] == "service 9 · here 9"


def test_a_refused_change_of_a_thing_that_is_here_is_counted_once(service, tmp_path):
    fields = {"id": "bigint", "name": "text", "changed": "timestamp", "size": "bigint"}
    shop = ClockShop(tmp_path / "shop", service, fields=fields, deletes=SWEEP)
    service.sweep = list(range(1, 11))
    shop.run()
    service.put(4, ago=timedelta(minutes=1), size="much")
    shop.run()
    assert read_count(shop)["line"] == "service 10 · here 10"


def test_a_snapshot_counts_itself(service, tmp_path):
    shop = ClockShop(tmp_path / "shop", service, cursor={"kind": "snapshot", "every": "0s"})
    shop.run()
    assert read_count(shop)["line"] == "service 10 · here 10"
    before = list(service.requests)
    shop("status")
    assert service.requests == before


def test_what_the_service_lost_and_nobody_reads_is_called_so(service, tmp_path):
    shop = ClockShop(tmp_path / "shop", service, count=COUNT)
    shop.run()
    del service.items[1], service.items[2]
    yesterday(shop)
    shop.run()
    assert read_count(shop)["line"] == "service 8 · here 10 · deletes are not read 2"


def test_a_count_that_cannot_be_asked_fails_nothing(service, tmp_path):
    service.count = "many"
    shop = ClockShop(tmp_path / "shop", service, count=COUNT)
    said = shop.findings(shop.run())
    assert "count cannot be read" in said["count_unavailable"]
    assert shop("status").json["counts"] == []


def test_what_changed_after_the_window_is_no_difference(service, tmp_path):
    service.put(11, ago=timedelta(minutes=30))
    service.ahead = -timedelta(hours=1)
    shop = ClockShop(tmp_path / "shop", service, count=COUNT)
    shop.run()
    assert read_count(shop)["line"] == "service 11 · here 10 · changed since 1"


def skip_older(shop, ago):
    """Let the connection skip what changed longer ago."""
    connection = {"connector": "odd", "settings": {"base_url": shop.service.url}, "since": stamp(ago)}
    shop.declare(tenants={"acme": {"connections": {"odd": connection}}})


@pytest.mark.parametrize("more", [{"count": COUNT}, {"count": COUNT, "deletes": SWEEP}, {"deletes": SWEEP}])
def test_what_the_connection_skips_is_explained(service, tmp_path, more):
    """A connection with `since:` once ended every run in part, for records that nobody wants."""
    service.put(11, 12, 13, ago=40 * DAY)
    service.sweep = [*range(1, 14)]
    shop = ClockShop(tmp_path / "shop", service, **more)
    skip_older(shop, 10 * DAY)
    for _ in range(2):
        assert "count_mismatch" not in shop.findings(shop.run())
        assert read_count(shop)["line"] == "service 13 · here 10 · older than `since:` 3"
        yesterday(shop)


def test_what_is_missing_besides_what_the_connection_skips_is_not_explained(service, tmp_path):
    service.put(11, 12, 13, ago=40 * DAY)
    service.put(14, 15, changed=None)  # no request for changes returns them
    shop = ClockShop(tmp_path / "shop", service, count=COUNT, deletes=SWEEP)
    skip_older(shop, 10 * DAY)
    shop.run()
    assert read_count(shop)["line"] == "service 15 · here 10 · older than `since:` 3 · not explained 2 (2 missing here)"
    assert "not explained 2" in shop.findings(shop.run(code=3))["count_mismatch"]


def test_a_count_that_ignores_its_filter_explains_nothing(service, tmp_path):
    service.put(11, ago=40 * DAY)
    service.sweep, service.count = [*range(1, 12)], 11
    shop = ClockShop(tmp_path / "shop", service, count=COUNT, deletes=SWEEP)
    skip_older(shop, 10 * DAY)
    shop.run()
    assert read_count(shop)["line"] == "service 11 · here 10 · not explained 1 (1 missing here)"
