"""The simulated ConnectWise: a process of its own, and the few things that the demo lets happen there."""

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
"""What opens the simulated service, by the names under which a new project looks for it."""
COMPANY = "acme"
"""The login name of the simulated company."""

_PATIENCE = 30.0


class Service:
    """The simulated service, as the demo's author moves it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def advance(self, *, days: int = 0, hours: int = 0) -> datetime:
        """Let the company live on; its clock afterwards."""
        return parse_instant(self._ask("POST", f"advance?days={days}&hours={hours}")["clock"])

    def newest(self, path: str, count: int) -> list[int]:
        """The ids of the newest records of a collection."""
        return sorted(record["id"] for record in self._ask("GET", f"records/{path}"))[-count:]

    def spoil(self, path: str, ids: Sequence[int], *, field: str, value: str) -> None:
        """Serve some records with a value that does not fit, until `mend`."""
        for one in ids:
            self.fault("malformed_record", path=path, id=one, field=field, value=value)

    def mend(self, path: str) -> None:
        """Serve the records of a collection well again; what is spoiled elsewhere stays so."""
        waiting = self._ask("GET", "faults")["faults"]
        self._ask("DELETE", "faults")
        for fault in waiting:
            if fault["path"] != path:
                self.fault(fault["kind"], path=fault["path"], **fault["settings"])

    def fault(self, kind: str, **settings: object) -> None:
        """Let something go wrong; which kinds there are is in docs/reference/sandbox.md."""
        self._ask("POST", "faults", {"kind": kind, **settings})

    def _ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        # Straight to loopback: a proxy that this machine may use for the world has no part in it.
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_PATIENCE)
        try:
            connection.request(method, f"/_sandbox/{path}", body=json.dumps(body) if body else None)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise ServiceError(
                "The sandbox refused a request of the demo.", where=f"{method} {path}", details=str(text)
            )
        return json.loads(text)


@contextmanager
def serving(*, months: int) -> Iterator[Service]:
    """A simulated ConnectWise that has lived for some months, on a free port, for as long as the block lasts."""
    words = [sys.executable, "-m", "headwater.sandbox", "connectwise", "--port", "0", "--months", str(months)]
    # In a session of its own, Ctrl-C reaches the demo alone, which then ends the sandbox when nobody reads from it any more.
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield Service(_url(process))
        finally:
            process.terminate()


def _url(process: subprocess.Popen[str]) -> str:
    url = process.stdout.readline().strip() if process.stdout else ""
    if not url:
        details = process.stderr.read().strip() if process.stderr else ""
        raise ServiceError(
            "The sandbox did not start.", where="python -m headwater.sandbox connectwise", details=details
        )
    return url
