"""A small service desk to plan for: two feeds of changes, one below another, one snapshot, two facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.clock import EPOCH
from headwater.ledger.base import BatchRow, State
from headwater.model.resource import Parent, Resource
from headwater.plan.dependencies import Dependencies, FactInputs
from headwater.plan.state import FeedState, RunRequest, TenantState
from headwater.wire.cursor import ChangeFilter, FullSnapshot, IdSweep

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOLD_BACK = timedelta(minutes=5)
UNTIL = NOW - HOLD_BACK
DAY = timedelta(days=1)
CHANGES = ChangeFilter(params={"changed": "{since}..{until}"}, field="_info.lastUpdated")

RESOURCES = {
    "tickets": Resource(
        resource="tickets", path="t", cursor=CHANGES, chunk="30d", look_back="90d", deletes=IdSweep(every="1d")
    ),
    "agreements": Resource(resource="agreements", path="a", cursor=CHANGES, chunk="30d", look_back="90d"),
    "additions": Resource(
        resource="additions", path="a/{parent}/additions", cursor=CHANGES, parent=Parent(resource="agreements")
    ),
    "boards": Resource(resource="boards", path="b", cursor=FullSnapshot(every="1d")),
}

VIEW = Dependencies(
    entities={
        "ticket": frozenset({"desk.tickets"}),
        "agreement": frozenset({"desk.agreements"}),
        "addition": frozenset({"desk.additions"}),
        "board": frozenset({"desk.boards"}),
    },
    dimensions={
        "board": frozenset({"board"}),
        "agreement": frozenset({"agreement", "addition"}),
        "date": frozenset(),
    },
    facts={
        "ticket": FactInputs(entities=frozenset({"ticket"}), dimensions=frozenset({"board", "date"})),
        "addition": FactInputs(entities=frozenset({"addition"}), dimensions=frozenset({"agreement", "date"})),
    },
)

BUILT = frozenset(
    {
        *(f"silver.{name}" for name in VIEW.entities),
        *(f"gold.dim_{name}" for name in VIEW.dimensions),
        *(f"gold.fact_{name}" for name in VIEW.facts),
    }
)


def make_feed(resource: str, *, connection: str = "psa", tenant: str = "acme") -> Feed:
    return Feed(tenant=tenant, connection=connection, resource=resource)


def make_feed_state(resource: str, *, tenant: str = "acme") -> FeedState:
    """A feed that was never read."""
    feed = make_feed(resource, tenant=tenant)
    return FeedState(feed=feed, connector="desk", resource=RESOURCES[resource], hold_back=HOLD_BACK)


def make_read_state(resource: str, until: datetime = UNTIL) -> FeedState:
    """A feed that was read until then."""
    whole = (Window(since=EPOCH, until=until),)
    state = make_feed_state(resource)
    if resource == "additions":
        return replace(state, parents={"1": whole, "2": whole})
    return replace(state, committed=whole, last_sweep=until, last_snapshot=until)


def make_tenant_state(*feeds: FeedState, built: frozenset[str] = BUILT) -> TenantState:
    return TenantState(tenant="acme", feeds=feeds, built=built)


def make_request(**changed: object) -> RunRequest:
    return replace(RunRequest(source_times={"psa": NOW}), **changed)  # type: ignore[arg-type]


def make_row(state: State, batch: Batch, *, resume: State | None = None, parents: tuple[str, ...] = ()) -> BatchRow:
    return BatchRow(batch=batch, state=state, resume=resume or state, parents=parents)


def make_batch(resource: str, since: datetime, until: datetime, *, purpose: str = "changes") -> Batch:
    return create_batch(make_feed(resource), Window(since=since, until=until), purpose=purpose)
