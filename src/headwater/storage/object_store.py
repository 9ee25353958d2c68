"""A bucket of an object store, by obstore: S3 and what speaks like it, Azure's containers.

Credentials come from the environment, as the store's own tools take them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_REGION`, `AWS_ENDPOINT_URL`; `AZURE_STORAGE_ACCOUNT_KEY` and its kin; or from the machine's own identity.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import from_url

from headwater.errors import StoreError
from headwater.storage.base import DRAFT, FileEntry, StoredFile
from headwater.storage.endpoint import allows_plain_http

_PATIENCE = timedelta(seconds=60)
"""How long a request is repeated that failed in passing."""

_PAGE = 1000
"""Files that one request lists or removes at most."""

_DENIED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
_MISSED = (exceptions.AlreadyExistsError, exceptions.PreconditionError)


class ObjectStore:
    """Files below a prefix of a bucket. Those that are read or written as a whole pass through a folder of this machine."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        with self._translate_errors("opened", ""):
            self._bucket: Any = from_url(
                self.url,
                client_options={"allow_http": allows_plain_http(self.url)},
                retry_config={"retry_timeout": _PATIENCE},
            )
        self._folder: Path | None = None
        self._turn = Lock()
        self._downloads: dict[str, Lock] = {}
        """One a file, so that two threads that want the same one download it once."""

    def read(self, path: str) -> StoredFile | None:
        """A small file; None when there is none."""
        with self._translate_errors("read", path):
            try:
                found = obstore.get(self._bucket, path)
                return StoredFile(body=bytes(found.bytes()), tag=found.meta["e_tag"] or "")
            except FileNotFoundError:
                return None

    def size(self, path: str) -> int | None:
        """The bytes of a file; None when there is none."""
        with self._translate_errors("read", path):
            try:
                return int(obstore.head(self._bucket, path)["size"])
            except FileNotFoundError:
                return None

    def write(self, path: str, body: bytes, *, durable: bool = True) -> None:
        """Put a small file there, in the place of another one; a bucket keeps it for good either way."""
        del durable
        with self._translate_errors("written", path):
            obstore.put(self._bucket, path, body, use_multipart=False)
        self.release(path)

    def swap(self, path: str, body: bytes, *, expected_tag: str | None) -> str | None:
        """Put a small file there if what is there has the tag `was`: the store itself decides who was first."""
        with self._translate_errors("written", path):
            try:
                done = obstore.put(
                    self._bucket, path, body, mode="create" if expected_tag is None else {"e_tag": expected_tag}
                )
            except _MISSED:
                # A request that was repeated after its answer was lost finds its own doing.
                found = self.read(path)
                return found.tag if found and found.body == body else None
        return done["e_tag"] or ""

    def local_path(self, path: str) -> Path:
        """A place in a folder of this machine."""
        target = self._create_folder() / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def commit(self, path: str) -> None:
        """Send what was filled at `local_path(path)`, in parts where it is large."""
        with self._translate_errors("written", path):
            obstore.put(self._bucket, path, self._create_folder() / path)

    def draft(self, path: str) -> Path:
        """A place in a folder of this machine."""
        return self.local_path(path + DRAFT)

    def adopt(self, draft: Path, path: str) -> None:
        """Send what was filled; the copy on this machine stays for readers."""
        with self._translate_errors("written", path):
            draft.replace(self._create_folder() / path)
        self.commit(path)

    def remove_drafts(self, prefix: str) -> int:
        """Nothing: a bucket shows whole files only."""
        del prefix
        return 0

    def fetch(self, path: str) -> Path:
        """The file, brought to this machine once: its content never changes."""
        target = self._create_folder() / path
        with self._downloads.setdefault(path, Lock()):
            if not target.exists():
                self._download(path, target)
        return target

    def _download(self, path: str, target: Path) -> None:
        beside = self.local_path(f"{path}.part{DRAFT}")
        with self._translate_errors("read", path):
            with beside.open("wb") as file:
                for chunk in obstore.get(self._bucket, path):
                    file.write(chunk)
            beside.replace(target)

    def release(self, path: str) -> None:
        """Remove the copy on this machine."""
        if self._folder:
            (self._folder / path).unlink(missing_ok=True)

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path."""
        with self._translate_errors("read", prefix):
            pages = list(obstore.list(self._bucket, prefix.rstrip("/") or None))
        found = [FileEntry(path=one["path"], modified=one["last_modified"]) for page in pages for one in page]
        return sorted(found, key=lambda one: one.path)

    def list_names(self, folder: str, *, start: str) -> tuple[str, ...]:
        """The files in a folder whose path begins with `start`, sorted: what comes before them is not listed."""
        names: list[str] = []
        with self._translate_errors("read", start):
            for page in obstore.list(self._bucket, folder, offset=start, chunk_size=_PAGE):
                paths = [entry["path"] for entry in page]
                names += [path for path in paths if path.startswith(start) and "/" not in path[len(folder) + 1 :]]
                if paths and not paths[-1].startswith(start):
                    break
        return tuple(sorted(names))

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        with self._translate_errors("removed", path), suppress(FileNotFoundError):
            obstore.delete(self._bucket, path)
        self.release(path)

    def clear(self, prefix: str) -> None:
        """Remove all that is below a prefix."""
        paths = [entry.path for entry in self.list(prefix)]
        with self._translate_errors("removed", prefix):
            for start in range(0, len(paths), _PAGE):
                obstore.delete(self._bucket, paths[start : start + _PAGE])
        for path in paths:
            self.release(path)

    def close(self) -> None:
        """Remove what was brought to this machine."""
        if self._folder:
            self._remove_folder()
            self._folder = None

    def _create_folder(self) -> Path:
        with self._turn:
            return self._folder or self._make_folder()

    def _make_folder(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-"))
        # Whoever forgets to close, and whoever ends with an error, leaves nothing behind either.
        self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @contextmanager
    def _translate_errors(self, verb: str, path: str) -> Iterator[None]:
        where = f"{self.url}/{path}".rstrip("/")
        try:
            yield
        except (exceptions.BaseError, OSError, ValueError) as error:
            saw = str(error).strip().splitlines()[0][:300]
            raise StoreError(f"A file cannot be {verb}.", where=where, details=saw, hint=_hint(error)) from error


def _hint(error: Exception) -> str:
    """What to try, by what the bucket said. A list that is refused has no class of its own, so its text counts too."""
    text = str(error)
    if isinstance(error, _DENIED) or "403 Forbidden" in text or "401 Unauthorized" in text:
        return "allow these credentials to read, write, list and delete below this prefix, then run again"
    if isinstance(error, FileNotFoundError) or "404 Not Found" in text:
        return "create the bucket or container, or correct its name; Headwater does not create it"
    if isinstance(error, OSError):
        return "check the local disk, which stores files before they are uploaded, then run again"
    return "check the URL, the credentials in the environment and the network, then run again"
