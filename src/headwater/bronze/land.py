"""Lands one batch: reads raw, writes bronze and quarantine, and returns a report. Repeated, it writes the same files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from headwater.batch import Batch
from headwater.bronze.contract import with_keys_only, with_required
from headwater.bronze.drift import DriftReport
from headwater.bronze.json_text import JsonRewriter
from headwater.bronze.jsonl import write_lines
from headwater.bronze.parquet_writer import (
    LineFile,
    NonCanonicalJson,
    ParquetWriter,
    TypeMismatch,
    find_custom_fields,
    open_writer,
    sort_field_names,
)
from headwater.bronze.partial import PartialReader
from headwater.bronze.rewrite import Parents, Rewriter, build_parents, wrap_record
from headwater.bronze.scan import Scanner, ScanResult
from headwater.bronze.schema import build_schema
from headwater.bronze.validate import RecordResult, RecordValidator
from headwater.errors import LakeError, SafetyCheckError
from headwater.lake.base import Lake
from headwater.ledger.base import Drift, RefusedRow
from headwater.model.resource import Resource

DriftPolicy = Literal["evolve", "freeze", "refuse"]
"""What to do if records differ from their contract, see `Policy` of a project."""

RAW = ".jsonl.zst"
PARQUET = ".parquet"
QUARANTINE = ".jsonl.zst"
QUARANTINE_INDEX = ".lines.json"
"""Beside the quarantined records: their line numbers, to find a record again."""
PARENTS = ".parents.json"
REFUSED_ROWS = ".refused.parquet"
"""Beside the quarantined records: a row for each, with the columns of bronze as far as their values could be converted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingOptions:
    """Which records to accept, in addition to their contract."""

    drift: DriftPolicy = "evolve"
    allow_nul: bool = True
    """Whether text may contain the character NUL. Some warehouses cannot store it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandResult:
    """The result of a landing: rows in = `kept` + refused rows."""

    kept: int = 0
    refused: tuple[RefusedRow, ...] = ()
    drift: tuple[Drift, ...] = ()
    custom_field_names: Mapping[str, str] = field(default_factory=dict)
    """The captions of the custom fields in the batch, by id."""


def land(
    batch: Batch,
    resource: Resource,
    contract: type[BaseModel],
    lake: Lake,
    *,
    now: datetime,
    options: LandingOptions = LandingOptions(),
    rows: int | None = None,
) -> LandResult:
    """Land a batch whose contract is loaded, see `land_batch`."""
    return land_batch(batch, resource, lambda: contract, lake, now=now, options=options, rows=rows)


def land_batch(
    batch: Batch,
    resource: Resource,
    load_contract: Callable[[], type[BaseModel]],
    lake: Lake,
    *,
    now: datetime,
    options: LandingOptions = LandingOptions(),
    rows: int | None = None,
) -> LandResult:
    """Land a batch from raw to bronze. A batch without a raw file is empty, and its contract is not loaded.

    `rows` is the number of rows in the ledger. Raise LakeError if the raw file has another number, because it is damaged.
    Raise SafetyCheckError if `options.drift` refuses the batch.
    """
    raw = lake.build_batch_path("raw", batch, RAW)
    if lake.read_size(raw) is None:
        if rows:
            hint = "restore the file, or read its window again"
            raise LakeError(
                "A raw file is missing.", where=lake.locate(raw), details=f"0 records instead of {rows}", hint=hint
            )
        return LandResult()
    landing = _Landing(batch, resource, build_effective_contract(load_contract(), resource, batch), lake, options)
    draft = lake.prepare_draft(landing.bronze)
    try:
        with open_writer(draft) as writer:
            return landing.run(writer, draft, now=now, rows=rows)
    finally:
        Path(draft).unlink(missing_ok=True)
        lake.release(raw)


def build_effective_contract(contract: type[BaseModel], resource: Resource, batch: Batch) -> type[BaseModel]:
    """The contract for a batch of `resource`. A sweep contains only keys."""
    return with_keys_only(contract, resource.key) if batch.purpose == "sweep" else with_required(contract, resource.key)


def find_refused_file(batch: Batch, lake: Lake) -> str | None:
    """The Parquet file with the refused rows of a batch, on this machine. None if there is none.

    It has `_line` and the columns of bronze, with NULL for values that could not be converted. A batch with refused records
    but without this file was landed by an older Headwater, which did not write it.
    """
    path = lake.build_batch_path("quarantine", batch, REFUSED_ROWS)
    return lake.fetch(path) if lake.read_size(path) is not None else None


def read_parents(batch: Batch, resource: Resource, lake: Lake) -> Parents:
    """Read which lines of a batch belong to which parent."""
    if resource.parent is None:
        return Parents()
    path = lake.build_batch_path("raw", batch, PARENTS)
    try:
        return build_parents([(str(key), int(lines)) for key, lines in json.loads(lake.read(path))])
    except (ValueError, TypeError) as error:
        hint = "read the window again"
        raise LakeError(
            "The parent records of a batch cannot be read.", where=path, details=str(error), hint=hint
        ) from error


class _Landing:
    """The landing of one batch. Its methods are the steps."""

    def __init__(
        self, batch: Batch, resource: Resource, contract: type[BaseModel], lake: Lake, options: LandingOptions
    ) -> None:
        self.batch = batch
        self.resource = resource
        self.lake = lake
        self.options = options
        self.raw = lake.build_batch_path("raw", batch, RAW)
        self.bronze = lake.build_batch_path("bronze", batch, PARQUET)
        omit = resource.omit if batch.purpose != "sweep" else ()
        self.schema = build_schema(contract, omit, custom_fields=resource.custom_fields)
        self.custom_fields = (
            find_custom_fields(self.schema, resource.custom_fields) if options.drift != "freeze" else None
        )
        self.parents = read_parents(batch, resource, lake)
        unread = getattr(contract, "unread", ())
        self.report = DriftReport(schema=self.schema, ignored_fields=unread, complete=options.drift == "refuse")
        validator = RecordValidator(contract, self.schema, resource.key, allow_nul=options.allow_nul)
        self.rewriter = Rewriter(lake, self.raw, validator, self.report, self.parents)
        self.partial = PartialReader(self.schema)
        self.custom_field_names: dict[str, str] = {}
        self.has_noncanonical_json = False
        """Whether DuckDB found a JSON value that may not be canonical."""

    def run(self, writer: ParquetWriter, draft: str, *, now: datetime, rows: int | None) -> LandResult:
        """Convert all lines in columns. If some do not fit, read those row by row."""
        scanner = Scanner(self.lake, self.raw, self.schema, allow_nul=self.options.allow_nul)
        scan_result, kept = self._convert_and_scan(writer, draft, scanner)
        self._check("A raw file is damaged.", rows, scan_result.line_count)
        if kept != scan_result.line_count or scan_result.misfits or scan_result.exact:
            if not scan_result.has_texts:
                scan_result.misfits = scanner.find_misfits(self.schema.strict)
            scan_result.misfits |= scan_result.exact
            kept = self._rewrite(writer, draft, scan_result)
        elif not scan_result.has_texts and (misfits := self._find_non_text(writer, draft, scanner)):
            scan_result.misfits = misfits
            kept = self._rewrite(writer, draft, scan_result)
        else:
            kept = self._read_field_names(writer, draft, scan_result.line_count)
        refused = tuple(self._to_refused_row(result, now) for result in self.rewriter.refused)
        self._check("Landing lost rows; nothing was written.", scan_result.line_count, kept + len(refused))
        self._check_drift()
        _remove_earlier(self.batch, self.lake)
        self._write_quarantine(writer)
        self.lake.adopt(draft, self.bronze)
        return LandResult(
            kept=kept, refused=refused, drift=self.report.list_drift(), custom_field_names=self.custom_field_names
        )

    def _check(self, message: str, expected: int | None, count: int) -> None:
        if expected is not None and expected != count:
            hint = "read its window again"
            raise LakeError(message, where=self.raw, details=f"{count} records instead of {expected}", hint=hint)

    def _convert_and_scan(self, writer: ParquetWriter, draft: str, scanner: Scanner) -> tuple[ScanResult, int | None]:
        """Convert all lines directly from raw, while another thread scans them for those that do not fit."""
        report = self.report if self.batch.purpose != "sweep" else None
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(scanner.scan, report)
            kept = self._convert_raw(writer, draft, scanner)
            return future.result(), kept

    def _convert_raw(self, writer: ParquetWriter, draft: str, scanner: Scanner) -> int | None:
        """Convert all lines, with the custom fields of the first ones. Return None if a line does not fit."""
        if self.resource.parent is not None:
            return None
        try:
            ids = scanner.sample_custom_fields(self.custom_fields) if self.custom_fields is not None else ()
            return self._write_parquet(
                writer, self._build_line_file(), draft, sort_field_names((key, "") for key in ids)
            )
        except TypeMismatch as error:
            self.has_noncanonical_json = isinstance(error, NonCanonicalJson)
            return None

    def _build_line_file(self) -> LineFile:
        return LineFile(url=self.lake.fetch(self.raw))

    def _find_non_text(self, writer: ParquetWriter, draft: str, scanner: Scanner) -> set[int]:
        """The lines with a value that is not text in a text column, which DuckDB silently stores as text."""
        columns = writer.find_suspicious_columns(draft, self.schema.texts)
        return scanner.find_misfits(self.schema.restrict_strict_type(columns)) if columns else set()

    def _read_field_names(self, writer: ParquetWriter, draft: str, kept: int) -> int:
        """Read the custom fields of the whole file. Write it again if the first lines did not have all of them."""
        if self.custom_fields is None:
            return kept
        names_before = self.custom_field_names.keys()
        self.custom_field_names = writer.read_stored_names(draft, self.custom_fields)
        return (
            kept
            if self.custom_field_names.keys() == names_before
            else self._write_parquet(writer, self._build_line_file(), draft, self.custom_field_names)
        )

    def _rewrite(self, writer: ParquetWriter, draft: str, scan_result: ScanResult) -> int:
        """Write the lines that fit, and those that are accepted row by row."""
        writer.reserve_memory(scan_result.longest)
        with suppress(TypeMismatch):
            return self._rewrite_misfits(writer, draft, scan_result)
        # DuckDB refuses something that the scan accepts, such as a duplicate key: now validate every row.
        try:
            return self._stage(writer, draft, scan_result, self.rewriter.rewrite_lines(None))
        except TypeMismatch as error:
            raise LakeError("A batch cannot be converted to its types.", where=self.raw, details=str(error)) from error

    def _rewrite_misfits(self, writer: ParquetWriter, draft: str, scan_result: ScanResult) -> int:
        """Write the lines that fit unchanged, or with canonical JSON if DuckDB requires it."""
        if not self.has_noncanonical_json:
            with suppress(NonCanonicalJson):
                return self._stage(writer, draft, scan_result, self.rewriter.rewrite_lines(scan_result.misfits))
        rewriter = JsonRewriter(self.schema.nodes)
        return self._stage(writer, draft, scan_result, self.rewriter.rewrite_lines(scan_result.misfits, rewriter))

    def _stage(self, writer: ParquetWriter, draft: str, scan_result: ScanResult, lines: Iterator[bytes]) -> int:
        """Write `lines` to a temporary file and convert that."""
        lines_path = f"{draft}.staged.tmp"
        try:
            size = write_lines(lines_path, lines)
            line_file = LineFile(
                url=lines_path,
                is_wrapped=True,
                longest=scan_result.longest,
                has_parents=self.resource.parent is not None,
            )
            if not size:
                return writer.write_empty(line_file, self.schema, draft)
            return self._write_parquet(
                writer,
                line_file,
                draft,
                writer.read_field_names(line_file, self.custom_fields) if self.custom_fields else {},
            )
        finally:
            Path(lines_path).unlink(missing_ok=True)

    def _write_parquet(
        self, writer: ParquetWriter, line_file: LineFile, draft: str, custom_field_names: dict[str, str]
    ) -> int:
        self.custom_field_names = custom_field_names
        return writer.write(line_file, self.schema, draft, custom_fields=self.custom_fields, ids=custom_field_names)

    def _to_refused_row(self, result: RecordResult, now: datetime) -> RefusedRow:
        return RefusedRow(
            id=f"{self.batch.id}:{result.line}",
            batch_id=self.batch.id,
            feed=self.batch.feed,
            line=result.line,
            key=result.key,
            reasons=result.reasons,
            first_seen=now,
            last_tried=now,
        )

    def _check_drift(self) -> None:
        differences = [drift for drift in self.report.list_drift() if drift.kind in ("new", "retyped")]
        if self.options.drift == "refuse" and differences:
            details = ", ".join(f"{drift.field} ({drift.kind})" for drift in differences[:10])
            hint = "change the contract or the policy of the resource, then run again; the records are kept in raw"
            where = f"{self.batch.feed} {self.batch.id}"
            raise SafetyCheckError(
                "Records differ from their contract, and the policy is to refuse them.",
                where=where,
                details=details,
                hint=hint,
            )

    def _write_quarantine(self, writer: ParquetWriter) -> None:
        if not self.rewriter.refused:
            return
        path = self.lake.build_batch_path("quarantine", self.batch, QUARANTINE)
        draft = self.lake.prepare_draft(path)
        write_lines(draft, self.rewriter.read_refused_lines())
        self.lake.adopt(draft, path)
        index = json.dumps([result.line for result in self.rewriter.refused])
        self.lake.write(self.lake.build_batch_path("quarantine", self.batch, QUARANTINE_INDEX), index.encode())
        self._write_refused_rows(writer)

    def _write_refused_rows(self, writer: ParquetWriter) -> None:
        """Write the refused records as rows, so that the records of a complete read are known by typed keys.

        If they cannot be converted at all, there is no such file: then the read makes no record absent, and the feed continues.
        """
        path = self.lake.build_batch_path("quarantine", self.batch, REFUSED_ROWS)
        draft = self.lake.prepare_draft(path)
        lines_path = f"{draft}.staged.tmp"
        lines = zip((result.line for result in self.rewriter.refused), self.rewriter.read_refused_lines(), strict=True)
        try:
            write_lines(
                lines_path, (wrap_record(n, self.parents.find_parent(n), self.partial.read(text)) for n, text in lines)
            )
            line_file = LineFile(url=lines_path, is_wrapped=True, has_parents=self.resource.parent is not None)
            writer.write(line_file, self.schema, draft, custom_fields=self.custom_fields, ids=self.custom_field_names)
        except TypeMismatch:
            Path(draft).unlink(missing_ok=True)
        else:
            self.lake.adopt(draft, path)
        finally:
            Path(lines_path).unlink(missing_ok=True)


def _remove_earlier(batch: Batch, lake: Lake) -> None:
    """Remove the files of an earlier landing of this batch, because the current contract decides again."""
    retried = lake.build_batch_path("bronze", batch, ".retry-")
    for path in lake.list_batch("bronze", batch):
        if path.startswith(retried):
            lake.remove(path)
    for path in lake.list_batch("quarantine", batch):
        lake.remove(path)
