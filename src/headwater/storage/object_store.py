"""A bucket of an object store, with obstore: S3 and compatible stores, and containers in Azure.

Credentials come from the environment, as for the tools of the store: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_REGION`, `AWS_ENDPOINT_URL`; `AZURE_STORAGE_ACCOUNT_KEY` and similar; or from the identity of the machine.
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
from headwater.storage.endpoint import is_plain_http_allowed

_RETRY_TIMEOUT = timedelta(seconds=60)
"""How long to retry a request after transient errors."""

_PAGE_SIZE = 1000
"""The most files that one request lists or removes."""

_DENIED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
_CONFLICTS = (exceptions.AlreadyExistsError, exceptions.PreconditionError)


class ObjectStore:
    """Files below a prefix of a bucket. Large files are read and written through a folder on this machine."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        with self._translate_errors("opened", ""):
            self._bucket: Any = from_url(
                self.url,
                client_options={"allow_http": is_plain_http_allowed(self.url)},
                retry_config={"retry_timeout": _RETRY_TIMEOUT},
            )
        self._folder: Path | None = None
        self._folder_lock = Lock()
        self._downloads: dict[str, Lock] = {}
        """One lock for each file, so that two threads download the same file only once."""

    def read(self, path: str) -> StoredFile | None:
        """Read a small file. Return None if there is none."""
        with self._translate_errors("read", path):
            try:
                result = obstore.get(self._bucket, path)
                return StoredFile(body=bytes(result.bytes()), tag=result.meta["e_tag"] or "")
            except FileNotFoundError:
                return None

    def read_size(self, path: str) -> int | None:
        """The size of a file in bytes, or None if there is none."""
        with self._translate_errors("read", path):
            try:
                return int(obstore.head(self._bucket, path)["size"])
            except FileNotFoundError:
                return None

    def write(self, path: str, body: bytes, *, durable: bool = True) -> None:
        """Write a small file, or replace it. In a bucket, this is always durable."""
        del durable
        with self._translate_errors("written", path):
            obstore.put(self._bucket, path, body, use_multipart=False)
        self.release(path)

    def swap(self, path: str, body: bytes, *, expected_tag: str | None) -> str | None:
        """Replace a small file if it has the tag `expected_tag`. The object store decides which writer was first."""
        with self._translate_errors("written", path):
            try:
                result = obstore.put(
                    self._bucket, path, body, mode="create" if expected_tag is None else {"e_tag": expected_tag}
                )
            except _CONFLICTS:
                # A retry after a lost response finds the content that the first try wrote.
                stored = self.read(path)
                return stored.tag if stored and stored.body == body else None
        return result["e_tag"] or ""

    def prepare_local_path(self, path: str) -> Path:
        """Return a path in a folder on this machine."""
        target = self._ensure_folder() / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def commit(self, path: str) -> None:
        """Upload what was written to `prepare_local_path(path)`. A large file is uploaded in parts."""
        with self._translate_errors("written", path):
            obstore.put(self._bucket, path, self._ensure_folder() / path)

    def prepare_draft(self, path: str) -> Path:
        """Return a path in a folder on this machine."""
        return self.prepare_local_path(path + DRAFT)

    def adopt(self, draft: Path, path: str) -> None:
        """Upload the draft. The copy on this machine stays for readers."""
        with self._translate_errors("written", path):
            draft.replace(self._ensure_folder() / path)
        self.commit(path)

    def remove_drafts(self, prefix: str) -> int:
        """Do nothing: a bucket has no partial files."""
        del prefix
        return 0

    def fetch(self, path: str) -> Path:
        """Download the file once: its content never changes."""
        target = self._ensure_folder() / path
        with self._downloads.setdefault(path, Lock()):
            if not target.exists():
                self._download(path, target)
        return target

    def _download(self, path: str, target: Path) -> None:
        partial = self.prepare_local_path(f"{path}.part{DRAFT}")
        with self._translate_errors("read", path):
            with partial.open("wb") as file:
                for chunk in obstore.get(self._bucket, path):
                    file.write(chunk)
            partial.replace(target)

    def release(self, path: str) -> None:
        """Remove the copy on this machine."""
        if self._folder:
            (self._folder / path).unlink(missing_ok=True)

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path."""
        with self._translate_errors("read", prefix):
            pages = list(obstore.list(self._bucket, prefix.rstrip("/") or None))
        entries = [FileEntry(path=entry["path"], modified=entry["last_modified"]) for page in pages for entry in page]
        return sorted(entries, key=lambda entry: entry.path)

    def list_names(self, folder: str, *, start: str) -> tuple[str, ...]:
        """The paths of the files in a folder that start with `start`, sorted. The listing begins at `start`."""
        names: list[str] = []
        with self._translate_errors("read", start):
            for page in obstore.list(self._bucket, folder, offset=start, chunk_size=_PAGE_SIZE):
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
        """Remove everything below a prefix."""
        paths = [entry.path for entry in self.list(prefix)]
        with self._translate_errors("removed", prefix):
            for start in range(0, len(paths), _PAGE_SIZE):
                obstore.delete(self._bucket, paths[start : start + _PAGE_SIZE])
        for path in paths:
            self.release(path)

    def close(self) -> None:
        """Remove the local copies."""
        if self._folder:
            self._remove_folder()
            self._folder = None

    def _ensure_folder(self) -> Path:
        with self._folder_lock:
            return self._folder or self._create_folder()

    def _create_folder(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-"))
        # Remove the folder even if the store is not closed, or after an error.
        self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @contextmanager
    def _translate_errors(self, verb: str, path: str) -> Iterator[None]:
        where = f"{self.url}/{path}".rstrip("/")
        try:
            yield
        except (exceptions.BaseError, OSError, ValueError) as error:
            details = str(error).strip().splitlines()[0][:300]
            raise StoreError(
                f"A file cannot be {verb}.", where=where, details=details, hint=_build_hint(error)
            ) from error


def _build_hint(error: Exception) -> str:
    """The hint for an error. A refused list request has no error class of its own, so the text of the error counts, too."""
    text = str(error)
    if isinstance(error, _DENIED) or "403 Forbidden" in text or "401 Unauthorized" in text:
        return "allow these credentials to read, write, list and delete below this prefix, then run again"
    if isinstance(error, FileNotFoundError) or "404 Not Found" in text:
        return "create the bucket or container, or correct its name; Headwater does not create it"
    if isinstance(error, OSError):
        return "check the local disk, which stores files before they are uploaded, then run again"
    return "check the URL, the credentials in the environment and the network, then run again"
