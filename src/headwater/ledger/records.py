"""What the ledger keeps, as values: batches, pages, refused records, leases, connections, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from headwater.batch import Batch, Feed

State = Literal["extracting", "extracted", "transformed", "completed", "failed"]
"""Where a batch is on its way. `failed` keeps the state to go on from in `BatchRow.resume`."""


CLEAR_SECRET_REMOVED: Final = "clear_secret_removed"
"""The finding about a connection in which a secret stood in clear until this version removed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A committed page: its number from 1, the part that holds it, and where the next one begins (None: none)."""

    number: int
    path: str
    rows: int
    size: int
    """Bytes of the part as written, so that a lost or torn part is noticed."""
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch and what became of it."""

    batch: Batch
    state: State
    resume: State = "extracting"
    """The state that a failed batch goes on from."""
    reason: str = ""
    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    pages: int = 0
    parents: tuple[str, ...] = ()
    """The parents' keys that this batch reads, in order, for a resource that hangs below another."""
    started_at: datetime | None = None
    updated_at: datetime | None = None
    tries: int = 1
    """How many times it was begun: 1, and one more each time it went on after it had failed."""
    read_at: datetime | None = None
    """When its read began, by the time agreed on with the service; None for one that an older Headwater read.

    A read that goes on keeps it, one that is begun anew gets another."""
    fingerprint: str = ""
    """What its requests were shaped by when its read began: a read goes on under the same declaration only."""
    credible_until: datetime | None = None
    """By all clocks no record that was read can be from later; None where nobody said, as in an older ledger."""
    proved: bool | None = None
    """Whether the read is proved complete and stable; None where that was never asked, as in an older ledger."""
    disowned: bool = False
    """Whether its window was committed under a clock that was wrong, and counts no more."""

    @property
    def stage(self) -> State:
        """How far it came: its state, or the one that a failed batch goes on from."""
        return self.resume if self.state == "failed" else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A quarantined record: where it stands, and every reason why. The record itself is in the lake."""

    id: str
    """`{batch}:{line}`."""
    batch_id: str
    feed: Feed
    line: int
    """Its line in the raw file of its batch, from 1."""
    key: str
    """Its key as far as it could be read."""
    reasons: tuple[Mapping[str, str], ...]
    """Each with `field`, `value` (shortened) and `rule`."""
    state: Literal["waiting", "readmitted", "discarded"] = "waiting"
    tries: int = 1
    first_seen: datetime | None = None
    last_tried: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One way in which records differ from their contract."""

    field: str
    kind: Literal["new", "missing", "retyped", "repaired"]
    detail: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work alone on `scope` of a tenant, until `expires_at` unless renewed."""

    tenant: str
    scope: str
    holder: str
    """Who holds it: `{host}:{pid}:{start}`, so that a dead holder on the same machine is known to be dead."""
    expires_at: datetime
    since: datetime | None = None
    """When it was first claimed by this holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A connection that lives in the ledger, as declared: connector, settings, secret references, resources."""

    tenant: str
    name: str
    declaration: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """How many records a service had, held against how many of them an entity knows."""

    feed: Feed
    entity: str
    counted_at: datetime
    """As of when: by the time agreed on with the service."""
    numbers: Mapping[str, int]
    """`service`, `here`, and what explains the difference; `unexplained` is what is left."""
    differs_since: datetime | None = None
    """The first count in a row that left something unexplained."""


class RunOutcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    """Every step did."""
    PARTIAL = "partial"
    """Some parts failed, or the warehouse may not have all that the service has."""
    FAILED = "failed"
    """Nothing of what was asked came further."""
    CANCELLED = "cancelled"
    """Somebody asked to stop it."""
    CRASHED = "crashed"
    """It never said how it ended, and another one has begun since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run over a tenant, and how it ended."""

    tenant: str
    id: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: RunOutcome | None = None
    """None: it runs, or it crashed and no other run has begun since."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What it did, in numbers: rows read, versions written."""
