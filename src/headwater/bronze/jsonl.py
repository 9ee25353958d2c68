"""The lines of a raw file, in blocks, so that memory does not grow with the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import zstandard

from headwater.errors import LakeError
from headwater.lake.base import Lake

BLOCK = 1 << 20
"""Bytes of a block, before the last line is completed. What is made of one stays in the cache of a core."""

_EDGE = 64 << 10
"""Bytes at either end of a block that are searched for its edges first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole lines that follow one another."""

    first: int
    """The number of its first line, from 1."""
    body: bytes
    """The lines, each with its line break."""
    count: int
    """How many lines these are."""

    def lines(self) -> list[bytes]:
        """The lines without their breaks."""
        return self.body[:-1].split(b"\n")

    def edges(self, count: int) -> list[bytes]:
        """The first and the last `count` lines; all of them where there are no more."""
        head = self.body[:_EDGE].split(b"\n")[:-1][:count]
        tail = self.body[-_EDGE:-1].split(b"\n")[1:][-count:]
        if len(self.body) <= 2 * _EDGE or len(head) < count or len(tail) < count:
            lines = self.lines()
            return [*lines[:count], *lines[count:][-count:]]
        return [*head, *tail]


def read_blocks(lake: Lake, path: str) -> Iterator[Block]:
    """The lines of the zstd file at `path`, in order; LakeError if it is damaged."""
    first, rest = 1, b""
    for chunk in _read_chunks(lake, path):
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
            continue
        body = b"".join((rest, memoryview(chunk)[:end]))  # one copy; these are all the bytes that there are
        count = body.count(b"\n")
        yield Block(first=first, body=body, count=count)
        first += count
        rest = chunk[end:]
    if rest:
        yield Block(first=first, body=rest + b"\n", count=1)


def _read_chunks(lake: Lake, path: str) -> Iterator[bytes]:
    with lake.open(path) as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        try:
            while chunk := reader.read(BLOCK):
                yield chunk
        except zstandard.ZstdError as error:
            hint = "restore the file, or read its window again"
            raise LakeError(
                "A raw file is damaged.", where=lake.location(path), details=str(error), hint=hint
            ) from error


def write_lines(path: str, lines: Iterator[bytes]) -> int:
    """Write lines (with their breaks) as one zstd file at `path`; how many bytes went in."""
    size = 0
    with open(path, "wb") as file, zstandard.ZstdCompressor(level=1, write_checksum=True).stream_writer(file) as out:  # noqa: PTH123 - an absolute place that the lake gave
        for line in lines:
            size += out.write(line)
    return size
