"""A limit of an account or a host is shared by all processes that use a ledger."""

from __future__ import annotations

from contextlib import closing

import pytest

from headwater.extract.rate_limit import RateLimiters
from headwater.ledger.sql.ledger import SqlLedger
from headwater.wire.limits import Limits
from tests.ledger.builders import Hands


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def ledger(tmp_path, clock):
    with closing(SqlLedger("sqlite:///ledger.db", root=tmp_path, clock=clock)) as ledger:
        yield ledger


def send_requests(rate_limiter, clock, count):
    """When each request was sent."""
    sent = []
    for _ in range(count):
        with rate_limiter.reserve_slot(clock):
            sent.append(clock.monotonic())
    return sent


def test_two_processes_together_keep_to_the_limit_of_their_account(ledger, clock):
    limits = Limits(requests_per_minute=40, scope="account")
    one, two = (RateLimiters(ledger).get("account a", limits) for _ in range(2))
    sent = sorted(instant for _ in range(60) for limiter in (one, two) for instant in send_requests(limiter, clock, 1))
    assert len(sent) == 120
    assert max(sum(first <= instant < first + 60 for instant in sent) for first in sent) <= 40


def test_a_pause_that_the_service_asks_for_holds_for_other_processes(ledger, clock):
    limits = Limits(requests_per_minute=1000, scope="host")
    one, two = (RateLimiters(ledger).get("host a", limits) for _ in range(2))
    began = clock.monotonic()
    one.pause(30, clock)
    assert send_requests(two, clock, 1)[0] - began >= 30
    assert send_requests(one, clock, 1)[0] - began >= 30


def test_a_limit_of_a_connection_costs_the_ledger_nothing(ledger, clock):
    limiter = RateLimiters(ledger).get("connection psa", Limits(requests_per_minute=5))
    send_requests(limiter, clock, 5)
    assert ledger.get_mark("", "requests:connection psa") is None


def test_a_block_costs_one_transaction(ledger, clock, monkeypatch):
    grants = []
    grant = ledger.grant_requests
    monkeypatch.setattr(ledger, "grant_requests", lambda *words, **more: grants.append(more) or grant(*words, **more))
    send_requests(RateLimiters(ledger).get("account a", Limits(requests_per_minute=1000, scope="account")), clock, 100)
    assert len(grants) == 2
