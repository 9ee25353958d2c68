"""Keeps the tokens of a connection in the ledger, encrypted, and lets one process at a time renew them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from headwater.clock import FOREVER, Clock, from_micros, to_micros
from headwater.errors import LeaseHeld, LoginRequired, StateError
from headwater.extract.token_cipher import TokenCipher
from headwater.ledger.base import Ledger, TokenRow
from headwater.ledger.lease_owner import build_lease_owner
from headwater.wire.token_store import Tokens

_POLL = 0.2
"""Seconds between two looks at the tokens that another process renews."""


class _TokenRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """What is encrypted. The tenant and the connection are in it, so that no row can be copied to another one."""

    tenant: str
    connection: str
    issuer: str
    access: str
    refresh: str
    expires_at: int
    answer: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """Where the tokens of a connection are."""

    tenant: str
    connection: str
    open_ledger: Callable[[], Ledger | None]
    """Returns the ledger, or None if it does not exist yet."""
    open_cipher: Callable[[], TokenCipher]
    """Returns the cipher. The key is read when tokens are."""
    clock: Clock


class LedgerTokens:
    """The tokens of one connection. Implements `TokenStore` of `wire`."""

    def __init__(self, place: TokenPlace) -> None:
        self._place = place
        self._holder = build_lease_owner()

    @property
    def name(self) -> str:
        """The name of the connection, `tenant/connection`."""
        return f"{self._place.tenant}/{self._place.connection}"

    def load(self) -> Tokens:
        """The current tokens. LoginRequired if there are none."""
        ledger = self._place.open_ledger()
        row = None if ledger is None else ledger.find_token(self._place.tenant, self._place.connection)
        if row is None:
            raise self.build_login_error("nobody has logged in for this connection")
        return self._decrypt(row)

    def claim(self, *, seconds: float) -> Tokens:
        """Wait until no other process renews the tokens, claim that right, and return the current ones."""
        place, ledger = self._place, self._find_ledger()
        deadline = place.clock.monotonic() + 2 * seconds
        while True:
            try:
                return self._decrypt(ledger.claim_token(place.tenant, place.connection, self._holder, seconds=seconds))
            except LeaseHeld:
                if place.clock.monotonic() > deadline:
                    raise
                place.clock.sleep(_POLL)

    def release(self, *, interrupted: bool) -> None:
        """End the claim without new tokens."""
        self._find_ledger().release_token(
            self._place.tenant, self._place.connection, self._holder, interrupted=interrupted
        )

    def save(self, tokens: Tokens) -> Tokens:
        """Store tokens that follow those of `tokens.revision`, or of a new login (0)."""
        place, ledger = self._place, self._find_ledger()
        value = self._encrypt(tokens)
        revision = ledger.save_token(place.tenant, place.connection, value, revision=tokens.revision or None)
        return self.load() if revision is None else replace(tokens, revision=revision, interrupted=False)

    def check_key(self) -> None:
        """DeclarationError if the tokens could not be encrypted."""
        self._place.open_cipher()

    def build_login_error(self, message: str, details: str = "") -> LoginRequired:
        """An error that names the command for a login."""
        place = self._place
        command = f"headwater connection login {place.connection} --tenant {place.tenant}"
        return LoginRequired(message, where=f"connection {self.name}", details=details, hint=f"run `{command}`")

    def _find_ledger(self) -> Ledger:
        ledger = self._place.open_ledger()
        if ledger is None:
            raise self.build_login_error("nobody has logged in for this connection")
        return ledger

    def _encrypt(self, tokens: Tokens) -> str:
        now = self._place.clock.now()
        lifetime = min(tokens.lifetime, (FOREVER - now).total_seconds())
        stored = _TokenRecord(
            tenant=self._place.tenant,
            connection=self._place.connection,
            issuer=tokens.issuer,
            access=tokens.access,
            refresh=tokens.refresh,
            expires_at=to_micros(now + timedelta(seconds=lifetime)),
            answer=dict(tokens.answer),
        )
        return self._place.open_cipher().encrypt(msgspec.json.encode(stored))

    def _decrypt(self, row: TokenRow) -> Tokens:
        stored = msgspec.json.decode(self._place.open_cipher().decrypt(row.value), type=_TokenRecord)
        if (stored.tenant, stored.connection) != (self._place.tenant, self._place.connection):
            raise StateError(
                "the stored login belongs to another connection.",
                where=f"connection {self.name}",
                details=f"{stored.tenant}/{stored.connection}",
                hint="somebody copied a row of the ledger; log in again",
            )
        return Tokens(
            access=stored.access,
            refresh=stored.refresh,
            lifetime=(from_micros(stored.expires_at) - self._place.clock.now()).total_seconds(),
            issuer=stored.issuer,
            answer=stored.answer,
            revision=row.revision,
            interrupted=row.interrupted,
        )
