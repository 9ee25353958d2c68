"""Who may ask, and how often."""

from __future__ import annotations

import base64
import binascii
import math
import secrets
from collections import deque
from dataclasses import dataclass

from headwater.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The keys that the simulated service knows, and its budget of requests a minute (None: no limit)."""

    company: str = "acme"
    public_key: str = "public"
    private_key: str = "private"
    client_id: str = "client"
    requests_per_minute: int | None = None

    def refusal(self, headers: dict[str, str]) -> str | None:
        """Why a request with these headers may not pass; None if it may."""
        if "clientid" not in headers:
            return "clientId header is required"
        if not _same(headers["clientid"], self.client_id):
            return "clientId is not known"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "Authorization header is missing"
        user, _, password = _decoded(token).partition(":")
        known = _same(user, f"{self.company}+{self.public_key}") and _same(password, self.private_key)
        return None if known else "Username or password is incorrect"


class Budget:
    """Counts the requests of the last minute, on the real clock."""

    def __init__(self, limit: int | None, *, clock: Clock | None = None) -> None:
        self._limit = limit
        self._clock: Clock = clock or SystemClock()
        self._passed: deque[float] = deque()

    def wait(self) -> int:
        """Seconds to wait before the next request may pass; 0, and the request is counted, if it may now."""
        if self._limit is None:
            return 0
        now = self._clock.monotonic()
        while self._passed and self._passed[0] <= now - 60:
            self._passed.popleft()
        if len(self._passed) < self._limit:
            self._passed.append(now)
            return 0
        return max(1, math.ceil(self._passed[0] + 60 - now))


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode(), known.encode())
