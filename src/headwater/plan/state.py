"""The inputs of a plan: the state of each feed in the ledger, the existing tables, and the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from headwater.batch import Feed, Window
from headwater.clock import EPOCH, format_instant
from headwater.errors import DeclarationError
from headwater.ledger.base import BatchRow
from headwater.model.resource import Resource

Layer = Literal["raw", "bronze", "silver", "gold"]
"""A layer of a run."""

LAYERS: tuple[Layer, ...] = ("raw", "bronze", "silver", "gold")
"""All layers, in the order in which they are filled."""

AFTER_RAW: frozenset[Layer] = frozenset(LAYERS[1:])
"""The layers that are built from raw. A request for them sends no requests to services."""


def list_layers_to(last: Layer | None) -> frozenset[Layer]:
    """The layers of a run that stops after `last`; empty, which means all, if it does not stop before gold."""
    return frozenset() if last in (None, LAYERS[-1]) else frozenset(LAYERS[: LAYERS.index(last) + 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """The state of a feed before a run."""

    feed: Feed
    connector: str
    """The name of its connector."""
    resource: Resource
    """Its resource, with the defaults of the connector."""
    hold_back: timedelta = timedelta(0)
    """How far its windows end before the current time of the service."""
    begins: datetime = EPOCH
    """Records that changed earlier are never read."""
    committed: tuple[Window, ...] = ()
    """Its committed windows: `ledger.list_windows(feed)`."""
    parents: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    """The committed windows by parent key, for a child resource: `ledger.list_windows_by_parent(feed)`."""
    unfinished: tuple[BatchRow, ...] = ()
    """Its batches that are not `completed`, in the order in which they began."""
    attempts: Mapping[tuple[str, Window], int] = field(default_factory=dict)
    """The number of attempts by purpose and window: `ledger.count_attempts(feed)`."""
    last_snapshot: datetime | None = None
    """The end of the newest complete snapshot."""
    has_link: bool = False
    """Whether a `delta` cursor can continue where its last read ended."""
    last_sweep: datetime | None = None
    """The end of the newest complete sweep."""

    @property
    def source(self) -> str:
        """Its name in the `sources` of entities: `connector.resource`."""
        return f"{self.connector}.{self.resource.resource}"

    def list_unfinished(self, stage: str) -> tuple[BatchRow, ...]:
        """Its unfinished batches that have reached exactly this stage, including failed ones."""
        return tuple(row for row in self.unfinished if row.stage == stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDecision:
    """What happens to the history of an entity whose declaration has changed."""

    rebuild: bool
    """Whether it is rebuilt from all landed batches. Otherwise the new declaration applies from now on."""
    reason: str
    """What has changed, and which setting decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantState:
    """The state of a tenant before a run."""

    tenant: str
    feeds: tuple[FeedState, ...] = ()
    """The feeds that its connections read, see `dependencies.select_resources`."""
    built: frozenset[str] = frozenset()
    """The existing tables, e.g. `silver.ticket`, `gold.dim_customer`, `gold.fact_ticket`. Others are created."""
    schema_decisions: Mapping[str, SchemaDecision] = field(default_factory=dict)
    """The entities whose declaration differs from their stored history."""
    unpublished: frozenset[str] = frozenset()
    """The publications that are new, or whose last write did not succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """The request for a run. An empty request means everything that is missing."""

    source_times: Mapping[str, datetime] = field(default_factory=dict)
    """The current time of the service of each connection. Without the services that did not answer."""
    connections: frozenset[str] = frozenset()
    """Only these connections."""
    resources: frozenset[str] = frozenset()
    """Only these resources."""
    layers: frozenset[Layer] = frozenset()
    """Only these layers. If gold is named, all its tables are built, whether or not their sources changed."""
    since: datetime | None = None
    """Only changes from this instant on."""
    until: datetime | None = None
    """Only changes before this instant."""
    force: bool = False
    """Also read windows that are already committed."""
    chunk: timedelta | None = None
    """The longest window of one read. Default: as declared."""
    fresh: bool = False
    """Drop unfinished reads, and read their windows again from the start."""
    sweep: bool = False
    """Read all ids now, although the next sweep is not due."""
    allow_drop: bool = False
    """Apply deletes even if a sweep finds more than `max_drop` allows."""

    def __post_init__(self) -> None:
        """Refuse a request that contradicts itself. DeclarationError."""
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise DeclarationError(
                "The time span is empty: it ends before it starts.",
                where="--since, --until",
                details=f"{format_instant(self.since)} .. {format_instant(self.until)}",
                hint="`--since` must be before `--until`",
            )
        if self.sweep and (self.since is not None or self.until is not None):
            raise DeclarationError(
                "A sweep reads all ids, so it has no time span.",
                where="--sweep",
                details="--since or --until",
                hint="run the sweep and the time span separately",
            )

    @property
    def has_window(self) -> bool:
        """Whether a span of time is requested, and not only new changes."""
        return self.since is not None or self.until is not None or self.force

    def includes_layer(self, layer: Layer) -> bool:
        """Whether the request includes `layer`."""
        return not self.layers or layer in self.layers

    def includes(self, feed: Feed) -> bool:
        """Whether the request includes `feed`."""
        return (not self.connections or feed.connection in self.connections) and (
            not self.resources or feed.resource in self.resources
        )
