"""Searches for records that do not fit: those that DuckDB would refuse, or convert with a changed value.

One fast pass checks everything except plain text. In a large file, text would take half of the time and is rarely wrong:
after the file is written, DuckDB finds the columns with suspicious texts, and only these are checked again (see `land`). In a
small file, this pass checks text too, because the statement of DuckDB would take longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from headwater.bronze.bounds import drop_oversized
from headwater.bronze.drift import MAX_FULL_SCAN, DriftReport
from headwater.bronze.exact import find_long_numbers, find_nul_lines
from headwater.bronze.jsonl import Block, read_blocks
from headwater.bronze.schema import BronzeSchema, find_attribute
from headwater.lake.base import Lake
from headwater.model.field import Node

SMALL_FILE = 1 << 20
"""A raw file of fewer bytes is small: to check its text here takes less time than planning a statement over all text columns."""
_SAMPLE_BLOCKS = 4
"""The blocks that are searched for custom fields before the file is written."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True, kw_only=True)
class ScanResult:
    """The result of the scan of a raw file."""

    line_count: int = 0
    longest: int = 0
    """The bytes of the longest first line of a block. A line that is longer than a block is the first of its block."""
    misfits: set[int] = field(default_factory=set)
    """The lines to validate row by row."""
    exact: set[int] = field(default_factory=set)
    """Other lines to validate row by row: a double would change a number in them, or a text contains NUL."""
    has_texts: bool = False
    """Whether plain text is checked, so that `misfits` are all."""


class Scanner:
    """Reads a raw file with strict types of msgspec, and records drift."""

    def __init__(self, lake: Lake, path: str, schema: BronzeSchema, *, allow_nul: bool = True) -> None:
        self._lake = lake
        self._path = path
        self._schema = schema
        self._allow_nul = allow_nul

    def sample_custom_fields(self, custom_fields: Node) -> set[str]:
        """The ids of custom fields in the first blocks. Usually, the other blocks have no others."""
        records = _RecordDecoder(self._schema.restrict_strict_type((custom_fields.key,)))
        blocks = islice(self._read_blocks(set()), _SAMPLE_BLOCKS)
        key = find_attribute(custom_fields.nodes, "id")
        lists = (record.m0 or () for block in blocks for record in records.decode(block, set()))
        return {
            str(number)
            for fields in lists
            for number in (getattr(field, key) for field in fields)
            if number is not None
        }

    def scan(self, report: DriftReport | None) -> ScanResult:
        """Read all lines. Add the drift at the ends of each block, or of every record of a small file, to `report`."""
        is_small = (self._lake.read_size(self._path) or 0) < SMALL_FILE
        result = ScanResult(has_texts=is_small)
        records = _RecordDecoder(self._schema.strict if is_small else self._schema.fast_type)
        all_records = report is not None and report.complete
        for block in self._read_blocks(result.misfits):
            records.decode(block, result.misfits)
            result.exact.update(find_long_numbers(block))
            if not self._allow_nul:
                result.exact.update(find_nul_lines(block))
            result.longest = max(result.longest, block.body.index(b"\n"))
            result.line_count = block.first + block.count - 1
            if report is not None:
                report.scan_block(block, all_records=all_records)
        result.line_count = max(result.line_count, max(result.misfits, default=0))
        if report is not None and not all_records and report.record_count < result.line_count <= MAX_FULL_SCAN:
            report.restart()
            for block in self._read_blocks(set()):
                report.scan_block(block, all_records=True)
        return result

    def find_misfits(self, strict: Any) -> set[int]:
        """The lines that the msgspec type `strict` does not accept."""
        misfits: set[int] = set()
        records = _RecordDecoder(strict)
        for block in self._read_blocks(misfits):
            records.decode(block, misfits)
        return misfits

    def _read_blocks(self, misfits: set[int]) -> Iterator[Block]:
        """The blocks of the file, without records that are too large. Those are added to `misfits`."""
        oversized: set[int] = set()
        yield from drop_oversized(read_blocks(self._lake, self._path), oversized)
        misfits |= oversized


class _RecordDecoder:
    """Decodes blocks into records of one type."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, block: Block, misfits: set[int]) -> list[Any]:
        """Return the records of a block that fit. Add the numbers of the other lines to `misfits`."""
        try:
            records = self._decoder.decode_lines(block.body)
        except _UNREADABLE:
            records = []
        return records if len(records) == block.count else self._decode_singly(block, misfits)

    def _decode_singly(self, block: Block, misfits: set[int]) -> list[Any]:
        records = []
        for number, text in enumerate(block.split_lines(), block.first):
            try:
                records.append(self._decoder.decode(text))
            except _UNREADABLE:
                misfits.add(number)
        return records
