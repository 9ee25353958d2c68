"""The pool of HTTP connections of a client."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headwater.wire.hosts import is_loopback
from headwater.wire.limits import Limits

if TYPE_CHECKING:
    import httpx2


def open_pool(base_url: str, limits: Limits) -> httpx2.Client:
    """Open a pool of connections. Proxies from the environment are used, except for a service on this machine."""
    import httpx2  # noqa: PLC0415

    parts, concurrency = urlsplit(base_url), limits.concurrency
    loopback = is_loopback(parts.hostname or "")
    # Plain http needs no certificates, which take 50 ms to load. This context has none, so it would trust nobody.
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if parts.scheme == "http" else True
    return httpx2.Client(
        timeout=limits.timeout_seconds,
        limits=httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
        headers={"User-Agent": "headwater"},
        follow_redirects=False,
        trust_env=not loopback,
        verify=verify,
    )
