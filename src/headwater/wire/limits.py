"""Request limits, and the waits after failures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from headwater.clock import Span, parse_span
from headwater.declared import Declared

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0


class Limits(Declared):
    """The request limits of one scope, shared by all its reads."""

    requests_per_minute: int = Field(default=60, gt=0)
    """The maximum number of requests per minute."""
    concurrency: int = Field(default=4, gt=0)
    """The maximum number of parallel requests."""
    scope: Literal["connection", "account", "host"] = "connection"
    """What shares the limits: a connection, all connections of the same account, or all connections to the same host."""
    tries: int = Field(default=6, gt=0)
    """The maximum number of attempts, for temporary failures."""
    timeout: Span = "60s"
    """The timeout of a response."""
    max_wait: Span = "10m"
    """The longest `Retry-After` to wait for. If it is longer, the resource fails."""

    @property
    def timeout_seconds(self) -> float:
        """`timeout` in seconds."""
        return parse_span(self.timeout).total_seconds()

    @property
    def max_wait_seconds(self) -> float:
        """`max_wait` in seconds."""
        return parse_span(self.max_wait).total_seconds()

    def build_scope_key(self, *, connection: str, base_url: str, identity: Mapping[str, str]) -> str:
        """The key of the limits that a connection shares. `identity` identifies its account.

        Credentials are hashed: connections with the same ones share a key, and the key does not reveal them.
        """
        if self.scope == "connection":
            return f"connection {connection}"
        host = urlsplit(base_url).netloc.lower()
        if self.scope == "host":
            return f"host {host}"
        seed = "\0".join(f"{name}={value}" for name, value in sorted(identity.items()))
        return f"account {host} {hashlib.sha256(seed.encode()).hexdigest()[:16]}"


def compute_backoff(tries: int, jitter: float) -> float:
    """Seconds to wait after the `tries`-th failure: exponential, capped, and with `jitter` (0 to 1).

    Jitter avoids that clients which fail together retry together.
    """
    full = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (tries - 1))
    return full * (0.5 + jitter / 2)
