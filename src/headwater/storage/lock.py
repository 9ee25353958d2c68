"""A lock on a folder of this machine. It ends with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from headwater.errors import StoreError
from headwater.storage.local import translate_errors


class Lock:
    """An exclusive lock, from its creation until it is released or its process ends in any way."""

    def __init__(self, path: Path) -> None:
        with translate_errors("written", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 64, 0).decode(errors="replace").strip()
            self.release()
            raise StoreError(
                "the folder is in use by another process",
                where=str(path.parent),
                details=f"held by process {holder}" if holder else str(error),
                hint="wait until it finishes; `headwater query` works meanwhile",
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Release the lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
