"""How often a service may be asked, and how long to wait after it said no."""

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
    """The budget of one scope, shared by every read in it."""

    requests_per_minute: int = Field(default=60, gt=0)
    """Requests a minute."""
    concurrency: int = Field(default=4, gt=0)
    """Requests at once."""
    scope: Literal["connection", "account", "host"] = "connection"
    """Who shares the budget: a connection, all that use the same account, or everyone who asks the host."""
    tries: int = Field(default=6, gt=0)
    """How often a passing failure is tried in all."""
    timeout: Span = "60s"
    """How long an answer may take."""
    max_wait: Span = "10m"
    """The longest `Retry-After` that is waited for; a longer one fails the resource."""

    @property
    def timeout_seconds(self) -> float:
        """`timeout` in seconds."""
        return parse_span(self.timeout).total_seconds()

    @property
    def max_wait_seconds(self) -> float:
        """`max_wait` in seconds."""
        return parse_span(self.max_wait).total_seconds()

    def scope_key(self, *, connection: str, base_url: str, identity: Mapping[str, str]) -> str:
        """The name of the budget that a connection draws on; `identity` is what tells its account from others.

        Credentials enter as a digest: two connections with the same ones meet, and nobody can read them back.
        """
        if self.scope == "connection":
            return f"connection {connection}"
        host = urlsplit(base_url).netloc.lower()
        if self.scope == "host":
            return f"host {host}"
        seed = "\0".join(f"{name}={value}" for name, value in sorted(identity.items()))
        return f"account {host} {hashlib.sha256(seed.encode()).hexdigest()[:16]}"


def backoff(tries: int, jitter: float) -> float:
    """Seconds to wait after the `tries`-th failure: doubling, capped, and spread by `chance` (0 to 1).

    Spread, because those who fail together would otherwise come back together.
    """
    full = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (tries - 1))
    return full * (0.5 + jitter / 2)
