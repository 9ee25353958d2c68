"""Connects to the services of a tenant: a client for each connection, and the time agreed on with the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from headwater.batch import Batch, Feed
from headwater.clock import Clock
from headwater.errors import DeclarationError, HeadwaterError, ServiceError
from headwater.events import EventListener, discard
from headwater.extract.client import Client
from headwater.extract.rate_limit import RateLimiters
from headwater.model.project import Connection
from headwater.plan.state import RunRequest
from headwater.run.account import check_account
from headwater.run.clients import open_client
from headwater.run.pipeline.source_clock import AgreedTime, ClockReading, agree_on_time, name_mark, parse_clock_reading
from headwater.run.pipeline.sources import Source
from headwater.run.workspace import TenantWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """By connection: its client and its time, or why the service could not be reached."""

    clients: Mapping[str, Client] = field(default_factory=dict)
    times: Mapping[str, AgreedTime] = field(default_factory=dict)
    """The time agreed on with the service when the run connected."""
    unreachable: Mapping[str, HeadwaterError] = field(default_factory=dict)
    newest_reads: Mapping[str, datetime] = field(default_factory=dict)
    """When the newest read before this run began."""
    first_connected: Mapping[str, datetime] = field(default_factory=dict)
    """When the run connected first, if its steps are executed one by one and each connects again."""
    clock: Clock
    connected_at: float = 0.0
    """When the run connected, in seconds of `clock.monotonic`."""

    @property
    def now(self) -> dict[str, datetime]:
        """The time of each connection when the run connected."""
        return {name: agreed.now for name, agreed in self.times.items()}

    @property
    def began(self) -> dict[str, datetime]:
        """When the run connected first. All later reads belong to this run."""
        return {name: min(now, self.first_connected.get(name, now)) for name, now in self.now.items()}

    def find_client(self, connection: str) -> Client:
        """The client of a connection. If its service could not be reached, raise the error."""
        if connection in self.unreachable:
            raise self.unreachable[connection]
        return self.clients[connection]

    def estimate_time(self, batch: Batch) -> datetime | None:
        """The current time, as agreed on with the service; never before the end of the window of `batch`.

        Never before a read of an earlier run either: services report whole seconds, and clocks may be set back slightly.
        """
        agreed = self.times.get(batch.feed.connection)
        if agreed is None:
            return None
        before = self.newest_reads.get(batch.feed.connection)
        began = agreed.now if before is None else max(agreed.now, before + timedelta(microseconds=1))
        return max(began + self._measure_elapsed(), batch.window.until)

    def estimate_latest_stamp(self, batch: Batch) -> datetime:
        """The latest credible stamp at this moment. It allows for the duration of the read, and for a clock that is behind."""
        agreed = self.times.get(batch.feed.connection)
        return (agreed.credible if agreed else batch.window.until) + self._measure_elapsed()

    def _measure_elapsed(self) -> timedelta:
        return timedelta(seconds=max(0.0, self.clock.monotonic() - self.connected_at))


def connect(
    workspace: TenantWorkspace,
    request: RunRequest,
    sources: Mapping[Feed, Source],
    stack: ExitStack,
    *,
    listen: EventListener = discard,
    clock: Clock | None = None,
) -> Services:
    """Open a client for each requested connection, closed by `stack`, and agree on the time with its service."""
    clients: dict[str, Client] = {}
    times: dict[str, AgreedTime] = {}
    unreachable: dict[str, HeadwaterError] = {}
    rate_limiters = RateLimiters(workspace.ledger)
    connections = (
        {feed.connection: source.connection for feed, source in sources.items()}
        if request.includes_layer("raw")
        else {}
    )
    for name, connection in connections.items():
        if request.connections and name not in request.connections:
            continue
        try:
            client = open_client(workspace, name, connection, rate_limiters=rate_limiters, listen=listen, clock=clock)
            times[name] = _agree_with_service(workspace, name, connection, stack.enter_context(client))
            clients[name] = client
        except (ServiceError, DeclarationError) as error:
            unreachable[name] = error
    return Services(
        clients=clients,
        times=times,
        unreachable=unreachable,
        clock=workspace.clock,
        connected_at=workspace.clock.monotonic(),
    )


def _agree_with_service(workspace: TenantWorkspace, name: str, connection: Connection, client: Client) -> AgreedTime:
    """The time agreed on with the service of a connection. DeclarationError if the connection reads another account."""
    reading = ClockReading(service=client.read_service_time(), machine=workspace.clock.now())
    check_account(workspace, name, client)
    previous = parse_clock_reading(workspace.ledger.get_mark(workspace.tenant, name_mark(name)))
    counts = "service" if client.has_simulated_clock else connection.clock
    return agree_on_time(reading, previous, counts=counts, has_service_clock=client.connector.clock is not None)


def find_newest_reads(workspace: TenantWorkspace, connections: Iterable[str]) -> dict[str, datetime]:
    """When the newest read of each connection began."""
    newest = {name: workspace.ledger.find_newest_read(workspace.tenant, name) for name in connections}
    return {name: instant for name, instant in newest.items() if instant is not None}
