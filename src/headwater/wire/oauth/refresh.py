"""The login of a person: an authorization code buys the first tokens, and a refresh token each further access token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

import msgspec
from pydantic import AfterValidator, Field, PrivateAttr

from headwater.errors import LoginRequired, PermanentError
from headwater.wire.auth import TokenGrant, add_query, read_answer, read_token, shorten
from headwater.wire.message import Request, Response
from headwater.wire.response_status import read_vendor_message
from headwater.wire.token_store import Tokens, TokenStore

_CLAIM_SECONDS = 180.0
"""For how long one process may renew tokens, longer than any timeout of a request. Others wait for it."""


_LISTENING = ("127.0.0.1", "localhost")
"""The hosts of an answer. The command listens on 127.0.0.1 alone, to which browsers go for `localhost`, too."""

_OTHER_ERRORS = frozenset(
    {
        "invalid_client", "invalid_request", "invalid_scope", "server_error", "temporarily_unavailable",
        "unauthorized_client", "unsupported_grant_type",
    }
)  # fmt: skip
"""Errors of a token endpoint (RFC 6749) that a new login would not help."""


def _check_redirect(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _LISTENING or parts.query or parts.fragment:
        msg = "use an address of this machine, e.g. http://127.0.0.1:8910/callback"
        raise ValueError(msg)
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One attempt to log in. `state` and `verifier` are random, and of this attempt alone."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_url: str


class RefreshGrant(TokenGrant):
    """OAuth 2.0 with the login of a person: `authorization_code` with PKCE, then `refresh_token`.

    `headwater connection login NAME` logs in. The tokens are in the ledger, encrypted. A refresh token that the service
    replaces is stored before the new access token is used.
    """

    needs_login = True

    kind: Literal["oauth2_refresh"] = "oauth2_refresh"
    client_id: str
    """The id of the client, e.g. `{client_id}`."""
    authorize_url: str
    """The page where a person agrees, e.g. `https://login.example.com/authorize`. If its host differs, add it to `hosts:`."""
    authorize_params: dict[str, str] = Field(default_factory=dict)
    """Parameters of that page, e.g. `scope: "read offline_access"` or `access_type: offline`."""
    redirect_url: Annotated[str, AfterValidator(_check_redirect)] = "http://127.0.0.1:8910/callback"
    """Where that page sends the person back to: an address of this machine, as registered at the service. `--port` of the
    command changes its port."""

    _current: Tokens | None = PrivateAttr(None)

    def start(self, values: Mapping[str, str]) -> None:
        """Set the settings and secrets of a connection, and drop the tokens in memory."""
        super().start(values)
        self._current = None

    @property
    def identity(self) -> dict[str, str]:
        """The connection identifies the account, because many may log in with one client."""
        return {**super().identity, "login": self._find_store().name}

    def preview(self, request: Request) -> Request:
        """`request` with the stored token. LoginRequired if there is none. Nothing is claimed or renewed."""
        return self._add_token(request, self._load().access)

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Renew the token if it is about to expire, and again if the service refuses it."""
        tokens = yield from self._get_tokens()
        if tokens is None:
            return
        response = yield self._add_token(request, tokens.access)
        if response.status == 401:
            renewed = yield from self._renew(tokens)
            if renewed is not None:
                yield self._add_token(request, renewed.access)

    def fetch_answer(self) -> Generator[Request, Response, Mapping[str, str] | None]:
        """Renew the token if it is about to expire, and return the values of its answer."""
        tokens = yield from self._get_tokens()
        return None if tokens is None else tokens.answer

    def build_authorize_url(self, attempt: Authorization) -> str:
        """The address of the page where a person agrees."""
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        params = {
            **{name: self.fill(text) for name, text in self.authorize_params.items()},
            "response_type": "code",
            "client_id": self.fill(self.client_id),
            "redirect_uri": attempt.redirect_url,
            "state": attempt.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        request = add_query(Request(url=self.fill(self.authorize_url)), params)
        return f"{request.url}?{urlencode(request.params)}" if request.params else request.url

    def build_code_request(self, attempt: Authorization, code: str) -> Request:
        """The request that exchanges a code for the first tokens."""
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_url,
            "code_verifier": attempt.verifier,
        }
        return self._build_token_request(grant)

    def read_login(self, response: Response) -> Tokens:
        """The tokens in the answer to `build_code_request`. PermanentError if there is no refresh token."""
        tokens = self._read_tokens(response, Tokens(access="", refresh=""))
        if not tokens.refresh:
            raise PermanentError(
                "the service gave no refresh token, so the login would end with the first access token",
                hint="add what the service wants to `authorize_params:`, e.g. the scope `offline_access`",
            )
        return tokens

    def _get_tokens(self) -> Generator[Request, Response, Tokens | None]:
        """Tokens that last. None if the service refused."""
        deadline, tokens = self._expires_at, self._current
        if tokens is not None and self._monotonic() < deadline:
            return tokens
        tokens = self._load()
        return tokens if tokens.lifetime > 0 else (yield from self._renew(tokens))

    def _load(self) -> Tokens:
        """The stored tokens, which another process may have renewed."""
        tokens = self._find_store().load()
        if tokens.issuer != self.fill(self.token_url):
            # The connection has another service now. Its host must not get the token of the former one.
            raise self._find_store().build_login_error(
                "the login of this connection belongs to another service", f"{tokens.issuer}, not {self.token_url}"
            )
        # A manifest that wants more of the answer than before gets it with the next one.
        return self._keep(tokens if self.answer_names <= tokens.answer.keys() else replace(tokens, lifetime=0.0))

    def _keep(self, tokens: Tokens) -> Tokens:
        self._current, self._expires_at = tokens, self._monotonic() + tokens.lifetime
        return tokens

    def _renew(self, used: Tokens) -> Generator[Request, Response, Tokens | None]:
        """Renew `used`, unless another thread or process did. None if the service refused."""
        with self._lock:
            if self._current is not None and self._current.revision != used.revision:
                return self._current
            tokens = self._find_store().claim(seconds=_CLAIM_SECONDS)
            if tokens.revision != used.revision and tokens.lifetime > 0:
                self._find_store().release(interrupted=False)
                return self._keep(tokens)
            return (yield from self._spend(tokens))

    def _spend(self, tokens: Tokens) -> Generator[Request, Response, Tokens | None]:
        """Send the refresh token, and store what the service gives for it, before anybody uses it."""
        store = self._find_store()
        # Until the answer is known: the service may have replaced the token, and then only this answer has the new one.
        interrupted, grant = True, {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
        try:
            response = yield self._build_token_request(grant)
            if response.status in range(200, 300) and not is_invalid_grant(response):
                return self._keep(store.save(self._read_tokens(response, tokens)))
            # A refusal has replaced nothing. After an error of the service, nobody knows.
            interrupted = response.status >= 500
            self._check_refusal(response, tokens)
        except BaseException:
            store.release(interrupted=interrupted)
            raise
        store.release(interrupted=interrupted)
        return None

    def _read_tokens(self, response: Response, former: Tokens) -> Tokens:
        """The tokens of an answer. A service that does not replace the refresh token need not repeat it."""
        access, lifetime = read_token(response)
        refresh = msgspec.json.decode(response.body).get("refresh_token") or former.refresh
        return replace(
            former,
            access=access,
            refresh=str(refresh),
            lifetime=shorten(lifetime),
            issuer=self.fill(self.token_url),
            answer=read_answer(response, self.answer),
            interrupted=False,
        )

    def _check_refusal(self, response: Response, tokens: Tokens) -> None:
        """Raise LoginRequired if only a new login helps."""
        if not is_invalid_grant(response):
            return
        message = "the service no longer accepts the login of this connection"
        if tokens.interrupted:
            message += "; the answer to an earlier renewal was lost, and the service replaced the token in it"
        raise self._find_store().build_login_error(message, read_vendor_message(response))

    def _find_store(self) -> TokenStore:
        if self._store is None:
            msg = "a connection with a login needs a store"
            raise LoginRequired(msg)
        return self._store


def is_invalid_grant(response: Response) -> bool:
    """Whether a token endpoint says that the refresh token is not valid any more.

    Some services have a word of their own for it, and some say it with the status 200.
    """
    try:
        answer = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if not isinstance(answer, dict):
        return False
    error = answer.get("error")
    if response.status in range(200, 300):
        return error is not None and error not in _OTHER_ERRORS and "access_token" not in answer
    return error == "invalid_grant" if response.status == 401 else response.status == 400 and error not in _OTHER_ERRORS
