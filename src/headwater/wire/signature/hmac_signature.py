"""Requests that are signed with HMAC, over a text that the manifest declares."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Generator, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from headwater.clock import format_instant
from headwater.errors import DeclarationError
from headwater.wire.auth import Auth
from headwater.wire.message import Request, Response
from headwater.wire.signature.signed_request import RequestParts, fix_query, split_request
from headwater.wire.template import fill, fill_all, fill_headers

Encoding = Literal["base64", "hex"]
"""How bytes are written as text."""


class HmacSignature(Auth):
    """A signature (HMAC) over each request. `sign` is the text that is signed.

    In `sign`, `headers` and `params`: `{method}` (upper case), `{host}`, `{path}`, `{query}` (as sent, without `?`), `{body}`,
    `{body_hash}`, `{timestamp}` and `{nonce}` (random); in `headers` and `params` also `{signature}`.
    """

    own_placeholders = frozenset(
        {"method", "host", "path", "query", "body", "body_hash", "timestamp", "nonce", "signature"}
    )

    kind: Literal["hmac"] = "hmac"
    key: str
    """The shared secret, e.g. `{secret}`."""
    key_encoding: Literal["text", "base64", "hex"] = "text"
    """What the secret is: the key itself, or the key in base64 or hex."""
    digest: Literal["sha256", "sha512", "sha1"] = "sha256"
    """The hash of the signature and of the body."""
    sign: str
    """The text to sign, e.g. `"{method}\\n{path}\\n{query}\\n{body_hash}\\n{timestamp}"`."""
    encoding: Encoding = "base64"
    """How the signature is written."""
    body_hash: Encoding = "hex"
    """How `{body_hash}` is written. Without a body, it is the hash of an empty text."""
    timestamp: Literal["epoch", "epoch_ms", "iso", "http"] = "epoch"
    """How `{timestamp}` is written: seconds or milliseconds since 1970, `2026-03-01T08:00:00Z`, or as in a `Date` header."""
    query: Literal["sent", "sorted"] = "sent"
    """The order of the parameters in `{query}`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """The headers, e.g. `Authorization: "HMAC {key_id}:{signature}"`."""
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters that are added and not signed, for services that take the signature there."""

    @model_validator(mode="after")
    def _check_signature(self) -> Self:
        if "{signature}" in self.sign:
            msg = "`sign` is the text that is signed, so it cannot contain `{signature}`"
            raise ValueError(msg)
        if not any("{signature}" in text for text in (*self.headers.values(), *self.params.values())):
            msg = "no header and no parameter contains `{signature}`, so requests would not be signed"
            raise ValueError(msg)
        return self

    @property
    def identity(self) -> dict[str, str]:
        """The key identifies the account."""
        return {"key": self.fill(self.key)}

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Sign the request as it is sent."""
        request = fix_query(request)
        values = {**self._values, **self._describe(split_request(request))}
        text = fill(self.sign, values, where=self._where)
        signature = hmac.new(self._decode_key(), text.encode(), self.digest).digest()
        values["signature"] = _encode(signature, self.encoding)
        signed = request.with_headers(fill_headers(self.headers, values, where=self._where))
        if self.params:
            signed = fix_query(signed.with_params(fill_all(self.params, values, where=self._where)))
        yield signed

    def _describe(self, parts: RequestParts) -> Mapping[str, str]:
        query = "&".join(sorted(parts.query.split("&"))) if self.query == "sorted" else parts.query
        return {
            "method": parts.method,
            "host": parts.host,
            "path": parts.path,
            "query": query,
            "body": parts.body.decode(errors="replace"),
            "body_hash": _encode(hashlib.new(self.digest, parts.body).digest(), self.body_hash),
            "timestamp": _format_time(self._now(), self.timestamp),
            "nonce": secrets.token_hex(16),
        }

    def _decode_key(self) -> bytes:
        key = self.fill(self.key)
        try:
            match self.key_encoding:
                case "base64":
                    return base64.b64decode(key, validate=True)
                case "hex":
                    return bytes.fromhex(key)
        except (binascii.Error, ValueError):
            # The error of the library may quote the key.
            raise DeclarationError(
                f"The key of the signature is not {self.key_encoding}.",
                where=self._where,
                details="a value that is not shown",
                hint="check the secret of the connection, and `key_encoding:` of the connector",
            ) from None
        return key.encode()


def _encode(content: bytes, encoding: Encoding) -> str:
    return content.hex() if encoding == "hex" else base64.b64encode(content).decode()


def _format_time(now: datetime, form: str) -> str:
    match form:
        case "epoch":
            return str(int(now.timestamp()))
        case "epoch_ms":
            return str(int(now.timestamp() * 1000))
        case "http":
            return format_datetime(now, usegmt=True)
    return format_instant(now.replace(microsecond=0))
