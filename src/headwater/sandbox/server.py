"""Runs a simulated service: in a thread for tests and the demo, or in the foreground for people."""

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

_PATIENCE = 10.0
"""Seconds that a server may take to start."""


@contextlib.contextmanager
def running(app: Application, *, host: str = "127.0.0.1", clock: Clock | None = None) -> Iterator[str]:
    """The base URL of `app`, served in a thread on a free port for as long as the block lasts."""
    clock = clock or SystemClock()
    with bound(host, 0) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        patience = clock.monotonic() + _PATIENCE
        while not server.started:
            if not thread.is_alive() or clock.monotonic() > patience:
                raise StateError("the simulated service did not start", where=url_of(listener))
            clock.sleep(0.005)
        try:
            yield url_of(listener)
        finally:
            server.should_exit = server.force_exit = True
            thread.join(_PATIENCE)


def run(app: Application, listener: socket.socket) -> None:
    """Serve `app` on a socket until interrupted; says its URL on standard output when it listens."""
    sys.stdout.write(f"{url_of(listener)}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        _server(app).run(sockets=[listener])


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; port 0 takes a free one."""
    with contextlib.closing(_tcp_socket()) as listener:
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


def url_of(listener: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _tcp_socket() -> socket.socket:
    # The protocol is named because asyncio turns off Nagle's delay (40 ms an answer) only where it is.
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def check_server() -> None:
    """DeclarationError with the line to type, where the HTTP server is not installed."""
    try:
        import uvicorn  # noqa: F401, PLC0415
    except ImportError as error:
        raise DeclarationError(
            "The extra `sandbox` is not installed.",
            where="headwater[sandbox]",
            details="no module uvicorn",
            hint='pip install "headwater[sandbox]"',
        ) from error


def _server(app: Application) -> Any:
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@functools.cache
def _protocol() -> Any:
    """HTTP that lends its transport to the application, so that a fault can break the connection."""
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415

    class Lending(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.app_state = {**self.app_state, "transport": transport}

    return Lending
