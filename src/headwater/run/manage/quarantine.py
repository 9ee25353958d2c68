"""`quarantine`: list, show, retry and discard refused records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from headwater.batch import Feed
from headwater.bronze.quarantine import RetryResult, read_record
from headwater.bronze.quarantine import retry_records as retry_batch
from headwater.errors import StateError
from headwater.ledger.base import BatchRow, RefusedRow
from headwater.plan.state import AFTER_RAW, RunRequest
from headwater.run.pipeline.context import RunContext
from headwater.run.pipeline.inputs import load_landed
from headwater.run.pipeline.run import lock_tenant, run_locked
from headwater.run.pipeline.services import Services
from headwater.run.pipeline.sources import Source, load_sources
from headwater.run.pipeline.steps import StepRunner
from headwater.run.results import RetryReport
from headwater.run.workspace import TenantWorkspace
from headwater.silver.mapping import LandedBatch
from headwater.silver.schema.migrate import create_meta_tables


def list_refused(
    workspace: TenantWorkspace,
    *,
    connection: str | None = None,
    resource: str | None = None,
    include_closed: bool = False,
) -> tuple[RefusedRow, ...]:
    """The records in quarantine; with `include_closed`, also readmitted and discarded ones."""
    states = ("waiting", "readmitted", "discarded") if include_closed else ("waiting",)
    rows = workspace.ledger.list_refused(workspace.tenant, states=states)
    return tuple(
        row for row in rows if connection in (None, row.feed.connection) and resource in (None, row.feed.resource)
    )


def read_refused(workspace: TenantWorkspace, record: str) -> tuple[RefusedRow, str]:
    """A refused record, and its text as the service sent it."""
    row = _choose_records(workspace, ids=(record,), connection=None, resource=None, include_closed=True)[0]
    return row, read_record(row, workspace.open_lake()).decode(errors="replace")


def discard(
    workspace: TenantWorkspace, *, ids: Sequence[str] = (), connection: str | None = None, resource: str | None = None
) -> int:
    """Discard refused records, and return their number. They stay in raw, and in `quarantine list --all`."""
    rows = _choose_records(workspace, ids=ids, connection=connection, resource=resource)
    workspace.ledger.update_quarantine(
        workspace.tenant, [replace(row, state="discarded", last_tried=workspace.clock.now()) for row in rows]
    )
    return len(rows)


def retry(
    workspace: TenantWorkspace, *, ids: Sequence[str] = (), connection: str | None = None, resource: str | None = None
) -> RetryReport:
    """Retry refused records with the current contracts and policies, from the lake. Readmitted records continue to gold.

    The records are written to silver before the ledger is updated, so that a retry after a kill changes nothing twice.
    """
    rows = _choose_records(workspace, ids=ids, connection=connection, resource=resource)
    if not rows:
        return RetryReport(tried=0, readmitted=0, refused=0)
    with lock_tenant(workspace) as check:
        sources = load_sources(workspace)
        with closing(workspace.open_warehouse()) as warehouse:
            holds_nul = warehouse.capabilities.holds_nul
        results = _retry_batches(workspace, sources, rows, holds_nul=holds_nul)
        passed = [row for result in results.values() for row in result.readmitted]
        if passed:
            _conform(workspace, sources, {batch: len(result.readmitted) for batch, result in results.items()})
        workspace.ledger.update_quarantine(
            workspace.tenant, [row for result in results.values() for row in (*result.readmitted, *result.refused)]
        )
        if passed:
            run_locked(workspace, RunRequest(layers=AFTER_RAW), RunContext(listen=workspace.listen, check_lease=check))
    return RetryReport(tried=len(rows), readmitted=len(passed), refused=len(rows) - len(passed))


def _retry_batches(
    workspace: TenantWorkspace, sources: Mapping[Feed, Source], rows: Sequence[RefusedRow], *, holds_nul: bool
) -> dict[str, RetryResult]:
    by_batch: dict[str, list[RefusedRow]] = defaultdict(list)
    for row in rows:
        by_batch[row.batch_id].append(row)
    lake, now = workspace.open_owned_lake(), workspace.clock.now()
    results: dict[str, RetryResult] = {}
    for batch_id, waiting in by_batch.items():
        source, batch_row = sources.get(waiting[0].feed), workspace.ledger.find_batch(workspace.tenant, batch_id)
        if source is None or batch_row is None:
            hint = "restore the connection or resource, or discard the records"
            raise StateError(
                "the resource of a record is no longer declared",
                where=str(waiting[0].feed),
                details=batch_id,
                hint=hint,
            )
        results[batch_id] = retry_batch(
            batch_row.batch, waiting, source.resource, source.contract, lake, now=now, allow_nul=holds_nul
        )
    return results


def _conform(workspace: TenantWorkspace, sources: Mapping[Feed, Source], readmitted: Mapping[str, int]) -> None:
    """Merge the batches with readmitted records into the history of each entity that they feed."""
    batches = [batch for batch, count in readmitted.items() if count]
    rows = [row for batch in batches if (row := workspace.ledger.find_batch(workspace.tenant, batch)) is not None]
    with closing(workspace.open_warehouse()) as warehouse:
        create_meta_tables(warehouse)
        runner = StepRunner(
            workspace=workspace,
            context=RunContext(listen=workspace.listen),
            sources=sources,
            services=Services(clock=workspace.clock),
            lake=workspace.open_lake(),
            open_warehouse=lambda: warehouse,
            holds_nul=warehouse.capabilities.holds_nul,
        )
        for name, entity in workspace.declarations.entities.items():
            batches_of_entity = [
                _load_batch(workspace, runner, row, readmitted)
                for row in rows
                if sources[row.batch.feed].name in entity.sources
            ]
            if batches_of_entity:
                runner.conform(name, batches_of_entity)


def _load_batch(
    workspace: TenantWorkspace, runner: StepRunner, row: BatchRow, readmitted: Mapping[str, int]
) -> LandedBatch:
    """A batch with its readmitted records, which the ledger still counts as refused."""
    batch = load_landed(workspace.ledger, runner.lake, runner.sources[row.batch.feed], row)
    return replace(batch, refused=max(0, batch.refused - readmitted[row.batch.id]))


def _choose_records(
    workspace: TenantWorkspace,
    *,
    ids: Sequence[str],
    connection: str | None,
    resource: str | None,
    include_closed: bool = False,
) -> tuple[RefusedRow, ...]:
    rows = list_refused(workspace, connection=connection, resource=resource, include_closed=include_closed)
    if not ids:
        return rows
    by_id = {row.id: row for row in rows}
    for record_id in ids:
        if record_id not in by_id:
            hint = "`headwater quarantine list` lists the records in quarantine"
            raise StateError("the record is not in quarantine", where="quarantine", details=record_id, hint=hint)
    return tuple(by_id[record_id] for record_id in ids)
