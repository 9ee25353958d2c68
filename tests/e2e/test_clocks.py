"""No clock is believed alone: services that tell a wrong time, through the command line."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from headwater.clock import format_instant
from tests.e2e.builders import kill
from tests.e2e.clock_service import DAY, HOUR, ClockService, ClockShop, serve

LATE = [datetime(2062, 7, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC), DAY]
NAMES = ["2062", "2030", "a day ahead"]
SWEEP = {"kind": "sweep", "every": "1d", "params": {"ids": "1"}, "max_drop": 1}


@pytest.fixture
def service():
    with serve(ClockService()) as running:
        running.put(1, 2, 3)
        yield running


def just_now(service, *ids):
    """Items that change now, and a second for it to be over."""
    service.put(*ids, ago=timedelta(0))
    time.sleep(1.1)


def die_after_a_page(shop, service):
    """A run that is killed while it waits for its second page."""
    service.gate.clear()
    with shop.start("run") as process:
        while len(service.requests) < 2 and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.3)
        assert kill(process)
    assert shop.ledger("SELECT state, pages FROM batch") == [("extracting", 1)]
    service.gate.set()


@pytest.mark.parametrize("ahead", LATE, ids=NAMES)
def test_a_clock_that_is_ahead_hides_nothing(ahead, service, tmp_path):
    service.ahead = ahead
    shop = ClockShop(tmp_path / "shop", service)
    said = shop.findings(shop.run())["clock_disagrees"]
    assert "service 20" in said
    assert f"this machine {datetime.now(UTC):%Y-%m-%d}" in said
    [(until,)] = shop.ledger("SELECT max(until) FROM committed")
    assert until <= datetime.now(UTC).timestamp() * 1e6
    just_now(service, 4)
    for wrong in (True, False):  # while it is still wrong, and after it was set right
        service.ahead = ahead if wrong else timedelta(0)
        assert ("clock_disagrees" in shop.findings(shop.run())) == wrong
        assert shop.current() == [1, 2, 3, 4]


@pytest.mark.parametrize("ahead", LATE, ids=NAMES)
def test_what_was_committed_under_a_clock_that_was_ahead_is_read_again(ahead, service, tmp_path):
    service.ahead = ahead
    shop = ClockShop(tmp_path / "shop", service, clock="service")
    shop.run()
    [(until,)] = shop.ledger("SELECT max(until) FROM committed")
    assert until > datetime.now(UTC).timestamp() * 1e6
    just_now(service, 4)
    service.ahead = timedelta(0)
    shop.believe("both")
    assert "committed under a wrong clock" in shop.findings(shop.run())["read_again"]
    assert shop.current() == [1, 2, 3, 4]
    assert "read_again" not in shop.findings(shop.run())
    [(spans, until)] = shop.ledger("SELECT count(*), max(until) FROM committed")
    assert (spans, until <= datetime.now(UTC).timestamp() * 1e6) == (1, True)


def test_a_day_that_nobody_read_is_read_even_when_it_is_past(service, tmp_path):
    """A day ahead, days ago: the window ends in the past by now, and was wrong all the same."""
    service.ahead = DAY
    shop = ClockShop(tmp_path / "shop", service, clock="service")
    shop.run()
    micros = 3 * 86_400_000_000
    shop.ledger(f"UPDATE batch SET until = until - {micros}, started_at = started_at - {micros}")
    shop.ledger(f"UPDATE committed SET until = until - {micros}")
    service.put(4, ago=DAY * 2.5)
    service.ahead = timedelta(0)
    shop.believe("both")
    shop.run()
    assert shop.current() == [1, 2, 3, 4]


@pytest.mark.parametrize("purpose", ["sweep", "snapshot"])
def test_a_complete_read_that_is_dated_ahead_holds_up_no_other(purpose, service, tmp_path):
    service.ahead = LATE[0]
    way = {"deletes": SWEEP} if purpose == "sweep" else {"cursor": {"kind": "snapshot", "every": "1d"}}
    shop = ClockShop(tmp_path / "shop", service, clock="service", **way)
    shop.run()
    shop.ledger("UPDATE batch SET read_at = NULL")  # an older ledger: its history is made anew
    shop("rebuild")
    del service.items[2]
    service.ahead = timedelta(0)
    shop.believe("both")
    shop.run("--allow-drop")
    assert shop.current() == [1, 3]
    ended = shop.query("SELECT year(valid_to) FROM silver.item WHERE item_id = 2")
    assert ended == [(datetime.now(UTC).year,)]
    before = len(service.requests)
    shop.run()
    assert len(service.requests) - before <= 1 + (purpose == "sweep")  # not due again for a day


def test_a_clock_that_is_an_hour_behind_only_waits(service, tmp_path):
    service.put(4, ago=HOUR / 2)
    service.ahead = -HOUR
    shop = ClockShop(tmp_path / "shop", service)
    assert "clock_disagrees" in shop.findings(shop.run())
    assert shop.current() == [1, 2, 3]
    service.ahead = timedelta(0)
    assert shop.run()["findings"] == []
    assert shop.current() == [1, 2, 3, 4]


def test_a_clock_that_jumps_back_is_told_and_loses_nothing(service, tmp_path):
    shop = ClockShop(tmp_path / "shop", service)
    assert shop.run()["findings"] == []
    service.ahead = -HOUR
    just_now(service, 4)
    said = shop.findings(shop.run())
    assert said.keys() == {"clock_disagrees", "clock_went_back"}
    assert said["clock_went_back"].startswith("service ")
    service.ahead = timedelta(0)
    assert shop.run()["findings"] == []
    assert shop.current() == [1, 2, 3, 4]


@pytest.mark.parametrize("back", [timedelta(minutes=2), HOUR], ids=["tolerated", "told"])
def test_what_is_read_later_is_observed_later_though_the_clock_was_set_back(back, service, tmp_path):
    service.put(1, 2, 3, ago=2 * HOUR)
    shop = ClockShop(tmp_path / "shop", service, overlap="1d")
    shop.run()
    for item in service.items.values():
        item["name"] += " anew"  # and its stamp stays as it is
    service.ahead = -back
    shop("backfill", "--since", f"{datetime.now(UTC) - DAY:%Y-%m-%d}", "--force", code=None)
    names = "SELECT DISTINCT name FROM silver.item WHERE is_current AND item_id < 4 ORDER BY ALL"
    assert shop.query(names) == [("item 1 anew",), ("item 2 anew",), ("item 3 anew",)]
    service.ahead = timedelta(0)
    assert shop.run()["written"] == {}


def test_a_service_that_tells_no_time_is_read_by_this_machines(service, tmp_path):
    service.ahead = None
    shop = ClockShop(tmp_path / "shop", service)
    assert shop.findings(shop.run()).keys() == {"clock_missing"}
    just_now(service, 4)
    shop.run()
    assert shop.current() == [1, 2, 3, 4]


def test_a_date_that_stands_still_is_told(service, tmp_path):
    service.ahead = datetime.now(UTC).replace(microsecond=0)
    shop = ClockShop(tmp_path / "shop", service)
    assert shop.run()["findings"] == []
    shop.ledger(
        "UPDATE mark SET value = json_set(value, '$.machine', json_extract(value, '$.machine') - 600000000) "
        "WHERE name = 'clock:odd'"
    )
    assert format_instant(service.ahead) in shop.findings(shop.run())["clock_stands_still"]
    just_now(service, 4)
    shop.believe("machine")
    shop.run()
    assert shop.current() == [1, 2, 3, 4]


def test_a_simulated_calendar_counts_alone(service, tmp_path):
    service.ahead, service.simulated = -30 * DAY, "yes"
    service.put(4, ago=40 * DAY)
    shop = ClockShop(tmp_path / "shop", service)
    assert shop.run()["findings"] == []
    assert shop.current() == [4]


def test_an_answer_from_a_cache_is_as_old_as_it_says(service, tmp_path):
    service.put(4, ago=HOUR / 2)
    service.ahead, service.age = -HOUR, "3600"
    shop = ClockShop(tmp_path / "shop", service)
    assert shop.run()["findings"] == []
    assert shop.current() == [1, 2, 3, 4]


def test_a_machine_that_was_a_day_ahead_reads_that_day_again(service, tmp_path):
    """Where the service tells no time, only what was seen before can tell that this machine was wrong."""
    service.ahead = None
    shop = ClockShop(tmp_path / "shop", service)
    shop.run()
    for statement in (
        "UPDATE batch SET until = until + 86400000000, started_at = started_at + 86400000000",
        "UPDATE committed SET until = until + 86400000000",
        (
            "UPDATE mark SET value = json_set(value, '$.machine', json_extract(value, '$.machine') + 86400000000) "
            "WHERE name LIKE 'clock:%'"
        ),
    ):
        shop.ledger(statement)
    just_now(service, 4)
    said = shop.findings(shop.run())
    assert said.keys() == {"clock_missing", "clock_went_back", "read_again"}
    assert said["clock_went_back"].startswith("this machine ")
    assert shop.current() == [1, 2, 3, 4]


def test_a_read_that_was_killed_under_a_wrong_clock_is_not_gone_on_with(service, tmp_path):
    service.put(4, 5, 6)
    service.ahead = LATE[0]
    shop = ClockShop(tmp_path / "shop", service, clock="service")
    die_after_a_page(shop, service)
    just_now(service, 7)
    service.ahead = timedelta(0)
    shop.believe("both")
    assert "read_again" in shop.findings(shop.run())
    assert shop.current() == [1, 2, 3, 4, 5, 6, 7]
    [(state, until)] = shop.ledger("SELECT state, until FROM batch")
    assert (state, until <= datetime.now(UTC).timestamp() * 1e6) == ("completed", True)


def test_when_a_batch_was_read_is_kept_and_never_before_its_window_ends(service, tmp_path):
    shop = ClockShop(tmp_path / "shop", service, deletes=SWEEP)
    shop.run()
    rows = shop.ledger("SELECT read_at, until FROM batch")
    assert len(rows) == 2
    assert all(until <= read_at <= datetime.now(UTC).timestamp() * 1e6 + 2e6 for read_at, until in rows)


WHOLE = {"kind": "snapshot", "every": "0s"}
SINCE = {"kind": "changes", "params": {"since": "{since}"}, "field": "changed"}
BEGINS = "SELECT item_id, strftime(valid_from, '%Y-%m-%dT%H:%M:%SZ') FROM silver.item WHERE is_current ORDER BY 1"


@pytest.mark.parametrize("cursor", [WHOLE, SINCE], ids=["snapshot", "since"])
def test_honest_stamps_behind_a_date_that_lags_are_believed(cursor, service, tmp_path):
    service.ahead = -30 * HOUR
    service.put(4, ago=HOUR)  # later than the service's date, and true by this machine's clock
    shop = ClockShop(tmp_path / "shop", service, cursor=cursor)
    assert shop.findings(shop.run()).keys() == {"clock_disagrees"}
    right = [(ident, item["changed"]) for ident, item in service.items.items()]
    assert shop.query(BEGINS) == right
    service.ahead = timedelta(0)
    shop.run()
    assert shop.query(BEGINS) == right
    before = shop.read_tables()
    shop("rebuild")
    assert shop.read_tables() == before


def test_stamps_of_a_clock_that_is_ahead_are_not_vouched_for_by_it(service, tmp_path):
    service.ahead = datetime(2062, 1, 1, tzinfo=UTC)
    service.items[4] = {"id": 4, "name": "far", "changed": "2062-01-01T00:00:00Z"}
    shop = ClockShop(tmp_path / "shop", service, cursor=WHOLE)
    assert shop.findings(shop.run()).keys() == {"clock_disagrees", "future_stamp"}
    service.ahead = timedelta(0)
    time.sleep(1.1)
    service.items[4] = {"id": 4, "name": "honest", "changed": format_instant(datetime.now(UTC).replace(microsecond=0))}
    time.sleep(1.1)
    assert "future_stamp" not in shop.findings(shop.run())
    assert shop.query("SELECT name FROM silver.item WHERE is_current AND item_id = 4") == [("honest",)]


def test_what_changed_before_a_read_that_died_went_on_begins_when_it_says(service, tmp_path):
    service.ahead = -2 * HOUR  # the read begins two hours ago
    shop = ClockShop(tmp_path / "shop", service, clock="service", cursor=SINCE)
    die_after_a_page(shop, service)
    service.ahead = timedelta(0)
    service.put(4, ago=HOUR)
    assert "future_stamp" not in shop.findings(shop.run())
    assert dict(shop.query(BEGINS))[4] == service.items[4]["changed"]
