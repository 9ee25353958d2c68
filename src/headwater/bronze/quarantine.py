"""Reads quarantined records from the lake, and retries them with the current contract. No request to the service."""

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
from headwater.bronze.land import QUARANTINE, QUARANTINE_INDEX, build_effective_contract, read_parents
from headwater.bronze.parquet_writer import LineFile, ParquetWriter, TypeMismatch, find_custom_fields, open_writer
from headwater.bronze.rewrite import read_lines, wrap_record
from headwater.bronze.schema import BronzeSchema, build_schema
from headwater.bronze.validate import RecordResult, RecordValidator
from headwater.errors import LakeError
from headwater.lake.base import Lake
from headwater.ledger.base import Drift, RefusedRow
from headwater.model.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryResult:
    """The rows of retried records, with their new states, tries and reasons for the ledger."""

    readmitted: tuple[RefusedRow, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    drift: tuple[Drift, ...] = ()


def read_record(row: RefusedRow, lake: Lake) -> bytes:
    """Read a quarantined record, byte for byte as the service sent it."""
    index = json.loads(lake.read(lake.build_path("quarantine", row.feed, row.batch_id, QUARANTINE_INDEX)))
    path = lake.build_path("quarantine", row.feed, row.batch_id, QUARANTINE)
    if row.line not in index:
        raise LakeError("This record is not in quarantine.", where=path, details=row.id)
    line = next(read_lines(lake, path, {index.index(row.line) + 1}), None)
    if line is None:
        raise LakeError("A quarantine file is shorter than its index.", where=path, details=row.id)
    return line[:-1]


def retry_records(
    batch: Batch,
    rows: Sequence[RefusedRow],
    resource: Resource,
    contract: type[BaseModel],
    lake: Lake,
    *,
    now: datetime,
    allow_nul: bool = True,
) -> RetryResult:
    """Validate quarantined records of one batch again. Write the readmitted ones to `{batch}.retry-{n}.parquet`."""
    effective = build_effective_contract(contract, resource, batch)
    omit = resource.omit if batch.purpose != "sweep" else ()
    schema = build_schema(effective, omit, custom_fields=resource.custom_fields)
    validator = RecordValidator(effective, schema, resource.key, allow_nul=allow_nul)
    report = DriftReport(schema=schema)
    results = {row.line: validator.validate(row.line, read_record(row, lake)) for row in rows}
    for result in results.values():
        report.add_result(result)
    _readmit(batch, resource, schema, lake, [result for result in results.values() if not result.reasons])
    retried_rows = [_to_retried_row(row, results[row.line], now) for row in rows]
    return RetryResult(
        readmitted=tuple(row for row in retried_rows if row.state == "readmitted"),
        refused=tuple(row for row in retried_rows if row.state != "readmitted"),
        drift=report.list_drift(),
    )


def list_retry_files(batch: Batch, lake: Lake) -> tuple[str, ...]:
    """The bronze files with the readmitted records of a batch, in order."""
    start = lake.build_batch_path("bronze", batch, ".retry-")
    return tuple(path for path in lake.list_batch("bronze", batch) if path.startswith(start))


def _to_retried_row(row: RefusedRow, result: RecordResult, now: datetime) -> RefusedRow:
    if result.reasons:
        return replace(row, reasons=result.reasons, key=result.key, tries=row.tries + 1, last_tried=now)
    return replace(row, state="readmitted", key=result.key, tries=row.tries + 1, last_tried=now)


def _readmit(
    batch: Batch, resource: Resource, schema: BronzeSchema, lake: Lake, accepted: Sequence[RecordResult]
) -> None:
    """Write the records that are not in a file of an earlier try, which may not have reached the ledger."""
    retry_files = list_retry_files(batch, lake)
    path = lake.build_batch_path("bronze", batch, f".retry-{len(retry_files) + 1}.parquet")
    draft = lake.prepare_draft(path)
    try:
        with open_writer(draft) as writer:
            landed_lines = {line for file in retry_files for line in writer.read_line_numbers(lake.fetch(file))}
            new_results = sorted(
                (result for result in accepted if result.line not in landed_lines), key=lambda result: result.line
            )
            if not new_results:
                return
            parents = read_parents(batch, resource, lake)
            lines = (
                wrap_record(result.line, parents.find_parent(result.line), result.record) for result in new_results
            )
            _write_parquet(writer, resource, schema, draft, lines)
        lake.adopt(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _write_parquet(
    writer: ParquetWriter, resource: Resource, schema: BronzeSchema, draft: str, lines: Iterator[bytes]
) -> None:
    lines_path = f"{draft}.staged.tmp"
    try:
        write_lines(lines_path, lines)
        line_file = LineFile(url=lines_path, is_wrapped=True, has_parents=resource.parent is not None)
        custom_fields = find_custom_fields(schema, resource.custom_fields)
        ids = writer.read_field_names(line_file, custom_fields) if custom_fields is not None else {}
        writer.write(line_file, schema, draft, custom_fields=custom_fields, ids=ids)
    except TypeMismatch as error:
        raise LakeError("Readmitted records have the wrong types.", where=draft, details=str(error)) from error
    finally:
        Path(lines_path).unlink(missing_ok=True)
