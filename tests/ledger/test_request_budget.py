"""Request limits that processes share."""

from __future__ import annotations

from datetime import timedelta

from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import Hands

SCOPE = "account api.example 0123"


def test_no_minute_has_more_requests_than_the_limit_even_if_each_is_sent_at_the_end(
    ledger: SqlLedger, hands: Hands
) -> None:
    sent: list[float] = []
    start = hands.at
    while hands.at < start + timedelta(minutes=5):
        grant = ledger.grant_requests(SCOPE, limit=60, count=7)
        if grant.count:
            # The holder is as late as it may be: it sends all of them when the grant ends.
            sent += [(hands.at - start).total_seconds() + grant.seconds] * grant.count
            hands.sleep(0.1)
        else:
            assert grant.seconds > 0
            hands.sleep(grant.seconds)
    assert len(sent) > 60 * 4
    assert max(sum(first <= instant < first + 60 for instant in sent) for first in sent) <= 60


def test_scopes_do_not_share(ledger: SqlLedger) -> None:
    assert ledger.grant_requests(SCOPE, limit=5, count=9).count == 5
    assert ledger.grant_requests(SCOPE, limit=5, count=1).count == 0
    assert ledger.grant_requests("host b.example", limit=5, count=1).count == 1


def test_a_pause_holds_for_everybody_and_a_shorter_one_does_not_end_it(ledger: SqlLedger, hands: Hands) -> None:
    ledger.pause_requests(SCOPE, seconds=30)
    ledger.pause_requests(SCOPE, seconds=5)
    assert ledger.grant_requests(SCOPE, limit=5, count=1).seconds == 30
    hands.sleep(30)
    assert ledger.grant_requests(SCOPE, limit=5, count=1).count == 1


def test_what_was_granted_before_a_clock_was_set_back_blocks_nobody(ledger: SqlLedger, hands: Hands) -> None:
    ledger.grant_requests(SCOPE, limit=5, count=5)
    ledger.pause_requests(SCOPE, seconds=60)
    hands.sleep(-7200)
    assert ledger.grant_requests(SCOPE, limit=5, count=5).count == 5


def test_a_lower_limit_counts_what_a_higher_one_granted(ledger: SqlLedger) -> None:
    assert ledger.grant_requests(SCOPE, limit=100, count=50).count == 50
    assert ledger.grant_requests(SCOPE, limit=10, count=1).count == 0
