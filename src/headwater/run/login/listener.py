"""Waits for the browser, which the service sends back to an address of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from urllib.parse import parse_qsl, urlsplit

from headwater.errors import StateError

_PAGE = b"Headwater has the answer of the service. You can close this page and return to the command.\n"
_SILENCE = 10.0
"""Seconds after which a connection that sends nothing is closed: browsers open some in advance."""


class RedirectListener:
    """Listens on 127.0.0.1 for one path. The parameters of each request wait in a queue."""

    def __init__(self, port: int, path: str) -> None:
        self._answers: SimpleQueue[dict[str, str]] = SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _build_responder(path or "/", self._answers))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """The port, also if port 0 let the system choose one."""
        return int(self._server.server_address[1])

    def receive(self, timeout: float) -> dict[str, str] | None:
        """The parameters of the next request, or None if there is none within `timeout` seconds."""
        try:
            return self._answers.get(timeout=timeout)
        except Empty:
            return None

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Answer requests while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@contextmanager
def open_listener(port: int, path: str) -> Iterator[RedirectListener]:
    """Listen while the block runs. StateError if the port is in use."""
    try:
        listener = RedirectListener(port, path)
    except (OSError, OverflowError) as error:
        raise StateError(
            "the address for the answer of the service cannot be used.",
            where=f"127.0.0.1:{port}",
            details=getattr(error, "strerror", None) or str(error),
            hint="end the other program, or pass `--port` with another port that is registered at the service",
        ) from error
    with listener.serve():
        yield listener


def _build_responder(path: str, answers: SimpleQueue[dict[str, str]]) -> type[BaseHTTPRequestHandler]:
    class Responder(BaseHTTPRequestHandler):
        timeout = _SILENCE

        def answer(self) -> None:
            """Put the parameters into the queue, and show a page that repeats none of them."""
            parts = urlsplit(self.path)
            is_answer = parts.path == path
            self.send_response_only(200 if is_answer else 404)
            content = _PAGE if is_answer else b""
            # The address has the code. It must not reach another site, or a cache.
            headers = {"Content-Type": "text/plain", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
            for name, value in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            if is_answer:
                answers.put(dict(parse_qsl(parts.query, keep_blank_values=True)))

        do_GET = answer  # noqa: N815 - the name that the library calls

        def log_message(self, *args: object) -> None:
            """Log nothing: the lines would contain the code."""

    return Responder
