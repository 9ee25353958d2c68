"""The command line on a machine whose clock stands where a test says, and that waits for nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from headwater.cli.main import run_command
from headwater.clock import SystemClock

NOW = "HOSTILE_NOW"


@contextmanager
def machine_at(now: datetime) -> Iterator[None]:
    """A machine on which it is `now`."""
    began = time.monotonic()

    def read_time(self: Any) -> datetime:
        del self
        return now + timedelta(seconds=time.monotonic() - began)

    def sleep_briefly(self: Any, seconds: float) -> None:
        del self
        time.sleep(min(seconds, 0.01))

    with patch.object(SystemClock, "now", read_time), patch.object(SystemClock, "sleep", sleep_briefly):
        yield


if __name__ == "__main__":
    with machine_at(datetime.fromisoformat(os.environ[NOW]).astimezone(UTC)):
        sys.exit(run_command(sys.argv[1:]))
