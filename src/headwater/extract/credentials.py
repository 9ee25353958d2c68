"""The resolved settings and secrets of one connection. They exist only during a run and are never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from headwater.wire.limits import Limits
from headwater.wire.token_store import TokenStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The connection that sends requests, and its values. The `repr` never contains secret values."""

    tenant: str
    connection: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings of the connection. The client adds defaults of the connector that are missing here."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Resolved secret values by name."""
    renew: Callable[[], Mapping[str, str]] | None = field(default=None, repr=False)
    """Resolves the secrets again after a service rejected them, because they may have been rotated."""

    tokens: TokenStore | None = field(default=None, repr=False)
    """Where the tokens of a login are, if the auth kind needs one."""
    limits: Limits | None = None
    """The limits of this connection if they differ from the connector's, e.g. for another price plan or a sandbox."""

    @property
    def name(self) -> str:
        """`tenant/connection`, as used in messages and as the scope of rate limits."""
        return f"{self.tenant}/{self.connection}"
