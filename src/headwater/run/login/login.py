"""Logs in: shows the page of the service, waits for the code, and stores the tokens that it buys."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from headwater.errors import DeclarationError, PermanentError, StateError
from headwater.extract.client import Client
from headwater.extract.credentials import Credentials
from headwater.extract.rate_limit import RateLimiters
from headwater.model.connector import Connector
from headwater.run.clients import find_connection, locate_connection, open_tokens
from headwater.run.login.listener import RedirectListener, open_listener
from headwater.run.secrets import fill_settings, resolve_secrets
from headwater.run.workspace import TenantWorkspace
from headwater.wire.auth import NoAuth
from headwater.wire.hosts import check_base, is_declared
from headwater.wire.message import Response
from headwater.wire.oauth.refresh import Authorization, RefreshGrant
from headwater.wire.template import fill
from headwater.wire.token_store import Tokens

_LONGEST_TEXT = 300
_STEP = 0.5
"""Seconds between two looks at the clock while nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """How to log in."""

    show: Callable[[str], None]
    """Shows the address of the page where a person agrees."""
    timeout: float = 300.0
    """Seconds to wait for the person."""
    port: int | None = None
    """The port of the answer, instead of that of the connector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that was stored. It contains no token."""

    tenant: str
    connection: str
    connector: str
    logged_in_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoginContext:
    """What the steps of a login share."""

    name: str
    connector: Connector
    auth: RefreshGrant
    settings: Mapping[str, str]
    secrets: Mapping[str, str]


def log_in(workspace: TenantWorkspace, name: str, request: LoginRequest) -> Login:
    """Log in for a connection, and store its tokens.

    DeclarationError if the connection needs no login or uses a host that is not declared, StateError if nobody answers or
    the port is in use, PermanentError if the person or the service refuses.
    """
    context = _prepare(workspace, name)
    store = open_tokens(workspace, name)
    store.check_key()
    workspace.ledger.list_tenants()  # opens the ledger before a person does their part
    tokens = _await_consent(workspace, context, request)
    store.save(tokens)
    return Login(
        tenant=workspace.tenant,
        connection=name,
        connector=context.connector.connector,
        logged_in_at=workspace.clock.now(),
    )


def forget_login(workspace: TenantWorkspace, name: str) -> bool:
    """Delete the tokens of a connection, declared or not. Whether there were any."""
    return workspace.parent.has_ledger() and workspace.ledger.forget_token(workspace.tenant, name)


def _prepare(workspace: TenantWorkspace, name: str) -> _LoginContext:
    """The connection with its values. DeclarationError if it cannot log in."""
    connection = find_connection(workspace, name, where="connection login")
    where = locate_connection(workspace, name)
    connector = workspace.find_connector(connection.connector, where=where).connector
    if not isinstance(connector.auth, RefreshGrant):
        raise DeclarationError(
            f"The connection `{name}` needs no login.",
            where=where,
            details=f"auth of the kind `{connector.auth.kind}`",
            hint=f"`headwater connection test {name}` tests its credentials",
        )
    settings = fill_settings(connection, connector, where=where)
    secret_values = resolve_secrets(connection, connector, root=workspace.root, where=where)
    auth = connector.auth.bind({**settings, **secret_values})
    _check_hosts(connector, auth, settings)
    return _LoginContext(name=name, connector=connector, auth=auth, settings=settings, secrets=secret_values)


def _check_hosts(connector: Connector, auth: RefreshGrant, settings: Mapping[str, str]) -> None:
    """Raise DeclarationError if a person or a code would be sent to a host that is not declared."""
    where = connector.origin.find_location("auth")
    base = "" if connector.list_answer_names() else fill(connector.base_url, settings, where=where)
    for key, text in (("authorize_url", auth.authorize_url), ("token_url", auth.token_url)):
        url = check_base(auth.fill(text), where=f"{where}, {key}")
        if not is_declared(url, base=base, hosts=connector.hosts):
            raise DeclarationError(
                f"`{key}` has a host that is not in `hosts:`; nothing was sent there.",
                where=connector.origin.find_location("auth", key),
                details=urlsplit(url).netloc,
                hint="if you trust this host, add it to `hosts:` of the connector",
            )


def _await_consent(workspace: TenantWorkspace, context: _LoginContext, request: LoginRequest) -> Tokens:
    parts = urlsplit(context.auth.fill(context.auth.redirect_url))
    port = _read_port(context, parts) if request.port is None else request.port
    with open_listener(port, parts.path) as listener:
        attempt = Authorization(
            state=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(64),
            redirect_url=f"http://{parts.hostname}:{listener.port}{parts.path}",
        )
        request.show(context.auth.build_authorize_url(attempt))
        answer = _wait_for_answer(workspace, listener, request.timeout, where=f"connection {context.name}")
    code = _read_code(answer, attempt, where=f"connection {context.name}")
    return _exchange_code(workspace, context, attempt, code)


def _read_port(context: _LoginContext, parts: SplitResult) -> int:
    try:
        return 80 if parts.port is None else parts.port
    except ValueError as error:
        raise DeclarationError(
            "The port of `redirect_url` is not a number.",
            where=context.connector.origin.find_location("auth", "redirect_url"),
            details=parts.netloc,
            hint="check the setting that it uses, or pass `--port`",
        ) from error


def _wait_for_answer(
    workspace: TenantWorkspace, listener: RedirectListener, timeout: float, *, where: str
) -> dict[str, str]:
    deadline = workspace.clock.monotonic() + timeout
    while (left := deadline - workspace.clock.monotonic()) > 0:
        if (answer := listener.receive(min(left, _STEP))) is not None:
            return answer
    raise StateError(
        "nobody agreed in the browser; nothing was stored.",
        where=where,
        details=f"no answer within {timeout:g} seconds",
        hint="run the command again. If the service shows an error, check the client id and the redirect address "
        "that is registered there",
    )


def _read_code(answer: Mapping[str, str], attempt: Authorization, *, where: str) -> str:
    """The code in the answer of this attempt. PermanentError if it is of another one, or has none."""
    if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
        raise PermanentError(
            "the answer in the browser does not belong to this login; nothing was stored.",
            where=where,
            details="another `state` than the one that was sent",
            hint="close older pages of the service, and run the command again. Follow no link that you did not ask for",
        )
    if error := answer.get("error"):
        raise PermanentError(
            f"the service did not allow the login: {_clean(error)}",
            where=where,
            details=_clean(answer.get("error_description", "")),
            hint="log in as a user who may agree, and agree to all that the page asks for",
        )
    if not answer.get("code"):
        raise PermanentError("the answer in the browser has no code; nothing was stored.", where=where)
    return answer["code"]


def _clean(text: str) -> str:
    """A text of the service as one printable line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:_LONGEST_TEXT]


def _exchange_code(workspace: TenantWorkspace, context: _LoginContext, attempt: Authorization, code: str) -> Tokens:
    request = context.auth.build_code_request(attempt, code)
    parts = urlsplit(request.url)
    # The flow of the connection needs tokens, which do not exist yet. This client only sends the one request.
    values = {"auth": NoAuth(), "base_url": f"{parts.scheme}://{parts.netloc}", "lookup": None, "clock": None}
    credentials = Credentials(
        tenant=workspace.tenant, connection=context.name, settings=context.settings, secrets=context.secrets
    )
    connector = context.connector.model_copy(update=values)

    def read(response: Response) -> Tokens:
        return context.auth.read_login(response)

    with Client(
        connector, credentials, rate_limiters=RateLimiters(), clock=workspace.clock, listen=workspace.listen
    ) as client:
        return client.fetch_as(request, read)
