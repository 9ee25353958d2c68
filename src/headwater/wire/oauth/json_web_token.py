"""Signs JSON Web Tokens (RFC 7515 and 7519). Only what an assertion needs: three algorithms, and no verification."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from headwater.errors import DeclarationError
from headwater.wire.oauth.library import require_library

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

Algorithm = Literal["RS256", "PS256", "ES256"]
"""RSA with PKCS #1 or PSS padding, or ECDSA on the curve P-256; each with SHA-256."""

_COORDINATE = 32
"""Bytes of each half of a signature on the curve P-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key as PEM, and how to sign with it. `where` is for errors, which never contain the key."""

    pem: str = field(repr=False)
    algorithm: Algorithm
    where: str


def sign_claims(claims: Mapping[str, Any], headers: Mapping[str, str], key: SigningKey) -> str:
    """The signed token. DeclarationError if the key cannot be read, or is not one of the algorithm."""
    parts = ({"alg": key.algorithm, "typ": "JWT", **headers}, dict(claims))
    text = ".".join(_encode(msgspec.json.encode(part)) for part in parts)
    return f"{text}.{_encode(_sign(text.encode(), key))}"


def compute_thumbprint(certificate: str, algorithm: Algorithm, *, where: str) -> dict[str, str]:
    """The header that names a certificate (PEM) by its digest: SHA-1 for RS256, as older services want it, else SHA-256.

    DeclarationError if the certificate cannot be read.
    """
    require_library(where)
    from cryptography import x509  # noqa: PLC0415  (an extra, and slow to import)
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    try:
        der = x509.load_pem_x509_certificate(_restore_lines(certificate)).public_bytes(Encoding.DER)
    except ValueError:
        raise _build_key_error("The certificate cannot be read.", where) from None
    if algorithm == "RS256":
        # SHA-1 only names the certificate. Nothing is proved by it.
        return {"x5t": _encode(hashlib.sha1(der, usedforsecurity=False).digest())}
    return {"x5t#S256": _encode(hashlib.sha256(der).digest())}


def _sign(text: bytes, key: SigningKey) -> bytes:
    require_library(key.where)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  (an extra, and slow to import)
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils  # noqa: PLC0415

    private_key, digest = _load_key(key), hashes.SHA256()
    if key.algorithm == "ES256" and isinstance(private_key, ec.EllipticCurvePrivateKey):
        if isinstance(private_key.curve, ec.SECP256R1):
            numbers = utils.decode_dss_signature(private_key.sign(text, ec.ECDSA(digest)))
            return b"".join(number.to_bytes(_COORDINATE, "big") for number in numbers)
    elif key.algorithm == "RS256" and isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.sign(text, padding.PKCS1v15(), digest)
    elif key.algorithm == "PS256" and isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.sign(text, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
    raise _build_key_error(f"The private key cannot sign with {key.algorithm}.", key.where)


def _load_key(key: SigningKey) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        return load_pem_private_key(_restore_lines(key.pem), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The error of the library may quote the key.
        raise _build_key_error("The private key cannot be read.", key.where) from None


def _restore_lines(pem: str) -> bytes:
    """PEM as bytes. In an environment variable, its lines often end with a backslash and an `n`."""
    return pem.replace("\\n", "\n").encode()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _build_key_error(message: str, where: str) -> DeclarationError:
    return DeclarationError(
        message,
        where=where,
        details="a value that is not shown",
        hint="use PEM without a password: RSA for RS256 and PS256, the curve P-256 for ES256",
    )
