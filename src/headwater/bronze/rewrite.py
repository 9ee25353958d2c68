"""Rewriting a raw file so that DuckDB types every line of it: the slow way, for batches that hold something odd."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from headwater.bronze.drift import DriftReport
from headwater.bronze.json_text import JsonRewriter
from headwater.bronze.jsonl import read_blocks
from headwater.bronze.validate import RecordResult, RecordValidator
from headwater.lake.base import Lake


@dataclass(frozen=True, slots=True)
class Parents:
    """Which parent's records stand on which lines."""

    keys: tuple[str, ...] = ()
    _last: tuple[int, ...] = ()

    def parent_of(self, line: int) -> str | None:
        """The parent of a line; None past the last."""
        index = bisect_left(self._last, line)
        return self.keys[index] if index < len(self.keys) else None


def build_parents(pairs: Sequence[tuple[str, int]]) -> Parents:
    """The parents, from each one's key and number of lines."""
    return Parents(tuple(str(key) for key, _ in pairs), tuple(accumulate(lines for _, lines in pairs)))


@dataclass(slots=True)
class Rewriter:
    """One pass over a raw file. What is kept is yielded, wrapped with its line; what is refused is remembered."""

    lake: Lake
    raw: str
    validator: RecordValidator
    report: DriftReport
    parents: Parents = field(default_factory=Parents)
    refused: list[RecordResult] = field(default_factory=list)

    def rewrite_lines(self, misfits: Collection[int] | None, rewriter: JsonRewriter | None = None) -> Iterator[bytes]:
        """The kept lines. Row by row only where a line is in `misfits`; all of them when None. `rewriter` rewrites the others."""
        self.refused.clear()
        for block in read_blocks(self.lake, self.raw):
            for number, text in enumerate(block.lines(), block.first):
                kept: bytes | None = None
                if misfits is not None and number not in misfits:
                    kept = rewriter.rewrite(text) if rewriter else text
                if kept is None:
                    kept = self._validate(number, text)
                if kept:
                    yield wrap_record(number, self.parents.parent_of(number), kept)

    def refused_lines(self) -> Iterator[bytes]:
        """The refused records as they came, each with its line break."""
        wanted = {verdict.line for verdict in self.refused}
        return read_lines(self.lake, self.raw, wanted)

    def _validate(self, number: int, text: bytes) -> bytes:
        verdict = self.validator.validate(number, text)
        self.report.add_result(verdict)
        if verdict.reasons:
            self.refused.append(verdict)
        return verdict.record


def wrap_record(number: int, parent: str | None, record: bytes) -> bytes:
    """A record with its line number and its parent, as DuckDB reads it from a staged file."""
    return b'{"n":%d,"p":%s,"r":%s}\n' % (number, json.dumps(parent).encode(), record)


def read_lines(lake: Lake, path: str, wanted: Collection[int]) -> Iterator[bytes]:
    """The lines of the zstd file at `path` with the numbers `wanted`, in order, each with its line break."""
    last = max(wanted, default=0)
    for block in read_blocks(lake, path):
        if block.first > last:
            return
        for number, text in enumerate(block.lines(), block.first):
            if number in wanted:
                yield text + b"\n"
