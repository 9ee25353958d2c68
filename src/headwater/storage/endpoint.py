"""Without TLS only a store on this very machine may be spoken to."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")


def allows_plain_http() -> bool:
    """Whether the store that the environment names (`AWS_ENDPOINT_URL`) may be spoken to without TLS."""
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", ""))
    return endpoint.scheme == "http" and bool(_LOOPBACK.fullmatch(endpoint.hostname or ""))


def storage_options() -> dict[str, str]:
    """What delta-rs is told beside the environment."""
    return {"AWS_ALLOW_HTTP": "true"} if allows_plain_http() else {}
