"""Landing one batch: raw in; bronze, quarantine and a report out. Repeating it gives the same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from headwater.batch import Batch
from headwater.bronze.contract import demanding, keys_only
from headwater.bronze.drift import DriftReport
from headwater.bronze.jsonl import write_lines
from headwater.bronze.parquet_writer import Lines, Typist, Unfit, bag_of, in_order, typist
from headwater.bronze.partial import PartialReader
from headwater.bronze.rewrite import Parents, Staging, parents_from, wrapped
from headwater.bronze.scan import Survey, Surveyor
from headwater.bronze.schema import shape_of
from headwater.bronze.validate import Judge, Verdict
from headwater.errors import LakeError, SafetyCheckError
from headwater.lake.base import Lake
from headwater.ledger.base import Drift, RefusedRow
from headwater.model.resource import Resource

Drifting = Literal["evolve", "freeze", "refuse"]
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
class Terms:
    """On which terms records are taken, beside their contract."""

    drift: Drifting = "evolve"
    nul: bool = True
    """Whether a text may hold the character NUL: not where the warehouse cannot keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What became of a batch: rows in = `kept` + the refused ones."""

    kept: int = 0
    refused: tuple[RefusedRow, ...] = ()
    drift: tuple[Drift, ...] = ()
    captions: Mapping[str, str] = field(default_factory=dict)
    """The custom fields that were seen, by id, with their captions."""


def land(
    batch: Batch,
    resource: Resource,
    contract: type[BaseModel],
    lake: Lake,
    *,
    now: datetime,
    terms: Terms = Terms(),
    rows: int | None = None,
) -> Landed:
    """Bring a batch from raw to bronze. A batch without a raw file is empty. SafetyCheckError if `terms.drift` refuses it.

    `rows` are those that the ledger counted while reading; a raw file that holds another number is damaged.
    """
    raw = lake.path("raw", batch, RAW)
    if lake.size(raw) is None:
        if rows:
            hint = "restore it, or read its window again"
            raise LakeError("A raw file is gone.", where=lake.url(raw), saw=f"0 records instead of {rows}", hint=hint)
        return Landed()
    landing = _Landing(batch, resource, held_to(contract, resource, batch), lake, terms)
    scratch = lake.scratch(landing.bronze)
    try:
        with typist(scratch) as duck:
            return landing.run(duck, scratch, now=now, rows=rows)
    finally:
        Path(scratch).unlink(missing_ok=True)


def held_to(contract: type[BaseModel], resource: Resource, batch: Batch) -> type[BaseModel]:
    """The contract that a batch of `resource` is held to: a sweep holds nothing but keys."""
    return keys_only(contract, resource.key) if batch.purpose == "sweep" else demanding(contract, resource.key)


def refused_file(batch: Batch, lake: Lake) -> str | None:
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
        return parents_from([(str(key), int(lines)) for key, lines in json.loads(lake.read(path))])
    except (ValueError, TypeError) as error:
        hint = "read the window again"
        raise LakeError("The parents of a batch cannot be read.", where=path, saw=str(error), hint=hint) from error


class _Landing:
    """One batch on its way; its methods are the steps."""

    def __init__(self, batch: Batch, resource: Resource, contract: type[BaseModel], lake: Lake, terms: Terms) -> None:
        self.batch = batch
        self.resource = resource
        self.lake = lake
        self.terms = terms
        self.raw = lake.path("raw", batch, RAW)
        self.bronze = lake.path("bronze", batch, PARQUET)
        omit = resource.omit if batch.purpose != "sweep" else ()
        self.shape = shape_of(contract, omit, bag=resource.custom_fields)
        self.bag = bag_of(self.shape, resource.custom_fields) if terms.drift != "freeze" else None
        self.parents = read_parents(batch, resource, lake)
        unread = getattr(contract, "unread", ())
        self.report = DriftReport(shape=self.shape, unread=unread, complete=terms.drift == "refuse")
        judge = Judge(contract, self.shape, resource.key, nul=terms.nul)
        self.staging = Staging(lake, self.raw, judge, self.report, self.parents)
        self.partial = PartialReader(self.shape)
        self.captions: dict[str, str] = {}

    def run(self, duck: Typist, scratch: str, *, now: datetime, rows: int | None) -> Landed:
        """Try the columnar way; go the slow one where something does not fit."""
        surveyor = Surveyor(self.lake, self.raw, self.shape, nul=self.terms.nul)
        seen, kept = self._both(duck, scratch, surveyor)
        self._check("A raw file is damaged.", rows, seen.lines)
        if kept != seen.lines or seen.misfits or seen.exact:
            seen.misfits = surveyor.misfits(self.shape.strict) | seen.exact
            kept = self._staged(duck, scratch, seen)
        elif misfits := self._no_texts(duck, scratch, surveyor):
            seen.misfits = misfits
            kept = self._staged(duck, scratch, seen)
        else:
            kept = self._captioned(duck, scratch, seen.lines)
        refused = tuple(self._refused(verdict, now) for verdict in self.staging.refused)
        self._check("Rows were lost while landing; nothing was written.", seen.lines, kept + len(refused))
        self._guard()
        _forget(self.batch, self.lake)
        self._quarantine(duck)
        self.lake.adopt(scratch, self.bronze)
        return Landed(kept=kept, refused=refused, drift=self.report.drift(), captions=self.captions)

    def _check(self, what: str, expected: int | None, found: int) -> None:
        if expected is not None and expected != found:
            hint = "read its window again"
            raise LakeError(what, where=self.raw, saw=f"{found} records instead of {expected}", hint=hint)

    def _both(self, duck: Typist, scratch: str, surveyor: Surveyor) -> tuple[Survey, int | None]:
        """Type all lines straight from raw, while another thread looks whether all of them fit."""
        looked = self.report if self.batch.purpose != "sweep" else None
        with ThreadPoolExecutor(1) as pool:
            due = pool.submit(surveyor.survey, looked)
            kept = self._straight(duck, scratch, surveyor)
            return due.result(), kept

    def _straight(self, duck: Typist, scratch: str, surveyor: Surveyor) -> int | None:
        """All lines at once, with the custom fields of the first ones; None where some line does not fit."""
        if self.resource.parent is not None:
            return None
        try:
            ids = surveyor.glance(self.bag) if self.bag is not None else ()
            return self._typed(duck, self._lines(), scratch, in_order((key, "") for key in ids))
        except Unfit:
            return None

    def _lines(self) -> Lines:
        return Lines(url=self.lake.url(self.raw))

    def _no_texts(self, duck: Typist, scratch: str, surveyor: Surveyor) -> set[int]:
        """The lines in which something else stands where text is due: DuckDB keeps it as text without a word."""
        odd = duck.odd(scratch, self.shape.texts)
        return surveyor.misfits(self.shape.strict_in(odd)) if odd else set()

    def _captioned(self, duck: Typist, scratch: str, kept: int) -> int:
        """Learn the custom fields of the whole file; write it again if the first lines did not show all of them."""
        if self.bag is None:
            return kept
        shown = self.captions.keys()
        self.captions = duck.captions_in(scratch, self.bag)
        return kept if self.captions.keys() == shown else self._typed(duck, self._lines(), scratch, self.captions)

    def _staged(self, duck: Typist, scratch: str, seen: Survey) -> int:
        """The lines that fit, and those that a row by row reading lets pass."""
        duck.allow(seen.longest)
        try:
            return self._restaged(duck, scratch, seen, trusting=True)
        except Unfit:
            # DuckDB minds something that the survey does not, e.g. a key that stands twice: now every row is read.
            pass
        try:
            return self._restaged(duck, scratch, seen, trusting=False)
        except Unfit as error:
            raise LakeError("A batch cannot be typed.", where=self.raw, saw=str(error)) from error

    def _restaged(self, duck: Typist, scratch: str, seen: Survey, *, trusting: bool) -> int:
        place = f"{scratch}.staged.tmp"
        lines = self.staging.lines(seen.misfits if trusting else None)
        try:
            size = write_lines(place, lines)
            staged = Lines(url=place, staged=True, longest=seen.longest, parents=self.resource.parent is not None)
            if not size:
                return duck.write_none(staged, self.shape, scratch)
            return self._typed(duck, staged, scratch, duck.captions(staged, self.bag) if self.bag else {})
        finally:
            Path(place).unlink(missing_ok=True)

    def _typed(self, duck: Typist, lines: Lines, scratch: str, captions: dict[str, str]) -> int:
        self.captions = captions
        return duck.write(lines, self.shape, scratch, bag=self.bag, ids=captions)

    def _refused(self, verdict: Verdict, now: datetime) -> RefusedRow:
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

    def _guard(self) -> None:
        differing = [drift for drift in self.report.drift() if drift.kind in ("new", "retyped")]
        if self.terms.drift == "refuse" and differing:
            saw = ", ".join(f"{drift.field} ({drift.kind})" for drift in differing[:10])
            hint = "change the contract or the policy of the resource, then run again; the records wait in raw"
            where = f"{self.batch.feed} {self.batch.id}"
            raise SafetyCheckError(
                "Records differ from their contract, which is to be refused.", where=where, saw=saw, hint=hint
            )

    def _quarantine(self, duck: Typist) -> None:
        if not self.staging.refused:
            return
        path = self.lake.path("quarantine", self.batch, WAITING)
        scratch = self.lake.scratch(path)
        write_lines(scratch, self.staging.refused_lines())
        self.lake.adopt(scratch, path)
        index = json.dumps([verdict.line for verdict in self.staging.refused])
        self.lake.write(self.lake.path("quarantine", self.batch, INDEX), index.encode())
        self._keep_rows(duck)

    def _keep_rows(self, duck: Typist) -> None:
        """Write the refused records as rows, so that what a complete read showed is known by typed keys.

        Where they cannot be typed at all, there is no such file: then the read makes nothing absent, and the feed goes on.
        """
        path = self.lake.path("quarantine", self.batch, REFUSED)
        scratch = self.lake.scratch(path)
        place = f"{scratch}.staged.tmp"
        lines = zip((verdict.line for verdict in self.staging.refused), self.staging.refused_lines(), strict=True)
        try:
            write_lines(place, (wrapped(n, self.parents.of(n), self.partial.read(text)) for n, text in lines))
            staged = Lines(url=place, staged=True, parents=self.resource.parent is not None)
            duck.write(staged, self.shape, scratch, bag=self.bag, ids=self.captions)
        except Unfit:
            Path(scratch).unlink(missing_ok=True)
        else:
            self.lake.adopt(scratch, path)
        finally:
            Path(place).unlink(missing_ok=True)


def _forget(batch: Batch, lake: Lake) -> None:
    """Remove what an earlier landing of this batch left: today's contract decides anew."""
    folder = lake.path("bronze", batch, "").rpartition("/")[0]
    retried = lake.path("bronze", batch, ".retry-")
    for path in lake.list(folder):
        if path.startswith(retried):
            lake.remove(path)
    for suffix in (WAITING, INDEX, REFUSED):
        lake.remove(lake.path("quarantine", batch, suffix))
