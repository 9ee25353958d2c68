"""Refused records: listed, shown, tried again under today's rules from the lake alone, or discarded."""

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
from headwater.run.pipeline.context import RunContext
from headwater.run.pipeline.inputs import arrival_of
from headwater.run.pipeline.options import Asked
from headwater.run.pipeline.run import alone, run_alone
from headwater.run.pipeline.services import Services
from headwater.run.pipeline.sources import Source, sources_of
from headwater.run.pipeline.steps import Work
from headwater.run.results import Readmitted
from headwater.run.workspace import TenantWorkspace
from headwater.silver.mapping import LandedBatch
from headwater.silver.schema.migrate import create_meta_tables


def refused(
    workspace: TenantWorkspace, *, connection: str | None = None, resource: str | None = None, everything: bool = False
) -> tuple[RefusedRow, ...]:
    """The refused records that wait; with `everything`, those readmitted and discarded too."""
    states = ("waiting", "readmitted", "discarded") if everything else ("waiting",)
    rows = workspace.ledger.list_refused(workspace.tenant, states=states)
    return tuple(
        row for row in rows if connection in (None, row.feed.connection) and resource in (None, row.feed.resource)
    )


def refused_record(workspace: TenantWorkspace, record: str) -> tuple[RefusedRow, str]:
    """A refused record and its text, byte for byte as the service sent it."""
    row = _chosen(workspace, ids=(record,), connection=None, resource=None, everything=True)[0]
    return row, read_record(row, workspace.lake()).decode(errors="replace")


def discard(
    workspace: TenantWorkspace, *, ids: Sequence[str] = (), connection: str | None = None, resource: str | None = None
) -> int:
    """Let refused records go; how many. They stay in raw, and in the list of all."""
    rows = _chosen(workspace, ids=ids, connection=connection, resource=resource)
    workspace.ledger.update_quarantine(
        workspace.tenant, [replace(row, state="discarded", last_tried=workspace.clock.now()) for row in rows]
    )
    return len(rows)


def retry(
    workspace: TenantWorkspace, *, ids: Sequence[str] = (), connection: str | None = None, resource: str | None = None
) -> Readmitted:
    """Try refused records again under today's rules, from the lake; those that pass go on into history and star.

    What a batch holds is in silver before the ledger says so: killed in between, the next try changes nothing twice.
    """
    rows = _chosen(workspace, ids=ids, connection=connection, resource=resource)
    if not rows:
        return Readmitted(tried=0, readmitted=0, refused=0)
    with alone(workspace) as check:
        sources = sources_of(workspace)
        with closing(workspace.warehouse()) as warehouse:
            nul = warehouse.capabilities.holds_nul
        tried = _tried(workspace, sources, rows, nul=nul)
        passed = [row for one in tried.values() for row in one.readmitted]
        if passed:
            _conform(workspace, sources, {batch: len(one.readmitted) for batch, one in tried.items()})
        workspace.ledger.update_quarantine(
            workspace.tenant, [row for one in tried.values() for row in (*one.readmitted, *one.refused)]
        )
        if passed:
            run_alone(workspace, Asked(sources=False), RunContext(listen=workspace.listen, check_lease=check))
    return Readmitted(tried=len(rows), readmitted=len(passed), refused=len(rows) - len(passed))


def _tried(
    workspace: TenantWorkspace, sources: Mapping[Feed, Source], rows: Sequence[RefusedRow], *, nul: bool
) -> dict[str, RetryResult]:
    by_batch: dict[str, list[RefusedRow]] = defaultdict(list)
    for row in rows:
        by_batch[row.batch_id].append(row)
    lake, now = workspace.owned_lake(), workspace.clock.now()
    found: dict[str, RetryResult] = {}
    for batch_id, waiting in by_batch.items():
        source, known = sources.get(waiting[0].feed), workspace.ledger.find_batch(workspace.tenant, batch_id)
        if source is None or known is None:
            hint = "restore the connection or resource, or discard the records"
            raise StateError(
                "the resource of a record is no longer declared",
                where=str(waiting[0].feed),
                details=batch_id,
                hint=hint,
            )
        found[batch_id] = retry_batch(known.batch, waiting, source.resource, source.contract, lake, now=now, nul=nul)
    return found


def _conform(workspace: TenantWorkspace, sources: Mapping[Feed, Source], readmitted: Mapping[str, int]) -> None:
    """Take the batches of which records were readmitted into the history of every entity that they feed."""
    batches = [batch for batch, count in readmitted.items() if count]
    rows = [row for batch in batches if (row := workspace.ledger.find_batch(workspace.tenant, batch)) is not None]
    with closing(workspace.warehouse()) as warehouse:
        create_meta_tables(warehouse)
        work = Work(
            workspace=workspace,
            context=RunContext(listen=workspace.listen),
            sources=sources,
            services=Services(clock=workspace.clock),
            lake=workspace.lake(),
            open_warehouse=lambda: warehouse,
            holds_nul=warehouse.capabilities.holds_nul,
        )
        for name, entity in workspace.declarations.entities.items():
            arrivals = [
                _arrival(workspace, work, row, readmitted)
                for row in rows
                if sources[row.batch.feed].name in entity.sources
            ]
            if arrivals:
                work.conform(name, arrivals)


def _arrival(workspace: TenantWorkspace, work: Work, row: BatchRow, readmitted: Mapping[str, int]) -> LandedBatch:
    """A batch with its readmitted records, which the ledger still counts among the refused."""
    found = arrival_of(workspace.ledger, work.lake, work.sources[row.batch.feed], row)
    return replace(found, refused=max(0, found.refused - readmitted[row.batch.id]))


def _chosen(
    workspace: TenantWorkspace,
    *,
    ids: Sequence[str],
    connection: str | None,
    resource: str | None,
    everything: bool = False,
) -> tuple[RefusedRow, ...]:
    rows = refused(workspace, connection=connection, resource=resource, everything=everything)
    if not ids:
        return rows
    known = {row.id: row for row in rows}
    for one in ids:
        if one not in known:
            hint = "`headwater quarantine list` lists the records in quarantine"
            raise StateError("the record is not in quarantine", where="quarantine", details=one, hint=hint)
    return tuple(known[one] for one in ids)
