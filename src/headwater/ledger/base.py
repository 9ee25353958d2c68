"""The protocol that every ledger implements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from headwater.batch import Batch, Feed, Window
from headwater.events import Finding
from headwater.ledger.records import (
    CLEAR_SECRET_REMOVED,
    BatchRow,
    ConnectionRow,
    CountRow,
    Drift,
    Lease,
    PageRow,
    RefusedRow,
    RequestGrant,
    RunOutcome,
    RunRow,
    State,
    TokenRow,
)

__all__ = [
    "CLEAR_SECRET_REMOVED",
    "BatchRow",
    "ConnectionRow",
    "CountRow",
    "Drift",
    "Lease",
    "Ledger",
    "LedgerPlugin",
    "MovableLedger",
    "PageRow",
    "RefusedRow",
    "RequestGrant",
    "RunOutcome",
    "RunRow",
    "State",
    "TokenRow",
]


class LedgerPlugin(Protocol):
    """What an entry point in the group `headwater.ledgers` refers to. The name of the entry point is the URL scheme."""

    def __call__(self, url: str, *, root: Path) -> Ledger:
        """Open the ledger at `url`; create or upgrade it if needed. Relative paths start at `root`."""
        ...

    def exists(self, url: str, *, root: Path) -> bool:
        """Whether the ledger exists. This call creates nothing."""
        ...


@runtime_checkable
class MovableLedger(Protocol):
    """A ledger that can be moved to another one of its kind."""

    @property
    def where(self) -> str:
        """Its location, without secrets."""
        ...

    def count_rows(self) -> Mapping[str, int]:
        """The number of rows of each table."""
        ...

    def move_to(self, target: Ledger) -> Mapping[str, int]:
        """Move all rows to an empty ledger, and let no run use this one any more. Returns the number of rows by table.

        LeaseHeld while a run is in progress, StateError if the target is not empty. Then nothing was changed.
        """
        ...


class Ledger(Protocol):
    """The state that persists between runs. Every write is one transaction, and repeating it changes nothing."""

    def close(self) -> None:
        """Close the connections to the database."""
        ...

    # leases
    def claim(self, tenant: str, scope: str, holder: str, *, seconds: float) -> Lease:
        """Claim or renew a lease for `seconds`. LeaseHeld (by whom, since when, until when) if another live process holds it."""
        ...

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """Extend a lease to `seconds` from now; None if it was lost: released, or claimed by another process."""
        ...

    def release(self, lease: Lease) -> None:
        """Release a lease; does nothing if this process no longer holds it."""
        ...

    def list_leases(self, tenant: str) -> tuple[Lease, ...]:
        """Current leases of a tenant. Leases of processes that are known to be dead are left out."""
        ...

    # batches and windows
    def list_windows(self, feed: Feed, *, parent: str = "") -> tuple[Window, ...]:
        """Committed windows of a feed (purpose `changes`), sorted and merged."""
        ...

    def list_windows_by_parent(self, feed: Feed) -> Mapping[str, tuple[Window, ...]]:
        """Committed windows by parent key, for a child resource."""
        ...

    def find_latest(self, feed: Feed, *, purpose: str, until: datetime | None = None) -> Batch | None:
        """The newest completely read batch of a purpose: the last sweep or snapshot of a feed.

        With `until`, the newest whose window does not end later: a batch from the future proves nothing.
        """
        ...

    def find_newest_read(self, tenant: str, connection: str) -> datetime | None:
        """When the newest read of a connection began, without discarded windows; None before the first."""
        ...

    def count_attempts(self, feed: Feed) -> Mapping[tuple[str, Window], int]:
        """How often a batch of each (purpose, window) of a feed was begun."""
        ...

    def begin_batch(
        self, batch: Batch, *, parents: Sequence[str] = (), read_at: datetime | None = None, fingerprint: str = ""
    ) -> BatchRow:
        """Insert a batch as `extracting`, or return the existing row; a failed batch goes back to its `resume` state.

        Until the first page is recorded, the `read_at` and `fingerprint` of the newest try replace earlier ones.
        """
        ...

    def restart_batch(self, batch: Batch, *, read_at: datetime, fingerprint: str = "") -> BatchRow:
        """Delete the pages of an `extracting` batch, and begin its read again as of `read_at`."""
        ...

    def abandon_batch(self, batch: Batch) -> None:
        """Delete an `extracting` batch with its pages; does nothing if there is no such batch."""
        ...

    def find_batch(self, tenant: str, batch_id: str) -> BatchRow | None:
        """The row of a batch, or None."""
        ...

    def list_batches(
        self, tenant: str, *, states: Iterable[State] = (), feed: Feed | None = None, limit: int | None = None
    ) -> tuple[BatchRow, ...]:
        """Batches in the order in which they began. Without `states`, of all states; with `limit`, only the newest."""
        ...

    def discard_windows(self, feed: Feed, *, later_than: datetime, ahead: timedelta | None) -> tuple[BatchRow, ...]:
        """Discard windows that end after `later_than`, or more than `ahead` after their batch began. Returns their batches.

        The windows are removed from the committed spans, so that they are read again. A batch that is `extracting` is
        deleted.
        """
        ...

    def list_pages(self, batch: Batch) -> tuple[PageRow, ...]:
        """Committed pages of a batch, in order."""
        ...

    def record_page(self, batch: Batch, page: PageRow) -> None:
        """Commit a page and its position in the window. Its file must be in the lake. StateError if a page is skipped."""
        ...

    def discard_pages(self, batch: Batch, *, after: int) -> None:
        """Delete the pages with numbers above `after` (their files were lost), so that they are read again."""
        ...

    def commit_window(
        self, batch: Batch, *, proved: bool | None = None, credible_until: datetime | None = None
    ) -> None:
        """Mark a batch `extracted` and commit its window (if it reads changes, for each parent), in one transaction.

        `proved`: whether the read is proved to be complete. Only a proved read shows that records are absent.
        `credible_until`: the latest time that a record in the read can have, by all clocks.
        """
        ...

    def record_landing(self, batch: Batch, *, kept: int, refused: Sequence[RefusedRow], drift: Sequence[Drift]) -> None:
        """Mark a batch `transformed`, with its refused records and its drift, in one transaction.

        StateError unless rows read = kept + refused. A record that a user discarded stays discarded.
        """
        ...

    def complete_batches(self, batches: Iterable[Batch]) -> None:
        """Mark batches `completed`: their rows are in silver."""
        ...

    def reopen_batches(self, tenant: str, feed: Feed | None = None) -> int:
        """Set landed and completed batches back to `extracted`, for a rebuild from raw. Returns their number."""
        ...

    def fail_batch(self, batch: Batch, reason: str) -> None:
        """Mark a batch `failed`. It keeps its pages, and the next run resumes it."""
        ...

    # quarantine and drift
    def list_refused(
        self,
        tenant: str,
        *,
        feed: Feed | None = None,
        states: Iterable[str] = ("waiting",),
        batch_id: str | None = None,
    ) -> tuple[RefusedRow, ...]:
        """Quarantined records."""
        ...

    def update_quarantine(self, tenant: str, refused: Sequence[RefusedRow]) -> None:
        """Update state, tries, reasons and times of quarantined records, and the row counts of their batches."""
        ...

    def list_drift(self, tenant: str, feed: Feed | None = None) -> tuple[tuple[Feed, Drift], ...]:
        """Drift from the contracts, from the newest batch of each feed and field."""
        ...

    # marks: small values by name, e.g. the clock of a connection
    def get_mark(self, tenant: str, name: str) -> str | None:
        """The value of a mark."""
        ...

    def set_mark(self, tenant: str, name: str, value: str) -> None:
        """Set a mark."""
        ...

    # tenants and connections
    def list_tenants(self) -> tuple[str, ...]:
        """Tenants that are stored in the ledger, sorted."""
        ...

    def list_tenants_with_runs(self) -> tuple[str, ...]:
        """Tenants with at least one run, whether or not they are still declared, sorted."""
        ...

    def add_tenant(self, tenant: str) -> None:
        """Add a tenant; StateError if it exists."""
        ...

    def remove_tenant(self, tenant: str) -> None:
        """Delete a tenant, its connections and all its rows."""
        ...

    def list_connections(self, tenant: str) -> tuple[ConnectionRow, ...]:
        """Connections of a tenant that are stored in the ledger."""
        ...

    def add_connection(self, connection: ConnectionRow) -> None:
        """Add or replace a connection."""
        ...

    def remove_connection(self, tenant: str, name: str) -> None:
        """Delete a connection and its tokens, if it exists. The state of its reads stays."""
        ...

    # tokens of the logins of connections, encrypted
    def find_token(self, tenant: str, connection: str) -> TokenRow | None:
        """The tokens of a connection, or None."""
        ...

    def claim_token(self, tenant: str, connection: str, holder: str, *, seconds: float) -> TokenRow:
        """Claim the right to renew the tokens of a connection for `seconds`, and return the current ones.

        LeaseHeld if another live process has it, StateError if there are no tokens.
        """
        ...

    def release_token(self, tenant: str, connection: str, holder: str, *, interrupted: bool = False) -> None:
        """Release a claim without new tokens. `interrupted`: whether a request was sent whose answer is not known."""
        ...

    def save_token(self, tenant: str, connection: str, value: str, *, revision: int | None = None) -> int | None:
        """Save tokens, end any claim, and return their revision.

        With `revision`, they follow those tokens: None, with nothing saved, if these are no longer the current ones.
        """
        ...

    def forget_token(self, tenant: str, connection: str) -> bool:
        """Delete the tokens of a connection. Whether there were any."""
        ...

    # runs and findings
    def start_run(self, tenant: str, run: str) -> None:
        """Record that a run began. Runs of the tenant that have not ended are marked as crashed."""
        ...

    def end_run(self, tenant: str, run: str, *, outcome: RunOutcome, counts: Mapping[str, int]) -> None:
        """Record how a run ended."""
        ...

    def list_runs(self, tenant: str, *, limit: int = 20) -> tuple[RunRow, ...]:
        """The newest runs, newest first."""
        ...

    def list_last_successes(self) -> Mapping[str, datetime]:
        """When the newest successful run of each tenant ended, without tenants that have none."""
        ...

    def save_findings(self, tenant: str, table: str, findings: Sequence[Finding]) -> None:
        """Save the findings of a build of `table`. They replace those of earlier builds."""
        ...

    def list_findings(self, tenant: str) -> tuple[Finding, ...]:
        """The findings of the newest build of each table."""
        ...

    # record counts
    def save_counts(self, tenant: str, counts: Sequence[CountRow]) -> None:
        """Save counts. They replace the previous counts of the same feed and entity.

        `differs_since` is taken from the previous count while there is an unexplained difference.
        """
        ...

    def list_counts(self, tenant: str) -> tuple[CountRow, ...]:
        """The newest count of each feed and entity, in that order."""
        ...

    # request limits that processes share
    def grant_requests(self, scope: str, *, limit: int, count: int) -> RequestGrant:
        """Grant up to `count` requests of a limit of `limit` per minute, so that no minute has more in all processes."""
        ...

    def pause_requests(self, scope: str, *, seconds: float) -> None:
        """Grant no requests of this scope for so long. A longer pause is kept."""
        ...
