"""The rows of the ledger, as values: batches, pages, refused records, leases, connections, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from headwater.batch import Batch, Feed

State = Literal["extracting", "extracted", "transformed", "completed", "failed"]
"""The state of a batch. For a `failed` batch, `BatchRow.resume` is the state that it continues from."""


CLEAR_SECRET_REMOVED: Final = "clear_secret_removed"
"""The finding about a connection that contained a secret in clear text, which an upgrade removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A committed page: its number from 1, its file, and where the next page begins (None: it was the last)."""

    number: int
    path: str
    rows: int
    size: int
    """The size of the file in bytes, to detect a lost or incomplete file."""
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch and its state."""

    batch: Batch
    state: State
    resume: State = "extracting"
    """The state that a failed batch continues from."""
    reason: str = ""
    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    pages: int = 0
    parents: tuple[str, ...] = ()
    """The keys of the parents that this batch reads, in order, for a child resource."""
    started_at: datetime | None = None
    updated_at: datetime | None = None
    tries: int = 1
    """How many times it was begun: 1, and one more for each time it resumed after a failure."""
    read_at: datetime | None = None
    """When its read began, in the time agreed on with the service; None if an older version of Headwater read it.

    A read that resumes keeps it, and a read that restarts gets a new one."""
    fingerprint: str = ""
    """Of the declaration of its requests when its read began. A read resumes only with the same declaration."""
    credible_until: datetime | None = None
    """The latest time that a record in the read can have, by all clocks; None if unknown, as in an older ledger."""
    proved: bool | None = None
    """Whether the read is proved to be complete; None if unknown, as in an older ledger."""
    disowned: bool = False
    """Whether its window was discarded because it was committed under a wrong clock."""

    @property
    def stage(self) -> State:
        """The state that it has reached: `state`, or `resume` for a failed batch."""
        return self.resume if self.state == "failed" else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A quarantined record: its location, its state and all reasons. The record itself is in the lake."""

    id: str
    """`{batch}:{line}`."""
    batch_id: str
    feed: Feed
    line: int
    """Its line in the raw file of its batch, from 1."""
    key: str
    """Its key, as far as it could be read."""
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
    """The owner, `{host}:{pid}:{start}`, so that a dead process on the same machine can be detected."""
    expires_at: datetime
    since: datetime | None = None
    """When this owner claimed it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A connection that is stored in the ledger, as declared: connector, settings, secret references, resources."""

    tenant: str
    name: str
    declaration: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """The tokens of the login of a connection, encrypted."""

    value: str = field(repr=False)
    """The tokens, encrypted with a key that the ledger does not have."""
    revision: int
    """Grows with each token that is saved."""
    saved_at: datetime
    interrupted: bool = False
    """Whether a process asked for a new token and never learned the answer: the service may have replaced this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """How many records a service has, compared with how many of them an entity has."""

    feed: Feed
    entity: str
    counted_at: datetime
    """When they were counted, in the time agreed on with the service."""
    numbers: Mapping[str, int]
    """`service`, `here`, and what explains the difference. The rest is `unexplained`."""
    differs_since: datetime | None = None
    """The first of the consecutive counts with an unexplained difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestGrant:
    """The answer to a request for a share of a limit that processes share."""

    count: int
    """How many requests may be sent; 0 if none is left at the moment."""
    seconds: float
    """How long the grant is valid; for 0 requests, how long to wait until the next try."""


class RunOutcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    """All steps succeeded."""
    PARTIAL = "partial"
    """Some parts failed, or the warehouse may not have all that the service has."""
    FAILED = "failed"
    """No requested feed made progress."""
    CANCELLED = "cancelled"
    """A user stopped it."""
    CRASHED = "crashed"
    """Its end was never recorded, and another run has begun since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run over a tenant, and how it ended."""

    tenant: str
    id: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: RunOutcome | None = None
    """None if it is running, or if it crashed and no other run has begun since."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The numbers of the run: rows read, versions written."""
