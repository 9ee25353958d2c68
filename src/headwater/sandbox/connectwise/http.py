"""A request and an answer, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

VENDOR_JSON = "application/vnd.connectwise.com+json; version=2026.4"
PLAIN_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    origin: str
    """Scheme and host, as the client spelled them."""
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Answer:
    """A response, and how it is to be spoiled on its way."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = VENDOR_JSON
    delay: float = 0.0
    """Seconds before the first byte."""
    cut: bool = False
    """Close the connection in the middle of the body."""
    reset: bool = False
    """Reset the connection instead of answering."""


def refused(status: int, code: str, message: str, **more: Any) -> Answer:
    """An error as the service words it."""
    return Answer(status=status, body=msgspec.json.encode({"code": code, "message": message, **more}))


def plain(content: Any, *, status: int = 200) -> Answer:
    """JSON of the sandbox's own."""
    return Answer(status=status, body=msgspec.json.encode(content), content_type=PLAIN_JSON)
