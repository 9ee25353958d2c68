"""Authentication of requests. Each kind is one class in the entry point group `headwater.auth`.

A kind is a flow, without I/O: it yields the requests to send and receives their responses. `extract/client.py` drives it.
"""

from __future__ import annotations

import base64
import math
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlencode

import msgspec
from pydantic import Field, PrivateAttr

from headwater.clock import EPOCH
from headwater.declared import Declared
from headwater.errors import DeclarationError, PermanentError
from headwater.wire.message import Request, Response
from headwater.wire.records import read_value
from headwater.wire.template import fill, fill_all, fill_headers, find_placeholders
from headwater.wire.token_store import TokenStore

_EARLY = 60.0
"""Seconds before its expiry at which a token is renewed, or a tenth of its lifetime if that is less."""


class Auth(Declared):
    """How requests authenticate. `kind` is the name of an installed auth kind. The other keys belong to this kind.

    In the texts of a kind, placeholders in braces are replaced with settings or secrets: `{company}`.
    """

    kind: str
    """The kind: one of this section, or one from another package."""

    own_placeholders: ClassVar[frozenset[str]] = frozenset()
    """The placeholders that the kind replaces itself, e.g. with a session. They are neither settings nor secrets."""
    needs_login: ClassVar[bool] = False
    """Whether a person must log in first, with `headwater connection login`."""

    _values: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _monotonic: Callable[[], float] = PrivateAttr(default=float)
    _now: Callable[[], datetime] = PrivateAttr(default_factory=lambda: _get_epoch)
    _store: TokenStore | None = PrivateAttr(default=None)

    def bind(
        self,
        values: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = float,
        now: Callable[[], datetime] | None = None,
        store: TokenStore | None = None,
    ) -> Self:
        """Return a copy for one connection, with the settings and secrets for its placeholders.

        `monotonic` counts seconds, for kinds whose credentials expire. `now` is the time, for kinds that sign it. `store`
        keeps tokens between runs, for kinds that need a login.
        """
        bound = self.model_copy()
        bound._monotonic, bound._now, bound._store = monotonic, now or _get_epoch, store  # noqa: SLF001 - of a copy of itself
        bound.start(values)
        return bound

    def start(self, values: Mapping[str, str]) -> None:
        """Set the settings and secrets of a connection. A kind that keeps state between requests resets it here."""
        self._values = dict(values)

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield each request to send, and receive its response. The last response is the answer to `request`.

        Do no I/O here. Store state between requests, such as a token, in private attributes of the
        bound copy. Several threads may run flows of one copy at once.
        """
        yield request

    def preview(self, request: Request) -> Request | None:
        """The first step of the flow, which is not sent: it shows what is missing. None if the flow has no step."""
        with closing(self.flow(request)) as flow:
            return next(flow, None)

    def fetch_answer(self) -> Generator[Request, Response, Mapping[str, str] | None]:
        """Yield the requests for a token, unless there is one, and return the values of its answer by placeholder.

        None if the service refused. A kind without `answer_names` sends nothing.
        """
        yield from ()
        return {}

    def find_token_url(self) -> str:
        """The URL of token requests; empty if the kind sends none."""
        return ""

    @property
    def answer_names(self) -> frozenset[str]:
        """The placeholders that the answer to a token request fills in the base URL of the connector."""
        return frozenset()

    def fill(self, text: str) -> str:
        """Replace the placeholders in `text`."""
        return fill(text, self._values, where=self._where)

    def fill_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Replace the placeholders in `headers`. Raise DeclarationError for an invalid header value."""
        return fill_headers(headers, self._values, where=self._where)

    @property
    def texts(self) -> dict[str, str]:
        """The texts of this declaration with placeholders, by dotted path."""
        return dict(_flatten(self.model_dump(exclude={"kind"})))

    @property
    def identity(self) -> dict[str, str]:
        """The texts of this declaration without placeholders. They identify the account."""
        return {name: self.fill(text) for name, text in self.texts.items()}

    @property
    def _where(self) -> str:
        return f"auth of the connector ({self.origin})"


class NoAuth(Auth):
    """No authentication, for public services and tests."""

    kind: Literal["none"] = "none"


class Basic(Auth):
    """HTTP Basic, with a user name that can combine several values, and other headers."""

    kind: Literal["basic"] = "basic"
    user: str
    """The user name, e.g. `{company}+{public_key}`."""
    password: str
    """The password, e.g. `{private_key}`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Other headers with credentials, e.g. `clientId: "{client_id}"`."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Add `Authorization` and the other headers."""
        for text in (self.user, self.password):
            refuse_line_breaks(text, self._values, where=self._where)
        authorization = encode_basic(self.fill(self.user), self.fill(self.password))
        yield request.with_headers({"Authorization": authorization, **self.fill_headers(self.headers)})


class Headers(Auth):
    """One or more headers with keys or a bearer token."""

    kind: Literal["headers"] = "headers"
    headers: dict[str, str]
    """Header names and values, e.g. `Authorization: "Bearer {token}"`."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Add the headers."""
        yield request.with_headers(self.fill_headers(self.headers))


class QueryKey(Auth):
    """One or more query parameters with keys. Prefer `headers` if the service supports both, because logs contain URLs."""

    kind: Literal["query"] = "query"
    params: dict[str, str]
    """Parameter names and values, e.g. `api_token: "{token}"`."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Add the parameters, also to a URL with its own query."""
        for text in self.params.values():
            refuse_line_breaks(text, self._values, where=self._where)
        yield add_query(request, fill_all(self.params, self._values, where=self._where))


class TokenGrant(Auth):
    """OAuth 2.0: a token request and a bearer token. Its grants are kinds of their own.

    Headwater requests a token and uses it until it is about to expire (`expires_in`) or the service refuses it.
    """

    token_url: str
    """The URL of the token request, e.g. `https://login.example.com/oauth/token`. If its host differs, add it to `hosts:`."""
    client_id: str = ""
    """The id of the client, e.g. `{client_id}`."""
    client_secret: str = ""
    """The secret of the client, e.g. `{client_secret}`."""
    params: dict[str, str] = Field(default_factory=dict)
    """Other parameters of the token request, e.g. `scope: all` or `audience: https://api.example.com`."""
    send: Literal["form", "json", "basic"] = "form"
    """How to send the id and the secret: in a form, in JSON, or as HTTP Basic with a form."""
    scheme: str = "Bearer"
    """The word before the token in the header `Authorization`."""
    answer: dict[str, str] = Field(default_factory=dict)
    """Values of the token answer for `base_url`: placeholder and path, e.g. `instance_url: instance_url`. `hosts:` must
    allow the host."""

    _token: str = PrivateAttr("")
    _expires_at: float = PrivateAttr(math.inf)
    _answer: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def start(self, values: Mapping[str, str]) -> None:
        """Set the settings and secrets of a connection, and drop the token."""
        super().start(values)
        self._token, self._expires_at, self._answer, self._lock = "", math.inf, {}, threading.Lock()

    def find_token_url(self) -> str:
        """The URL of token requests."""
        return self.fill(self.token_url)

    @property
    def answer_names(self) -> frozenset[str]:
        """The placeholders of `answer:`."""
        return frozenset(self.answer)

    def fetch_answer(self) -> Generator[Request, Response, Mapping[str, str] | None]:
        """Request a token if there is none that lasts, and return the values of its answer."""
        if not self._has_token() and (yield from self._renew_token(self._token)):
            return None
        return self._answer

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Request a token if there is none that lasts, and again if the service refuses it."""
        # Read before the lock: a thread that waits for the lock uses the token that another thread requested.
        used_token = self._token
        if not self._has_token():
            refusal = yield from self._renew_token(used_token)
            if refusal:
                return
            used_token = self._token
        response = yield self._add_token(request, used_token)
        if response.status == 401:
            refusal = yield from self._renew_token(used_token)
            if not refusal:
                yield self._add_token(request, self._token)

    def _has_token(self) -> bool:
        return bool(self._token) and self._monotonic() < self._expires_at

    def _add_token(self, request: Request, token: str) -> Request:
        return request.with_headers({"Authorization": f"{self.scheme} {token}"})

    def _renew_token(self, used_token: str) -> Generator[Request, Response, bool]:
        """Request a new token, if `used` is still the current one. Return whether the service refused."""
        with self._lock:
            if self._token == used_token:
                requested_at = self._monotonic()
                response = yield self._build_token_request()
                if response.status not in range(200, 300):
                    return True
                token, lifetime = read_token(response)
                self._answer = read_answer(response, self.answer)
                self._token, self._expires_at = token, requested_at + shorten(lifetime)
        return False

    def _build_grant(self) -> dict[str, str]:
        """The parameters of the grant."""
        raise NotImplementedError

    def _build_token_request(self, grant: Mapping[str, str] | None = None) -> Request:
        """The token request, with the parameters of a `grant`, or of that of the kind."""
        client = {"client_id": self.fill(self.client_id), "client_secret": self.fill(self.client_secret)}
        params = {**(grant or self._build_grant()), **fill_all(self.params, self._values, where=self._where)}
        headers = {"Accept": "application/json"}
        if self.send == "basic":
            headers["Authorization"] = encode_basic(client["client_id"], client["client_secret"])
        else:
            params |= {name: value for name, value in client.items() if value}
        kind, body = "application/x-www-form-urlencoded", urlencode(params).encode()
        if self.send == "json":
            kind, body = "application/json", msgspec.json.encode(params)
        return Request(
            url=self.fill(self.token_url), method="POST", headers={**headers, "Content-Type": kind}, body=body
        )


class ClientCredentials(TokenGrant):
    """OAuth 2.0 with the grant `client_credentials`: an application with an id and a secret."""

    kind: Literal["oauth2_client_credentials"] = "oauth2_client_credentials"
    client_id: str
    """The id of the client, e.g. `{client_id}`."""
    client_secret: str
    """The secret of the client, e.g. `{client_secret}`."""

    def _build_grant(self) -> dict[str, str]:
        return {"grant_type": "client_credentials"}


class PasswordGrant(TokenGrant):
    """OAuth 2.0 with the grant `password`: the name and the password of a user, where a service has nothing better."""

    kind: Literal["oauth2_password"] = "oauth2_password"
    user: str
    """The name of the user, e.g. `{user}`."""
    password: str
    """The password, e.g. `{password}`."""

    def _build_grant(self) -> dict[str, str]:
        for text in (self.user, self.password):
            refuse_line_breaks(text, self._values, where=self._where)
        return {"grant_type": "password", "username": self.fill(self.user), "password": self.fill(self.password)}


def encode_basic(user: str, password: str) -> str:
    """The value of an `Authorization` header for HTTP Basic."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def add_query(request: Request, params: Mapping[str, str]) -> Request:
    """Add query parameters to `request`, whether it has others in `params` or in its URL."""
    if request.params or "?" not in request.url:
        return request.with_params(params)
    address, mark, fragment = request.url.partition("#")
    return request.with_url(f"{address}&{urlencode(params)}{mark}{fragment}")


def shorten(lifetime: float) -> float:
    """After how many seconds to renew a token. Some services answer with public data to an expired one."""
    return lifetime - min(_EARLY, lifetime / 10)


def read_answer(response: Response, paths: Mapping[str, str]) -> dict[str, str]:
    """The values of a token answer at `paths`. Raise PermanentError if one is missing."""
    values = {name: read_value(response.body, path) for name, path in paths.items()}
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise PermanentError(
                f"the response to the token request has no `{name}`",
                details=f"nothing at `{paths[name]}`",
                hint="check `answer:` in `auth:` of the connector",
            )
    return values


def read_token(response: Response) -> tuple[str, float]:
    """The token, and its lifetime in seconds."""
    try:
        answer = msgspec.json.decode(response.body)
        token = answer["access_token"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError, TypeError):
        token = None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise PermanentError(
            "the response to the token request has no `access_token`",
            details=f"content-type {response.headers.get('content-type', 'not given')}",
            hint="check `token_url` in `auth:` of the connector",
        )
    kind = answer.get("token_type")
    # Some gateways say `BearerToken`. A service that does not say its kind means `Bearer`.
    if kind is not None and not str(kind).lower().startswith("bearer"):
        raise PermanentError(
            "the service gave a token of a kind that is not supported",
            details=f"token_type {str(kind)[:40]}",
            hint="only `Bearer` tokens can be sent; check `token_url` and `params` in `auth:` of the connector",
        )
    return token, _read_lifetime(answer.get("expires_in"))


def _read_lifetime(value: Any) -> float:
    """The lifetime in seconds. Infinite if it is missing or invalid."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return math.inf
    return seconds if seconds > 0 else math.inf


def _get_epoch() -> datetime:
    """The time of a kind that nobody gave a clock."""
    return EPOCH


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a value, by dotted path."""
    if isinstance(value, str):
        yield name, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in items:
        yield from _flatten(inner, f"{name}.{key}")


def refuse_line_breaks(text: str, values: Mapping[str, str], *, where: str) -> None:
    """Refuse line breaks in a user name or password, because they are always a mistake."""
    for name in find_placeholders(text):
        if any(sign in values.get(name, "") for sign in "\r\n\0"):
            raise DeclarationError(
                f"`{name}` contains a line break", where=where, hint="store the value without a trailing line break"
            )
