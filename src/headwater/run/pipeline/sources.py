"""The feeds of a tenant: the resources that its connections read, their contracts, and their state in the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from headwater.batch import Batch, Feed
from headwater.bronze.contract import with_overrides
from headwater.clock import EPOCH, parse_instant, parse_span
from headwater.errors import DeclarationError
from headwater.extract.delta_link import find_valid_link
from headwater.gold.change_feed import FeedPositions, read_positions
from headwater.gold.dimension.rekey import find_outdated
from headwater.gold.news import find_tables_with_news
from headwater.gold.star import Star
from headwater.ledger.base import BatchRow, Ledger
from headwater.model.entity import Entity
from headwater.model.field import build_nodes
from headwater.model.project import Connection, Policy
from headwater.model.resource import Resource
from headwater.plan.dependencies import Dependencies, build_dependencies, select_resources
from headwater.plan.state import FeedState, SchemaDecision, TenantState
from headwater.run.clients import check_resources, locate_connection
from headwater.run.pipeline.publication_marks import find_unpublished
from headwater.run.plugins import InstalledConnector
from headwater.run.workspace import TenantWorkspace, Workspace
from headwater.silver.schema.diff import decide_schemas
from headwater.silver.schema.migrate import find_migrated
from headwater.version import __version__
from headwater.warehouse.base import SchemaName, Warehouse
from headwater.wire.cursor import ChangeFilter, Delta
from headwater.wire.instant_format import check_zone
from headwater.wire.template import fill, find_placeholders


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A feed with its declarations."""

    feed: Feed
    plugin: InstalledConnector
    connection: Connection
    resource: Resource
    """The resource, with the defaults of the connector."""
    policy: Policy

    @property
    def name(self) -> str:
        """Its name in the `sources` of entities: `connector.resource`."""
        return f"{self.plugin.connector.connector}.{self.resource.resource}"

    @property
    def contract(self) -> type[BaseModel]:
        """The contract of its records, with the types that the project overrides. The first use builds its classes."""
        return with_overrides(self.plugin.contracts[self.resource.resource], self.policy.fields)

    @property
    def fields(self) -> tuple[str, ...]:
        """The top-level fields of its contract, without omitted ones."""
        overridden = self.policy.fields
        nodes = build_nodes(self.contract) if overridden else self.plugin.contracts.get_nodes(self.resource.resource)
        names = (node.key for node in nodes)
        return tuple(name for name in names if name not in self.resource.omit)


def load_sources(workspace: TenantWorkspace, view: Dependencies | None = None) -> dict[Feed, Source]:
    """Load all feeds of a tenant, parents before their children."""
    dependencies = view or build_dependencies(workspace.declarations)
    sources: dict[Feed, Source] = {}
    for name, connection in workspace.load_connections().items():
        plugin = workspace.find_connector(connection.connector, where=locate_connection(workspace, name))
        check_resources(workspace, name, connection, plugin)
        defaults = {key: one.default for key, one in plugin.connector.settings.items() if one.default is not None}
        settings = {**defaults, **connection.settings}
        for declared in select_resources(plugin.connector, dependencies, named=connection.resources):
            resource = _apply_connection(declared, connection, settings)
            feed = Feed(tenant=workspace.tenant, connection=name, resource=resource.resource)
            policy = workspace.project.policies.get(f"{connection.connector}.{resource.resource}", Policy())
            sources[feed] = Source(feed=feed, plugin=plugin, connection=connection, resource=resource, policy=policy)
    return sources


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseState:
    """The state of a tenant's warehouse, for planning."""

    built: frozenset[str] = frozenset()
    """The existing tables, e.g. `silver.ticket` and `gold.dim_customer`."""
    schema_decisions: Mapping[str, SchemaDecision] = field(default_factory=dict)
    """The entities whose declaration differs from their stored history."""
    migrated: Mapping[str, Entity] = field(default_factory=dict)
    """The entities whose tables are as they need them, each as its history goes on."""
    positions: FeedPositions | None = None
    """How far the tables of gold are; None if that was not read."""
    fingerprint: int = 0
    """See `compute_fingerprint`; 0 if it was not computed."""


def read_warehouse_state(workspace: TenantWorkspace, warehouse: Warehouse, *, excluded: str = "") -> WarehouseState:
    """Read the state of a warehouse. DeclarationErrors if a declaration changed without `on_schema_change`."""
    layers: tuple[SchemaName, ...] = ("silver", "gold")
    built = frozenset(f"{layer}.{name}" for layer in layers for name in warehouse.tables(layer))
    entities = [item for name, item in workspace.declarations.entities.items() if name != excluded]
    decisions = {
        name: SchemaDecision(rebuild=item.rebuild, reason=item.why)
        for name, item in decide_schemas(warehouse, entities).items()
    }
    # A table whose keys do not match the declaration counts as missing, so that the run rebuilds its keys.
    stale = find_outdated(warehouse, workspace.declarations.dimensions.values(), built)
    migrated = find_migrated(warehouse, [item for item in entities if item.entity not in decisions])
    positions, fingerprint = _read_positions(warehouse), compute_fingerprint(workspace.parent)
    # So does a table with news, e.g. because its last step failed, or because its declaration changed.
    behind = _find_tables_with_news(workspace, positions, fingerprint) if positions else frozenset()
    return WarehouseState(
        built=built - stale - behind,
        schema_decisions=decisions,
        migrated=migrated,
        positions=positions,
        fingerprint=fingerprint,
    )


def _read_positions(warehouse: Warehouse) -> FeedPositions | None:
    """How far the tables of gold are; None before the first run, or in a warehouse that an older version wrote."""
    known = set(warehouse.tables("meta"))
    return read_positions(warehouse) if {"consumer_offset", "change_feed", "batch"} <= known else None


def _find_tables_with_news(workspace: TenantWorkspace, positions: FeedPositions, fingerprint: int) -> frozenset[str]:
    declared = workspace.declarations
    star = Star(declarations=declared, settings=workspace.project.settings)
    tables = (*declared.dimensions.values(), *declared.facts.values())
    return frozenset(f"gold.{name}" for name in find_tables_with_news(positions, star, tables, declared=fingerprint))


def compute_fingerprint(workspace: Workspace) -> int:
    """A number that differs for other declarations, settings or versions of Headwater."""
    settings = json.dumps(dict(workspace.project.settings), sort_keys=True)
    text = "\n".join((__version__, settings, workspace.declarations.model_dump_json()))
    return int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)


def load_state(
    workspace: TenantWorkspace,
    sources: Mapping[Feed, Source],
    warehouse_state: WarehouseState,
    times: Mapping[str, datetime] | None = None,
) -> TenantState:
    """Load the state of a tenant's feeds from the ledger. `times`: the current time of each connection."""
    times_by_connection = times or {}
    unfinished = workspace.ledger.list_batches(
        workspace.tenant, states=("extracting", "extracted", "transformed", "failed")
    )
    feeds = tuple(
        load_feed_state(workspace.ledger, source, unfinished, now=times_by_connection.get(feed.connection))
        for feed, source in sources.items()
    )
    return TenantState(
        tenant=workspace.tenant,
        feeds=feeds,
        built=warehouse_state.built,
        schema_decisions=warehouse_state.schema_decisions,
        unpublished=find_unpublished(workspace.ledger, workspace.tenant, workspace.project.publish),
    )


def load_feed_state(
    ledger: Ledger, source: Source, unfinished: Iterable[BatchRow], *, now: datetime | None = None
) -> FeedState:
    """Load the state of one feed from the ledger. Complete reads that end after `now` are ignored."""
    feed, connector = source.feed, source.plugin.connector
    snapshot, sweep = (ledger.find_latest(feed, purpose=purpose, until=now) for purpose in ("snapshot", "sweep"))
    return FeedState(
        feed=feed,
        connector=connector.connector,
        resource=source.resource,
        hold_back=parse_span(connector.hold_back),
        begins=parse_instant(source.connection.since) if source.connection.since else EPOCH,
        committed=ledger.list_windows(feed),
        parents=ledger.list_windows_by_parent(feed) if source.resource.parent else {},
        unfinished=tuple(row for row in unfinished if row.batch.feed == feed),
        attempts=ledger.count_attempts(feed),
        last_snapshot=_find_end(snapshot),
        has_link=isinstance(source.resource.cursor, Delta)
        and find_valid_link(ledger, feed, source.resource) is not None,
        last_sweep=_find_end(sweep),
    )


def _apply_connection(declared: Resource, connection: Connection, settings: Mapping[str, str]) -> Resource:
    """A resource with the settings of a connection. `every` of a resource with a parent is that of its unchanged parents."""
    name, parent = declared.resource, declared.parent
    update: dict[str, Any] = {"overlap": connection.overlap.get(name, declared.overlap)}
    if name in connection.every:
        every = connection.every[name]
        update |= {"parent": parent.model_copy(update={"every": every})} if parent else {"every": every}
    return declared.model_copy(update={**update, **_fill_zone(declared, settings)})


def _fill_zone(declared: Resource, settings: Mapping[str, str]) -> dict[str, Any]:
    """The cursor with the time zone that a connection sets, if the manifest names a setting for it."""
    cursor = declared.cursor
    if not isinstance(cursor, ChangeFilter) or not find_placeholders(cursor.zone):
        return {}
    where = f"zone of the cursor of {declared.resource} ({declared.origin})"
    zone = fill(cursor.zone, settings, where=where)
    try:
        return {"cursor": cursor.model_copy(update={"zone": check_zone(zone)})}
    except ValueError as error:
        raise DeclarationError(
            "The time zone of a connection is not known.", where=where, details=zone, hint=str(error)
        ) from None


def _find_end(batch: Batch | None) -> datetime | None:
    return batch.window.until if batch else None
