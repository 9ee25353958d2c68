"""The files of one tenant in a folder or a bucket: where each belongs, and that no path leaves the tenant."""

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
_PIECE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SUFFIX = re.compile(r"(\.[A-Za-z0-9_-]+)*")
_BLOCK = 1 << 20


def open_lake(url: str, tenant: str) -> TenantLake:
    """A tenant's part of the lake at `url`: a folder, `s3://…` or `abfss://…`."""
    with _translate_errors():
        return TenantLake(open_store(url), tenant)


class TenantLake:
    """The files of one tenant in a store. Each is there as a whole or not at all."""

    def __init__(self, store: Store, tenant: str) -> None:
        self.store = store
        self.tenant = check_slug(tenant)

    def path(self, kind: str, batch: Batch, suffix: str) -> str:
        """Where a batch's file belongs: `{tenant}/{kind}/{connection}/{resource}/{batch}{suffix}`."""
        return self.build_path(kind, batch.feed, batch.id, suffix)

    def build_path(self, kind: str, feed: Feed, batch_id: str, suffix: str) -> str:
        """`path` for whoever knows a batch by its id only."""
        if feed.tenant != self.tenant:
            msg = f"the lake of tenant `{self.tenant}` cannot open a file of tenant `{feed.tenant}`"
            raise LakeError(msg, where=str(feed), hint="open the lake of that tenant")
        if kind not in _KINDS or not _SUFFIX.fullmatch(suffix):
            msg = f"`{kind}` and `{suffix}` are not a valid path in the lake"
            raise LakeError(msg, where=str(feed), hint=f"one of: {', '.join(_KINDS)}")
        folder = (self.tenant, kind, check_slug(feed.connection), check_name(feed.resource))
        return "/".join((*folder, _check_piece(batch_id) + suffix))

    def url(self, path: str) -> str:
        """The file at `path` on this machine, as DuckDB, Arrow or Spark read it; a bucket's is downloaded first."""
        with _translate_errors():
            return str(self.store.fetch(self._check(path)))

    def location(self, path: str) -> str:
        """Where `path` is, for a person."""
        return f"{self.store.url}/{self._check(path)}"

    def write(self, path: str, body: bytes) -> None:
        """Put `body` at `path`, as a whole. LakeError with the reason if that fails.

        It does not wait for the disk: the ledger knows the size of each page, so a page that a loss of power cut is read
        again.
        """
        with _translate_errors():
            self.store.write(self._check(path), body, durable=False)

    def read(self, path: str) -> bytes:
        """The bytes at `path`; LakeError when it is not there."""
        with _translate_errors():
            stored = self.store.read(self._check(path))
        if stored is None:
            raise self._missing_error(path)
        return stored.body

    def open(self, path: str) -> BinaryIO:
        """The file at `path`, to be read from its beginning; LakeError when it is not there."""
        with _translate_errors():
            local = self.store.fetch(self._check(path))
            with translate_errors("read", local):
                try:
                    return local.open("rb")
                except FileNotFoundError:
                    raise self._missing_error(path) from None

    def size(self, path: str) -> int | None:
        """Bytes at `path`; None when there is no such file."""
        with _translate_errors():
            return self.store.size(self._check(path))

    def join(self, parts: Iterable[str], path: str) -> None:
        """The parts, one after the other, as one file at `path`; the parts stay."""
        with _translate_errors():
            draft = self.store.draft(self._check(path))
            with translate_errors("written", draft):
                try:
                    self._copy(parts, draft)
                except BaseException:
                    draft.unlink(missing_ok=True)
                    raise
            self.store.adopt(draft, path)

    def scratch(self, path: str) -> str:
        """A file of this machine that a writer may fill, for `adopt`; its folder exists."""
        with _translate_errors():
            return str(self.store.draft(self._check(path)))

    def adopt(self, scratch: str, path: str) -> None:
        """Let what a writer left at `scratch` be the file at `path`."""
        with _translate_errors():
            self.store.adopt(Path(scratch), self._check(path))

    def release(self, path: str) -> None:
        """Give back the space on this machine that a downloaded file takes; the file itself stays."""
        with _translate_errors():
            self.store.release(self._check(path))

    def list(self, prefix: str) -> list[str]:
        """The files in a folder and below it, sorted."""
        with _translate_errors():
            entries = self.store.list(self._check(prefix.rstrip("/")))
        return [entry.path for entry in entries if not _is_draft(entry.path)]

    def list_batch(self, kind: str, batch: Batch) -> tuple[str, ...]:
        """The files of one kind that a batch has, sorted."""
        start = self.path(kind, batch, "") + "."
        with _translate_errors():
            return self.store.list_names(start.rpartition("/")[0], start=start)

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        with _translate_errors():
            self.store.remove(self._check(path))

    def clear(self, folder: str) -> None:
        """Remove a folder and all that is in it; nothing happens when there is none."""
        with _translate_errors():
            self.store.clear(self._check(folder.rstrip("/")))

    def remove_leftovers(self) -> int:
        """Remove what killed writers left half-written; how many files and folders. Only while nobody else writes."""
        with _translate_errors():
            return self.store.remove_drafts(self.tenant)

    def _copy(self, parts: Iterable[str], draft: Path) -> None:
        with draft.open("wb") as joined:
            for part in parts:
                with self.open(part) as file:
                    shutil.copyfileobj(file, joined, _BLOCK)

    def _check(self, path: str) -> str:
        """`path`, if it is of this tenant; LakeError otherwise."""
        pieces = path.split("/")
        if pieces[0] != self.tenant:
            msg = f"the lake of tenant `{self.tenant}` cannot open a path of another tenant"
            raise LakeError(msg, where=path, hint=f"every path starts with `{self.tenant}/`")
        for piece in pieces:
            _check_piece(piece)
        return path

    def _missing_error(self, path: str) -> LakeError:
        hint = "restore the file, or read the window again"
        return LakeError("A file of the lake is missing.", where=self.location(path), details="no such file", hint=hint)


def _is_draft(path: str) -> bool:
    return any(piece.endswith(DRAFT) for piece in path.split("/"))


def _check_piece(piece: str) -> str:
    if not _PIECE.fullmatch(piece) or ".." in piece:
        msg = f"`{piece}` is not allowed in a path of the lake"
        raise LakeError(msg, where="lake", hint="letters, digits, `_`, `-` and single dots, at most 128")
    return piece


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn an error of the store into one of the lake, with the same slots."""
    try:
        yield
    except StoreError as error:
        raise LakeError(error.message, where=error.where, details=error.details, hint=error.hint) from error
