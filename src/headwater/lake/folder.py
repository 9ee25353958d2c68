"""A lake in a folder of the machine, or of a share that renames atomically."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from headwater.batch import Batch, Feed
from headwater.errors import LakeError
from headwater.names import check_name, check_slug

_LEFTOVER = ".tmp"
_KINDS = ("raw", "bronze", "quarantine")
_PIECE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SUFFIX = re.compile(r"(\.[A-Za-z0-9_-]+)*")
_BLOCK = 1 << 20

_HINTS = {
    errno.ENOSPC: "free some space and run again; nothing that was committed is lost",
    errno.EDQUOT: "raise the quota or free some space, then run again; nothing that was committed is lost",
    errno.EACCES: "give this user the right to write there, or name another lake",
    errno.EPERM: "give this user the right to write there, or name another lake",
    errno.EROFS: "the disk is mounted read-only; name another lake",
    errno.ENOENT: "it was moved or removed; put it back, or read the window again",
}


class FolderLake:
    """The files of one tenant below a folder. Written beside as `.tmp`, then renamed: never seen half-written."""

    def __init__(self, root: Path | str, tenant: str) -> None:
        self.root = Path(root).absolute()
        self.tenant = check_slug(tenant)

    def path(self, kind: str, batch: Batch, suffix: str) -> str:
        """Where a batch's file belongs: `{tenant}/{kind}/{connection}/{resource}/{batch}{suffix}`."""
        return self.build_path(kind, batch.feed, batch.id, suffix)

    def build_path(self, kind: str, feed: Feed, batch_id: str, suffix: str) -> str:
        """`path` for whoever knows a batch by its id only."""
        if feed.tenant != self.tenant:
            msg = f"a file of tenant `{feed.tenant}` was asked of the lake of `{self.tenant}`"
            raise LakeError(msg, where=str(feed), hint="open the lake of that tenant")
        if kind not in _KINDS or not _SUFFIX.fullmatch(suffix):
            msg = f"`{kind}` and `{suffix}` do not make a place in the lake"
            raise LakeError(msg, where=str(feed), hint=f"one of: {', '.join(_KINDS)}")
        folder = (self.tenant, kind, check_slug(feed.connection), check_name(feed.resource))
        return "/".join((*folder, _check_piece(batch_id) + suffix))

    def url(self, path: str) -> str:
        """`path` as DuckDB, Arrow or Spark read it."""
        return str(self._resolve(path))

    def write(self, path: str, body: bytes) -> None:
        """Put `body` at `path`: beside first, then renamed. LakeError with the reason when the disk will not."""
        target = self._resolve(path)
        with _translate_errors("written", target):
            beside = _temp_path(target)
            try:
                beside.write_bytes(body)
            except OSError:
                beside.unlink(missing_ok=True)
                raise
            beside.replace(target)

    def read(self, path: str) -> bytes:
        """The bytes at `path`; LakeError when it is not there."""
        target = self._resolve(path)
        with _translate_errors("read", target):
            return target.read_bytes()

    def open(self, path: str) -> BinaryIO:
        """The file at `path`, to be read from its beginning; LakeError when it is not there."""
        target = self._resolve(path)
        with _translate_errors("read", target):
            return target.open("rb")

    def size(self, path: str) -> int | None:
        """Bytes at `path`; None when there is no such file."""
        target = self._resolve(path)
        with _translate_errors("read", target):
            try:
                return target.stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def join(self, parts: Iterable[str], path: str) -> None:
        """The parts, one after the other, as one file at `path`; the parts stay."""
        target = self._resolve(path)
        with _translate_errors("written", target):
            beside = _temp_path(target)
            try:
                with beside.open("wb") as joined:
                    for part in parts:
                        with self.open(part) as piece:
                            shutil.copyfileobj(piece, joined, _BLOCK)
                    _fsync(joined)
            except OSError:
                beside.unlink(missing_ok=True)
                raise
            _rename(beside, target)

    def scratch(self, path: str) -> str:
        """An absolute place beside `path` that a writer may fill, for `adopt`; its folder exists."""
        target = self._resolve(path)
        with _translate_errors("written", target):
            return str(_temp_path(target))

    def adopt(self, scratch: str, path: str) -> None:
        """Rename what a writer left at `scratch` to `path`."""
        target = self._resolve(path)
        with _translate_errors("written", target):
            with Path(scratch).open("rb+") as written:
                _fsync(written)
            _rename(Path(scratch), target)

    def list(self, prefix: str) -> list[str]:
        """Committed files below `prefix`, sorted."""
        start = self._resolve(prefix.rstrip("/"))
        with _translate_errors("read", start):
            found = [start] if start.is_file() else start.rglob("*")
            files = [file for file in found if file.is_file() and not _is_leftover(file.relative_to(self.root))]
        return sorted(file.relative_to(self.root).as_posix() for file in files)

    def remove(self, path: str) -> None:
        """Remove a file or a folder; nothing happens when there is none."""
        target = self._resolve(path)
        with _translate_errors("removed", target):
            _remove(target)

    def remove_leftovers(self) -> int:
        """Remove what dead writers left half-written; how many things. Only while nobody writes this tenant's files."""
        start = self._resolve(self.tenant)
        with _translate_errors("removed", start):
            leftovers = list(start.rglob(f"*{_LEFTOVER}"))
            for leftover in leftovers:
                _remove(leftover)
        return len(leftovers)

    def _resolve(self, path: str) -> Path:
        pieces = path.split("/")
        if pieces[0] != self.tenant:
            msg = f"a path of another tenant was asked of the lake of `{self.tenant}`"
            raise LakeError(msg, where=path, hint=f"every path begins with `{self.tenant}/`")
        return self.root.joinpath(*(_check_piece(piece) for piece in pieces))


def _check_piece(piece: str) -> str:
    if not _PIECE.fullmatch(piece) or ".." in piece:
        msg = f"`{piece}` may not be part of a path in the lake"
        raise LakeError(msg, where="lake", hint="letters, digits, `_`, `-` and single dots, at most 128")
    return piece


def _temp_path(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(target.name + _LEFTOVER)


def _is_leftover(file: Path) -> bool:
    return any(piece.endswith(_LEFTOVER) for piece in file.parts)


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _fsync(file: object) -> None:
    """Bring a file's bytes to the disk, so that a rename cannot outlive them in a power cut."""
    stream = cast("BinaryIO", file)
    stream.flush()
    os.fsync(stream.fileno())


def _rename(beside: Path, target: Path) -> None:
    beside.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _translate_errors(verb: Literal["read", "written", "removed"], target: Path) -> Iterator[None]:
    """Turn an OSError into a LakeError that says which file, why, and what to try."""
    try:
        yield
    except OSError as error:
        raise lake_error(verb, str(target), error) from error


def lake_error(verb: str, where: str, error: OSError) -> LakeError:
    """The LakeError that an OSError stands for."""
    hint = _HINTS.get(error.errno or 0, "look at the disk, then run again")
    return LakeError(
        f"A file of the lake cannot be {verb}.", where=where, details=error.strerror or str(error), hint=hint
    )
