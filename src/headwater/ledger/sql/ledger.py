"""The ledger in SQLite or Postgres. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from headwater.batch import Batch, Feed, Window
from headwater.clock import Clock, SystemClock, from_micros, to_micros
from headwater.errors import StateError
from headwater.events import Finding
from headwater.ledger.base import Ledger
from headwater.ledger.records import (
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
from headwater.ledger.sql import move
from headwater.ledger.sql.database import Database, has_database
from headwater.ledger.sql.queries import (
    batch_states,
    batches,
    discarded_windows,
    leases,
    quarantine,
    record_counts,
    request_budget,
    runs,
    tenants,
    tokens,
    windows,
)


class SqlLedger:
    """A `Ledger` in a SQL database. `url` is a SQLAlchemy URL; a relative SQLite path starts at `root`.

    Opens the ledger, and creates or upgrades it if needed. StateError, with nothing written, if a newer version of
    Headwater wrote it, or if it is damaged or no ledger. Safe for several threads and several processes.
    """

    def __init__(self, url: str, *, root: Path | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._database = Database(url, root=root or Path(), clock=clock)

    @staticmethod
    def exists(url: str, *, root: Path) -> bool:
        """Whether the ledger exists: for SQLite the file; for other databases always True, and opening it shows."""
        return has_database(url, root=root)

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    @property
    def where(self) -> str:
        """Its location, without secrets."""
        return self._database.where

    def count_rows(self) -> Mapping[str, int]:
        """The number of rows of each table."""
        with self._database.read() as tx:
            return move.count_rows(tx)

    def move_to(self, target: Ledger) -> Mapping[str, int]:
        """Move all rows to an empty ledger, and let no run use this one any more."""
        if not isinstance(target, SqlLedger):
            raise StateError(
                "the ledger cannot be moved to this kind of ledger.",
                where=self.where,
                details=type(target).__name__,
                hint="use sqlite:///… or postgresql://…",
            )
        if self._database.is_same(target._database):  # noqa: SLF001 - of the same class
            raise StateError(
                "the ledger is there already.",
                where=self.where,
                details=f"moved to {target.where}",
                hint="use another database, or another schema: append `?schema=NAME` to the URL",
            )
        return move.move_rows(self._database, target._database)  # noqa: SLF001 - of the same class

    def _now(self) -> int:
        return to_micros(self._clock.now())

    # leases
    def claim(self, tenant: str, scope: str, holder: str, *, seconds: float) -> Lease:
        """Claim or renew a lease; LeaseHeld if another live process holds it."""
        with self._database.write(tenant) as tx:
            move.refuse_moved(tx, where=self.where)
            now = self._database.read_now(tx)
            until = now + round(seconds * 1e6)
            lease = Lease(tenant=tenant, scope=scope, holder=holder, expires_at=from_micros(until))
            return leases.claim(tx, lease, now=now, until=until)

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """Extend a lease to `seconds` from now; None if it was lost."""
        with self._database.write(lease.tenant) as tx:
            return leases.renew(tx, lease, until=self._database.read_now(tx) + round(seconds * 1e6))

    def release(self, lease: Lease) -> None:
        """Release a lease; does nothing if this process no longer holds it."""
        with self._database.write(lease.tenant) as tx:
            leases.release(tx, lease)

    def list_leases(self, tenant: str) -> tuple[Lease, ...]:
        """Current leases of a tenant, without those of dead processes."""
        with self._database.read() as tx:
            return leases.list_leases(tx, tenant, now=self._database.read_now(tx))

    # batches and windows
    def list_windows(self, feed: Feed, *, parent: str = "") -> tuple[Window, ...]:
        """Committed windows of a feed (purpose `changes`), sorted and merged."""
        with self._database.read() as tx:
            return windows.list_windows(tx, feed, parent=parent)

    def list_windows_by_parent(self, feed: Feed) -> Mapping[str, tuple[Window, ...]]:
        """Committed windows by parent key."""
        with self._database.read() as tx:
            return windows.list_windows_by_parent(tx, feed)

    def find_latest(self, feed: Feed, *, purpose: str, until: datetime | None = None) -> Batch | None:
        """The newest completely read batch of a purpose; with `until`, of those whose window does not end later."""
        with self._database.read() as tx:
            return batches.find_latest(tx, feed, purpose=purpose, until=until)

    def find_newest_read(self, tenant: str, connection: str) -> datetime | None:
        """When the newest read of a connection began, without discarded windows; None before the first."""
        with self._database.read() as tx:
            return batches.find_newest_read(tx, tenant, connection)

    def count_attempts(self, feed: Feed) -> Mapping[tuple[str, Window], int]:
        """How often a batch of each (purpose, window) of a feed was begun."""
        with self._database.read() as tx:
            return batches.count_attempts(tx, feed)

    def begin_batch(
        self, batch: Batch, *, parents: Sequence[str] = (), read_at: datetime | None = None, fingerprint: str = ""
    ) -> BatchRow:
        """Insert a batch as `extracting`, or return the existing row; a failed batch goes back to its `resume` state."""
        with self._database.write(batch.feed.tenant) as tx:
            start = batch_states.ReadStart(read_at=read_at, fingerprint=fingerprint)
            return batch_states.begin_batch(tx, batch, parents=parents, start=start, now=self._now())

    def restart_batch(self, batch: Batch, *, read_at: datetime, fingerprint: str = "") -> BatchRow:
        """Delete the pages of an `extracting` batch, and begin its read again as of `read_at`."""
        with self._database.write(batch.feed.tenant) as tx:
            start = batch_states.ReadStart(read_at=read_at, fingerprint=fingerprint)
            return batch_states.restart_batch(tx, batch, start=start, now=self._now())

    def abandon_batch(self, batch: Batch) -> None:
        """Delete an `extracting` batch; does nothing if there is no such batch."""
        with self._database.write(batch.feed.tenant) as tx:
            batch_states.abandon_batch(tx, batch)

    def find_batch(self, tenant: str, batch_id: str) -> BatchRow | None:
        """The row of a batch, or None."""
        with self._database.read() as tx:
            return batches.find_batch(tx, tenant, batch_id)

    def list_batches(
        self, tenant: str, *, states: Iterable[State] = (), feed: Feed | None = None, limit: int | None = None
    ) -> tuple[BatchRow, ...]:
        """Batches in the order in which they began; with `limit`, only the newest."""
        with self._database.read() as tx:
            return batches.list_batches(tx, tenant, states=states, feed=feed, limit=limit)

    def discard_windows(self, feed: Feed, *, later_than: datetime, ahead: timedelta | None) -> tuple[BatchRow, ...]:
        """Discard windows that end after `later_than`, or more than `ahead` after their batch began; their batches."""
        # Nearly every run asks in vain, for each feed. A writer makes the runs of other tenants wait, a reader does not.
        with self._database.read() as tx:
            if not discarded_windows.has_late_windows(tx, feed, later_than=later_than, ahead=ahead):
                return ()
        with self._database.write(feed.tenant) as tx:
            return discarded_windows.discard_windows(tx, feed, later_than=later_than, ahead=ahead)

    def list_pages(self, batch: Batch) -> tuple[PageRow, ...]:
        """Committed pages of a batch, in order."""
        with self._database.read() as tx:
            return batches.list_pages(tx, batch)

    def record_page(self, batch: Batch, page: PageRow) -> None:
        """Commit a page and its position in the window."""
        with self._database.write(batch.feed.tenant) as tx:
            batch_states.record_page(tx, batch, page, now=self._now())

    def discard_pages(self, batch: Batch, *, after: int) -> None:
        """Delete the pages with numbers above `after`."""
        with self._database.write(batch.feed.tenant) as tx:
            batch_states.discard_pages(tx, batch, after=after, now=self._now())

    def commit_window(
        self, batch: Batch, *, proved: bool | None = None, credible_until: datetime | None = None
    ) -> None:
        """Mark a batch `extracted`, save whether its read is proved to be complete, and commit its window."""
        with self._database.write(batch.feed.tenant) as tx:
            batch_states.commit_window(tx, batch, proved=proved, credible_until=credible_until, now=self._now())

    def record_landing(self, batch: Batch, *, kept: int, refused: Sequence[RefusedRow], drift: Sequence[Drift]) -> None:
        """Mark a batch `transformed`, with its refused records and its drift."""
        with self._database.write(batch.feed.tenant) as tx:
            batch_states.record_landing(tx, batch, kept=kept, refused=refused, drift=drift, now=self._now())

    def complete_batches(self, batches: Iterable[Batch]) -> None:
        """Mark batches `completed`, all or none."""
        completed = list(batches)
        if not completed:
            return
        with self._database.write(*(batch.feed.tenant for batch in completed)) as tx:
            batch_states.complete_batches(tx, completed, now=self._now())

    def reopen_batches(self, tenant: str, feed: Feed | None = None) -> int:
        """Set landed and completed batches back to `extracted`. Returns their number."""
        with self._database.write(tenant) as tx:
            return batch_states.reopen_batches(tx, tenant, feed, now=self._now())

    def fail_batch(self, batch: Batch, reason: str) -> None:
        """Mark a batch `failed`."""
        with self._database.write(batch.feed.tenant) as tx:
            batch_states.fail_batch(tx, batch, reason, now=self._now())

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
        with self._database.read() as tx:
            return quarantine.list_refused(tx, tenant, feed=feed, states=states, batch_id=batch_id)

    def update_quarantine(self, tenant: str, refused: Sequence[RefusedRow]) -> None:
        """Update state, tries, reasons and times of quarantined records."""
        with self._database.write(tenant) as tx:
            quarantine.update_quarantine(tx, tenant, refused)

    def list_drift(self, tenant: str, feed: Feed | None = None) -> tuple[tuple[Feed, Drift], ...]:
        """Drift from the contracts: the newest of each feed, field and kind."""
        with self._database.read() as tx:
            return quarantine.list_drift(tx, tenant, feed)

    # marks
    def get_mark(self, tenant: str, name: str) -> str | None:
        """The value of a mark."""
        with self._database.read() as tx:
            return tenants.get_mark(tx, tenant, name)

    def set_mark(self, tenant: str, name: str, value: str) -> None:
        """Set a mark."""
        with self._database.write(tenant) as tx:
            tenants.set_mark(tx, tenant, name, value)

    # tenants and connections
    def list_tenants(self) -> tuple[str, ...]:
        """Tenants that are stored in the ledger, sorted."""
        with self._database.read() as tx:
            return tenants.list_tenants(tx)

    def list_tenants_with_runs(self) -> tuple[str, ...]:
        """Tenants with at least one run, whether or not they are still declared, sorted."""
        with self._database.read() as tx:
            return runs.list_tenants_with_runs(tx)

    def add_tenant(self, tenant: str) -> None:
        """Add a tenant; StateError if it exists."""
        with self._database.write(tenant) as tx:
            tenants.add_tenant(tx, tenant)

    def remove_tenant(self, tenant: str) -> None:
        """Delete a tenant, its connections and all its rows."""
        with self._database.write(tenant) as tx:
            tenants.remove_tenant(tx, tenant)

    def list_connections(self, tenant: str) -> tuple[ConnectionRow, ...]:
        """Connections of a tenant that are stored in the ledger."""
        with self._database.read() as tx:
            return tenants.list_connections(tx, tenant)

    def add_connection(self, connection: ConnectionRow) -> None:
        """Add or replace a connection."""
        with self._database.write(connection.tenant) as tx:
            tenants.add_connection(tx, connection)

    def remove_connection(self, tenant: str, name: str) -> None:
        """Delete a connection and its tokens, if it exists. The state of its reads stays."""
        with self._database.write(tenant) as tx:
            tenants.remove_connection(tx, tenant, name)
            tokens.forget_token(tx, tenant, name)

    # tokens
    def find_token(self, tenant: str, connection: str) -> TokenRow | None:
        """The tokens of a connection, or None."""
        with self._database.read() as tx:
            return tokens.find_token(tx, tenant, connection)

    def claim_token(self, tenant: str, connection: str, holder: str, *, seconds: float) -> TokenRow:
        """Claim the right to renew tokens; LeaseHeld if another live process has it."""
        with self._database.write(tenant) as tx:
            move.refuse_moved(tx, where=self.where)
            now = self._database.read_now(tx)
            return tokens.claim_token(tx, tenant, connection, holder, now=now, until=now + round(seconds * 1e6))

    def release_token(self, tenant: str, connection: str, holder: str, *, interrupted: bool = False) -> None:
        """Release a claim without new tokens."""
        with self._database.write(tenant) as tx:
            tokens.release_token(tx, tenant, connection, holder, interrupted=interrupted)

    def save_token(self, tenant: str, connection: str, value: str, *, revision: int | None = None) -> int | None:
        """Save tokens; None if those of `revision` are no longer the current ones."""
        with self._database.write_durably(tenant) as tx:
            move.refuse_moved(tx, where=self.where)
            return tokens.save_token(tx, tenant, connection, value, revision=revision, now=self._now())

    def forget_token(self, tenant: str, connection: str) -> bool:
        """Delete the tokens of a connection. Whether there were any."""
        with self._database.write(tenant) as tx:
            return tokens.forget_token(tx, tenant, connection)

    # runs and findings
    def start_run(self, tenant: str, run: str) -> None:
        """Record that a run began; runs of the tenant that have not ended are marked as crashed."""
        with self._database.write(tenant) as tx:
            runs.start_run(tx, tenant, run, now=self._database.read_now(tx))

    def end_run(self, tenant: str, run: str, *, outcome: RunOutcome, counts: Mapping[str, int]) -> None:
        """Record how a run ended."""
        with self._database.write(tenant) as tx:
            runs.end_run(tx, tenant, run, outcome=outcome, counts=counts, now=self._database.read_now(tx))

    def list_runs(self, tenant: str, *, limit: int = 20) -> tuple[RunRow, ...]:
        """The newest runs, newest first."""
        with self._database.read() as tx:
            return runs.list_runs(tx, tenant, limit=limit)

    def list_last_successes(self) -> Mapping[str, datetime]:
        """When the newest successful run of each tenant ended, without tenants that have none."""
        with self._database.read() as tx:
            return runs.list_last_successes(tx)

    def save_findings(self, tenant: str, table: str, findings: Sequence[Finding]) -> None:
        """Save the findings of a build of `table`. They replace those of earlier builds."""
        with self._database.write(tenant) as tx:
            runs.save_findings(tx, tenant, table, findings)

    def list_findings(self, tenant: str) -> tuple[Finding, ...]:
        """The findings of the newest build of each table."""
        with self._database.read() as tx:
            return runs.list_findings(tx, tenant)

    # record counts
    def save_counts(self, tenant: str, counts: Sequence[CountRow]) -> None:
        """Save counts. They replace the previous counts of the same feed and entity."""
        with self._database.write(tenant) as tx:
            record_counts.save_counts(tx, tenant, counts)

    def list_counts(self, tenant: str) -> tuple[CountRow, ...]:
        """The newest count of each feed and entity, in that order."""
        with self._database.read() as tx:
            return record_counts.list_counts(tx, tenant)

    # request limits that processes share
    def grant_requests(self, scope: str, *, limit: int, count: int) -> RequestGrant:
        """Grant up to `count` requests of a limit of `limit` per minute."""
        with self._database.write(f"requests {scope}") as tx:
            now = self._database.read_now(tx)
            return request_budget.grant_requests(tx, scope, limit=limit, count=count, now=now)

    def pause_requests(self, scope: str, *, seconds: float) -> None:
        """Grant no requests of this scope for so long."""
        with self._database.write(f"requests {scope}") as tx:
            now = self._database.read_now(tx)
            request_budget.pause_requests(tx, scope, until=now + round(seconds * 1e6), now=now)
