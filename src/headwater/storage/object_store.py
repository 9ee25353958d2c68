"""A bucket of an object store, by obstore: S3 and what speaks like it, Azure's containers.

Credentials come from the environment, as the store's own tools take them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_REGION`, `AWS_ENDPOINT_URL`; `AZURE_STORAGE_ACCOUNT_KEY` and its kin; or from the machine's own identity.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import from_url

from headwater.errors import StoreError
from headwater.storage.base import FileEntry, StoredFile
from headwater.storage.endpoint import allows_plain_http

_PATIENCE = timedelta(seconds=60)
"""How long a request is repeated that failed in passing."""

_MISSED = (exceptions.AlreadyExistsError, exceptions.PreconditionError)


class ObjectStore:
    """Files below a prefix of a bucket. Those that are read or written as a whole pass through a folder of this machine."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        with self._translate_errors("opened", ""):
            self._bucket: Any = from_url(
                self.url, client_options={"allow_http": allows_plain_http()}, retry_config={"retry_timeout": _PATIENCE}
            )
        self._folder: Path | None = None

    def read(self, path: str) -> StoredFile | None:
        """A small file; None when there is none."""
        with self._translate_errors("read", path):
            try:
                found = obstore.get(self._bucket, path)
                return StoredFile(body=bytes(found.bytes()), tag=found.meta["e_tag"] or "")
            except FileNotFoundError:
                return None

    def write(self, path: str, body: bytes) -> None:
        """Put a small file there, in the place of another one."""
        with self._translate_errors("written", path):
            obstore.put(self._bucket, path, body, use_multipart=False)

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

    def fetch(self, path: str) -> Path:
        """The file, brought to this machine once: its content never changes."""
        target = self._create_folder() / path
        if not target.exists():
            beside = self.local_path(f"{path}.tmp")
            with self._translate_errors("read", path), beside.open("wb") as file:
                for chunk in obstore.get(self._bucket, path):
                    file.write(chunk)
            beside.replace(target)
        return target

    def list(self, prefix: str) -> list[FileEntry]:
        """The files below a folder, sorted by path."""
        with self._translate_errors("read", prefix):
            pages = list(obstore.list(self._bucket, prefix.rstrip("/") or None))
        found = [FileEntry(path=one["path"], modified=one["last_modified"]) for page in pages for one in page]
        return sorted(found, key=lambda one: one.path)

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        with self._translate_errors("removed", path):
            obstore.delete(self._bucket, path)
        if self._folder:
            (self._folder / path).unlink(missing_ok=True)

    def clear(self, prefix: str) -> None:
        """Remove all that is below a prefix."""
        for found in self.list(prefix):
            self.remove(found.path)

    def close(self) -> None:
        """Remove what was brought to this machine."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _create_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="headwater-"))
        return self._folder

    @contextmanager
    def _translate_errors(self, verb: str, path: str) -> Iterator[None]:
        where = f"{self.url}/{path}".rstrip("/")
        try:
            yield
        except (exceptions.BaseError, OSError, ValueError) as error:
            hint = "are address, bucket, rights and the credentials in the environment right, and is the network up?"
            details = str(error).strip().splitlines()[0][:300]
            raise StoreError(f"A file cannot be {verb}.", where=where, details=details, hint=hint) from error
