"""Authentication of requests. Each kind is one class in the entry point group `headwater.auth`.

A kind is a flow, without I/O: it yields the requests to send and receives their responses. `extract/client.py` drives it.
"""

from __future__ import annotations

import base64
import math
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlencode, urlsplit

import msgspec
from pydantic import Field, PrivateAttr

from headwater.declared import Declared
from headwater.errors import DeclarationError, PermanentError
from headwater.wire.message import Request, Response
from headwater.wire.template import fill, fill_all, fill_headers, find_placeholders

_SHORT_WORD = 8
"""`Basic` and `Bearer` are not secrets. Hiding such short words everywhere would make messages unreadable."""

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

    _values: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _monotonic: Callable[[], float] = PrivateAttr(default=float)

    def bind(self, values: Mapping[str, str], *, monotonic: Callable[[], float] = float) -> Self:
        """Return a copy for one connection, with the settings and secrets for its placeholders.

        `monotonic` counts seconds, for kinds whose credentials expire.
        """
        bound = self.model_copy()
        bound._monotonic = monotonic  # noqa: SLF001 - of a copy of itself
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
            _refuse_line_breaks(text, self._values, where=self._where)
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
            _refuse_line_breaks(text, self._values, where=self._where)
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

    _token: str = PrivateAttr("")
    _expires_at: float = PrivateAttr(math.inf)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def start(self, values: Mapping[str, str]) -> None:
        """Set the settings and secrets of a connection, and drop the token."""
        super().start(values)
        self._token, self._expires_at, self._lock = "", math.inf, threading.Lock()

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Request a token if there is none that lasts, and again if the service refuses it."""
        # Read before the lock: a thread that waits for the lock uses the token that another thread requested.
        used_token = self._token
        if not used_token or self._monotonic() >= self._expires_at:
            refusal = yield from self._renew_token(used_token)
            if refusal:
                return
            used_token = self._token
        response = yield request.with_headers({"Authorization": f"Bearer {used_token}"})
        if response.status == 401:
            refusal = yield from self._renew_token(used_token)
            if not refusal:
                yield request.with_headers({"Authorization": f"Bearer {self._token}"})

    def _renew_token(self, used_token: str) -> Generator[Request, Response, bool]:
        """Request a new token, if `used` is still the current one. Return whether the service refused."""
        with self._lock:
            if self._token == used_token:
                requested_at = self._monotonic()
                response = yield self._build_token_request()
                if response.status not in range(200, 300):
                    return True
                self._token, lifetime = _read_token(response)
                # Some services treat an expired token as no token and answer with public data, so renew it earlier.
                self._expires_at = requested_at + lifetime - min(_EARLY, lifetime / 10)
        return False

    def _build_grant(self) -> dict[str, str]:
        """The parameters of the grant."""
        raise NotImplementedError

    def _build_token_request(self) -> Request:
        client = {"client_id": self.fill(self.client_id), "client_secret": self.fill(self.client_secret)}
        params = {**self._build_grant(), **fill_all(self.params, self._values, where=self._where)}
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
            _refuse_line_breaks(text, self._values, where=self._where)
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


def find_credentials(request: Request, sent_request: Request) -> Iterator[str]:
    """The values that a flow added to `request`. No message may show them."""
    for name, value in sent_request.headers.items():
        if request.headers.get(name) != value:
            yield from (word for word in value.split() if len(word) > _SHORT_WORD)
    for name, value in sent_request.params.items():
        if request.params.get(name) != value:
            yield from (value, quote_plus(value))
    if pair := _read_client(sent_request):
        # A gateway may convert the pair to HTTP Basic, and repeat it in its error.
        yield encode_basic(*pair).partition(" ")[2]


def _read_client(request: Request) -> tuple[str, str] | None:
    """The id and the secret of a client in the body of a token request."""
    if not request.body or b"client_secret" not in request.body:
        return None
    try:
        values = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        values = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    if not isinstance(values, dict) or not values.keys() >= {"client_id", "client_secret"}:
        return None
    return str(values["client_id"]), str(values["client_secret"])


def find_query_names(request: Request, sent_request: Request) -> frozenset[str]:
    """The names of the query parameters that a flow added to `request` in `sent_request`."""
    return (
        frozenset(_list_query_names(sent_request) - _list_query_names(request))
        if is_same_request(request, sent_request)
        else frozenset()
    )


def strip_credentials(address: str, names: Collection[str], words: Collection[str]) -> str:
    """`address` without the query parameters with credentials, found by their `names` or by their values (`words`).

    Services that repeat the query in a link to the next page also repeat credentials. Nothing else is changed.
    """
    path, mark, query = address.partition("?")
    if not mark:
        return address
    parts = [part for part in query.split("&") if not _is_credential(part, names, words)]
    return f"{path}?{'&'.join(parts)}" if parts else path


def _is_credential(part: str, names: Collection[str], words: Collection[str]) -> bool:
    name, _, value = part.partition("=")
    return unquote_plus(name) in names or (bool(value) and unquote_plus(value) in words)


def _list_query_names(request: Request) -> set[str]:
    return {*request.params, *(name for name, _ in parse_qsl(urlsplit(request.url).query, keep_blank_values=True))}


def _strip_query(url: str) -> str:
    return url.partition("?")[0]


def is_same_request(request: Request, sent_request: Request) -> bool:
    """Whether `sent_request`, the last request of a flow, is `request` itself and not, for example, a token request."""
    return sent_request.method == request.method and _strip_query(sent_request.url) == _strip_query(request.url)


def _read_token(response: Response) -> tuple[str, float]:
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


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a value, by dotted path."""
    if isinstance(value, str):
        yield name, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in items:
        yield from _flatten(inner, f"{name}.{key}")


def _refuse_line_breaks(text: str, values: Mapping[str, str], *, where: str) -> None:
    """Refuse line breaks in a user name or password, because they are always a mistake."""
    for name in find_placeholders(text):
        if any(sign in values.get(name, "") for sign in "\r\n\0"):
            raise DeclarationError(
                f"`{name}` contains a line break", where=where, hint="store the value without a trailing line break"
            )
