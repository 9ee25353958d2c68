"""The meaning of a status, and how long a service asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import PermanentError, TransientError
from headwater.wire.message import Response
from headwater.wire.response_status import Ok, Refresh, check_status, read_vendor_message
from headwater.wire.retry_after import read_retry_after

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SERVER = datetime(2026, 3, 1, 9, tzinfo=UTC)


def build_response(status=200, body=b"[]", **headers):
    return Response(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}, 9),
        ({"retry-after": format_datetime(SERVER + timedelta(seconds=9), usegmt=True),
          "date": format_datetime(SERVER, usegmt=True)}, 9),
        ({"retry-after": str(int(NOW.timestamp()) + 11)}, 11),
        ({"retry-after": str((int(NOW.timestamp()) + 11) * 1000)}, 11),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 5)}, 5),
        ({"ratelimit-reset": "30"}, 30),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": format_datetime(NOW - timedelta(hours=1), usegmt=True)}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_requested_wait(headers, seconds):
    assert read_retry_after(headers, now=NOW) == seconds


@given(st.integers(0, 86_400), st.sampled_from(["seconds", "date", "epoch", "epoch_ms"]), st.integers(-5000, 5000))
def test_every_format_of_a_wait_is_equal_for_any_clock(wait, spelling, skew):
    then = SERVER + timedelta(seconds=wait)
    text = {
        "seconds": str(wait),
        "date": format_datetime(then, usegmt=True),
        "epoch": str(int(then.timestamp())),
        "epoch_ms": str(int(then.timestamp()) * 1000),
    }[spelling]
    headers = {"retry-after": text, "date": format_datetime(SERVER, usegmt=True)}
    assert read_retry_after(headers, now=SERVER + timedelta(seconds=skew)) == wait


@given(st.text(max_size=40))
def test_no_retry_after_raises(text):
    read_retry_after({"retry-after": text, "date": text}, now=NOW)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (build_response(), Ok),
        (build_response(204, b""), Ok),
        (build_response(content_type="text/html; charset=utf-8"), PermanentError),
        (build_response(429), TransientError),
        (build_response(500), TransientError),
        (build_response(503), TransientError),
        (build_response(408), TransientError),
        (build_response(501), PermanentError),
        (build_response(400), PermanentError),
        (build_response(404), PermanentError),
        (build_response(302, location="https://evil.example/x?token=1"), PermanentError),
        (build_response(401), Refresh),
        (build_response(403), PermanentError),
        (build_response(403, x_ratelimit_remaining="0"), TransientError),
        (build_response(403, retry_after="3"), TransientError),
        (build_response(799), PermanentError),
    ],
)
def test_the_status_is_checked(response, kind):
    assert isinstance(check_status(response, now=NOW), kind)


def test_a_transient_error_has_the_wait():
    verdict = check_status(build_response(429, retry_after="12"), now=NOW)
    assert isinstance(verdict, TransientError)
    assert verdict.after == 12


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_credentials_name_the_secrets(status):
    verdict = check_status(
        build_response(status, b'{"message":"Nope"}'), now=NOW, secrets=("public_key", "private_key")
    )
    error = verdict.fallback if isinstance(verdict, Refresh) else verdict
    assert isinstance(error, PermanentError)
    assert "public_key, private_key" in error.hint
    assert error.details == "Nope"


def test_the_location_of_a_redirect_is_reported_without_its_query():
    verdict = check_status(build_response(302, location="https://evil.example/x?token=1"), now=NOW)
    assert isinstance(verdict, PermanentError)
    assert verdict.details == "location https://evil.example/x"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"code":"InvalidObject","message":"bad conditions","errors":[{"message":"x"}]}', "bad conditions"),
        (b'{"error":{"code":"X","message":"deep"}}', "deep"),
        (b'{"errors":[{"detail":"one"},{"detail":"two"}]}', "one; two"),
        (b'{"error":"invalid_grant","error_description":"expired"}', "expired"),
        (b'"just text"', "just text"),
        (b"plain\r\n\ttext\x00", "plain text"),
        (b"", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 5000, "[" * 300 + " ..."),
        (b'{"message":null}', ""),
    ],
)
def test_the_vendors_message_is_short_and_on_one_line(body, expected):
    assert read_vendor_message(build_response(400, body)) == expected
