"""The pages of a batch in the lake: one file a page, each a whole zstd frame. At the end, they are joined into the raw file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import zstandard

from headwater.batch import Batch, Feed
from headwater.errors import LakeError
from headwater.lake.base import Lake
from headwater.ledger.base import Ledger, PageRow

# Measured on service desk tickets: levels 2 and 3 take 1.3 and 2.2 times as long, and the output is no smaller.
_LEVEL = 1


class PageFiles:
    """The page files of one batch."""

    def __init__(self, batch: Batch, lake: Lake) -> None:
        self._batch = batch
        self._lake = lake
        self._folder = lake.build_batch_path("raw", batch, ".parts")
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)

    def write(self, number: int, lines: bytes, *, rows: int, next_token: str | None) -> PageRow:
        """Write the lines of a page to its file. A page without records is a row in the ledger and has no file."""
        if not rows:
            return PageRow(number=number, path="", rows=0, size=0, next=next_token)
        path = f"{self._folder}/{number:06d}.jsonl.zst"
        compressed = self._compressor.compress(lines)
        self._lake.write(path, compressed)
        return PageRow(number=number, path=path, rows=rows, size=len(compressed), next=next_token)

    def read_lines(self, page: PageRow) -> bytes:
        """The lines of a committed page."""
        if not page.rows:
            return b""
        try:
            return zstandard.ZstdDecompressor().decompress(self._lake.read(page.path))
        except zstandard.ZstdError as error:
            raise LakeError("a part of a batch is damaged", where=page.path, details=str(error)) from None

    def count_complete(self, pages: Sequence[PageRow]) -> int:
        """The number of pages, from the first, whose files are intact: the first missing or damaged file ends the count."""
        for index, page in enumerate(pages):
            if page.rows and self._lake.read_size(page.path) != page.size:
                return index
        return len(pages)

    def join(self, pages: Iterable[PageRow]) -> None:
        """Join the page files, in order, into the raw file of the batch. Without records, there is no raw file."""
        if paths := [page.path for page in pages if page.rows]:
            self._lake.join(paths, self._lake.build_batch_path("raw", self._batch, ".jsonl.zst"))

    def write_parents(self, pages: Sequence[tuple[str, int]]) -> None:
        """Write the parent of each line to a file beside raw: `[[parent, lines], ...]`, in the order of the lines."""
        counts: list[list[str | int]] = []
        for parent, rows in pages:
            if counts and counts[-1][0] == parent:
                counts[-1][1] = int(counts[-1][1]) + rows
            elif rows:
                counts.append([parent, rows])
        if counts:
            body = json.dumps(counts, ensure_ascii=False).encode()
            self._lake.write(self._lake.build_batch_path("raw", self._batch, ".parents.json"), body)

    def save_note(self, name: str, text: str) -> None:
        """Save a fact about the read. It is kept as long as the page files."""
        self._lake.write(f"{self._folder}/{name}", text.encode())

    def load_note(self, name: str) -> str | None:
        """A saved fact about the read, or None."""
        path = f"{self._folder}/{name}"
        return None if self._lake.read_size(path) is None else self._lake.read(path).decode()

    def clear(self) -> None:
        """Remove the page files and notes."""
        self._lake.clear(self._folder)


def remove_finished(feed: Feed, lake: Lake, ledger: Ledger) -> int:
    """Remove page files of complete batches, which a run leaves if it dies at that moment. Return the number of batches."""
    folder = f"{feed.tenant}/raw/{feed.connection}/{feed.resource}"
    batch_ids = {path.partition(".parts/")[0].rpartition("/")[2] for path in lake.list(folder) if ".parts/" in path}
    count = 0
    for batch_id in sorted(batch_ids):
        row = ledger.find_batch(feed.tenant, batch_id)
        if row is None or row.stage == "extracting":
            continue
        PageFiles(row.batch, lake).clear()
        count += 1
    return count
