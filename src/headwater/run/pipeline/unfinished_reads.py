"""Unfinished reads that cannot resume: their declaration has changed, or the user requested a restart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from headwater.batch import Feed
from headwater.errors import DeclarationError
from headwater.events import EventListener, ReadDropped
from headwater.extract.fingerprint import build_fingerprint
from headwater.extract.page_files import PageFiles
from headwater.extract.request_params import ReadRequest
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger
from headwater.plan.state import RunRequest, TenantState
from headwater.run.pipeline.sources import Source
from headwater.run.secrets import fill_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRead:
    """An unfinished read to drop, so that its window is planned again."""

    row: BatchRow
    reason: str


def find_stale_reads(
    ledger: Ledger, tenant: str, sources: Mapping[Feed, Source], run_request: RunRequest
) -> tuple[StaleRead, ...]:
    """The unfinished reads in the request that cannot resume."""
    if not run_request.includes_layer("raw"):
        return ()
    stale: list[StaleRead] = []
    for row in ledger.list_batches(tenant, states=("extracting", "failed")):
        feed = row.batch.feed
        if (
            row.stage != "extracting"
            or row.batch.purpose == "verify"
            or feed not in sources
            or not run_request.includes(feed)
        ):
            continue
        if run_request.fresh or run_request.force:
            stale.append(StaleRead(row=row, reason="a restart was requested"))
        elif _is_changed(sources[feed], row):
            stale.append(
                StaleRead(row=row, reason="the declaration of its requests has changed since the read started")
            )
    return tuple(stale)


def remove_stale(state: TenantState, stale: Iterable[StaleRead]) -> TenantState:
    """The state without the dropped reads."""
    ids = {read.row.batch.id for read in stale}
    feeds = (
        replace(feed, unfinished=tuple(row for row in feed.unfinished if row.batch.id not in ids))
        for feed in state.feeds
    )
    return replace(state, feeds=tuple(feeds)) if ids else state


def drop_reads(stale: Iterable[StaleRead], *, ledger: Ledger, lake: Lake, listen: EventListener) -> None:
    """Drop unfinished reads, their pages first, and emit an event for each."""
    for read in stale:
        batch = read.row.batch
        PageFiles(batch, lake).clear()
        ledger.abandon_batch(batch)
        listen(ReadDropped(tenant=batch.feed.tenant, batch=batch, pages=read.row.pages, why=read.reason))


def _is_changed(source: Source, row: BatchRow) -> bool:
    connector = source.plugin.connector
    try:
        settings = fill_settings(source.connection, connector, where=str(source.feed))
        request = ReadRequest(resource=source.resource, fields=source.fields)
        return row.fingerprint != build_fingerprint(connector, settings, request, row.batch.purpose)
    except DeclarationError:
        # The error is reported when the run connects. Until then nothing is dropped.
        return False
