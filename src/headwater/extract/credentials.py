"""One tenant's way into one service, with everything resolved. It lives as short as a run and is never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from headwater.wire.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks, and with which values. Secret values are never part of its text."""

    tenant: str
    connection: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """The connection's settings, defaults of the connector filled in by whoever makes this or by the client."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Resolved secret values by name."""
    renew: Callable[[], Mapping[str, str]] | None = field(default=None, repr=False)
    """Resolves the secrets once more, after a service did not accept them: they may have been rotated meanwhile."""

    limits: Limits | None = None
    """The budget of this connection, where it is another one than the connector says: a plan with more, a sandbox."""

    @property
    def name(self) -> str:
        """`tenant/connection`, as messages and budgets name it."""
        return f"{self.tenant}/{self.connection}"
