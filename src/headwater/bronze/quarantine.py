"""Where refused records wait: read one again, or try them again under today's contract, from the lake alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from headwater.batch import Batch
from headwater.bronze.drift import DriftReport
from headwater.bronze.jsonl import write_lines
from headwater.bronze.land import INDEX, WAITING, effective_contract, read_parents
from headwater.bronze.parquet_writer import Lines, ParquetWriter, TypeMismatch, find_custom_fields, open_writer
from headwater.bronze.rewrite import read_lines, wrap_record
from headwater.bronze.schema import BronzeSchema, build_schema
from headwater.bronze.validate import RecordResult, RecordValidator
from headwater.errors import LakeError
from headwater.lake.base import Lake
from headwater.ledger.base import Drift, RefusedRow
from headwater.model.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryResult:
    """What became of waiting records, with their states, tries and reasons as the ledger shall keep them."""

    readmitted: tuple[RefusedRow, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    drift: tuple[Drift, ...] = ()


def read_record(row: RefusedRow, lake: Lake) -> bytes:
    """A waiting record, byte for byte as the service sent it."""
    index = json.loads(lake.read(lake.build_path("quarantine", row.feed, row.batch_id, INDEX)))
    path = lake.build_path("quarantine", row.feed, row.batch_id, WAITING)
    if row.line not in index:
        raise LakeError("This record is not in quarantine.", where=path, details=row.id)
    found = next(read_lines(lake, path, {index.index(row.line) + 1}), None)
    if found is None:
        raise LakeError("A quarantine file is shorter than its index.", where=path, details=row.id)
    return found[:-1]


def retry_records(
    batch: Batch,
    rows: Sequence[RefusedRow],
    resource: Resource,
    contract: type[BaseModel],
    lake: Lake,
    *,
    now: datetime,
    nul: bool = True,
) -> RetryResult:
    """Judge waiting records of one batch again; the readmitted ones go to `{batch}.retry-{n}.parquet`."""
    held = effective_contract(contract, resource, batch)
    omit = resource.omit if batch.purpose != "sweep" else ()
    shape = build_schema(held, omit, bag=resource.custom_fields)
    judge = RecordValidator(held, shape, resource.key, nul=nul)
    report = DriftReport(shape=shape)
    verdicts = {row.line: judge.validate(row.line, read_record(row, lake)) for row in rows}
    for verdict in verdicts.values():
        report.add_result(verdict)
    _readmit(batch, resource, shape, lake, [verdict for verdict in verdicts.values() if not verdict.reasons])
    settled = [_to_retried_row(row, verdicts[row.line], now) for row in rows]
    return RetryResult(
        readmitted=tuple(row for row in settled if row.state == "readmitted"),
        refused=tuple(row for row in settled if row.state != "readmitted"),
        drift=report.drift(),
    )


def list_retry_files(batch: Batch, lake: Lake) -> tuple[str, ...]:
    """The bronze files of records that a batch readmitted later, in order."""
    start = lake.path("bronze", batch, ".retry-")
    return tuple(path for path in lake.list_batch("bronze", batch) if path.startswith(start))


def _to_retried_row(row: RefusedRow, verdict: RecordResult, now: datetime) -> RefusedRow:
    if verdict.reasons:
        return replace(row, reasons=verdict.reasons, key=verdict.key, tries=row.tries + 1, last_tried=now)
    return replace(row, state="readmitted", key=verdict.key, tries=row.tries + 1, last_tried=now)


def _readmit(batch: Batch, resource: Resource, shape: BronzeSchema, lake: Lake, kept: Sequence[RecordResult]) -> None:
    """Write the records that are not yet in a file of an earlier try (one whose news did not reach the ledger)."""
    before = list_retry_files(batch, lake)
    path = lake.path("bronze", batch, f".retry-{len(before) + 1}.parquet")
    scratch = lake.scratch(path)
    with open_writer(scratch) as duck:
        landed = {line for file in before for line in duck.read_line_numbers(lake.url(file))}
        fresh = sorted((verdict for verdict in kept if verdict.line not in landed), key=lambda verdict: verdict.line)
        if not fresh:
            return
        parents = read_parents(batch, resource, lake)
        lines = (wrap_record(verdict.line, parents.parent_of(verdict.line), verdict.record) for verdict in fresh)
        _write_parquet(duck, resource, shape, scratch, lines)
    lake.adopt(scratch, path)


def _write_parquet(
    duck: ParquetWriter, resource: Resource, shape: BronzeSchema, scratch: str, lines: Iterator[bytes]
) -> None:
    place = f"{scratch}.staged.tmp"
    try:
        write_lines(place, lines)
        staged = Lines(url=place, staged=True, parents=resource.parent is not None)
        bag = find_custom_fields(shape, resource.custom_fields)
        ids = duck.read_field_names(staged, bag) if bag is not None else {}
        duck.write(staged, shape, scratch, bag=bag, ids=ids)
    except TypeMismatch as error:
        raise LakeError("Readmitted records have the wrong types.", where=scratch, details=str(error)) from error
    finally:
        Path(place).unlink(missing_ok=True)
