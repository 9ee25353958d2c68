"""Building a plan: a pure function of the declarations, of what is known and of what was asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from headwater.clock import format_instant
from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.plan.dependencies import View
from headwater.plan.downstream import star_of
from headwater.plan.reads import reads_of, settled
from headwater.plan.state import FeedState, Request, TenantState
from headwater.plan.step import Conform, Extract, Land, Plan, Step


def build(view: View, state: TenantState, request: Request) -> Plan:
    """The steps that bring a tenant from what is known of it to what was asked.

    Unfinished batches come first and go on as the batches they are; a feed's reads follow each other, so that a service
    that refuses is not asked on and on; what hangs below another resource waits for that one to have landed.
    DeclarationError when a connection or resource was asked for that the tenant does not read.
    """
    _refuse_unknown(state, request)
    feeds = tuple(feed for feed in _parents_first(state.feeds) if request.picks(feed.feed))
    steps: list[Step] = []
    landing: dict[str, tuple[str, ...]] = defaultdict(tuple)
    lands_of: dict[tuple[str, str], tuple[str, ...]] = {}
    for feed in feeds:
        reads = _reads(feed, request, waits_for=lands_of.get(_above(feed), ()))
        lands = _lands(feed, request, reads)
        ids = tuple(land.id for land in lands)
        steps += [*reads, *lands]
        lands_of[feed.feed.connection, feed.feed.resource] = ids
        landing[feed.source] += ids
    pending = frozenset(feed.source for feed in feeds if feed.at("transformed"))
    star = star_of(view, state, request, landing=landing, pending=pending)
    return Plan(tenant=state.tenant, steps=(*steps, *star), notes=(*_notes(feeds, request), *_turns(state, star)))


def _above(feed: FeedState) -> tuple[str, str]:
    parent = feed.resource.parent
    return feed.feed.connection, parent.resource if parent else ""


def _reads(feed: FeedState, request: Request, *, waits_for: Sequence[str]) -> list[Extract]:
    if not request.fills("raw"):
        return []
    chain: list[Extract] = []
    for read in reads_of(feed, request, until=settled(feed, request), news=bool(waits_for)):
        before = (chain[-1].id,) if chain else ()
        chain.append(replace(read, after=(*before, *waits_for) if read.open else before))
    return chain


def _lands(feed: FeedState, request: Request, reads: Iterable[Extract]) -> list[Land]:
    if not request.fills("bronze"):
        return []
    waiting = [Land(feed=feed.feed, batch=row.batch) for row in feed.at("extracted")]
    arriving = [Land(feed=feed.feed, batch=read.batch, after=(read.id,)) for read in reads if not read.open]
    below = tuple(read.id for read in reads if read.open)
    return [*waiting, *arriving, *([Land(feed=feed.feed, after=below)] if below else [])]


def _parents_first(feeds: Iterable[FeedState]) -> tuple[FeedState, ...]:
    """Parents before what hangs below them, in the given order otherwise."""
    left = list(feeds)
    ordered: list[FeedState] = []
    while left:
        names = {(feed.feed.connection, feed.feed.resource) for feed in left}
        ready = [feed for feed in left if _above(feed) not in names] or left
        ordered += ready
        left = [feed for feed in left if feed not in ready]
    return tuple(ordered)


def _refuse_unknown(state: TenantState, request: Request) -> None:
    connections = {feed.feed.connection for feed in state.feeds}
    resources = {feed.feed.resource for feed in state.feeds}
    asked = (("connection", request.connections, connections), ("resource", request.resources, resources))
    for noun, wanted, known in asked:
        if unknown := sorted(wanted - known):
            raise DeclarationError(
                f"tenant `{state.tenant}` reads no {noun} `{unknown[0]}`.",
                where=f"--{noun}",
                saw=unknown[0],
                hint=did_you_mean(unknown[0], known),
            )


def _notes(feeds: Iterable[FeedState], request: Request) -> tuple[str, ...]:
    """What was asked and is not done, a line a connection."""
    notes: dict[str, str] = {}
    for feed in feeds if request.fills("raw") else ():
        until = settled(feed, request)
        if until is None:
            notes[feed.feed.connection] = "the service's time is not known, so nothing new is read"
        elif request.until is not None and request.until > until:
            notes[feed.feed.connection] = (
                f"asked until {format_instant(request.until)}, settled until {format_instant(until)}"
            )
    return tuple(f"{connection}: {note}" for connection, note in sorted(notes.items()))


def _turns(state: TenantState, star: Iterable[Step]) -> list[str]:
    """What becomes of the histories whose entities are declared otherwise than before, a line each."""
    conformed = [step.entity for step in star if isinstance(step, Conform)]
    return [
        f"{name}: {one.why}: {'its history is made anew' if one.anew else 'its history goes on'}"
        for name, one in state.redeclared.items()
        if name in conformed
    ]
