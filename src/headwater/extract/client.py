"""The one place with a socket: sends what `wire` decided, within the budget, and asks again where that may help.

Thread-safe: one client serves all reads of a connection. TLS is always verified; redirects are never followed; every
address is held against the pinned hosts before a credential is put on the request.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from headwater.clock import Clock
from headwater.errors import DeclarationError, NotFoundError, PermanentError, ServiceError, TransientError
from headwater.events import EventListener, RequestRetried, discard
from headwater.extract.credentials import Credentials
from headwater.extract.network_errors import to_service_error
from headwater.extract.rate_limit import RateLimiters
from headwater.model.connector import Connector
from headwater.wire.auth import Auth, answers_request, find_credentials, find_query_names, strip_credentials
from headwater.wire.hosts import check_base, check_target, is_loopback
from headwater.wire.limits import Limits, backoff
from headwater.wire.message import Request, Response, redact
from headwater.wire.response_status import Refresh, ResponseStatus, check_status
from headwater.wire.retry_after import parse_http_date
from headwater.wire.template import fill, fill_all, fill_headers

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

_TRIES_WITHOUT_A_SOUND = 3
"""Where nobody ever answered, the address is more likely wrong than the network broken: do not wait for long."""

_LONGEST_FLOW = 8
"""Requests that an auth flow may send for one that is asked for."""


class Client:
    """Asks one service on behalf of one connection."""

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
        self._added_words: set[str] = set()
        self._auth = self._set_credentials(credentials.secrets)
        self._limits = credentials.limits or connector.limits
        scope = self._limits.scope_key(
            connection=credentials.name, base_url=self.base_url, identity=self._auth.identity()
        )
        self._rate_limiter = rate_limiters.get(scope, self._limits)
        self._http = _open_pool(self.base_url, self._limits)
        self._loopback = is_loopback(urlsplit(self.base_url).hostname or "")
        self.simulated = False
        """Whether the service lives in a calendar of its own, and on this machine: only then is that believed."""
        self._answered = False
        self._renewing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def build_request(self, path: str) -> Request:
        """A request for `path` below the base URL, with the connector's parameters and headers; no credentials yet."""
        params = fill_all(self.connector.params, self.settings, where=self._where)
        return Request(url=f"{self.base_url}/{path.lstrip('/')}", params=params, headers=self._headers)

    def check_host(self, request: Request) -> Request:
        """`request`, if it stays on the declared hosts; PermanentError otherwise."""
        try:
            check_target(request.url, base=self.base_url, hosts=self.connector.hosts)
        except PermanentError as error:
            raise self._with_location(error, request, ()) from None
        return request

    def fetch(self, request: Request) -> Response:
        """The answer to `request`; TransientError or PermanentError, without a secret, when there is no good one."""
        return self.fetch_as(request, lambda response: response)

    def fetch_as(self, request: Request, read: Callable[[Response], T]) -> T:
        """What `read` makes of a good answer.

        `read` may raise TransientError: a broken body is asked for anew, like a broken line.
        """
        self.check_host(request)
        tries = 1
        while True:
            sent: list[Request] = []
            try:
                return read(self._ask(request, sent))
            except TransientError as error:
                self._wait(request, self._with_location(error, request, sent), tries)
            except PermanentError as error:
                raise self._with_location(error, request, sent) from error.__cause__
            tries += 1

    def read_service_time(self) -> datetime | None:
        """What time it is for the service; None where it does not say. An answer from a cache is as old as it says."""
        if self.connector.clock is None:
            return None
        headers = self.fetch(self.build_request(self.connector.clock.path)).headers
        self.simulated = self._loopback and "x-simulated-calendar" in headers
        said, age = parse_http_date(headers.get("date", "")), headers.get("age", "").strip()
        # ten digits of seconds are centuries: no cache is as old, and a date has an end
        return said + timedelta(seconds=int(age)) if said and age.isdecimal() and len(age) < 9 else said

    def read_source_time(self) -> datetime:
        """What time it is for the service; this machine's time where it does not say."""
        return self.read_service_time() or self._clock.now()

    def _ask(self, request: Request, sent: list[Request]) -> Response:
        """A good answer, or the error that the bad one means. Credentials that fail are renewed once."""
        auth = self._auth
        response = self._run_flow(auth, request, sent)
        verdict = self._check(response)
        if isinstance(verdict, Refresh) and self._refresh_credentials(auth):
            response = self._run_flow(self._auth, request, sent)
            verdict = self._check(response)
        if isinstance(verdict, Refresh):
            verdict = verdict.fallback
        if isinstance(verdict, ServiceError):
            raise verdict if answers_request(request, sent[-1]) else _to_auth_error(verdict)
        return response

    def strip_credentials(self, address: str) -> str:
        """`address` without the credentials that the service repeats in it, to be kept and followed."""
        return strip_credentials(address, self._query_names, {*self._secrets.values(), *self._added_words})

    def _run_flow(self, auth: Auth, request: Request, sent: list[Request]) -> Response:
        """Send what the auth flow of `request` yields; the last response. What goes out is added to `sent`."""
        with closing(auth.flow(request)) as flow:
            step = next(flow)
            for _ in range(_LONGEST_FLOW):
                self._check_step(step, request)
                sent.append(step)
                self._added_words.update(find_credentials(request, step))
                response = self._send(step)
                try:
                    step = flow.send(response)
                except StopIteration:
                    return response
        raise PermanentError(f"the auth kind `{auth.kind}` sent too many requests", details=f"{_LONGEST_FLOW} requests")

    def _check_step(self, step: Request, request: Request) -> None:
        """Refuse a request of an auth flow to a host that the connector does not name: it carries a secret."""
        if step.url == request.url:
            return
        try:
            check_target(step.url, base=self.base_url, hosts=self.connector.hosts)
        except PermanentError as error:
            error.message = "the auth of the connector uses a host that is not in `hosts:`; nothing was sent there"
            raise

    def _check(self, response: Response) -> ResponseStatus:
        return check_status(response, now=self._clock.now(), secrets=tuple(self.connector.secrets))

    def _send(self, request: Request) -> Response:
        import httpx2  # noqa: PLC0415  (heavy, and only who reads needs it)

        with self._rate_limiter.request_slot(self._clock):
            try:
                url, params = _join_params(request)
                answer = self._http.request(
                    request.method,
                    url,
                    params=params,
                    headers=dict(request.headers),
                    content=request.body,
                )
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise to_service_error(error, timeout=self._limits.timeout) from error
        self._answered = True
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status_code, headers=headers, body=answer.content, url=str(answer.url))

    def _wait(self, request: Request, error: ServiceError, tries: int) -> None:
        """Wait before asking again; raise `error` when that is not worth it any more."""
        limits = self._limits
        if tries >= (limits.tries if self._answered else min(limits.tries, _TRIES_WITHOUT_A_SOUND)):
            error.details = f"{error.details} ({tries} attempts)".strip()
            raise error
        asked = error.after if isinstance(error, TransientError) else None
        after = backoff(tries, self._jitter()) if asked is None else asked
        if after > limits.max_wait_seconds:
            error.hint = f"Retry-After is {after:.0f} s, longer than `max_wait` ({limits.max_wait})"
            raise error
        if asked is not None:
            self._rate_limiter.pause(self._clock.monotonic() + after)
        why = f"{error.message}: {error.details}" if error.details else error.message
        event = RequestRetried(tenant=self.credentials.tenant, where=str(request), why=why, after=after, tries=tries)
        self._listen(event)
        self._clock.sleep(after)

    def _with_location(self, error: ServiceError, request: Request, sent: Sequence[Request]) -> ServiceError:
        """`error`, saying where it happened, and free of secrets whatever the service answered."""
        error.where = error.where or f"{sent[-1] if sent else request}, {self._where}"
        hidden = {form for secret in self._secrets.values() for form in (secret, quote_plus(secret))}
        hidden.update(word for step in sent for word in find_credentials(request, step))
        # The other two slots are our own words; a secret as short as `client` would only make them unreadable.
        error.where = redact(error.where, hidden)
        error.details = redact(error.details, hidden)
        return error

    def _set_credentials(self, secrets: Mapping[str, str]) -> Auth:
        """Use these secrets from now on; DeclarationError where the auth cannot be made of them."""
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
        """Whether the credentials are others now than those of `auth`, after the secrets were resolved once more."""
        with self._renewing:
            # Another read of this connection may have renewed them while this one was asking.
            if self._auth is auth and self.credentials.renew is not None:
                secrets = self.credentials.renew()
                if secrets != self._secrets:
                    self._set_credentials(secrets)
            return self._auth is not auth


def _join_params(request: Request) -> tuple[str, dict[str, str] | None]:
    """The URL with its query, and the parameters that the pool must merge into a query that the URL already has.

    The pool takes over a millisecond to add parameters to a URL, which is much beside a page.
    """
    if not request.params:
        # Empty parameters would remove the query of the URL itself.
        return request.url, None
    if "?" in request.url or "#" in request.url:
        return request.url, dict(request.params)
    return f"{request.url}?{urlencode(request.params)}", None


def _to_auth_error(error: ServiceError) -> ServiceError:
    """The refusal of a request that an auth flow sent for itself: that it is not there says nothing of the resource."""
    if not isinstance(error, NotFoundError):
        return error
    hint = "check `auth:` of the connector; if the service was wrong for a moment, run again"
    return PermanentError(f"the service gave no credentials: {error.message}", details=error.details, hint=hint)


def _open_pool(base_url: str, limits: Limits) -> httpx2.Client:
    """A pool of connections. Proxies of the environment are used, but never on the way to this machine."""
    import httpx2  # noqa: PLC0415

    loopback = is_loopback(urlsplit(base_url).hostname or "")
    most = limits.concurrency
    return httpx2.Client(
        timeout=limits.timeout_seconds,
        limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
        headers={"User-Agent": "headwater"},
        follow_redirects=False,
        trust_env=not loopback,
    )


def _collapse_slashes(url: str) -> str:
    """`url` without doubled slashes in its path, which a setting with one at its end would make."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{re.sub('/{2,}', '/', rest)}".rstrip("/")
