"""Converts network errors into errors of the service that say what to do. The causes decide, not a library's class names."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from headwater.errors import PermanentError, ServiceError, TransientError

_URL_HINT = "check the base URL of the connection and the network"


def to_service_error(error: Exception, *, timeout: str) -> ServiceError:
    """Convert the error of a request: to TransientError if a retry may succeed, to PermanentError if it cannot."""
    for cause in _iterate_causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentError(
                "the service's certificate is not trusted; nothing was sent",
                details=cause.verify_message,
                hint="check the base URL; if a proxy has its own certificate, set SSL_CERT_FILE",
            )
        if isinstance(cause, socket.gaierror):
            return TransientError(
                "the host name of the service cannot be resolved", details=str(cause.strerror or cause), hint=_URL_HINT
            )
        if isinstance(cause, ConnectionRefusedError):
            return TransientError("connection refused", details="nothing listens at this address", hint=_URL_HINT)
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return TransientError("the request timed out", details=f"no response within {timeout}", hint=_URL_HINT)
    name = type(error).__name__
    if name in ("InvalidURL", "UnsupportedProtocol", "LocalProtocolError"):
        return PermanentError("the request cannot be sent", details=f"{name}: {error}", hint=_URL_HINT)
    return TransientError("the connection was lost", details=f"{name}: {error}")


def _iterate_causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and its causes, the innermost last."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
