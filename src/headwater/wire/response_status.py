"""Decides from a response whether to continue, retry, renew the credentials, or fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec

from headwater.errors import ExpiredError, NotFoundError, PermanentError, TransientError
from headwater.wire.error_rule import ErrorRule, find_rule
from headwater.wire.message import Response, redact
from headwater.wire.retry_after import read_retry_after

_MAX_MESSAGE = 300
_MAX_TEXT = 100_000
_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529})
_MESSAGE_KEYS = ("message", "error_description", "ErrorMessage", "detail", "title", "error", "errors", "code")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Ok:
    """The response is successful."""

    is_empty: bool = False
    """Whether it means that there are no records, whatever its body says."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The credentials were rejected: renew them once. If that is not possible or fails again, raise `fallback`."""

    fallback: PermanentError


ResponseStatus = Ok | TransientError | Refresh | PermanentError
"""The result of the check. Raise `TransientError` and `PermanentError` if no retry helps."""


def check_status(
    response: Response,
    *,
    now: datetime,
    secrets: Iterable[str] = (),
    settings: Iterable[str] = (),
    rules: Iterable[ErrorRule] = (),
) -> ResponseStatus:
    """Check the status of `response`. `secrets` and `settings` are the names (never values) of the credentials.

    `rules` are those of the connector. They come first.
    """
    build_denial = partial(_build_credentials_error, response, secrets, settings)
    if rule := find_rule(rules, response):
        return _apply_rule(rule, response, now=now, build_denial=build_denial)
    return _check_code(response, now=now, build_denial=build_denial)


def _check_code(response: Response, *, now: datetime, build_denial: Callable[[], PermanentError]) -> ResponseStatus:
    if response.status in range(200, 300) or (response.status == 304 and response.is_conditional):
        return Ok() if not _is_html_page(response) else _build_web_page_error(response)
    wait = read_retry_after(response.headers, now=now)
    if response.status in _TRANSIENT_STATUSES or (response.status == 403 and _is_rate_limited(response)):
        return TransientError(
            f"the service answered {_format_status(response.status)}", details=read_vendor_message(response), after=wait
        )
    if response.status == 401:
        return Refresh(build_denial())
    if response.status == 403:
        return build_denial()
    if response.status in range(300, 400):
        return _build_redirect_error(response)
    return _build_client_error(response)


def _apply_rule(
    rule: ErrorRule, response: Response, *, now: datetime, build_denial: Callable[[], PermanentError]
) -> ResponseStatus:
    details = rule.read_message(response) or read_vendor_message(response)
    message = f"the service answered {_format_status(response.status)} with an error"
    match rule.means:
        case "empty":
            return Ok(is_empty=True)
        case "retry":
            return TransientError(message, details=details, after=read_retry_after(response.headers, now=now))
        case "denied":
            return Refresh(build_denial())
        case "expired":
            return ExpiredError(message, details=details)
        case "failed":
            found = f"{rule.field} is {rule.equals or 'set'}" if rule.field else ""
            return PermanentError(message, details=details or found)


def read_vendor_message(response: Response) -> str:
    """The message of the service, shortened to one line."""
    try:
        message = _find_message(msgspec.json.decode(response.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = "" if _is_html_page(response) else response.body[:_MAX_TEXT].decode(errors="replace")
    # Before it is shortened: nobody would recognize the first part of a secret later.
    message = _SPACES.sub(" ", redact(message, response.hidden_words)).strip()
    return f"{message[:_MAX_MESSAGE]} ..." if len(message) > _MAX_MESSAGE else message


def _find_message(body: Any, depth: int = 0) -> str:
    """The most specific text of an error body, at any depth."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return (
            "; ".join(text for text in (_find_message(item, depth + 1) for item in body[:3]) if text)
            if depth < 4
            else ""
        )
    if not isinstance(body, dict) or depth >= 4:
        return ""
    messages = (_find_message(body[name], depth + 1) for name in _MESSAGE_KEYS if name in body)
    return next((text for text in messages if text), "")


def _format_status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _is_html_page(response: Response) -> bool:
    return response.headers.get("content-type", "").lower().startswith("text/html")


def _is_rate_limited(response: Response) -> bool:
    """Some services send 403 instead of 429, with a time to retry or a remaining quota of zero."""
    left = (response.headers.get(name, "") for name in ("x-ratelimit-remaining", "x-rate-limit-remaining"))
    return "retry-after" in response.headers or "0" in left


def _build_web_page_error(response: Response) -> PermanentError:
    return PermanentError(
        "the response is a web page, not data",
        details=f"content-type {response.headers.get('content-type', '')}",
        hint="check the base URL of the connection: it must be the service's API, not its web site",
    )


def _build_credentials_error(response: Response, secrets: Iterable[str], settings: Iterable[str]) -> PermanentError:
    names = ", ".join(secrets)
    if others := ", ".join(settings):
        names += f" and the settings {others}"
    what = "rejected the credentials" if response.status == 401 else "denied access with these credentials"
    look = f"check the secrets {names} of this connection" if names else "this connector sends no credentials"
    rights = "" if response.status == 401 else ", and the permissions of that account"
    return PermanentError(
        f"the service {what} ({_format_status(response.status)})",
        details=read_vendor_message(response),
        hint=f"{look}{rights}",
    )


def _build_redirect_error(response: Response) -> PermanentError:
    return PermanentError(
        f"the service sent a redirect ({_format_status(response.status)}), which is not followed",
        details=f"location {response.headers.get('location', 'not given').partition('?')[0]}",
        hint="if the new location is correct, set it as the base URL of the connection",
    )


def _build_client_error(response: Response) -> PermanentError:
    hint = "check the base URL and the settings of the connection" if response.status in (404, 405, 410) else ""
    kind = {404: NotFoundError, 410: ExpiredError}.get(response.status, PermanentError)
    return kind(
        f"the service answered {_format_status(response.status)}", details=read_vendor_message(response), hint=hint
    )
