"""The search for records that do not fit, in the strict sense in which DuckDB would read them without changing a value.

One quick pass looks at all that is no plain text. Text takes half of the time and is hardly ever wrong: DuckDB finds the
columns in which something might be no text after it wrote them, and only these are read once more (see `land`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from headwater.bronze.bounds import drop_oversized
from headwater.bronze.drift import FULL, DriftReport
from headwater.bronze.exact import find_long_numbers, find_nul_lines
from headwater.bronze.jsonl import Block, read_blocks
from headwater.bronze.schema import BronzeSchema, attribute_of
from headwater.lake.base import Lake
from headwater.model.field import Node

_GLANCE = 4
"""Blocks in which custom fields are looked for before anything is written."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True, kw_only=True)
class ScanResult:
    """What a raw file holds."""

    lines: int = 0
    longest: int = 0
    """Bytes of the longest line that is longer than a block: such a line is the first of its block."""
    misfits: set[int] = field(default_factory=set)
    """The lines to be read row by row."""
    exact: set[int] = field(default_factory=set)
    """The lines to be read row by row, too: a number in them would change as a double, or a text has a NUL."""


class Scanner:
    """Reads a raw file with msgspec's strict types, and looks for drift on the way."""

    def __init__(self, lake: Lake, path: str, shape: BronzeSchema, *, nul: bool = True) -> None:
        self._lake = lake
        self._path = path
        self._shape = shape
        self._nul = nul

    def sample_custom_fields(self, bag: Node) -> set[str]:
        """The ids of custom fields in the first blocks: as a rule, those of all."""
        records = _Records(self._shape.strict_type_of((bag.key,)))
        blocks = islice(self._blocks(set()), _GLANCE)
        key = attribute_of(bag.nodes, "id")
        bags = (record.m0 or () for block in blocks for record in records.decode(block, set()))
        return {str(number) for one in bags for number in (getattr(field, key) for field in one) if number is not None}

    def scan(self, report: DriftReport | None) -> ScanResult:
        """Read all lines; `report`, if any, looks at the edges of each block, or at every record of a small file."""
        seen, records = ScanResult(), _Records(self._shape.fast_type)
        whole = report is not None and report.complete
        for block in self._blocks(seen.misfits):
            records.decode(block, seen.misfits)
            seen.exact.update(find_long_numbers(block))
            if not self._nul:
                seen.exact.update(find_nul_lines(block))
            seen.longest = max(seen.longest, block.body.index(b"\n"))
            seen.lines = block.first + block.count - 1
            if report is not None:
                report.scan_block(block, whole=whole)
        seen.lines = max(seen.lines, max(seen.misfits, default=0))
        if report is not None and not whole and report.looked < seen.lines <= FULL:
            report.restart()
            for block in self._blocks(set()):
                report.scan_block(block, whole=True)
        return seen

    def find_misfits(self, strict: Any) -> set[int]:
        """The lines that are not as the msgspec type `strict` wants them."""
        misfits: set[int] = set()
        records = _Records(strict)
        for block in self._blocks(misfits):
            records.decode(block, misfits)
        return misfits

    def _blocks(self, misfits: set[int]) -> Iterator[Block]:
        """The blocks of the file. Records that are too large for anything are no part of them, but misfits."""
        large: set[int] = set()
        yield from drop_oversized(read_blocks(self._lake, self._path), large)
        misfits |= large


class _Records:
    """Decodes blocks into records of one type."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, block: Block, misfits: set[int]) -> list[Any]:
        """The records of a block that fit; the numbers of the other lines go to `misfits`."""
        try:
            records = self._decoder.decode_lines(block.body)
        except _UNREADABLE:
            records = []
        return records if len(records) == block.count else self._decode_singly(block, misfits)

    def _decode_singly(self, block: Block, misfits: set[int]) -> list[Any]:
        records = []
        for number, text in enumerate(block.lines(), block.first):
            try:
                records.append(self._decoder.decode(text))
            except _UNREADABLE:
                misfits.add(number)
        return records
