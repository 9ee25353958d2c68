"""Plain HTTP is allowed to a store on the local machine only."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "abfss": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""The environment variables that name another endpoint, by the scheme of a URL; the first one that is set counts."""


def is_plain_http_allowed(url: str) -> bool:
    """Whether the endpoint that the environment names for the store at `url` may be used without TLS."""
    names = _ENDPOINTS.get(urlsplit(url).scheme, ())
    endpoint = urlsplit(next((value for name in names if (value := os.environ.get(name))), ""))
    return endpoint.scheme == "http" and bool(_LOOPBACK.fullmatch(endpoint.hostname or ""))


def build_storage_options(url: str) -> dict[str, str]:
    """The options that delta-rs needs for the store at `url` besides the environment."""
    if not is_plain_http_allowed(url):
        return {}
    return {"AWS_ALLOW_HTTP" if urlsplit(url).scheme == "s3" else "AZURE_ALLOW_HTTP": "true"}
