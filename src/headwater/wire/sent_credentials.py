"""Finds the credentials in the requests that an auth flow sent, so that no message, file or link contains them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit

import msgspec

from headwater.wire.auth import encode_basic
from headwater.wire.message import Request

_SECRET_FIELDS = frozenset(
    {
        "access_token", "assertion", "client_assertion", "client_secret", "code", "code_verifier", "password",
        "refresh_token",
    }
)  # fmt: skip
"""The fields of a token request whose values no message may show."""

_LONGEST_FORM = 100_000
"""The most bytes of a token request."""

_SEPARATORS = re.compile(r'[:,]|="')
_LONG_PART = 20
"""A part of a word that is longer than this is a key or a signature, and not the name of an algorithm."""

_SHORT_WORD = 8
"""`Basic` and `Bearer` are not secrets. Hiding such short words everywhere would make messages unreadable."""


def find_credentials(request: Request, sent_request: Request) -> Iterator[str]:
    """The values that a flow added to `request`. No message may show them."""
    for name, value in sent_request.headers.items():
        if request.headers.get(name) != value:
            yield from _split_header(value)
    for name, value in sent_request.params.items():
        if request.params.get(name) != value:
            yield from list_spellings(value)
    if sent_request.url != request.url and (names := find_query_names(request, sent_request)):
        # A kind that signs has written its parameters into the URL.
        query = parse_qsl(urlsplit(sent_request.url).query, keep_blank_values=True)
        yield from (form for name, value in query if name in names for form in list_spellings(value))
    values = _read_fields(sent_request)
    for name in _SECRET_FIELDS & values.keys():
        yield from list_spellings(values[name])
    if values.keys() >= {"client_id", "client_secret"}:
        # A gateway may convert the pair to HTTP Basic, and repeat it in its error.
        yield encode_basic(values["client_id"], values["client_secret"]).partition(" ")[2]


def list_spellings(secret: str) -> frozenset[str]:
    """A secret as it is, as in a URL or a form, and as in JSON: a service may repeat a request as it received it."""
    in_json = (msgspec.json.encode(secret).decode(), json.dumps(secret))
    return frozenset({secret, quote_plus(secret), quote(secret, safe=""), *(text[1:-1] for text in in_json)})


def _split_header(value: str) -> Iterator[str]:
    """The words of a header, and the signatures in them: `app:SIGNATURE`, or `name="SIGNATURE"`, perhaps encoded."""
    for word in value.split():
        if len(word) > _SHORT_WORD:
            yield word
        parts = (part.strip('"') for part in _SEPARATORS.split(word))
        yield from (form for part in parts if len(part) > _LONG_PART for form in (part, unquote(part)))


def _read_fields(request: Request) -> dict[str, str]:
    """The fields in the body of a token request, which is a form or JSON. A long body is that of another request."""
    if not request.body or len(request.body) > _LONGEST_FORM or not _has_secret_field(request.body):
        return {}
    try:
        values = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        values = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, dict) else {}


def _has_secret_field(body: bytes) -> bool:
    return any(name.encode() in body for name in _SECRET_FIELDS)


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
