"""A batch's pages in the lake: one part a page, each a whole zstd frame, put one after the other at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import zstandard

from headwater.batch import Batch, Feed
from headwater.errors import LakeError
from headwater.lake.base import Lake
from headwater.ledger.base import Ledger, PageRow

# Measured on tickets of a service desk: level 2 and 3 take 1.3 and 2.2 times as long and come out no smaller.
_LEVEL = 1


class PageFiles:
    """The parts of one batch."""

    def __init__(self, batch: Batch, lake: Lake) -> None:
        self._batch = batch
        self._lake = lake
        self._folder = lake.path("raw", batch, ".parts")
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)

    def write(self, number: int, lines: bytes, *, rows: int, following: str | None) -> PageRow:
        """Put a page's lines beside the others. A page without records is a row of the ledger and no file."""
        if not rows:
            return PageRow(number=number, path="", rows=0, size=0, next=following)
        path = f"{self._folder}/{number:06d}.jsonl.zst"
        packed = self._compressor.compress(lines)
        self._lake.write(path, packed)
        return PageRow(number=number, path=path, rows=rows, size=len(packed), next=following)

    def read_lines(self, page: PageRow) -> bytes:
        """The lines of a committed page."""
        if not page.rows:
            return b""
        try:
            return zstandard.ZstdDecompressor().decompress(self._lake.read(page.path))
        except zstandard.ZstdError as error:
            raise LakeError("a part of a batch is damaged", where=page.path, details=str(error)) from None

    def count_complete(self, pages: Sequence[PageRow]) -> int:
        """How many of the pages, from the first, have their part as it was written."""
        for place, page in enumerate(pages):
            if page.rows and self._lake.size(page.path) != page.size:
                return place
        return len(pages)

    def join(self, pages: Iterable[PageRow]) -> None:
        """All parts, in order, as the batch's raw file; no file when there is no record."""
        if paths := [page.path for page in pages if page.rows]:
            self._lake.join(paths, self._lake.path("raw", self._batch, ".jsonl.zst"))

    def write_parents(self, pages: Sequence[tuple[str, int]]) -> None:
        """Write beside raw which parent each line came from: `[[parent, lines], ...]`, in the order of the lines."""
        counts: list[list[str | int]] = []
        for parent, rows in pages:
            if counts and counts[-1][0] == parent:
                counts[-1][1] = int(counts[-1][1]) + rows
            elif rows:
                counts.append([parent, rows])
        if counts:
            body = json.dumps(counts, ensure_ascii=False).encode()
            self._lake.write(self._lake.path("raw", self._batch, ".parents.json"), body)

    def save_note(self, name: str, text: str) -> None:
        """Keep a fact about the read as long as its parts."""
        self._lake.write(f"{self._folder}/{name}", text.encode())

    def load_note(self, name: str) -> str | None:
        """A fact about the read, if it was noted."""
        path = f"{self._folder}/{name}"
        return None if self._lake.size(path) is None else self._lake.read(path).decode()

    def clear(self) -> None:
        """Remove the parts."""
        self._lake.clear(self._folder)


def remove_finished(feed: Feed, lake: Lake, ledger: Ledger) -> int:
    """Remove parts whose batch was read to its end, left by a run that died just then; how many batches had any."""
    folder = f"{feed.tenant}/raw/{feed.connection}/{feed.resource}"
    left = {path.partition(".parts/")[0].rpartition("/")[2] for path in lake.list(folder) if ".parts/" in path}
    done = 0
    for batch_id in sorted(left):
        row = ledger.find_batch(feed.tenant, batch_id)
        if row is None or row.state in ("extracting", "failed"):
            continue
        PageFiles(row.batch, lake).clear()
        done += 1
    return done
