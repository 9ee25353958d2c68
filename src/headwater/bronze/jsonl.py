"""Reads the lines of a raw file in blocks, so that memory does not grow with the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import zstandard

from headwater.errors import LakeError
from headwater.lake.base import Lake

BLOCK_SIZE = 1 << 20
"""Bytes of a block, without the rest of its last line. A block and its results fit into the cache of a core."""

_EDGE_SIZE = 64 << 10
"""Bytes at each end of a block in which to search for the first and last lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive whole lines."""

    first: int
    """The number of its first line, from 1."""
    body: bytes
    """The lines, each with its line break."""
    count: int
    """The number of lines."""

    def split_lines(self) -> list[bytes]:
        """The lines without their line breaks."""
        return self.body[:-1].split(b"\n")

    def take_edges(self, count: int) -> list[bytes]:
        """The first and the last `count` lines, or all lines if there are no others."""
        head = self.body[:_EDGE_SIZE].split(b"\n")[:-1][:count]
        tail = self.body[-_EDGE_SIZE:-1].split(b"\n")[1:][-count:]
        if len(self.body) <= 2 * _EDGE_SIZE or len(head) < count or len(tail) < count:
            lines = self.split_lines()
            return [*lines[:count], *lines[count:][-count:]]
        return [*head, *tail]


def read_blocks(lake: Lake, path: str) -> Iterator[Block]:
    """Yield the lines of the zstd file at `path`, in order. Raise LakeError if the file is damaged."""
    first, rest = 1, b""
    for chunk in _read_chunks(lake, path):
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
            continue
        body = b"".join((rest, memoryview(chunk)[:end]))  # a single copy, because this covers all bytes of the file
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
            while chunk := reader.read(BLOCK_SIZE):
                yield chunk
        except zstandard.ZstdError as error:
            hint = "restore the file, or read its window again"
            raise LakeError("A raw file is damaged.", where=lake.locate(path), details=str(error), hint=hint) from error


def write_lines(path: str, lines: Iterator[bytes]) -> int:
    """Write lines (with their line breaks) to a zstd file at `path`. Return the number of uncompressed bytes."""
    size = 0
    with open(path, "wb") as file, zstandard.ZstdCompressor(level=1, write_checksum=True).stream_writer(file) as out:  # noqa: PTH123 - an absolute path from the lake
        for line in lines:
            size += out.write(line)
    return size
