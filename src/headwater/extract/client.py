"""The only module with a socket: sends requests within the rate limit, and retries where that may help.

Thread-safe: one client serves all reads of a connection. TLS is always verified. Redirects are never followed. The host
of every request is checked against the declared hosts before a credential is added.
"""

from __future__ import annotations

import json
import random
import re
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from headwater.clock import Clock
from headwater.errors import DeclarationError, NotFoundError, PermanentError, ServiceError, TransientError
from headwater.events import EventListener, RequestRetried, RequestSent, discard
from headwater.extract.credentials import Credentials
from headwater.extract.network_errors import to_service_error
from headwater.extract.rate_limit import RateLimiters
from headwater.model.connector import Connector, HostLookup
from headwater.wire.auth import Auth, NoAuth, find_credentials, find_query_names, is_same_request, strip_credentials
from headwater.wire.hosts import check_base, check_found_base, check_target, is_loopback
from headwater.wire.limits import Limits, compute_backoff
from headwater.wire.message import Request, Response, redact
from headwater.wire.records import read_value
from headwater.wire.response_status import Refresh, ResponseStatus, check_status
from headwater.wire.retry_after import parse_http_date
from headwater.wire.template import fill, fill_all, fill_headers, find_placeholders

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

_TRIES_WITHOUT_RESPONSE = 3
"""Tries while the service has never responded: then the address is probably wrong, so do not wait for long."""

_CONDITIONS = frozenset({"if-modified-since", "if-none-match"})
"""Headers that allow the answer 304."""

_MAX_FLOW_REQUESTS = 8
"""The most requests that an auth flow may send for one request."""


class Client:
    """Sends requests to one service for one connection."""

    def __init__(
        self,
        connector: Connector,
        credentials: Credentials,
        *,
        rate_limiters: RateLimiters,
        clock: Clock,
        listen: EventListener = discard,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.connector = connector
        self.credentials = credentials
        self._clock = clock
        self._listen = listen
        self._jitter = jitter
        self._where = f"connection {credentials.name}"
        defaults = {
            name: setting.default for name, setting in connector.settings.items() if setting.default is not None
        }
        self.settings = {**defaults, **credentials.settings}
        base = fill(connector.base_url, self.settings, where=self._where)
        self.base_url = check_base(_collapse_slashes(base), where=self._where)
        self._headers = fill_headers(connector.headers, self.settings, where=self._where)
        self._auth_values: set[str] = set()
        self._auth = self._set_credentials(credentials.secrets)
        self._limits = credentials.limits or connector.limits
        scope = self._limits.build_scope_key(
            connection=credentials.name, base_url=self.base_url, identity=self._auth.identity
        )
        self._rate_limiter = rate_limiters.get(scope, self._limits)
        self._pool: httpx2.Client | None = None
        self._pool_lock = threading.Lock()
        self._loopback = is_loopback(urlsplit(self.base_url).hostname or "")
        self.has_simulated_clock = False
        """Whether the service runs on this machine and says that its clock is simulated. Only a local service may say so."""
        self._has_responded = False
        self._found_base = False
        self._lookup_lock = threading.Lock()
        self._refresh_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.close()

    def _open_http(self) -> httpx2.Client:
        """The pool of connections, opened by the first request: a client that only checks its settings needs no HTTP library."""
        with self._pool_lock:
            if self._pool is None:
                self._pool = _open_pool(self.base_url, self._limits)
            return self._pool

    def build_request(self, path: str) -> Request:
        """Build a request for `path` below the base URL, with the connector's parameters and headers, without credentials."""
        params = fill_all(self.connector.params, self.settings, where=self._where)
        return Request(url=f"{self._find_base()}/{path.lstrip('/')}", params=params, headers=self._headers)

    def _find_base(self) -> str:
        """The base URL. The first call asks the service for it, if the connector declares a `lookup:`."""
        lookup = self.connector.lookup
        if lookup is None or self._found_base:
            return self.base_url
        with self._lookup_lock:
            if not self._found_base:
                params = fill_all(lookup.params, self.settings, where=self._where)
                request = Request(
                    url=f"{self.base_url}/{lookup.path.lstrip('/')}", params=params, headers=self._headers
                )
                self.base_url = self._fetch_base(request, lookup)
                self._found_base = True
        return self.base_url

    def _fetch_base(self, request: Request, lookup: HostLookup) -> str:
        def read(response: Response) -> str:
            url = read_value(response.body, lookup.field)
            text = "/".join(part.strip("/") for part in (str(url), lookup.append) if part)
            return check_found_base(text, hosts=lookup.hosts, where=self._where)

        return self.fetch_as(request, read, auth=NoAuth())

    def check_host(self, request: Request) -> Request:
        """Return `request` if its host is declared. Raise PermanentError otherwise."""
        try:
            check_target(request.url, base=self.base_url, hosts=self.connector.hosts)
        except PermanentError as error:
            raise self._with_location(error, request, ()) from None
        return request

    def fetch(self, request: Request) -> Response:
        """Return the successful response to `request`. Otherwise raise TransientError or PermanentError, without secrets."""
        return self.fetch_as(request, lambda response: response)

    def fetch_as(self, request: Request, read: Callable[[Response], T], *, auth: Auth | None = None) -> T:
        """Return the result of `read` for a successful response. `auth`: instead of that of the connection.

        `read` may raise TransientError: a broken body is requested again, like after a lost connection.
        """
        self.check_host(request)
        tries = 1
        while True:
            sent_requests: list[Request] = []
            try:
                return read(self._fetch_once(request, sent_requests, auth))
            except TransientError as error:
                self._wait(request, self._with_location(error, request, sent_requests), tries)
            except PermanentError as error:
                raise self._with_location(error, request, sent_requests) from error.__cause__
            tries += 1

    def read_service_time(self) -> datetime | None:
        """The time of the service, or None if it does not send one. The `Age` of a cached response is added."""
        if self.connector.clock is None:
            return None
        headers = self.fetch(self.build_request(self.connector.clock.path)).headers
        self.has_simulated_clock = self._loopback and "x-simulated-calendar" in headers
        date, age = parse_http_date(headers.get("date", "")), headers.get("age", "").strip()
        # Eight digits of seconds are three years, which no cache reaches. More digits could overflow a date.
        return date + timedelta(seconds=int(age)) if date and age.isdecimal() and len(age) < 9 else date

    def read_source_time(self) -> datetime:
        """The time of the service, or of this machine if the service does not send one."""
        return self.read_service_time() or self._clock.now()

    def _fetch_once(self, request: Request, sent_requests: list[Request], other_auth: Auth | None) -> Response:
        """Send `request` without retries. Rejected credentials are renewed once. Raise an error that the status means."""
        auth = other_auth or self._auth
        response = self._run_flow(auth, request, sent_requests)
        status = self._check(response)
        if isinstance(status, Refresh) and other_auth is None and self._refresh_credentials(auth):
            response = self._run_flow(self._auth, request, sent_requests)
            status = self._check(response)
        if isinstance(status, Refresh):
            status = status.fallback
        if isinstance(status, ServiceError):
            raise status if is_same_request(request, sent_requests[-1]) else _to_auth_error(status)
        return replace(response, status=204, body=b"") if status.is_empty else response

    def strip_credentials(self, address: str) -> str:
        """`address` without the credentials that the service repeats in it, so that it can be stored and followed."""
        return strip_credentials(address, self._query_names, {*self._secrets.values(), *self._auth_values})

    def hide_credentials(self, text: str) -> str:
        """`text` without any secret of the connection, and without what its auth flow has added to requests so far."""
        words = {*self._secrets.values(), *self._auth_values}
        forms = {form for word in words for form in (word, quote_plus(word), json.dumps(word)[1:-1])}
        return redact(text, forms)

    def _run_flow(self, auth: Auth, request: Request, sent_requests: list[Request]) -> Response:
        """Send what the auth flow of `request` yields. Return the last response. Append each request to `sent_requests`."""
        with closing(auth.flow(request)) as flow:
            step = next(flow)
            for _ in range(_MAX_FLOW_REQUESTS):
                self._check_step(step, request)
                sent_requests.append(step)
                self._auth_values.update(find_credentials(request, step))
                response = self._send(step)
                try:
                    step = flow.send(response)
                except StopIteration:
                    return response
        raise PermanentError(
            f"the auth kind `{auth.kind}` sent too many requests", details=f"{_MAX_FLOW_REQUESTS} requests"
        )

    def _check_step(self, step: Request, request: Request) -> None:
        """Refuse a request of an auth flow to an undeclared host, because the request contains a secret."""
        if step.url == request.url:
            return
        try:
            check_target(step.url, base=self.base_url, hosts=self.connector.hosts)
        except PermanentError as error:
            error.message = "the auth of the connector uses a host that is not in `hosts:`; nothing was sent there"
            raise

    def _check(self, response: Response) -> ResponseStatus:
        return check_status(
            response,
            now=self._clock.now(),
            secrets=tuple(self.connector.secrets),
            settings=self._auth_settings,
            rules=self.connector.errors,
        )

    @cached_property
    def _auth_settings(self) -> tuple[str, ...]:
        """The settings that are part of the credentials, such as a company in a user name."""
        used = {name for text in self.connector.auth.texts.values() for name in find_placeholders(text)}
        return tuple(name for name in self.connector.settings if name in used)

    def _send(self, request: Request) -> Response:
        import httpx2  # noqa: PLC0415  (heavy, and only who reads needs it)

        with self._rate_limiter.reserve_slot(self._clock):
            self._listen(RequestSent(tenant=self.credentials.tenant, connection=self.credentials.name))
            try:
                url, params = _join_params(request)
                response = self._open_http().request(
                    request.method,
                    url,
                    params=params,
                    headers=dict(request.headers),
                    content=request.body,
                )
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise to_service_error(error, timeout=self._limits.timeout) from error
        self._has_responded = True
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(
            status=response.status_code,
            headers=headers,
            body=response.content,
            url=str(response.url),
            is_conditional=not _CONDITIONS.isdisjoint(map(str.lower, request.headers)),
        )

    def _wait(self, request: Request, error: ServiceError, tries: int) -> None:
        """Wait before the next try. Raise `error` if no further try is useful."""
        limits = self._limits
        if tries >= (limits.tries if self._has_responded else min(limits.tries, _TRIES_WITHOUT_RESPONSE)):
            error.details = f"{error.details} ({tries} attempts)".strip()
            raise error
        retry_after = error.after if isinstance(error, TransientError) else None
        delay = compute_backoff(tries, self._jitter()) if retry_after is None else retry_after
        if delay > limits.max_wait_seconds:
            error.hint = f"Retry-After is {delay:.0f} s, longer than `max_wait` ({limits.max_wait})"
            raise error
        if retry_after is not None:
            self._rate_limiter.pause(delay, self._clock)
        why = f"{error.message}: {error.details}" if error.details else error.message
        event = RequestRetried(tenant=self.credentials.tenant, where=str(request), why=why, after=delay, tries=tries)
        self._listen(event)
        self._clock.sleep(delay)

    def _with_location(self, error: ServiceError, request: Request, sent_requests: Sequence[Request]) -> ServiceError:
        """Return `error` with its location, and without secrets even if the service sent them back."""
        error.where = error.where or f"{sent_requests[-1] if sent_requests else request}, {self._where}"
        secret_values = {form for secret in self._secrets.values() for form in (secret, quote_plus(secret))}
        secret_values.update(word for step in sent_requests for word in find_credentials(request, step))
        # `message` and `hint` are our own text. Redacting a secret as short as `client` would only make them unreadable.
        error.where = redact(error.where, secret_values)
        error.details = redact(error.details, secret_values)
        return error

    def _set_credentials(self, secrets: Mapping[str, str]) -> Auth:
        """Use these secrets from now on. Raise DeclarationError if the auth cannot use them."""
        auth = self.connector.auth.bind({**self.settings, **secrets}, monotonic=self._clock.monotonic)
        # A flow does no I/O: its first step shows what is missing before anything is sent.
        request = Request(url=self.base_url)
        with closing(auth.flow(request)) as flow:
            step = next(flow, None)
            if step is None:
                raise DeclarationError(f"The auth kind `{auth.kind}` sends no request.", where=self._where)
        self._auth, self._secrets = auth, secrets
        self._query_names = find_query_names(request, step)
        return auth

    def _refresh_credentials(self, auth: Auth) -> bool:
        """Resolve the secrets again. Return whether the credentials now differ from those of `auth`."""
        with self._refresh_lock:
            # Another read of this connection may have renewed them during this request.
            if self._auth is auth and self.credentials.renew is not None:
                secrets = self.credentials.renew()
                if secrets != self._secrets:
                    self._set_credentials(secrets)
            return self._auth is not auth


def _join_params(request: Request) -> tuple[str, dict[str, str] | None]:
    """The URL with its query, and the parameters that the pool must merge into a query that the URL already has.

    The pool needs more than a millisecond to add parameters to a URL, which is slow compared with a page.
    """
    if not request.params:
        # Empty parameters would remove the query of the URL itself.
        return request.url, None
    if "?" in request.url or "#" in request.url:
        return request.url, dict(request.params)
    return f"{request.url}?{urlencode(request.params)}", None


def _to_auth_error(error: ServiceError) -> ServiceError:
    """Convert the error of a request for credentials: its 404 does not mean that the resource is missing."""
    if not isinstance(error, NotFoundError):
        return error
    hint = "check `auth:` of the connector; if the service was wrong for a moment, run again"
    return PermanentError(f"the service gave no credentials: {error.message}", details=error.details, hint=hint)


def _open_pool(base_url: str, limits: Limits) -> httpx2.Client:
    """Open a pool of connections. Proxies from the environment are used, except for a service on this machine."""
    import httpx2  # noqa: PLC0415

    parts, concurrency = urlsplit(base_url), limits.concurrency
    loopback = is_loopback(parts.hostname or "")
    # Plain http needs no certificates, which take 50 ms to load. This context has none, so it would trust nobody.
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if parts.scheme == "http" else True
    return httpx2.Client(
        timeout=limits.timeout_seconds,
        limits=httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
        headers={"User-Agent": "headwater"},
        follow_redirects=False,
        trust_env=not loopback,
        verify=verify,
    )


def _collapse_slashes(url: str) -> str:
    """`url` without double slashes in its path. They occur if a setting ends with a slash."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{re.sub('/{2,}', '/', rest)}".rstrip("/")
