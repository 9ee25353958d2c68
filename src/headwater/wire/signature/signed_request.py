"""A request as it will be sent, so that what is signed is what the service reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from headwater.wire.message import Request

_SENT_AS_THEY_ARE = "!$%&'()*+,-./:;=?@_~"
"""What stands in a query without being encoded. All other signs are encoded here, before the HTTP library would do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParts:
    """The parts of a request that a signature covers, as they are sent."""

    method: str
    origin: str
    """Scheme and host, in lower case, with the port unless it is that of the scheme."""
    host: str
    path: str
    query: str
    body: bytes


def fix_query(request: Request) -> Request:
    """`request` with all parameters in its URL, spelled as they are sent."""
    parts = urlsplit(request.url)
    query = "&".join(part for part in (parts.query, urlencode(request.params)) if part)
    url = urlunsplit((parts.scheme, parts.netloc, quote(parts.path, safe=_SENT_AS_THEY_ARE) or "/", "", ""))
    spelled = quote(query, safe=_SENT_AS_THEY_ARE)
    return replace(request, url=f"{url}?{spelled}" if spelled else url, params={})


def split_request(request: Request) -> RequestParts:
    """The parts of a request whose query is fixed."""
    parts = urlsplit(request.url)
    host = (parts.hostname or "").lower()
    is_usual = parts.port is None or parts.port == {"http": 80, "https": 443}.get(parts.scheme)
    host = host if is_usual else f"{host}:{parts.port}"
    return RequestParts(
        method=request.method.upper(),
        origin=f"{parts.scheme.lower()}://{host}",
        host=host,
        path=parts.path,
        query=parts.query,
        body=request.body or b"",
    )
