"""What the verbs of `run.app` answer: plain values that every face can print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from headwater.errors import HeadwaterError
from headwater.events import Finding
from headwater.ledger.base import RunOutcome

StepState = Literal["succeeded", "failed", "skipped"]
"""How a step ended."""

STOPPED = "a stop was requested"
"""Why a step was skipped that would have been done otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of one step of a plan."""

    step: str
    """Its id, e.g. `extract:desk/tickets/..`, `conform:ticket`, `build:dim_company`."""
    state: StepState
    detail: str = ""
    """A few words: rows read, rows written, or why it was skipped."""
    error: HeadwaterError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCount:
    """How many records of a resource its service had, and how many are here."""

    connection: str
    resource: str
    entity: str
    counted_at: datetime
    numbers: Mapping[str, int]
    """`service`, `here`, what explains the difference, and what is left `unexplained`."""
    line: str
    """The same in words."""
    differs_since: datetime | None = None
    """The first count in a row that left something unexplained."""


_EXIT_CODES = {RunOutcome.SUCCEEDED: 0, RunOutcome.PARTIAL: 3, RunOutcome.CANCELLED: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A whole run of one tenant."""

    tenant: str
    outcome: RunOutcome
    seconds: float
    requests: int = 0
    """Requests sent to services."""
    rows: int = 0
    """Records read."""
    kept: int = 0
    quarantined: int = 0
    written: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Table -> (rows deleted, rows inserted); tables that did not change are left out."""
    findings: tuple[Finding, ...] = ()
    counts: tuple[RecordCount, ...] = ()
    """What was counted in this run: how many records a service has, and how many are here."""
    steps: tuple[StepResult, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 succeeded, 3 partial or cancelled, 1 failed."""
        return _EXIT_CODES.get(self.outcome, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What `check` found in good order."""

    project: str
    connectors: tuple[str, ...]
    entities: tuple[str, ...]
    dimensions: tuple[str, ...]
    facts: tuple[str, ...]
    tenants: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    """E.g. a secret reference that does not resolve on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """How far one resource of one connection is."""

    connection: str
    resource: str
    until: datetime | None
    """Everything that changed before this is in raw (None: nothing yet)."""
    windows: int
    """Committed windows, after merging; more than one means gaps."""
    rows: int
    waiting: int
    """Batches that are not completed."""
    failed: str = ""
    """Why the newest batch failed, if it did."""
    quarantined: int = 0
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStatus:
    """One table of the warehouse."""

    layer: str
    table: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a tenant stands."""

    tenant: str
    warehouse: str
    """Where its tables are, e.g. the DuckDB file's path."""
    feeds: tuple[FeedStatus, ...]
    tables: tuple[TableStatus, ...]
    last_run: Mapping[str, Any] | None
    counts: tuple[RecordCount, ...] = ()
    """The newest count of each resource that can be counted."""
    running: str = ""
    """Who holds the lease now, if anyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """The rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a table comes about."""

    name: str
    kind: Literal["entity", "dimension", "fact"]
    declared: str
    """Where it is declared: file and line."""
    lineage: tuple[tuple[str, str, str], ...]
    """(column, expression, source fields) of each column."""
    sql: tuple[str, ...]
    """The statements that build it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryReport:
    """What a retry of quarantined records did."""

    tried: int
    readmitted: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A column that has another value than before."""

    column: str
    old: Any
    """None for the first version."""
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record as the service sent it, and where it stands in the lake."""

    path: str
    line: int
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """A version in the history of one record, and what began it."""

    at: datetime
    until: datetime | None
    """None: it lasts."""
    kind: Literal["first", "changed", "deleted", "absent", "back"]
    """`first` seen; `changed`; `deleted` by the service's word; `absent` from a complete read; `back` after it was gone."""
    batch_id: str
    changes: tuple[Change, ...] = ()
    """What differs from before; of the first version, all that is known."""
    connection: str = ""
    source: str = ""
    """`connector.resource`, of which the batch is."""
    read_at: datetime | None = None
    """When the batch was read."""
    records: tuple[RawRecord, ...] = ()
    """The raw records that say so, where they were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The version history of one record."""

    entity: str
    entity_key: str
    events: int
    """Observations in the change log; those that said nothing new made no version."""
    overwritten: Mapping[str, Any]
    """Columns without versions of their own, with their newest value."""
    moments: tuple[VersionChange, ...]
