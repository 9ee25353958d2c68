"""Windows in requests, checks of filters, allowed hosts, limits and redaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from pydantic import ValidationError

from headwater.batch import Window
from headwater.clock import EPOCH, format_instant, parse_instant
from headwater.errors import DeclarationError, PermanentError
from headwater.wire.cursor import ChangeFilter, widen_window
from headwater.wire.hosts import check_base, check_target
from headwater.wire.limits import Limits, compute_backoff
from headwater.wire.message import Request, redact, strip_url
from headwater.wire.records import read_values

MARCH = Window(since=datetime(2026, 3, 1, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC))
CHANGES = ChangeFilter(
    params={"conditions": "lastUpdated >= [{since}] and lastUpdated < [{until}]"}, field="_info.lastUpdated"
)


def test_a_window_is_formatted_as_declared():
    assert CHANGES.build_params(MARCH) == {
        "conditions": "lastUpdated >= [2026-03-01T00:00:00Z] and lastUpdated < [2026-04-01T00:00:00Z]"
    }
    epoch = ChangeFilter(params={"a": "{since}", "b": "{until}"}, field="x", format="epoch")
    assert epoch.build_params(MARCH) == {"a": "1772323200", "b": "1775001600"}
    millis = ChangeFilter(params={"a": "{since}"}, field="x", format="epoch_ms", grain="1ms")
    assert millis.build_params(MARCH) == {"a": "1772323200000"}


@given(st.integers(1, 10**15), st.integers(1, 10**12))
def test_rounding_to_the_grain_never_shortens_a_window(since, length):
    start = EPOCH + timedelta(microseconds=since)
    window = Window(since=start, until=start + timedelta(microseconds=length))
    cursor = ChangeFilter(params={"a": "{since}", "b": "{until}"}, field="x")
    params = cursor.build_params(window)
    low, high = parse_instant(params["a"]), parse_instant(params["b"])
    assert low <= window.since < low + timedelta(seconds=1)
    assert window.until <= high < window.until + timedelta(seconds=1)
    assert low.microsecond == high.microsecond == 0


def build_records(*stamps: object) -> list[Raw]:
    return [Raw(f'{{"_info":{{"lastUpdated":{stamp}}}}}'.encode()) for stamp in stamps]


def find_outside(cursor, records):
    """What of some records was not asked for."""
    return cursor.find_outside_window(read_values(records, cursor.field), MARCH)


def test_records_outside_of_the_window_are_found():
    good = build_records(
        '"2026-03-01T00:00:00Z"', '"2026-03-31T23:59:59Z"', '"2026-04-01T00:00:00Z"', "null", '"late"', "{}"
    )
    assert find_outside(CHANGES, [*good, Raw(b"7"), Raw(b"{}")]) is None
    early = build_records('"2026-03-02T00:00:00Z"', '"2026-02-27T00:00:00Z"')
    assert find_outside(CHANGES, early) == (1, "2026-02-27T00:00:00Z")
    assert find_outside(CHANGES, build_records('"2026-04-01T00:00:02Z"')) == (0, "2026-04-01T00:00:02Z")
    assert find_outside(CHANGES, build_records('"2025-01-01T00:00:00.1234567+01:00"')) is not None


@given(
    st.lists(
        st.integers(-3 * 86_400, 33 * 86_400).map(lambda past: format_instant(MARCH.since + timedelta(seconds=past)))
        | st.sampled_from(["2026-02-30T00:00:00Z", "2026-04-31T00:00:00Z", "2026-W40-1T10:00:00Z"]),
        max_size=6,
    )
)
def test_stamps_of_one_format_are_checked_like_all_others(stamps):
    # An empty text is no stamp, and not of that form.
    assert CHANGES.find_outside_window(stamps, MARCH) == CHANGES.find_outside_window([*stamps, ""], MARCH)


def test_only_requested_bounds_are_checked():
    early, late = build_records('"1969-07-20T20:17:40Z"'), build_records('"2031-01-01T00:00:00Z"')
    changes = CHANGES.model_copy(update={"params": {"since": "{since}"}})
    assert find_outside(changes, late) is None
    assert find_outside(changes, early) == (0, "1969-07-20T20:17:40Z")
    unasked = CHANGES.model_copy(update={"params": {"sort": "newest"}})
    assert find_outside(unasked, [*early, *late]) is None
    whole = Window(since=EPOCH, until=MARCH.until)
    assert CHANGES.find_outside_window(read_values(early, CHANGES.field), whole) is None
    assert CHANGES.find_outside_window(read_values(late, CHANGES.field), whole) == (0, "2031-01-01T00:00:00Z")


def test_the_first_window_has_no_lower_bound():
    whole = Window(since=EPOCH, until=MARCH.until)
    texts = {"from": "{since}", "to": "{until}"}
    plain = ChangeFilter(params=texts, field="at")
    assert plain.build_params(whole) == {"from": "0001-01-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    assert plain.build_params(MARCH)["from"] == "2026-03-01T00:00:00Z"
    changes = ChangeFilter(params=texts, first={"from": ""}, field="at")
    assert changes.build_params(whole) == {"to": "2026-04-01T00:00:00Z"}
    assert changes.build_params(MARCH) == plain.build_params(MARCH)
    seconds = ChangeFilter(params=texts, field="at", format="epoch")
    assert seconds.build_params(whole)["from"] == "-62135596800"
    with pytest.raises(ValidationError, match="not in `params`"):
        ChangeFilter(params=texts, first={"form": ""}, field="at")


def test_epochs_are_checked_too():
    cursor = ChangeFilter(params={"from": "{since}", "to": "{until}"}, field="at", format="epoch_ms")
    assert find_outside(cursor, [Raw(b'{"at":1772323200000}')]) is None
    assert find_outside(cursor, [Raw(b'{"at":1672323200000}')]) == (0, "1672323200000")
    assert find_outside(cursor, [Raw(b'{"at":1e300}'), Raw(b'{"at":true}')]) is None


def test_an_overlap_starts_earlier_but_never_before_the_epoch():
    assert widen_window(MARCH, "10m").since == MARCH.since - timedelta(minutes=10)
    whole = Window(since=EPOCH, until=MARCH.until)
    assert widen_window(whole, "10m") == whole
    near = Window(since=EPOCH + timedelta(seconds=5), until=MARCH.until)
    assert widen_window(near, "10m").since == EPOCH


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v4",
        "http://127.0.0.1:8080/x",
        "http://localhost:1",
        "http://[::1]:9/x",
        "http://127.9.9.9",
    ],
)
def test_a_base_url_is_https_or_this_machine(url):
    assert check_base(url, where="here") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com", "http://127.0.0.1.evil.example", "ftp://x.example", "api.example.com", "",
        "https://user:pass@api.example.com", "https://api.example.com:99999", "https://a\\b.example", "https://[::1",
        "https://þorn.example", "http://0.0.0.0", "https://a b.example",
    ],
)  # fmt: skip
def test_any_other_base_url_is_refused_without_its_password(url):
    with pytest.raises(DeclarationError) as caught:
        check_base(url, where="connection acme/psa")
    assert "pass" not in str(caught.value)


BASE = "https://api.example.com/v4"


@pytest.mark.parametrize(
    "url", ["https://api.example.com/other", "https://API.example.com:443/x", "https://cdn.example.com/y"]
)
def test_own_and_declared_hosts_are_allowed(url):
    assert check_target(url, base=BASE, hosts=("cdn.example.com",)) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x", "http://api.example.com/x", "https://api.example.com:8443/x",
        "https://api.example.com@evil.example/x", "https://api.example.com.evil.example/", "//evil.example",
        "https://evil.example\\@api.example.com/", "https://cdn.example.com:444/", "javascript:alert(1)", "",
        "https://evil.example/\thttps://api.example.com/",
    ],
)  # fmt: skip
def test_other_hosts_are_refused(url):
    with pytest.raises(PermanentError):
        check_target(url, base=BASE, hosts=("cdn.example.com",))


@given(st.integers(1, 40), st.floats(0, 1))
def test_backoff_grows_is_capped_and_has_jitter(tries, jitter):
    assert 0.25 <= compute_backoff(tries, jitter) <= 60
    assert compute_backoff(tries, jitter) <= compute_backoff(tries + 1, jitter)


def test_a_scope_defines_which_connections_share_limits():
    def build_key(scope: str, connection: str, url: str = BASE, token: str = "t0p-secret") -> str:
        return Limits(scope=scope).build_scope_key(connection=connection, base_url=url, identity={"password": token})

    assert build_key("connection", "a/psa") != build_key("connection", "b/psa")
    assert build_key("account", "a/psa") == build_key("account", "b/psa")
    assert build_key("account", "a/psa") != build_key("account", "a/psa", token="other")
    assert build_key("host", "a/psa") == build_key("host", "b/psa", token="other")
    assert "t0p" not in build_key("account", "a/psa")


def test_secrets_are_replaced_the_longest_first():
    assert redact("Basic abcdef and abc", ["abc", "abcdef", ""]) == "Basic *** and ***"
    assert strip_url("https://u:p@api.example.com/x?token=1#f") == "https://api.example.com/x"
    assert str(Request(url="https://api.example.com/x?token=1", params={"key": "2"})) == "GET https://api.example.com/x"


def test_spans_of_limits_are_seconds():
    assert (Limits().timeout_seconds, Limits().max_wait_seconds) == (60, 600)
    assert format_instant(EPOCH) == "1970-01-01T00:00:00Z"
