"""Which services are simulated, and how one of them is served."""

from __future__ import annotations

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.sandbox.connectwise.app import connectwise
from headwater.sandbox.connectwise.auth import Access
from headwater.sandbox.server import bound, run

SERVICES = {"connectwise": connectwise}
"""What makes the application of each simulated service."""


def serve(
    service: str,
    *,
    port: int = 0,
    seed: int = 7,
    companies: int = 12,
    months: int = 6,
    host: str = "127.0.0.1",
    access: Access | None = None,
) -> None:
    """Serve a simulated service until interrupted; prints one line, its URL, once it listens."""
    if service not in SERVICES:
        raise DeclarationError(
            f"`{service}` is not simulated",
            where="sandbox SERVICE",
            details=service,
            hint=did_you_mean(service, SERVICES),
        )
    with bound(host, port) as listener:
        app = SERVICES[service](seed=seed, companies=companies, months=months, access=access)
        run(app, listener)
