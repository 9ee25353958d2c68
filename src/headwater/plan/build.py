"""Builds a plan from dependencies, the state of the tenant and the request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.plan.dependencies import Dependencies
from headwater.plan.downstream import plan_star
from headwater.plan.reads import find_readable_end, plan_reads
from headwater.plan.state import FeedState, RunRequest, TenantState
from headwater.plan.step import Conform, Extract, Land, Plan, Step
from headwater.plan.time_span import check_time_span, describe_limits
from headwater.wire.cursor import Delta


def build_plan(dependencies: Dependencies, state: TenantState, request: RunRequest) -> Plan:
    """Plan the steps of a run.

    Unfinished batches come first and resume. The reads of a feed depend on each other, so that a service that refuses
    gets no further requests. A child resource waits until its parent has landed. DeclarationError if the request names
    a connection or resource that the tenant does not read, or a time span that can contain no change.
    """
    _refuse_unknown(state, request)
    feeds = tuple(feed for feed in _sort_parents_first(state.feeds) if request.includes(feed.feed))
    check_time_span(feeds, request)
    steps: list[Step] = []
    landing: dict[str, tuple[str, ...]] = defaultdict(tuple)
    lands_of: dict[tuple[str, str], tuple[str, ...]] = {}
    for feed in feeds:
        reads = _plan_reads(feed, request, waits_for=lands_of.get(_find_parent(feed), ()))
        lands = _plan_lands(feed, request, reads)
        ids = tuple(land.id for land in lands)
        steps += [*reads, *lands]
        lands_of[feed.feed.connection, feed.feed.resource] = ids
        landing[feed.source] += ids
    pending = frozenset(feed.source for feed in feeds if feed.list_unfinished("transformed"))
    star = plan_star(dependencies, state, request, landing=landing, pending=pending)
    return Plan(
        tenant=state.tenant,
        steps=(*steps, *star),
        notes=(*describe_limits(feeds, request), *_describe_decisions(state, star)),
    )


def _find_parent(feed: FeedState) -> tuple[str, str]:
    parent = feed.resource.parent
    return feed.feed.connection, parent.resource if parent else ""


def _plan_reads(feed: FeedState, request: RunRequest, *, waits_for: Sequence[str]) -> list[Extract]:
    if not request.includes_layer("raw"):
        return []
    chain: list[Extract] = []
    for read in plan_reads(feed, request, until=find_readable_end(feed, request), has_new_parents=bool(waits_for)):
        previous = (chain[-1].id,) if chain else ()
        chain.append(replace(read, after=(*previous, *waits_for) if read.open else previous))
    return chain


def _plan_lands(feed: FeedState, request: RunRequest, reads: Iterable[Extract]) -> list[Land]:
    if not request.includes_layer("bronze"):
        return []
    waiting = [Land(feed=feed.feed, batch=row.batch) for row in feed.list_unfinished("extracted")]
    # An expired link turns a read of changes into a complete read, which is another batch.
    is_delta = isinstance(feed.resource.cursor, Delta)
    new = [Land(feed=feed.feed, batch=read.batch, after=(read.id,)) for read in reads if not (read.open or is_delta)]
    below = tuple(read.id for read in reads if read.open or is_delta)
    return [*waiting, *new, *([Land(feed=feed.feed, after=below)] if below else [])]


def _sort_parents_first(feeds: Iterable[FeedState]) -> tuple[FeedState, ...]:
    """Parents before their children, otherwise in the given order."""
    rest = list(feeds)
    ordered: list[FeedState] = []
    while rest:
        names = {(feed.feed.connection, feed.feed.resource) for feed in rest}
        ready = [feed for feed in rest if _find_parent(feed) not in names] or rest
        ordered += ready
        rest = [feed for feed in rest if feed not in ready]
    return tuple(ordered)


def _refuse_unknown(state: TenantState, request: RunRequest) -> None:
    connections = {feed.feed.connection for feed in state.feeds}
    resources = {feed.feed.resource for feed in state.feeds}
    filters = (("connection", request.connections, connections), ("resource", request.resources, resources))
    for noun, names, known in filters:
        if unknown := sorted(names - known):
            raise DeclarationError(
                f"tenant `{state.tenant}` has no {noun} `{unknown[0]}`.",
                where=f"--{noun}",
                details=unknown[0],
                hint=did_you_mean(unknown[0], known),
            )


def _describe_decisions(state: TenantState, star: Iterable[Step]) -> list[str]:
    """Notes about the history of entities whose declaration has changed, one for each entity."""
    conformed = [step.entity for step in star if isinstance(step, Conform)]
    return [
        f"{name}: {decision.reason}: {'its history is rebuilt' if decision.rebuild else 'its history continues'}"
        for name, decision in state.schema_decisions.items()
        if name in conformed
    ]
