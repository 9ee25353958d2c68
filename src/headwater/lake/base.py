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
        """The file at `path` on this machine, as DuckDB, Arrow or Spark read it; a bucket's is downloaded first."""
        ...

    def location(self, path: str) -> str:
        """Where `path` is, for a person."""
        ...

    def write(self, path: str, body: bytes) -> None:
        """Put `body` at `path`, as a whole. LakeError with the reason if that fails."""
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
        """A file of this machine that a writer may fill, for `adopt`; its folder exists."""
        ...

    def adopt(self, scratch: str, path: str) -> None:
        """Let what a writer left at `scratch` be the file at `path`."""
        ...

    def release(self, path: str) -> None:
        """Give back the space on this machine that a downloaded file takes; the file itself stays."""
        ...

    def list(self, prefix: str) -> list[str]:
        """The files in a folder and below it, sorted."""
        ...

    def list_batch(self, kind: str, batch: Batch) -> tuple[str, ...]:
        """The files of one kind that a batch has, sorted."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        ...

    def clear(self, folder: str) -> None:
        """Remove a folder and all that is in it; nothing happens when there is none."""
        ...

    def remove_leftovers(self) -> int:
        """Remove what killed writers left half-written; how many. Only while nobody else writes this tenant's files."""
        ...
