"""Request limits that several processes share: requests are granted in small blocks, which are used at once.

A process gets a block of requests, and sends them within `USE_WITHIN`. A block counts against the limit for a minute and
`USE_WITHIN`, so that no minute has more requests than the limit, wherever in it they were sent.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from headwater.ledger.records import RequestGrant
from headwater.ledger.sql.queries.tenants import get_mark, set_mark

USE_WITHIN = 5_000_000
"""Microseconds for which a block of requests is valid."""

_MINUTE = 60_000_000

_NO_TENANT = ""
"""The tenant of the marks: an account or a host is not the property of one tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _BudgetState:
    grants: list[tuple[int, int]]
    """(time, number of requests) of each block that still counts, oldest first."""
    paused_at: int = 0
    paused_until: int = 0


def grant_requests(connection: Connection, scope: str, *, limit: int, count: int, now: int) -> RequestGrant:
    """Grant up to `count` requests of a limit of `limit` per minute. If none is left: 0, and the seconds to wait."""
    budget = _read(connection, scope, now=now)
    if budget.paused_until > now:
        return RequestGrant(count=0, seconds=(budget.paused_until - now) / 1e6)
    granted = min(count, limit - sum(number for _, number in budget.grants))
    if granted <= 0:
        return RequestGrant(count=0, seconds=(budget.grants[0][0] + _MINUTE + USE_WITHIN - now) / 1e6)
    _write(connection, scope, _BudgetState(grants=[*budget.grants, (now, granted)]))
    return RequestGrant(count=granted, seconds=USE_WITHIN / 1e6)


def pause_requests(connection: Connection, scope: str, *, until: int, now: int) -> None:
    """Grant no requests before `until`. A longer pause is kept."""
    budget = _read(connection, scope, now=now)
    if until > budget.paused_until:
        _write(connection, scope, _BudgetState(grants=budget.grants, paused_at=now, paused_until=until))


def _read(connection: Connection, scope: str, *, now: int) -> _BudgetState:
    """What counts at `now`. Blocks and pauses of the future do not: the clock was set back, and they would last too long."""
    mark = get_mark(connection, _NO_TENANT, _name_mark(scope))
    if mark is None:
        return _BudgetState(grants=[])
    stored = json.loads(mark)
    grants = sorted((at, number) for at, number in stored["grants"] if now - _MINUTE - USE_WITHIN < at <= now)
    paused_until = stored["paused_until"] if stored["paused_at"] <= now else 0
    return _BudgetState(grants=grants, paused_at=stored["paused_at"], paused_until=paused_until)


def _write(connection: Connection, scope: str, budget: _BudgetState) -> None:
    set_mark(connection, _NO_TENANT, _name_mark(scope), json.dumps(asdict(budget)))


def _name_mark(scope: str) -> str:
    return f"requests:{scope}"
