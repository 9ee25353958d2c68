"""The hosts that requests may go to: the host of the base URL and the declared ones. No token goes to another host."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit, urlunsplit

from headwater.errors import DeclarationError, PermanentError
from headwater.wire.message import strip_url

_PORTS = {"http": 80, "https": 443}


def check_base(url: str, *, where: str) -> str:
    """Return `url` if it is https, or http on a loopback address. Otherwise raise DeclarationError."""
    try:
        parts = _split_url(url)
    except ValueError as error:
        raise DeclarationError(
            "the base URL cannot be used", where=where, details=f"`{redact_url(url)}`: {error}", hint=_BASE_HINT
        ) from None
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return url
    raise DeclarationError(
        "the base URL must be https",
        where=where,
        details=f"`{strip_url(url)}`",
        hint="credentials are sent over plain http only to this machine (127.0.0.1)",
    )


def check_target(url: str, *, base: str, hosts: Iterable[str] = ()) -> str:
    """Return `url` if it has the scheme of `base` and an allowed host. Otherwise raise PermanentError."""
    try:
        parts, base_parts = _split_url(url), _split_url(base)
    except ValueError as error:
        raise PermanentError("the service returned an invalid URL", details=str(error)) from None
    if parts.scheme == base_parts.scheme and is_declared(url, base=base, hosts=hosts):
        return url
    raise PermanentError(
        "the service redirected to a host that the connector does not allow; nothing was sent there",
        details=f"{parts.scheme}://{parts.netloc}",
        hint=f"the base URL has host {base_parts.netloc}; if you trust another host, add it to `hosts:` of the connector",
    )


def is_declared(url: str, *, base: str, hosts: Iterable[str]) -> bool:
    """Whether the host of `url` is that of `base`, or one that `hosts` allow."""
    try:
        parts = _split_url(url)
    except ValueError:
        return False
    is_base = bool(base) and _format_authority(parts) == _format_authority(_split_url(base))
    return is_base or any(_is_host_allowed(parts, host.lower()) for host in hosts)


def check_found_base(url: str, *, hosts: Iterable[str], where: str) -> str:
    """Return a base URL that a service sent, without a slash at its end. PermanentError if `hosts` do not allow its host."""
    try:
        parts = _split_url(url)
        is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
    except ValueError as error:
        raise PermanentError("the service returned an invalid base URL", details=str(error)) from None
    if is_safe and any(_is_host_allowed(parts, host.lower()) for host in hosts):
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    raise PermanentError(
        "the service returned a base URL that the connector does not allow; nothing was sent there",
        where=where,
        details=f"{parts.scheme}://{parts.netloc}",
        hint="if you trust this host, add it to `hosts:` of the connector, or of its `lookup:`",
    )


def _is_host_allowed(parts: SplitResult, pattern: str) -> bool:
    host = (parts.hostname or "").lower()
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and parts.port in (None, _PORTS[parts.scheme])
    return _format_authority(parts) == (pattern if ":" in pattern else f"{pattern}:{_PORTS[parts.scheme]}")


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address or `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def redact_url(url: str) -> str:
    """`url` without its secrets, or a phrase if it is not a URL."""
    try:
        return strip_url(url)
    except ValueError:
        return "an invalid URL"


_BASE_HINT = "use a URL such as https://api.example.com"


def _split_url(url: str) -> SplitResult:
    """Split `url`, if all parsers split it in the same way. Otherwise raise ValueError."""
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\<>"):
        msg = "it contains characters that a URL cannot have"
        raise ValueError(msg)
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        msg = "it is not an http or https URL"
        raise ValueError(msg)
    if "@" in parts.netloc:
        msg = "it contains a user name"
        raise ValueError(msg)
    _ = parts.port  # a port that is not a number is a ValueError too
    return parts


def _format_authority(parts: SplitResult) -> str:
    return f"{(parts.hostname or '').lower()}:{parts.port or _PORTS[parts.scheme]}"
