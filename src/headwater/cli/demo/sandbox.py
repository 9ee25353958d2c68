"""The simulated ConnectWise in a separate process, and the requests with which the demo controls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from headwater.clock import parse_instant
from headwater.errors import ServiceError

KEYS = {
    "CONNECTWISE_PUBLIC_KEY": "public",
    "CONNECTWISE_PRIVATE_KEY": "private",
    "CONNECTWISE_CLIENT_ID": "client",
}
"""The credentials of the simulated service, by the environment variables that a new project reads."""
COMPANY = "acme"
"""The login name of the simulated company."""

_TIMEOUT = 30.0
"""Seconds that a request may take."""


class Sandbox:
    """A client of the simulated service's own endpoints."""

    def __init__(self, url: str) -> None:
        self.url = url

    def advance(self, *, days: int = 0, hours: int = 0) -> datetime:
        """Advance the simulated clock. Return its new time."""
        return parse_instant(self._send("POST", f"advance?days={days}&hours={hours}")["clock"])

    def list_newest(self, path: str, count: int) -> list[int]:
        """Return the ids of the newest records of a collection."""
        return sorted(record["id"] for record in self._send("GET", f"records/{path}"))[-count:]

    def corrupt_records(self, path: str, ids: Sequence[int], *, field: str, value: str) -> None:
        """Serve some records with an invalid value, until `repair_records`."""
        for ident in ids:
            self.add_fault("malformed_record", path=path, id=ident, field=field, value=value)

    def repair_records(self, path: str) -> None:
        """Remove the faults of a collection. Faults of other collections stay."""
        faults = self._send("GET", "faults")["faults"]
        self._send("DELETE", "faults")
        for fault in faults:
            if fault["path"] != path:
                self.add_fault(fault["kind"], path=fault["path"], **fault["settings"])

    def add_fault(self, kind: str, **settings: object) -> None:
        """Add a fault. The kinds are in docs/reference/sandbox.md."""
        self._send("POST", "faults", {"kind": kind, **settings})

    def _send(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        # Connect directly to loopback, because HTTPConnection ignores the proxy settings of this machine.
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT)
        try:
            connection.request(method, f"/_sandbox/{path}", body=json.dumps(body) if body else None)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise ServiceError(
                "The sandbox refused a request of the demo.", where=f"{method} {path}", details=str(text)
            )
        return json.loads(text)


@contextmanager
def start_sandbox(*, months: int) -> Iterator[Sandbox]:
    """Run a simulated ConnectWise with `months` months of history on a free port while the block runs."""
    command = [sys.executable, "-m", "headwater.sandbox", "connectwise", "--port", "0", "--months", str(months)]
    # With its own session, the sandbox does not receive Ctrl-C. Only the demo does, and then terminates the sandbox.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield Sandbox(_read_url(process))
        finally:
            process.terminate()


def _read_url(process: subprocess.Popen[str]) -> str:
    url = process.stdout.readline().strip() if process.stdout else ""
    if not url:
        details = process.stderr.read().strip() if process.stderr else ""
        raise ServiceError(
            "The sandbox did not start.", where="python -m headwater.sandbox connectwise", details=details
        )
    return url
