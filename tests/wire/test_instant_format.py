"""Bounds of windows in the format and the zone of a service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.wire.instant_format import InstantFormat

FALL_BACK = datetime(2026, 11, 1, 4, tzinfo=UTC)
"""New York sets its clocks back at 06:00 UTC of this day, and forward on 8 March at 07:00 UTC."""


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("pattern", ["%Y-%m-%d %H:%M", "%Y-%m-%d"])
@given(seconds=st.integers(-250 * 86_400, 2 * 86_400))
def test_whatever_a_text_means_no_instant_of_the_window_is_left_out(zone, pattern, seconds):
    instant = FALL_BACK + timedelta(seconds=seconds)
    grain = timedelta(days=1) if pattern == "%Y-%m-%d" else timedelta(minutes=1)
    instants = InstantFormat(pattern=pattern, zone=zone, grain=grain)
    since, until = instants.format_since(instant), instants.format_until(instant)
    for fold in (0, 1):
        low, high = (
            datetime.strptime(bound.text, pattern).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)
            for bound in (since, until)
        )
        assert since.instant <= low <= instant <= high <= until.instant
        assert high - low <= timedelta(hours=3) + 2 * grain


@pytest.mark.parametrize("hour", [5, 6])
def test_the_hour_that_occurs_twice_begins_before_both(hour):
    instants = InstantFormat(pattern="%H:%M", zone="America/New_York", grain=timedelta(minutes=1))
    instant = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)
    assert instants.format_since(instant).text == {5: "00:30", 6: "01:30"}[hour]
    assert instants.format_until(instant).text == {5: "01:30", 6: "02:30"}[hour]


def test_formats_with_a_name():
    instant = datetime(2026, 3, 1, 8, 0, 5, tzinfo=UTC)
    texts = {
        style: InstantFormat(style=style).format_since(instant).text for style in ("iso", "epoch", "epoch_ms", "http")
    }
    assert texts == {
        "iso": "2026-03-01T08:00:05Z", "epoch": "1772352005", "epoch_ms": "1772352005000",
        "http": "Sun, 01 Mar 2026 08:00:05 GMT",
    }  # fmt: skip
    assert InstantFormat(pattern="%Y-%m-%d").format_since(datetime(1, 1, 1, tzinfo=UTC)).text == "0001-01-01"


def test_stamps_of_records():
    parse = InstantFormat().parse
    assert parse("/Date(1772352005000+0100)/") == parse("/Date(1772352005000)/") == parse(1772352005)
    assert parse("/Date(-1000-0500)/") == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert parse("/Date(x)/") is parse(True) is parse(None) is parse(1e300) is None
