"""Requests, responses and pages, without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit, urlunsplit

from msgspec import Raw

HIDDEN = "***"
"""The replacement of a secret in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET or POST request. `params` are query parameters. A full `url` may have its own query."""

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def with_params(self, params: Mapping[str, str]) -> Request:
        """The same request with these query parameters set."""
        return replace(self, params={**self.params, **params})

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The same request with these headers set."""
        return replace(self, headers={**self.headers, **headers})

    def with_url(self, url: str) -> Request:
        """The same request to another URL with its own query."""
        return replace(self, url=url, params={})

    def with_method(self, method: str) -> Request:
        """The same request with another method, and without a body for a GET."""
        return replace(self, method=method, body=None if method == "GET" else self.body)

    def __str__(self) -> str:
        return f"{self.method} {strip_url(self.url)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    is_conditional: bool = False
    """Whether the request had a condition such as `If-Modified-Since`, to which 304 is an answer."""
    hidden_words: frozenset[str] = field(default=frozenset(), repr=False)
    """The secrets of the request. A message of the service that repeats them is redacted before it is shortened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A successful response, split into the bytes of its records."""

    response: Response
    records: Sequence[Raw]

    @property
    def rows(self) -> int:
        """The number of records."""
        return len(self.records)


def strip_url(url: str) -> str:
    """`url` without user, query and fragment, safe for messages."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret value in `text`, the longest first, so that no part of one remains."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
