"""The protocol of a lake. Every path starts with a tenant, so that a mistake cannot reach the files of another tenant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from headwater.batch import Batch, Feed


class Lake(Protocol):
    """The files of one tenant. No reader ever sees a partial file."""

    tenant: str

    def build_batch_path(self, kind: str, batch: Batch, suffix: str) -> str:
        """The path of a file of a batch: `{tenant}/{kind}/{connection}/{resource}/{batch}{suffix}`."""
        ...

    def build_path(self, kind: str, feed: Feed, batch_id: str, suffix: str) -> str:
        """The path of a file of a batch, if only its id is known."""
        ...

    def fetch(self, path: str) -> str:
        """Return the file on this machine, for DuckDB, Arrow or Spark. A file in a bucket is downloaded first."""
        ...

    def locate(self, path: str) -> str:
        """The full location of `path`, for messages."""
        ...

    def write(self, path: str, body: bytes) -> None:
        """Write a file as a whole. Raise LakeError with the reason if that fails."""
        ...

    def read(self, path: str) -> bytes:
        """Return the bytes of a file. Raise LakeError if it is missing."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raise LakeError if it is missing."""
        ...

    def read_size(self, path: str) -> int | None:
        """The size of a file in bytes, or None if there is no such file."""
        ...

    def join(self, paths: Iterable[str], path: str) -> None:
        """Concatenate the files at `paths` into the file at `path`. The files at `paths` stay."""
        ...

    def prepare_draft(self, path: str) -> str:
        """Return the path of a new file on this machine for a writer, and create its folder. Publish it with `adopt`."""
        ...

    def adopt(self, draft: str, path: str) -> None:
        """Publish the file that was written to `draft` as the file at `path`."""
        ...

    def release(self, path: str) -> None:
        """Remove the downloaded copy of a file from this machine. The file itself stays."""
        ...

    def list(self, prefix: str) -> list[str]:
        """The paths of the files below a folder, sorted."""
        ...

    def list_batch(self, kind: str, batch: Batch) -> tuple[str, ...]:
        """The paths of the files of one kind of a batch, sorted."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""
        ...

    def clear(self, folder: str) -> None:
        """Remove a folder and everything in it, if it exists."""
        ...

    def remove_leftovers(self) -> int:
        """Remove partial files of killed writers. Return their number. Call it only while nothing else writes files here."""
        ...
