"""What a lake can do. Every path begins with a tenant, so that nobody reaches another one's files by a slip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from headwater.batch import Batch, Feed


class Lake(Protocol):
    """Files of one tenant. Nothing is ever seen half-written."""

    tenant: str

    def path(self, kind: str, batch: Batch, suffix: str) -> str:
        """Where a batch's file belongs: `{tenant}/{kind}/{connection}/{resource}/{batch}{suffix}`."""
        ...

    def build_path(self, kind: str, feed: Feed, batch_id: str, suffix: str) -> str:
        """`path` for whoever knows a batch by its id only."""
        ...

    def url(self, path: str) -> str:
        """`path` as DuckDB, Arrow or Spark read it."""
        ...

    def write(self, path: str, body: bytes) -> None:
        """Put `body` at `path`: beside first, then renamed. LakeError with the reason when the disk will not."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes at `path`; LakeError when it is not there."""
        ...

    def open(self, path: str) -> BinaryIO:
        """The file at `path`, to be read from its beginning; LakeError when it is not there."""
        ...

    def size(self, path: str) -> int | None:
        """Bytes at `path`; None when there is no such file."""
        ...

    def join(self, parts: Iterable[str], path: str) -> None:
        """The parts, one after the other, as one file at `path`; the parts stay."""
        ...

    def scratch(self, path: str) -> str:
        """An absolute place beside `path` that a writer may fill, for `adopt`; its folder exists."""
        ...

    def adopt(self, scratch: str, path: str) -> None:
        """Rename what a writer left at `scratch` to `path`."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Committed files below `prefix`, sorted."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file or a folder; nothing happens when there is none."""
        ...

    def remove_leftovers(self) -> int:
        """Remove what dead writers left half-written; how many files. Only while nobody writes this tenant's files."""
        ...
