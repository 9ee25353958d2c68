"""The paths of the files of one tenant in a folder or a bucket. No path leaves the folder of the tenant."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from headwater.batch import Batch, Feed
from headwater.errors import LakeError, StoreError
from headwater.names import check_name, check_slug
from headwater.storage.base import DRAFT, Store
from headwater.storage.local import translate_errors
from headwater.storage.url import open_store

_KINDS = ("raw", "bronze", "quarantine")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SUFFIX = re.compile(r"(\.[A-Za-z0-9_-]+)*")
_BLOCK = 1 << 20


def open_lake(url: str, tenant: str) -> TenantLake:
    """Open the lake at `url` for a tenant. `url` is a folder, `s3://…` or `abfss://…`."""
    with _translate_errors():
        return TenantLake(open_store(url), tenant)


class TenantLake:
    """The files of one tenant in a store. Each file exists as a whole or not at all."""

    def __init__(self, store: Store, tenant: str) -> None:
        self.store = store
        self.tenant = check_slug(tenant)

    def build_batch_path(self, kind: str, batch: Batch, suffix: str) -> str:
        """The path of a file of a batch: `{tenant}/{kind}/{connection}/{resource}/{batch}{suffix}`."""
        return self.build_path(kind, batch.feed, batch.id, suffix)

    def build_path(self, kind: str, feed: Feed, batch_id: str, suffix: str) -> str:
        """The path of a file of a batch, if only its id is known."""
        if feed.tenant != self.tenant:
            msg = f"the lake of tenant `{self.tenant}` cannot open a file of tenant `{feed.tenant}`"
            raise LakeError(msg, where=str(feed), hint="open the lake of that tenant")
        if kind not in _KINDS or not _SUFFIX.fullmatch(suffix):
            msg = f"`{kind}` and `{suffix}` are not a valid path in the lake"
            raise LakeError(msg, where=str(feed), hint=f"one of: {', '.join(_KINDS)}")
        folder = (self.tenant, kind, check_slug(feed.connection), check_name(feed.resource))
        return "/".join((*folder, _check_part(batch_id) + suffix))

    def fetch(self, path: str) -> str:
        """Return the file on this machine, for DuckDB, Arrow or Spark. A file in a bucket is downloaded first."""
        with _translate_errors():
            return str(self.store.fetch(self._check(path)))

    def locate(self, path: str) -> str:
        """The full location of `path`, for messages."""
        return f"{self.store.url}/{self._check(path)}"

    def write(self, path: str, body: bytes) -> None:
        """Write a file as a whole. Raise LakeError with the reason if that fails.

        It does not sync the disk: the ledger knows the size of each page, so a page that a power loss truncated is read
        again.
        """
        with _translate_errors():
            self.store.write(self._check(path), body, durable=False)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file. Raise LakeError if it is missing."""
        with _translate_errors():
            stored = self.store.read(self._check(path))
        if stored is None:
            raise self._build_missing_error(path)
        return stored.body

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raise LakeError if it is missing."""
        with _translate_errors():
            local = self.store.fetch(self._check(path))
            with translate_errors("read", local):
                try:
                    return local.open("rb")
                except FileNotFoundError:
                    raise self._build_missing_error(path) from None

    def read_size(self, path: str) -> int | None:
        """The size of a file in bytes, or None if there is no such file."""
        with _translate_errors():
            return self.store.read_size(self._check(path))

    def join(self, paths: Iterable[str], path: str) -> None:
        """Concatenate the files at `paths` into the file at `path`. The files at `paths` stay."""
        with _translate_errors():
            draft = self.store.prepare_draft(self._check(path))
            with translate_errors("written", draft):
                try:
                    self._copy(paths, draft)
                except BaseException:
                    draft.unlink(missing_ok=True)
                    raise
            self.store.adopt(draft, path)

    def prepare_draft(self, path: str) -> str:
        """Return the path of a new file on this machine for a writer, and create its folder. Publish it with `adopt`."""
        with _translate_errors():
            return str(self.store.prepare_draft(self._check(path)))

    def adopt(self, draft: str, path: str) -> None:
        """Publish the file that was written to `draft` as the file at `path`."""
        with _translate_errors():
            self.store.adopt(Path(draft), self._check(path))

    def release(self, path: str) -> None:
        """Remove the downloaded copy of a file from this machine. The file itself stays."""
        with _translate_errors():
            self.store.release(self._check(path))

    def list(self, prefix: str) -> list[str]:
        """The paths of the files below a folder, sorted."""
        with _translate_errors():
            entries = self.store.list(self._check(prefix.rstrip("/")))
        return [entry.path for entry in entries if not _is_draft(entry.path)]

    def list_batch(self, kind: str, batch: Batch) -> tuple[str, ...]:
        """The paths of the files of one kind of a batch, sorted."""
        start = self.build_batch_path(kind, batch, "") + "."
        with _translate_errors():
            return self.store.list_names(start.rpartition("/")[0], start=start)

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""
        with _translate_errors():
            self.store.remove(self._check(path))

    def clear(self, folder: str) -> None:
        """Remove a folder and everything in it, if it exists."""
        with _translate_errors():
            self.store.clear(self._check(folder.rstrip("/")))

    def remove_leftovers(self) -> int:
        """Remove partial files and folders of killed writers. Return their number. Call it only while nothing else writes."""
        with _translate_errors():
            return self.store.remove_drafts(self.tenant)

    def _copy(self, paths: Iterable[str], draft: Path) -> None:
        with draft.open("wb") as target:
            for path in paths:
                with self.open(path) as file:
                    shutil.copyfileobj(file, target, _BLOCK)

    def _check(self, path: str) -> str:
        """Return `path` if it belongs to this tenant. Raise LakeError otherwise."""
        parts = path.split("/")
        if parts[0] != self.tenant:
            msg = f"the lake of tenant `{self.tenant}` cannot open a path of another tenant"
            raise LakeError(msg, where=path, hint=f"every path starts with `{self.tenant}/`")
        for part in parts:
            _check_part(part)
        return path

    def _build_missing_error(self, path: str) -> LakeError:
        hint = "restore the file, or read the window again"
        return LakeError("A file of the lake is missing.", where=self.locate(path), details="no such file", hint=hint)


def _is_draft(path: str) -> bool:
    return any(piece.endswith(DRAFT) for piece in path.split("/"))


def _check_part(part: str) -> str:
    if not _PART.fullmatch(part) or ".." in part:
        msg = f"`{part}` is not allowed in a path of the lake"
        raise LakeError(msg, where="lake", hint="letters, digits, `_`, `-` and single dots, at most 128")
    return part


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Convert a StoreError to a LakeError with the same fields."""
    try:
        yield
    except StoreError as error:
        raise LakeError(error.message, where=error.where, details=error.details, hint=error.hint) from error
