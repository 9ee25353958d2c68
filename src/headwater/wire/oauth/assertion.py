"""Grants with a signed assertion instead of a password or a secret that is sent."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from headwater.clock import Span, parse_span
from headwater.wire.auth import TokenGrant
from headwater.wire.oauth.json_web_token import Algorithm, SigningKey, compute_thumbprint, sign_claims
from headwater.wire.template import fill_all

_OWN_CLAIMS = frozenset({"exp", "iat", "nbf", "jti"})
_SKEW = timedelta(seconds=60)
"""How far the clock of a service may be behind ours: it refuses an assertion of the future."""


def _check_claims(claims: dict[str, str]) -> dict[str, str]:
    if names := _OWN_CLAIMS & claims.keys():
        msg = f"{', '.join(sorted(names))}: Headwater sets it; use `lifetime:` for the end"
        raise ValueError(msg)
    return claims


Claims = Annotated[dict[str, str], AfterValidator(_check_claims)]
"""Claims that a manifest declares."""


class AssertionGrant(TokenGrant):
    """OAuth 2.0 with an assertion: claims that a private key signs. The key is not sent. Extra `headwater[oauth]`."""

    private_key: str
    """The private key as PEM, without a password, e.g. `{private_key}`."""
    algorithm: Algorithm = "RS256"
    """How to sign: `RS256` and `PS256` with an RSA key, `ES256` with one of the curve P-256."""
    key_id: str = ""
    """The id of the key (`kid`), if the service knows several."""
    claims: Claims = Field(default_factory=dict)
    """What the assertion claims. `exp`, `iat`, `nbf` and `jti` are added."""
    lifetime: Span = "5m"
    """How long the assertion is valid."""

    def _sign(self, claims: dict[str, str], headers: dict[str, str]) -> str:
        """The signed assertion, by the clock of this machine."""
        now = self._now()
        times = {
            "iat": int((now - _SKEW).timestamp()),
            "nbf": int((now - _SKEW).timestamp()),
            "exp": int((now + parse_span(self.lifetime)).timestamp()),
        }
        if self.key_id:
            headers = {**headers, "kid": self.fill(self.key_id)}
        key = SigningKey(pem=self.fill(self.private_key), algorithm=self.algorithm, where=self._where)
        own = fill_all(self.claims, self._values, where=self._where)
        return sign_claims({**claims, **own, **times, "jti": secrets.token_hex(16)}, headers, key)


class JwtGrant(AssertionGrant):
    """OAuth 2.0 with the grant `jwt-bearer`: the assertion names a user or an account, and stands for its login.

    Declare the claims `iss`, `sub` and `aud`, as the service wants them.
    """

    kind: Literal["oauth2_jwt"] = "oauth2_jwt"
    claims: Claims
    """What the assertion claims, e.g. `{iss: "{client_id}", sub: "{user}", aud: "https://login.example.com"}`."""

    def _build_grant(self) -> dict[str, str]:
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self._sign({}, {})}


class CertificateGrant(AssertionGrant):
    """OAuth 2.0 with the grant `client_credentials`, and an assertion in the place of the secret (`private_key_jwt`).

    `iss` and `sub` are the id of the client, and `aud` is the token URL, unless `claims:` says otherwise.
    """

    kind: Literal["oauth2_certificate"] = "oauth2_certificate"
    client_id: str
    """The id of the client, e.g. `{client_id}`."""
    algorithm: Algorithm = "PS256"
    """How to sign: `RS256` and `PS256` with an RSA key, `ES256` with one of the curve P-256."""
    certificate: str = ""
    """The certificate of the key as PEM, if the service finds the key by its thumbprint, e.g. `{certificate}`."""

    def _build_grant(self) -> dict[str, str]:
        client = self.fill(self.client_id)
        headers = {}
        if self.certificate:
            headers = compute_thumbprint(self.fill(self.certificate), self.algorithm, where=self._where)
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._sign({"iss": client, "sub": client, "aud": self.fill(self.token_url)}, headers),
        }
