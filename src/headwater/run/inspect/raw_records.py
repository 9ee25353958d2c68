"""Reads the raw records of a history from the lake, without requests to a service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from headwater.bronze.land import RAW
from headwater.bronze.rewrite import read_lines
from headwater.clock import to_micros
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow
from headwater.model.entity import Entity
from headwater.run.pipeline.inputs import build_mappings, list_files
from headwater.run.results import RawRecord, VersionChange
from headwater.run.workspace import TenantWorkspace
from headwater.silver.mapping import LandedBatch
from headwater.silver.query import find_raw_lines
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb.engine import DuckDB


def add_raw_records(
    workspace: TenantWorkspace, entity: Entity, key: str, moments: Sequence[VersionChange]
) -> tuple[VersionChange, ...]:
    """Add to each version the records of the key in its batch, as of its instant."""
    lake = workspace.open_lake()
    instants_by_batch: dict[str, set[int]] = defaultdict(set)
    for moment in moments:
        instants_by_batch[moment.batch_id].add(to_micros(moment.at))
    records: dict[str, dict[int, tuple[RawRecord, ...]]] = {}
    with closing(DuckDB(workspace.tenant, ":memory:")) as scratch:
        for batch_id, instants in instants_by_batch.items():
            row = workspace.ledger.find_batch(workspace.tenant, batch_id)
            if row is not None and row.batch.purpose != "sweep":
                lines = _find_lines(workspace, scratch, lake, entity, row, key=key)
                records[batch_id] = _read_records(lake, row, {at: lines.get(at, ()) for at in instants})
    return tuple(
        replace(moment, records=records.get(moment.batch_id, {}).get(to_micros(moment.at), ())) for moment in moments
    )


def _find_lines(
    workspace: TenantWorkspace, scratch: Warehouse, lake: Lake, entity: Entity, row: BatchRow, *, key: str
) -> dict[int, tuple[int, ...]]:
    """The lines of a batch with records of the key, by sequence."""
    feed = row.batch.feed
    connection = workspace.load_connections().get(feed.connection)
    source = f"{connection.connector}.{feed.resource}" if connection else ""
    if source not in entity.sources:
        return {}
    batch = LandedBatch(source=source, batch=row.batch, files=list_files(row.batch, lake))
    lines: dict[int, tuple[int, ...]] = {}
    for sequence, line in find_raw_lines(
        scratch, entity, build_mappings(workspace.parent, entity)[source], batch, key=key
    ):
        lines[sequence] = (*lines.get(sequence, ()), line)
    return lines


def _read_records(
    lake: Lake, row: BatchRow, lines_by_sequence: Mapping[int, Sequence[int]]
) -> dict[int, tuple[RawRecord, ...]]:
    """Read these lines of the raw file of a batch. Empty if the file no longer exists."""
    path = lake.build_batch_path("raw", row.batch, RAW)
    numbers = sorted({line for lines in lines_by_sequence.values() for line in lines})
    if not numbers or lake.read_size(path) is None:
        return {}
    texts = dict(zip(numbers, read_lines(lake, path, numbers), strict=True))
    return {
        at: tuple(RawRecord(path=path, line=line, record=_decode(texts[line])) for line in lines)
        for at, lines in lines_by_sequence.items()
    }


def _decode(line: bytes) -> str:
    return line.rstrip(b"\n").decode("utf-8", errors="replace")
