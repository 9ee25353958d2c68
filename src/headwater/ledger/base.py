"""What a ledger can do: claim, record, commit, advance. Every call names a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

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
    RunOutcome,
    RunRow,
    State,
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
    "PageRow",
    "RefusedRow",
    "RunOutcome",
    "RunRow",
    "State",
]


class LedgerPlugin(Protocol):
    """What an entry point of the group `headwater.ledgers` names. Its name is the scheme of the URLs that it takes."""

    def __call__(self, url: str, *, root: Path) -> Ledger:
        """The ledger at `url`, made or brought to today's version. Relative paths count from `root`."""
        ...

    def exists(self, url: str, *, root: Path) -> bool:
        """Whether there is a ledger already. Nothing is made."""
        ...


class Ledger(Protocol):
    """Memory that survives a run. Every write is one transaction; a repeated one changes nothing."""

    def close(self) -> None:
        """Let go of the store."""
        ...

    # leases
    def claim(self, tenant: str, scope: str, holder: str, *, seconds: float) -> Lease:
        """Take or renew a lease. LeaseHeld (who, since when, until when) if another living holder has it."""
        ...

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """Hold a lease for `seconds` from now; None when it was lost: given back, or taken by another."""
        ...

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is no longer ours."""
        ...

    def leases(self, tenant: str) -> tuple[Lease, ...]:
        """Leases of a tenant that are held now, by living holders as far as one can tell."""
        ...

    # batches and windows
    def windows(self, feed: Feed, *, parent: str = "") -> tuple[Window, ...]:
        """Committed windows of a feed's changes, sorted and merged."""
        ...

    def windows_by_parent(self, feed: Feed) -> Mapping[str, tuple[Window, ...]]:
        """Committed windows by parent key, for a resource that hangs below another."""
        ...

    def find_latest(self, feed: Feed, *, purpose: str, until: datetime | None = None) -> Batch | None:
        """The newest completely read batch of that purpose: when a feed was last swept, or read as a snapshot.

        With `until`, the newest whose window does not end later: what is dated in the future tells nothing.
        """
        ...

    def find_newest_read(self, tenant: str, connection: str) -> datetime | None:
        """When the newest read of a connection that is believed began; None before the first."""
        ...

    def count_attempts(self, feed: Feed) -> Mapping[tuple[str, Window], int]:
        """How often each (purpose, window) of a feed was begun."""
        ...

    def begin_batch(
        self, batch: Batch, *, parents: Sequence[str] = (), read_at: datetime | None = None, fingerprint: str = ""
    ) -> BatchRow:
        """Record a batch as `extracting`, or return what is known of it; a failed one is put back to its `resume`.

        `read_at` and `fingerprint` are kept with the first page: before it, those of the newest try count.
        """
        ...

    def restart_batch(self, batch: Batch, *, read_at: datetime, fingerprint: str = "") -> BatchRow:
        """Forget the pages of a batch that is being read, and begin it as of `read_at`."""
        ...

    def abandon_batch(self, batch: Batch) -> None:
        """Forget a batch that was never read to its end, with its pages; nothing happens when nobody knows it."""
        ...

    def find_batch(self, tenant: str, batch_id: str) -> BatchRow | None:
        """What is known of a batch."""
        ...

    def batches(
        self, tenant: str, *, states: Iterable[State] = (), feed: Feed | None = None, limit: int | None = None
    ) -> tuple[BatchRow, ...]:
        """Batches in the order in which they began; all states unless named; with `limit`, only the newest."""
        ...

    def discard_windows(self, feed: Feed, *, later_than: datetime, ahead: timedelta | None) -> tuple[BatchRow, ...]:
        """Believe no window that ends after `later_than`, or by more than `ahead` after its batch began. Those batches.

        Committed spans lose such windows, so that they are read again; a batch that is still being read is forgotten.
        """
        ...

    def pages(self, batch: Batch) -> tuple[PageRow, ...]:
        """Committed pages of a batch, in order."""
        ...

    def record_page(self, batch: Batch, page: PageRow) -> None:
        """Commit a page and its place in the window. The part must be in the lake before, and no page left out."""
        ...

    def discard_pages(self, batch: Batch, *, after: int) -> None:
        """Drop the pages numbered above `after` (their parts were lost), so that they are read again."""
        ...

    def commit_window(
        self, batch: Batch, *, proved: bool | None = None, credible_until: datetime | None = None
    ) -> None:
        """Mark a batch `extracted` and commit its window (of changes, for each parent), in one transaction.

        `proved`: whether the read is proved complete and stable; nothing is absent that only an unproved one lacks.
        `credible_until`: by all clocks, no record that was read can be from later.
        """
        ...

    def record_landing(self, batch: Batch, *, kept: int, refused: Sequence[RefusedRow], drift: Sequence[Drift]) -> None:
        """Mark a batch `transformed`, with its refused records and its drift, in one transaction.

        StateError unless rows read = kept + refused. What a person discarded stays discarded.
        """
        ...

    def complete_batches(self, batches: Iterable[Batch]) -> None:
        """Mark batches `completed`: their rows are in silver."""
        ...

    def reopen_batches(self, tenant: str, feed: Feed | None = None) -> int:
        """Put landed and completed batches back to `extracted`, so that all after raw is built again. How many."""
        ...

    def fail_batch(self, batch: Batch, reason: str) -> None:
        """Mark a batch `failed`; it keeps its pages and goes on from where it was on the next run."""
        ...

    # what was refused, what differed
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
        """Write back state, tries, reasons and times of quarantined records; their batches count them anew."""
        ...

    def drift(self, tenant: str, feed: Feed | None = None) -> tuple[tuple[Feed, Drift], ...]:
        """What differed from the contracts, newest batch of each feed and field."""
        ...

    # marks: small facts by name, e.g. when a resource was last swept
    def get_mark(self, tenant: str, name: str) -> str | None:
        """The value of a mark."""
        ...

    def set_mark(self, tenant: str, name: str, value: str) -> None:
        """Set a mark."""
        ...

    # tenants and connections that live in the ledger
    def tenants(self) -> tuple[str, ...]:
        """Tenants that live in the ledger, sorted."""
        ...

    def tenants_with_runs(self) -> tuple[str, ...]:
        """Tenants of which a run is remembered, wherever they are or were declared, sorted."""
        ...

    def add_tenant(self, tenant: str) -> None:
        """Add a tenant; StateError if it exists."""
        ...

    def remove_tenant(self, tenant: str) -> None:
        """Forget a tenant, its connections and all its rows."""
        ...

    def connections(self, tenant: str) -> tuple[ConnectionRow, ...]:
        """Connections of a tenant that live in the ledger."""
        ...

    def add_connection(self, connection: ConnectionRow) -> None:
        """Add or replace a connection."""
        ...

    # runs, and what they found
    def start_run(self, tenant: str, run: str) -> None:
        """Record that a run began. Runs of the tenant that never ended have crashed."""
        ...

    def end_run(self, tenant: str, run: str, *, outcome: RunOutcome, counts: Mapping[str, int]) -> None:
        """Record how a run ended."""
        ...

    def runs(self, tenant: str, *, limit: int = 20) -> tuple[RunRow, ...]:
        """The newest runs, the newest first."""
        ...

    def save_findings(self, tenant: str, table: str, findings: Sequence[Finding]) -> None:
        """Put what a build of `table` found in the place of what earlier builds had found there."""
        ...

    def findings(self, tenant: str) -> tuple[Finding, ...]:
        """What the newest build of each table found."""
        ...

    # how many records there are
    def save_counts(self, tenant: str, counts: Sequence[CountRow]) -> None:
        """Put counts in the place of those of the same feed and entity.

        `differs_since` is kept from the count before while something is left unexplained, and is its own otherwise.
        """
        ...

    def counts(self, tenant: str) -> tuple[CountRow, ...]:
        """The newest count of each feed and entity, in that order."""
        ...
