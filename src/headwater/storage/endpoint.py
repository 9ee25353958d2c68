"""Allows connections without TLS to an object store on this machine only."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")


def is_plain_http_allowed() -> bool:
    """Whether the store in the environment (`AWS_ENDPOINT_URL`) may be used without TLS."""
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", ""))
    return endpoint.scheme == "http" and bool(_LOOPBACK.fullmatch(endpoint.hostname or ""))


def build_storage_options() -> dict[str, str]:
    """The options for delta-rs in addition to the environment."""
    return {"AWS_ALLOW_HTTP": "true"} if is_plain_http_allowed() else {}
