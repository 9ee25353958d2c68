"""An HTTP server on loopback whose answers a function builds. It can also send a body late, or only a part of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from headwater.clock import SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that the server received."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str]
    """Names are lower case."""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, escaped as it was sent."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the server."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False
    """Whether the connection breaks in the middle of the body."""
    delay: float = 0.0
    """Seconds of silence in the middle of the body."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def report_error(self, request: Any, client_address: Any) -> None:
        """Report an error of an answer, but no broken connection: some clients are killed."""
        if not isinstance(sys.exc_info()[1], OSError):
            ThreadingHTTPServer.handle_error(self, request, client_address)

    handle_error = report_error


@contextmanager
def serve(respond: Callable[[Call], Answer]) -> Iterator[str]:
    """Serve the answers of `respond` on a free port while the block runs. Yields the base URL."""
    server = _Server(("127.0.0.1", 0), _build_receiver(respond))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _build_receiver(respond: Callable[[Call], Answer]) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this, the body waits until the client acknowledges the headers.
        disable_nagle_algorithm = True

        def receive(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = respond(Call(method=self.command, target=self.path, headers=headers, body=body))
            self.send_response_only(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.send_body(answer)

        def send_body(self, answer: Answer) -> None:
            half = len(answer.body) // 2 if answer.is_cut or answer.delay else 0
            self.wfile.write(answer.body[:half])
            if answer.is_cut:
                self.close_connection = True
                return
            if answer.delay:
                self.wfile.flush()
                SystemClock().sleep(answer.delay)
            self.wfile.write(answer.body[half:])

        do_GET = do_POST = receive  # noqa: N815 - the names that the base class looks for

        def log_message(self, *args: object) -> None:
            """Write nothing."""

    return Receiver
