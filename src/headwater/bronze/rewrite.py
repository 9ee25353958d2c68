"""Rewrites a raw file so that DuckDB can convert every line: the slow path, for batches with lines that do not fit."""

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
    """Which lines belong to which parent."""

    keys: tuple[str, ...] = ()
    _last: tuple[int, ...] = ()

    def find_parent(self, line: int) -> str | None:
        """The parent of a line, or None after the last line."""
        index = bisect_left(self._last, line)
        return self.keys[index] if index < len(self.keys) else None


def build_parents(pairs: Sequence[tuple[str, int]]) -> Parents:
    """Build the parents from the key and the number of lines of each."""
    return Parents(tuple(str(key) for key, _ in pairs), tuple(accumulate(lines for _, lines in pairs)))


@dataclass(slots=True)
class Rewriter:
    """One pass over a raw file. It yields kept records with their line numbers, and collects refused ones."""

    lake: Lake
    raw: str
    validator: RecordValidator
    report: DriftReport
    parents: Parents = field(default_factory=Parents)
    refused: list[RecordResult] = field(default_factory=list)

    def rewrite_lines(self, misfits: Collection[int] | None, rewriter: JsonRewriter | None = None) -> Iterator[bytes]:
        """Yield the kept lines. Validate the lines in `misfits`, or all lines if it is None. `rewriter` rewrites the others."""
        self.refused.clear()
        for block in read_blocks(self.lake, self.raw):
            for number, text in enumerate(block.split_lines(), block.first):
                record: bytes | None = None
                if misfits is not None and number not in misfits:
                    record = rewriter.rewrite(text) if rewriter else text
                if record is None:
                    record = self._validate(number, text)
                if record:
                    yield wrap_record(number, self.parents.find_parent(number), record)

    def read_refused_lines(self) -> Iterator[bytes]:
        """The refused records as the service sent them, each with its line break."""
        numbers = {result.line for result in self.refused}
        return read_lines(self.lake, self.raw, numbers)

    def _validate(self, number: int, text: bytes) -> bytes:
        result = self.validator.validate(number, text)
        self.report.add_result(result)
        if result.reasons:
            self.refused.append(result)
        return result.record


def wrap_record(number: int, parent: str | None, record: bytes) -> bytes:
    """Wrap a record with its line number and its parent, for a `LineFile` that is wrapped."""
    return b'{"n":%d,"p":%s,"r":%s}\n' % (number, json.dumps(parent).encode(), record)


def read_lines(lake: Lake, path: str, numbers: Collection[int]) -> Iterator[bytes]:
    """Yield the lines with the given numbers of the zstd file at `path`, in order, each with its line break."""
    last = max(numbers, default=0)
    for block in read_blocks(lake, path):
        if block.first > last:
            return
        for number, text in enumerate(block.split_lines(), block.first):
            if number in numbers:
                yield text + b"\n"
