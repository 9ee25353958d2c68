"""OAuth 1.0 with tokens that exist already (RFC 5849): each request has a signature over its URL and parameters."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Generator, Mapping
from typing import Literal
from urllib.parse import parse_qsl, quote

from headwater.wire.auth import Auth
from headwater.wire.message import Request, Response
from headwater.wire.signature.signed_request import fix_query, split_request

Method = Literal["HMAC-SHA256", "HMAC-SHA1"]
"""How to sign."""

_DIGESTS: Mapping[Method, str] = {"HMAC-SHA256": "sha256", "HMAC-SHA1": "sha1"}
_FORM = "application/x-www-form-urlencoded"


class OAuth1(Auth):
    """OAuth 1.0 with the key and the token of an integration. The two secrets are not sent."""

    kind: Literal["oauth1"] = "oauth1"
    consumer_key: str
    """The key of the app, e.g. `{consumer_key}`."""
    consumer_secret: str
    """The secret of the app, e.g. `{consumer_secret}`."""
    token: str
    """The token of the account, e.g. `{token}`."""
    token_secret: str
    """The secret of the token, e.g. `{token_secret}`."""
    realm: str = ""
    """The realm, if the service wants one, e.g. `{account}`."""
    method: Method = "HMAC-SHA256"
    """How to sign."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Sign the request as it is sent."""
        request = fix_query(request)
        params = {
            "oauth_consumer_key": self.fill(self.consumer_key),
            "oauth_token": self.fill(self.token),
            "oauth_signature_method": self.method,
            "oauth_timestamp": str(int(self._now().timestamp())),
            "oauth_nonce": secrets.token_hex(16),
            "oauth_version": "1.0",
        }
        key = f"{_escape(self.fill(self.consumer_secret))}&{_escape(self.fill(self.token_secret))}"
        signature = compute_signature(build_base_string(request, params), key, self.method)
        realm = {"realm": self.fill(self.realm)} if self.realm else {}
        fields = {**realm, **params, "oauth_signature": signature}
        header = ", ".join(f'{name}="{_escape(value)}"' for name, value in fields.items())
        yield request.with_headers({"Authorization": f"OAuth {header}"})


def build_base_string(request: Request, params: Mapping[str, str]) -> str:
    """The text that is signed (RFC 5849, 3.4.1): the method, the URL without its query, and all parameters, sorted."""
    parts = split_request(request)
    pairs = [*params.items(), *parse_qsl(parts.query, keep_blank_values=True)]
    if any(name.lower() == "content-type" and value.startswith(_FORM) for name, value in request.headers.items()):
        pairs += parse_qsl(parts.body.decode(), keep_blank_values=True)
    encoded = sorted((_escape(name), _escape(value)) for name, value in pairs)
    normalized = "&".join(f"{name}={value}" for name, value in encoded)
    return "&".join(_escape(part) for part in (parts.method, f"{parts.origin}{parts.path}", normalized))


def compute_signature(base_string: str, key: str, method: Method) -> str:
    """The signature of a base string, in base64."""
    return base64.b64encode(hmac.new(key.encode(), base_string.encode(), _DIGESTS[method]).digest()).decode()


def _escape(text: str) -> str:
    """Percent encoding of RFC 5849, 3.6: everything but letters, digits and four signs."""
    return quote(text, safe="~")
