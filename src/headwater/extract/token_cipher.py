"""Encrypts what a ledger keeps of a login, with a key that the ledger does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headwater.errors import DeclarationError, StateError
from headwater.wire.oauth.library import require_library

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'  # prints a key
"""The command that makes a key."""


class TokenCipher:
    """Encrypts with the first key, and decrypts with each of them, so that a key can be replaced. `where` is of the key."""

    def __init__(self, keys: str, *, where: str) -> None:
        self._where = where
        self._fernet = _open_fernet([key for key in re.split(r"[\s,]+", keys) if key], where=where)

    def encrypt(self, text: bytes) -> str:
        """Encrypt `text`, as ASCII."""
        return self._fernet.encrypt(text).decode()

    def decrypt(self, text: str) -> bytes:
        """Decrypt what `encrypt` returned. StateError if it has another key, or was changed."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  (an extra, and slow to import)

        try:
            return self._fernet.decrypt(text.encode())
        except InvalidToken:
            raise StateError(
                "the stored login cannot be decrypted.",
                where=self._where,
                details="it was encrypted with another key, or changed since",
                hint="set the former key, also after the new one (`NEW OLD`); or log in again",
            ) from None


def _open_fernet(keys: Sequence[str], *, where: str) -> MultiFernet:
    require_library(where)
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415  (an extra, and slow to import)

    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        # The error of the library may quote the key.
        raise DeclarationError(
            "This is not a key for tokens.",
            where=where,
            details="a value that is not shown",
            hint=f"make one: {NEW_KEY}",
        ) from None
