"""Requests and responses, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

VENDOR_JSON = "application/vnd.connectwise.com+json; version=2026.4"
PLAIN_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    """Header names are in lower case."""
    origin: str
    """Scheme and host, as the client sent them."""
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Response:
    """An HTTP response, and how a fault breaks its delivery."""

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


def build_error_response(status: int, code: str, message: str, **more: Any) -> Response:
    """Build an error response in the format of the service."""
    return Response(status=status, body=msgspec.json.encode({"code": code, "message": message, **more}))


def build_json_response(content: Any, *, status: int = 200) -> Response:
    """Build a JSON response of the sandbox's own endpoints."""
    return Response(status=status, body=msgspec.json.encode(content), content_type=PLAIN_JSON)
