"""The only module with a socket: sends requests within the rate limit, and retries where that may help.

Thread-safe: one client serves all reads of a connection. TLS is always verified. Redirects are never followed. The host
of every request is checked against the declared hosts before a credential is added.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar
from urllib.parse import urlencode, urlsplit

from headwater.clock import Clock
from headwater.errors import DeclarationError, NotFoundError, PermanentError, ServiceError, TransientError
from headwater.events import EventListener, RequestRetried, RequestSent, discard
from headwater.extract.credentials import Credentials
from headwater.extract.http_pool import open_pool
from headwater.extract.network_errors import to_service_error
from headwater.extract.rate_limit import RateLimiters
from headwater.model.connector import Connector, HostLookup
from headwater.wire.auth import Auth, NoAuth
from headwater.wire.hosts import check_base, check_found_base, check_target, is_loopback
from headwater.wire.limits import compute_backoff
from headwater.wire.message import Request, Response, redact
from headwater.wire.records import read_value
from headwater.wire.response_status import Ok, Refresh, ResponseStatus, check_status
from headwater.wire.retry_after import parse_http_date
from headwater.wire.sent_credentials import (
    find_credentials,
    find_query_names,
    is_same_request,
    list_spellings,
    strip_credentials,
)
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
        self._answer_names = connector.list_answer_names()
        self._headers = fill_headers(connector.headers, self.settings, where=self._where)
        self._auth_values: set[str] = set()
        # Until the service says the URL of the account, requests for tokens are the only ones.
        self.base_url = "" if self._answer_names else self._fill_base({})
        self._auth = self._set_credentials(credentials.secrets)
        if self._answer_names:
            self.base_url = self._build_token_base()
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
        self.account_id = ""
        """The id of the account by the service, if the connector declares where it is and the time was read."""
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
                self._pool = open_pool(self.base_url, self._limits)
            return self._pool

    def build_request(self, path: str) -> Request:
        """Build a request for `path` below the base URL, with the connector's parameters and headers, without credentials."""
        params = fill_all(self.connector.params, self.settings, where=self._where)
        return Request(url=f"{self._find_base()}/{path.lstrip('/')}", params=params, headers=self._headers)

    def _find_base(self) -> str:
        """The base URL. The first call asks the service for it, if the connector declares a `lookup:` or an `answer:`."""
        lookup = self.connector.lookup
        if self._found_base or not (lookup or self._answer_names):
            return self.base_url
        with self._lookup_lock:
            if not self._found_base:
                self.base_url = self._fetch_base(lookup) if lookup else self._fetch_answered_base()
                self._found_base = True
        return self.base_url

    def _fill_base(self, answer: Mapping[str, str]) -> str:
        base = fill(self.connector.base_url, {**self.settings, **answer}, where=self._where)
        return check_base(_collapse_slashes(base), where=self._where)

    def _build_token_base(self) -> str:
        """The origin of the token URL, which must be declared, because it is not below the base URL."""
        url = check_base(self._auth.find_token_url(), where=self._where)
        parts = urlsplit(url)
        return check_found_base(
            f"{parts.scheme}://{parts.netloc}", hosts=self.connector.hosts, where=f"`token_url`, {self._where}"
        )

    def _fetch_answered_base(self) -> str:
        """The base URL with values of a token answer. The token goes only to a host that `hosts:` allows."""
        request = Request(url=self.base_url)

        def fetch(sent_requests: list[Request]) -> str:
            with closing(self._auth.fetch_answer()) as flow:
                response, answer = self._drive(flow, request, sent_requests, kind=self._auth.kind)
            if answer is None and response is not None:
                self._raise_refusal(response, request, sent_requests)
            base = self._fill_base(answer or {})
            return check_found_base(base, hosts=self.connector.hosts, where=self._where)

        return self._repeat(request, fetch)

    def _fetch_base(self, lookup: HostLookup) -> str:
        params = fill_all(lookup.params, self.settings, where=self._where)
        request = Request(url=f"{self.base_url}/{lookup.path.lstrip('/')}", params=params, headers=self._headers)

        def read(response: Response) -> str:
            url = read_value(response.body, lookup.field)
            text = "/".join(part.strip("/") for part in (str(url), lookup.append) if part)
            hosts = (*lookup.hosts, urlsplit(self.base_url).netloc)
            return check_found_base(text, hosts=hosts, where=self._where)

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
        return self._repeat(request, lambda sent_requests: read(self._fetch_once(request, sent_requests, auth)))

    def _repeat(self, request: Request, fetch: Callable[[list[Request]], T]) -> T:
        """The result of `fetch`, which is called again after a temporary failure. It appends the requests that it sent."""
        tries = 1
        while True:
            sent_requests: list[Request] = []
            try:
                return fetch(sent_requests)
            except TransientError as error:
                self._wait(request, self._with_location(error, request, sent_requests), tries)
            except PermanentError as error:
                raise self._with_location(error, request, sent_requests) from error.__cause__
            tries += 1

    def read_service_time(self) -> datetime | None:
        """The time of the service, or None if it does not send one. The `Age` of a cached response is added."""
        if self.connector.clock is None:
            return None
        response = self.fetch(self.build_request(self.connector.clock.path))
        headers, self.account_id = response.headers, self._read_account_id(response)
        self.has_simulated_clock = self._loopback and "x-simulated-calendar" in headers
        date, age = parse_http_date(headers.get("date", "")), headers.get("age", "").strip()
        # Eight digits of seconds are three years, which no cache reaches. More digits could overflow a date.
        return date + timedelta(seconds=int(age)) if date and age.isdecimal() and len(age) < 9 else date

    def _read_account_id(self, response: Response) -> str:
        """The id of the account in the response with the time, or an empty text if the connector declares none."""
        path = self.connector.clock.account if self.connector.clock else ""
        if not path:
            return ""
        value = read_value(response.body, path)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)
        raise PermanentError(
            "the response does not identify the account",
            where=self._where,
            details=f"no text or number at `{path}`",
            hint="correct `account:` of the connector's `clock:`",
        )

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
        if not isinstance(status, Ok):
            self._raise_refusal(response, request, sent_requests)
        return replace(response, status=204, body=b"") if status.is_empty else response

    def _raise_refusal(self, response: Response, request: Request, sent_requests: Sequence[Request]) -> NoReturn:
        """Raise the error that a response means."""
        status = self._check(response)
        error = status.fallback if isinstance(status, Refresh) else status
        if not isinstance(error, ServiceError):
            error = PermanentError("the response to the token request cannot be used")
        raise error if is_same_request(request, sent_requests[-1]) else _to_auth_error(error)

    def strip_credentials(self, address: str) -> str:
        """`address` without the credentials that the service repeats in it, so that it can be stored and followed."""
        return strip_credentials(address, self._query_names, {*self._secrets.values(), *self._auth_values})

    def hide_credentials(self, text: str) -> str:
        """`text` without any secret of the connection, and without what its auth flow has added to requests so far."""
        words = {*self._secrets.values(), *self._auth_values}
        return redact(text, {form for word in words for form in list_spellings(word)})

    def _run_flow(self, auth: Auth, request: Request, sent_requests: list[Request]) -> Response:
        """Send what the auth flow of `request` yields. Return the last response. Append each request to `sent_requests`."""
        with closing(auth.flow(request)) as flow:
            response, _ = self._drive(flow, request, sent_requests, kind=auth.kind)
        if response is None:
            raise PermanentError(f"the auth kind `{auth.kind}` sent no request")
        return response

    def _drive(
        self, flow: Generator[Request, Response, T], request: Request, sent_requests: list[Request], *, kind: str
    ) -> tuple[Response | None, T]:
        """Send what a flow yields. Return the last response, if any, and what the flow returned."""
        response = None
        try:
            step = next(flow)
            for _ in range(_MAX_FLOW_REQUESTS):
                try:
                    self._check_step(step, request)
                    sent_requests.append(step)
                    credentials = set(find_credentials(request, step))
                    self._auth_values.update(credentials)
                    response = replace(self._send(step), hidden_words=self._secret_forms | credentials)
                except ServiceError as error:
                    # A flow may have to note that its request failed. It raises the error again.
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            return response, end.value
        raise PermanentError(f"the auth kind `{kind}` sent too many requests", details=f"{_MAX_FLOW_REQUESTS} requests")

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
        secret_values = {
            *self._secret_forms,
            *(word for step in sent_requests for word in find_credentials(request, step)),
        }
        # `message` and `hint` are our own text. Redacting a secret as short as `client` would only make them unreadable.
        error.where = redact(error.where, secret_values)
        error.details = redact(error.details, secret_values)
        return error

    def _set_credentials(self, secrets: Mapping[str, str]) -> Auth:
        """Use these secrets from now on. Raise DeclarationError if the auth cannot use them."""
        auth = self.connector.auth.bind(
            {**self.settings, **secrets},
            monotonic=self._clock.monotonic,
            now=self._clock.now,
            store=self.credentials.tokens,
        )
        request = Request(url=self.base_url)
        step = auth.preview(request)
        if step is None:
            raise DeclarationError(f"The auth kind `{auth.kind}` sends no request.", where=self._where)
        self._auth, self._secrets = auth, secrets
        self._secret_forms = frozenset(form for secret in secrets.values() for form in list_spellings(secret))
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


def _collapse_slashes(url: str) -> str:
    """`url` without double slashes in its path. They occur if a setting ends with a slash."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{re.sub('/{2,}', '/', rest)}".rstrip("/")
