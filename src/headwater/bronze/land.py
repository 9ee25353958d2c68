"""Landing one batch: raw in; bronze, quarantine and a report out. Repeating it gives the same files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from headwater.batch import Batch
from headwater.bronze.contract import keys_only, with_required
from headwater.bronze.drift import DriftReport
from headwater.bronze.json_text import JsonRewriter
from headwater.bronze.jsonl import write_lines
from headwater.bronze.parquet_writer import (
    Lines,
    ParquetWriter,
    TypeMismatch,
    UnsettledJson,
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
"""What happens when records and contract differ, see `Policy` of a project."""

RAW = ".jsonl.zst"
PARQUET = ".parquet"
WAITING = ".jsonl.zst"
INDEX = ".lines.json"
"""Beside the waiting records: their line numbers, so that one of them is found again."""
PARENTS = ".parents.json"
REFUSED = ".refused.parquet"
"""Beside the waiting records: a row for each, with the columns of bronze as far as they could be typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingTerms:
    """On which terms records are taken, beside their contract."""

    drift: DriftPolicy = "evolve"
    nul: bool = True
    """Whether a text may hold the character NUL: not where the warehouse cannot keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandResult:
    """What became of a batch: rows in = `kept` + the refused ones."""

    kept: int = 0
    refused: tuple[RefusedRow, ...] = ()
    drift: tuple[Drift, ...] = ()
    custom_field_names: Mapping[str, str] = field(default_factory=dict)
    """The custom fields that were seen, by id, with their captions."""


def land(
    batch: Batch,
    resource: Resource,
    contract: type[BaseModel],
    lake: Lake,
    *,
    now: datetime,
    terms: LandingTerms = LandingTerms(),
    rows: int | None = None,
) -> LandResult:
    """Bring a batch from raw to bronze. A batch without a raw file is empty. SafetyCheckError if `terms.drift` refuses it.

    `rows` are those that the ledger counted while reading; a raw file that holds another number is damaged.
    """
    raw = lake.path("raw", batch, RAW)
    if lake.size(raw) is None:
        if rows:
            hint = "restore the file, or read its window again"
            raise LakeError(
                "A raw file is missing.", where=lake.location(raw), details=f"0 records instead of {rows}", hint=hint
            )
        return LandResult()
    landing = _Landing(batch, resource, effective_contract(contract, resource, batch), lake, terms)
    scratch = lake.scratch(landing.bronze)
    try:
        with open_writer(scratch) as duck:
            return landing.run(duck, scratch, now=now, rows=rows)
    finally:
        Path(scratch).unlink(missing_ok=True)
        lake.release(raw)


def effective_contract(contract: type[BaseModel], resource: Resource, batch: Batch) -> type[BaseModel]:
    """The contract that a batch of `resource` is held to: a sweep holds nothing but keys."""
    return keys_only(contract, resource.key) if batch.purpose == "sweep" else with_required(contract, resource.key)


def find_refused_file(batch: Batch, lake: Lake) -> str | None:
    """The rows of a batch's refused records, as DuckDB reads them; None where there are none.

    They have `_line` and the columns of bronze, NULL where a value could not be typed. A batch with refused records and
    no such file was landed by an older Headwater, which did not keep them.
    """
    path = lake.path("quarantine", batch, REFUSED)
    return lake.url(path) if lake.size(path) is not None else None


def read_parents(batch: Batch, resource: Resource, lake: Lake) -> Parents:
    """Which parent's records stand on which lines of a batch."""
    if resource.parent is None:
        return Parents()
    path = lake.path("raw", batch, PARENTS)
    try:
        return build_parents([(str(key), int(lines)) for key, lines in json.loads(lake.read(path))])
    except (ValueError, TypeError) as error:
        hint = "read the window again"
        raise LakeError(
            "The parent records of a batch cannot be read.", where=path, details=str(error), hint=hint
        ) from error


class _Landing:
    """One batch on its way; its methods are the steps."""

    def __init__(
        self, batch: Batch, resource: Resource, contract: type[BaseModel], lake: Lake, terms: LandingTerms
    ) -> None:
        self.batch = batch
        self.resource = resource
        self.lake = lake
        self.terms = terms
        self.raw = lake.path("raw", batch, RAW)
        self.bronze = lake.path("bronze", batch, PARQUET)
        omit = resource.omit if batch.purpose != "sweep" else ()
        self.shape = build_schema(contract, omit, bag=resource.custom_fields)
        self.bag = find_custom_fields(self.shape, resource.custom_fields) if terms.drift != "freeze" else None
        self.parents = read_parents(batch, resource, lake)
        unread = getattr(contract, "unread", ())
        self.report = DriftReport(shape=self.shape, ignored_fields=unread, complete=terms.drift == "refuse")
        judge = RecordValidator(contract, self.shape, resource.key, nul=terms.nul)
        self.rewriter = Rewriter(lake, self.raw, judge, self.report, self.parents)
        self.partial = PartialReader(self.shape)
        self.captions: dict[str, str] = {}
        self.unsettled = False
        """Whether DuckDB met a JSON value that is not canonical, or may not be."""

    def run(self, duck: ParquetWriter, scratch: str, *, now: datetime, rows: int | None) -> LandResult:
        """Try the columnar way; go the slow one where something does not fit."""
        surveyor = Scanner(self.lake, self.raw, self.shape, nul=self.terms.nul)
        seen, kept = self._type_and_scan(duck, scratch, surveyor)
        self._check("A raw file is damaged.", rows, seen.lines)
        if kept != seen.lines or seen.misfits or seen.exact:
            seen.misfits = surveyor.find_misfits(self.shape.strict) | seen.exact
            kept = self._rewrite(duck, scratch, seen)
        elif misfits := self._find_non_texts(duck, scratch, surveyor):
            seen.misfits = misfits
            kept = self._rewrite(duck, scratch, seen)
        else:
            kept = self._read_field_names(duck, scratch, seen.lines)
        refused = tuple(self._to_refused_row(verdict, now) for verdict in self.rewriter.refused)
        self._check("Landing lost rows; nothing was written.", seen.lines, kept + len(refused))
        self._check_drift()
        _remove_earlier(self.batch, self.lake)
        self._write_quarantine(duck)
        self.lake.adopt(scratch, self.bronze)
        return LandResult(kept=kept, refused=refused, drift=self.report.drift(), custom_field_names=self.captions)

    def _check(self, what: str, expected: int | None, found: int) -> None:
        if expected is not None and expected != found:
            hint = "read its window again"
            raise LakeError(what, where=self.raw, details=f"{found} records instead of {expected}", hint=hint)

    def _type_and_scan(self, duck: ParquetWriter, scratch: str, surveyor: Scanner) -> tuple[ScanResult, int | None]:
        """Type all lines straight from raw, while another thread looks whether all of them fit."""
        looked = self.report if self.batch.purpose != "sweep" else None
        with ThreadPoolExecutor(1) as pool:
            due = pool.submit(surveyor.scan, looked)
            kept = self._type_raw(duck, scratch, surveyor)
            return due.result(), kept

    def _type_raw(self, duck: ParquetWriter, scratch: str, surveyor: Scanner) -> int | None:
        """All lines at once, with the custom fields of the first ones; None where some line does not fit."""
        if self.resource.parent is not None:
            return None
        try:
            ids = surveyor.sample_custom_fields(self.bag) if self.bag is not None else ()
            return self._write_parquet(duck, self._lines(), scratch, sort_field_names((key, "") for key in ids))
        except TypeMismatch as error:
            self.unsettled = isinstance(error, UnsettledJson)
            return None

    def _lines(self) -> Lines:
        return Lines(url=self.lake.url(self.raw))

    def _find_non_texts(self, duck: ParquetWriter, scratch: str, surveyor: Scanner) -> set[int]:
        """The lines in which something else stands where text is due: DuckDB keeps it as text without a word."""
        odd = duck.find_suspicious(scratch, self.shape.texts)
        return surveyor.find_misfits(self.shape.strict_type_of(odd)) if odd else set()

    def _read_field_names(self, duck: ParquetWriter, scratch: str, kept: int) -> int:
        """Learn the custom fields of the whole file; write it again if the first lines did not show all of them."""
        if self.bag is None:
            return kept
        shown = self.captions.keys()
        self.captions = duck.read_stored_names(scratch, self.bag)
        return (
            kept if self.captions.keys() == shown else self._write_parquet(duck, self._lines(), scratch, self.captions)
        )

    def _rewrite(self, duck: ParquetWriter, scratch: str, seen: ScanResult) -> int:
        """The lines that fit, and those that a row by row reading lets pass."""
        duck.reserve_memory(seen.longest)
        with suppress(TypeMismatch):
            return self._rewrite_fitting(duck, scratch, seen)
        # DuckDB minds something that the survey does not, e.g. a key that stands twice: now every row is read.
        try:
            return self._stage(duck, scratch, seen, self.rewriter.rewrite_lines(None))
        except TypeMismatch as error:
            raise LakeError("A batch cannot be converted to its types.", where=self.raw, details=str(error)) from error

    def _rewrite_fitting(self, duck: ParquetWriter, scratch: str, seen: ScanResult) -> int:
        """The lines that fit as they are, or with canonical JSON where DuckDB asks for it."""
        if not self.unsettled:
            with suppress(UnsettledJson):
                return self._stage(duck, scratch, seen, self.rewriter.rewrite_lines(seen.misfits))
        rewriter = JsonRewriter(self.shape.nodes)
        return self._stage(duck, scratch, seen, self.rewriter.rewrite_lines(seen.misfits, rewriter))

    def _stage(self, duck: ParquetWriter, scratch: str, seen: ScanResult, lines: Iterator[bytes]) -> int:
        """Type `lines` by way of a file."""
        place = f"{scratch}.staged.tmp"
        try:
            size = write_lines(place, lines)
            staged = Lines(url=place, staged=True, longest=seen.longest, parents=self.resource.parent is not None)
            if not size:
                return duck.write_empty(staged, self.shape, scratch)
            return self._write_parquet(
                duck, staged, scratch, duck.read_field_names(staged, self.bag) if self.bag else {}
            )
        finally:
            Path(place).unlink(missing_ok=True)

    def _write_parquet(self, duck: ParquetWriter, lines: Lines, scratch: str, captions: dict[str, str]) -> int:
        self.captions = captions
        return duck.write(lines, self.shape, scratch, bag=self.bag, ids=captions)

    def _to_refused_row(self, verdict: RecordResult, now: datetime) -> RefusedRow:
        return RefusedRow(
            id=f"{self.batch.id}:{verdict.line}",
            batch_id=self.batch.id,
            feed=self.batch.feed,
            line=verdict.line,
            key=verdict.key,
            reasons=verdict.reasons,
            first_seen=now,
            last_tried=now,
        )

    def _check_drift(self) -> None:
        differing = [drift for drift in self.report.drift() if drift.kind in ("new", "retyped")]
        if self.terms.drift == "refuse" and differing:
            details = ", ".join(f"{drift.field} ({drift.kind})" for drift in differing[:10])
            hint = "change the contract or the policy of the resource, then run again; the records are kept in raw"
            where = f"{self.batch.feed} {self.batch.id}"
            raise SafetyCheckError(
                "Records differ from their contract, and the policy is to refuse them.",
                where=where,
                details=details,
                hint=hint,
            )

    def _write_quarantine(self, duck: ParquetWriter) -> None:
        if not self.rewriter.refused:
            return
        path = self.lake.path("quarantine", self.batch, WAITING)
        scratch = self.lake.scratch(path)
        write_lines(scratch, self.rewriter.refused_lines())
        self.lake.adopt(scratch, path)
        index = json.dumps([verdict.line for verdict in self.rewriter.refused])
        self.lake.write(self.lake.path("quarantine", self.batch, INDEX), index.encode())
        self._write_refused_rows(duck)

    def _write_refused_rows(self, duck: ParquetWriter) -> None:
        """Write the refused records as rows, so that what a complete read showed is known by typed keys.

        Where they cannot be typed at all, there is no such file: then the read makes nothing absent, and the feed goes on.
        """
        path = self.lake.path("quarantine", self.batch, REFUSED)
        scratch = self.lake.scratch(path)
        place = f"{scratch}.staged.tmp"
        lines = zip((verdict.line for verdict in self.rewriter.refused), self.rewriter.refused_lines(), strict=True)
        try:
            write_lines(
                place, (wrap_record(n, self.parents.parent_of(n), self.partial.read(text)) for n, text in lines)
            )
            staged = Lines(url=place, staged=True, parents=self.resource.parent is not None)
            duck.write(staged, self.shape, scratch, bag=self.bag, ids=self.captions)
        except TypeMismatch:
            Path(scratch).unlink(missing_ok=True)
        else:
            self.lake.adopt(scratch, path)
        finally:
            Path(place).unlink(missing_ok=True)


def _remove_earlier(batch: Batch, lake: Lake) -> None:
    """Remove what an earlier landing of this batch left: today's contract decides anew."""
    retried = lake.path("bronze", batch, ".retry-")
    for path in lake.list_batch("bronze", batch):
        if path.startswith(retried):
            lake.remove(path)
    for path in lake.list_batch("quarantine", batch):
        lake.remove(path)
