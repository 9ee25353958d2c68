"""The library of the extra `oauth`, which signs and encrypts."""

from __future__ import annotations

from importlib.util import find_spec

from headwater.errors import DeclarationError


def require_library(where: str) -> None:
    """Raise DeclarationError with the install command if the library is not installed."""
    if find_spec("cryptography") is None:
        raise DeclarationError(
            "The extra `oauth` is not installed.",
            where=where,
            details="no module cryptography",
            hint='pip install "headwater[oauth]"',
        )
