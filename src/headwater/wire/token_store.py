"""What an auth flow needs from the place that keeps the tokens of a login. The place itself is above, with its I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from headwater.errors import LoginRequired


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of a login. The `repr` contains none of them."""

    access: str = field(repr=False)
    """The access token, which each request sends."""
    refresh: str = field(repr=False)
    """The refresh token, which buys the next access token."""
    lifetime: float = math.inf
    """Seconds for which the access token is valid from now on. Infinite if the service does not say it."""
    issuer: str = ""
    """The URL that gave them. They are sent to no other one."""
    answer: Mapping[str, str] = field(default_factory=dict)
    """What else the connection needs from the token answer, e.g. the URL of the account."""
    revision: int = 0
    """Grows with each renewal. 0: not stored."""
    interrupted: bool = False
    """Whether the service may have replaced the refresh token in an answer that was lost."""


class TokenStore(Protocol):
    """The place with the tokens of one connection. Other processes may use the same one."""

    @property
    def name(self) -> str:
        """The name of the connection, `tenant/connection`."""
        ...

    def load(self) -> Tokens:
        """The current tokens. LoginRequired if there are none, StateError if they cannot be decrypted."""
        ...

    def claim(self, *, seconds: float) -> Tokens:
        """Wait until no other process renews the tokens, claim that right for `seconds`, and return the current tokens."""
        ...

    def release(self, *, interrupted: bool) -> None:
        """End the claim without new tokens. `interrupted`: the request may have reached the service; its answer is lost."""
        ...

    def save(self, tokens: Tokens) -> Tokens:
        """Store the tokens that follow those of `tokens.revision`, and return the current ones. 0: those of a new login.

        If others were stored meanwhile, these remain, and are returned.
        """
        ...

    def build_login_error(self, message: str, details: str = "") -> LoginRequired:
        """An error that names the command for a login."""
        ...
