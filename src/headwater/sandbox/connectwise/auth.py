"""Authentication and rate limit."""

from __future__ import annotations

import base64
import binascii
import math
import secrets
from collections import deque
from dataclasses import dataclass

from headwater.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials that the service accepts, and its limit of requests per minute (None: no limit)."""

    company: str = "acme"
    public_key: str = "public"
    private_key: str = "private"
    client_id: str = "client"
    requests_per_minute: int | None = None

    def find_rejection(self, headers: dict[str, str]) -> str | None:
        """Return why a request with these headers is rejected, or None if it is accepted."""
        if "clientid" not in headers:
            return "clientId header is required"
        if not _is_same(headers["clientid"], self.client_id):
            return "clientId is not known"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "Authorization header is missing"
        user, _, password = _decode(token).partition(":")
        is_valid = _is_same(user, f"{self.company}+{self.public_key}") and _is_same(password, self.private_key)
        return None if is_valid else "Username or password is incorrect"


class RateLimiter:
    """Limits the requests per minute, on the real clock."""

    def __init__(self, limit: int | None, *, clock: Clock | None = None) -> None:
        self._limit = limit
        self._clock: Clock = clock or SystemClock()
        self._times: deque[float] = deque()

    def acquire(self) -> int:
        """Count a request if it is allowed now, and return 0. Otherwise return the seconds until the next one is allowed."""
        if self._limit is None:
            return 0
        now = self._clock.monotonic()
        while self._times and self._times[0] <= now - 60:
            self._times.popleft()
        if len(self._times) < self._limit:
            self._times.append(now)
            return 0
        return max(1, math.ceil(self._times[0] + 60 - now))


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _is_same(value: str, expected: str) -> bool:
    return secrets.compare_digest(value.encode(), expected.encode())
