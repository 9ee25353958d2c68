"""An HTTP server on loopback whose responses a function of the test builds."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request that the server received."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str]
    """Names are not case-sensitive."""
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


HttpResponse = tuple[int, Mapping[str, str | None], Any]
"""Status, headers and body. A body of bytes is sent as it is, any other as JSON. A header that is None is left out."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections: some tests kill the client."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve_http(respond: Callable[[HttpRequest], HttpResponse]) -> Iterator[str]:
    """Serve the responses of `respond` on a free port while the block runs. Yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this, the body waits until the client acknowledges the headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = HttpRequest(method=self.command, target=self.path, headers=self.headers, body=body)
            status, headers, content = respond(request)
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            defaults = {"Content-Type": "application/json", "Date": self.date_time_string()}
            self.send_response_only(status)
            for name, value in {**defaults, **headers, "Content-Length": str(len(payload))}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
