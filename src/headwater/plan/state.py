"""What a plan starts from: what the ledger knows of each feed, which tables there are, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from headwater.batch import Feed, Window
from headwater.clock import EPOCH
from headwater.ledger.base import BatchRow
from headwater.model.resource import Resource

Layer = Literal["raw", "bronze", "silver", "gold"]
"""How far a run goes, layer by layer."""

LAYERS: tuple[Layer, ...] = ("raw", "bronze", "silver", "gold")
"""All layers, in the order in which they are filled."""

AFTER_RAW: frozenset[Layer] = frozenset(LAYERS[1:])
"""The layers that are built from raw. A request for them sends no requests to services."""


def list_layers_to(last: Layer | None) -> frozenset[Layer]:
    """The layers of a run that stops after `last`; empty, which means all, if it does not stop before gold."""
    return frozenset() if last in (None, LAYERS[-1]) else frozenset(LAYERS[: LAYERS.index(last) + 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is known of a feed before a run."""

    feed: Feed
    connector: str
    """The name of its connector."""
    resource: Resource
    """Its resource, with the connector's defaults filled in."""
    hold_back: timedelta = timedelta(0)
    """How far its windows stay behind the service's time."""
    begins: datetime = EPOCH
    """What changed before is never read."""
    committed: tuple[Window, ...] = ()
    """`ledger.list_windows(feed)`."""
    parents: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    """`ledger.parents(feed)`, for a resource that hangs below another."""
    unfinished: tuple[BatchRow, ...] = ()
    """Its batches that are not `completed`, in the order in which they began."""
    attempts: Mapping[tuple[str, Window], int] = field(default_factory=dict)
    """`ledger.readings(feed)`."""
    last_snapshot: datetime | None = None
    """Until when the newest complete snapshot knows everything."""
    last_sweep: datetime | None = None
    """Until when the newest complete sweep knows everything."""

    @property
    def source(self) -> str:
        """What entities call it: `connector.resource`."""
        return f"{self.connector}.{self.resource.resource}"

    def list_unfinished(self, stage: str) -> tuple[BatchRow, ...]:
        """Its unfinished batches that have come so far and no farther, failed ones among them."""
        return tuple(row for row in self.unfinished if row.stage == stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDecision:
    """What becomes of a history whose entity is declared otherwise than before."""

    rebuild: bool
    """Whether it is made anew from all that landed; it goes on from now otherwise."""
    reason: str
    """What differs, and who decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantState:
    """What is known of a tenant before a run."""

    tenant: str
    feeds: tuple[FeedState, ...] = ()
    """The feeds that its connections read, see `view.wanted`."""
    built: frozenset[str] = frozenset()
    """Tables that exist, as `silver.ticket`, `gold.dim_customer`, `gold.fact_ticket`; others are made."""
    schema_decisions: Mapping[str, SchemaDecision] = field(default_factory=dict)
    """Entities that are declared otherwise than their history was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a run is to do. An empty request means everything that is missing."""

    source_times: Mapping[str, datetime] = field(default_factory=dict)
    """The time that each connection's service says it is. One that is missing could not be asked."""
    connections: frozenset[str] = frozenset()
    """Only these connections."""
    resources: frozenset[str] = frozenset()
    """Only these resources."""
    layers: frozenset[Layer] = frozenset()
    """Only these layers; naming gold asks for all of it, changed or not."""
    since: datetime | None = None
    """Only what changed from here on."""
    until: datetime | None = None
    """Only what changed before."""
    force: bool = False
    """Read what was asked even where it was read before."""
    chunk: timedelta | None = None
    """The longest window of one read, in the place of what is declared."""
    fresh: bool = False
    """Drop unfinished reads, and read their windows again from the start."""
    allow_drop: bool = False
    """Delete even if a sweep finds more records gone than its guard allows."""

    @property
    def has_window(self) -> bool:
        """Whether a span of time was asked for, and not just what is new."""
        return self.since is not None or self.until is not None or self.force

    def includes_layer(self, layer: Layer) -> bool:
        """Whether `layer` is to be filled."""
        return not self.layers or layer in self.layers

    def includes(self, feed: Feed) -> bool:
        """Whether `feed` is among those asked for."""
        return (not self.connections or feed.connection in self.connections) and (
            not self.resources or feed.resource in self.resources
        )
