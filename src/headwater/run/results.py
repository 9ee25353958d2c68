"""The results of the functions of `run.app`, as plain values."""

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
"""The reason for a step that was skipped because of a stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """The result of one step of a plan."""

    step: str
    """Its id, e.g. `extract:desk/tickets/..`, `conform:ticket`, `build:dim_company`."""
    state: StepState
    detail: str = ""
    """A summary: rows read, rows written, or why it was skipped."""
    waits_for: tuple[str, ...] = ()
    """For a skipped step: the steps that it needs and that did not succeed."""
    error: HeadwaterError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCount:
    """The number of records of a resource in its service and in the warehouse."""

    connection: str
    resource: str
    entity: str
    counted_at: datetime
    numbers: Mapping[str, int]
    """`service`, `here`, what explains the difference, and the `unexplained` rest."""
    line: str
    """The numbers as text."""
    differs_since: datetime | None = None
    """The first of the consecutive counts with an unexplained difference."""


_EXIT_CODES = {RunOutcome.SUCCEEDED: 0, RunOutcome.PARTIAL: 3, RunOutcome.CANCELLED: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The report of a run of one tenant."""

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
    """Table -> (rows deleted, rows inserted), without unchanged tables."""
    findings: tuple[Finding, ...] = ()
    counts: tuple[RecordCount, ...] = ()
    """The record counts of this run."""
    notes: tuple[str, ...] = ()
    """Notes of the plan, e.g. a part of the requested time span that is not read."""
    steps: tuple[StepResult, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 succeeded, 3 partial or cancelled, 1 failed."""
        return _EXIT_CODES.get(self.outcome, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The declarations of a valid project."""

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
    """The state of one resource of one connection."""

    connection: str
    resource: str
    until: datetime | None
    """All changes before this instant are in raw. None: nothing yet."""
    windows: int
    """The number of committed windows after merging. More than one means gaps."""
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
    """The state of a tenant."""

    tenant: str
    warehouse: str
    """The location of its tables, e.g. the path of the DuckDB file."""
    feeds: tuple[FeedStatus, ...]
    tables: tuple[TableStatus, ...]
    last_run: Mapping[str, Any] | None
    counts: tuple[RecordCount, ...] = ()
    """The newest count of each resource that can be counted."""
    running: str = ""
    """The process that holds the lease; empty if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """The rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The lineage and the SQL of a table."""

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
    """The result of a retry of quarantined records."""

    tried: int
    readmitted: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A column whose value changed."""

    column: str
    old: Any
    """None for the first version."""
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record as the service sent it, and its location in the lake."""

    path: str
    line: int
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """A version in the history of one record, and the changes that created it."""

    at: datetime
    until: datetime | None
    """None for the last one."""
    kind: Literal["first", "changed", "deleted", "absent", "back"]
    """`first` version; `changed`; `deleted` by the service; `absent` from a complete read; `back` after an absence."""
    batch_id: str
    changes: tuple[Change, ...] = ()
    """The changed columns; for the first version, all columns with a value."""
    connection: str = ""
    source: str = ""
    """The resource of the batch, as `connector.resource`."""
    read_at: datetime | None = None
    """When the batch was read."""
    records: tuple[RawRecord, ...] = ()
    """The raw records of the version, if requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The version history of one record."""

    entity: str
    entity_key: str
    events: int
    """The number of events in the change log. An event without a change creates no version."""
    overwritten: Mapping[str, Any]
    """Columns with `history: overwrite`, with their newest value."""
    moments: tuple[VersionChange, ...]
