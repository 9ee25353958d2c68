"""The search for records that do not fit, in the strict sense in which DuckDB would read them without changing a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headwater.bronze.drift import FULL, DriftReport
from headwater.bronze.lines import Block, read_blocks
from headwater.bronze.shape import Shape, attribute_of
from headwater.lake.base import Lake
from headwater.model.field import Node

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True, kw_only=True)
class Survey:
    """What a raw file holds."""

    lines: int = 0
    longest: int = 0
    """Bytes of the longest line that is longer than a block: such a line is the first of its block."""
    misfits: set[int] = field(default_factory=set)
    """The lines to be read row by row."""
    captions: dict[str, str] = field(default_factory=dict)
    """The ids in the bag of custom fields, each with its caption."""


class Surveyor:
    """Reads a raw file once, with msgspec's strict types, and looks for drift and custom fields on the way."""

    def __init__(self, lake: Lake, path: str, shape: Shape, bag: Node | None) -> None:
        self._lake = lake
        self._path = path
        self._decoder = msgspec.json.Decoder(shape.strict)
        self._bag = attribute_of(shape.nodes, bag.key) if bag else ""
        self._id = attribute_of(bag.nodes, "id") if bag else ""
        captioned = bag is not None and any(node.key == "caption" for node in bag.nodes)
        self._caption = attribute_of(bag.nodes, "caption") if bag and captioned else self._id

    def glance(self) -> dict[str, str]:
        """The custom fields of the first block: as a rule, those of all."""
        seen = Survey()
        block = next(read_blocks(self._lake, self._path), None)
        if block is not None:
            self._read(block, seen)
        return _sorted(seen.captions)

    def survey(self, report: DriftReport | None) -> Survey:
        """Read all lines; `report`, if any, looks at the edges of each block, or at every record of a small file."""
        seen = Survey()
        whole = report is not None and report.complete
        for block in read_blocks(self._lake, self._path):
            self._read(block, seen)
            if report is not None:
                report.look(block, whole=whole)
        if report is not None and not whole and report.looked < seen.lines <= FULL:
            report.restart()
            for block in read_blocks(self._lake, self._path):
                report.look(block, whole=True)
        seen.captions = _sorted(seen.captions)
        return seen

    def _read(self, block: Block, seen: Survey) -> None:
        count = block.body.count(b"\n")
        records = self._fitting(block, count)
        if records is None:
            records = self._one_by_one(block, seen.misfits)
        if self._bag:
            self._collect(records, seen.captions)
        seen.longest = max(seen.longest, block.body.index(b"\n"))
        seen.lines += count

    def _fitting(self, block: Block, count: int) -> list[Any] | None:
        try:
            records = self._decoder.decode_lines(block.body)
        except _UNREADABLE:
            return None
        return records if len(records) == count else None

    def _one_by_one(self, block: Block, misfits: set[int]) -> list[Any]:
        records = []
        for number, text in enumerate(block.lines(), block.first):
            try:
                records.append(self._decoder.decode(text))
            except _UNREADABLE:
                misfits.add(number)
        return records

    def _collect(self, records: Iterable[Any], captions: dict[str, str]) -> None:
        bag, key, caption = self._bag, self._id, self._caption
        found = {(getattr(one, key), getattr(one, caption)) for record in records for one in getattr(record, bag) or ()}
        for number, words in found:
            if number is not None:
                text = "" if words is None or caption == key else str(words)
                captions[str(number)] = max(captions.get(str(number), ""), text)


def _sorted(captions: dict[str, str]) -> dict[str, str]:
    return dict(sorted(captions.items(), key=lambda pair: (len(pair[0]), pair[0])))
