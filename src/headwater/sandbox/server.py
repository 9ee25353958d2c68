"""Runs a simulated service in a thread, for tests and the demo, or in the foreground."""

from __future__ import annotations

import contextlib
import functools
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from headwater.clock import Clock, SystemClock
from headwater.errors import DeclarationError, HeadwaterError, StateError

Application = Callable[..., Awaitable[None]]
"""An ASGI application."""

_TIMEOUT = 10.0
"""Seconds that a server may take to start or to stop."""


@contextlib.contextmanager
def serve_in_thread(app: Application, *, host: str = "127.0.0.1", clock: Clock | None = None) -> Iterator[str]:
    """Serve `app` in a thread on a free port while the block runs. Yields its base URL."""
    clock = clock or SystemClock()
    with open_listener(host, 0) as listener:
        server = _build_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = clock.monotonic() + _TIMEOUT
        while not server.started:
            if not thread.is_alive() or clock.monotonic() > deadline:
                raise StateError("the simulated service did not start", where=build_url(listener))
            clock.sleep(0.005)
        try:
            yield build_url(listener)
        finally:
            server.should_exit = server.force_exit = True
            thread.join(_TIMEOUT)


def run(app: Application, listener: socket.socket) -> None:
    """Serve `app` on a socket until interrupted. Print its URL to standard output when it listens."""
    sys.stdout.write(f"{build_url(listener)}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        _build_server(app).run(sockets=[listener])


@contextlib.contextmanager
def open_listener(host: str, port: int) -> Iterator[socket.socket]:
    """Open a listening socket. Port 0 selects a free port."""
    with contextlib.closing(_create_tcp_socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise HeadwaterError(
                "the sandbox cannot listen",
                where=f"{host}:{port}",
                details=str(error),
                hint="--port 0 takes a free port",
            ) from error
        listener.listen(128)
        yield listener


def build_url(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _create_tcp_socket() -> socket.socket:
    # asyncio turns off Nagle's algorithm (40 ms per response) only if the protocol is explicit.
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def check_server() -> None:
    """Raise DeclarationError with the install command if the HTTP server is not installed."""
    try:
        import uvicorn  # noqa: F401, PLC0415
    except ImportError as error:
        raise DeclarationError(
            "The extra `sandbox` is not installed.",
            where="headwater[sandbox]",
            details="no module uvicorn",
            hint='pip install "headwater[sandbox]"',
        ) from error


def _build_server(app: Application) -> Any:
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(
        app,
        http=_build_protocol(),
        ws="none",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@functools.cache
def _build_protocol() -> Any:
    """Build a protocol that passes its transport to the application, so that a fault can break the connection."""
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415

    class ExposedTransportProtocol(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.app_state = {**self.app_state, "transport": transport}

    return ExposedTransportProtocol
