"""A bucket on this machine, spoken to by real HTTP: moto's server, started once and emptied behind each test."""

from __future__ import annotations

import logging
import os
import urllib.request
import warnings
from contextlib import contextmanager

NAMES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


@contextmanager
def server():
    """The server, with an environment that leads everything of this process and its children to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415  # slow to import, and it complains
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    endpoint = "http://{}:{}".format(*running.get_host_and_port())
    before = {name: os.environ.get(name) for name in NAMES}
    os.environ.update(zip(NAMES, (endpoint, "key", "secret", "us-east-1"), strict=True))
    try:
        yield endpoint
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        running.stop()


def make(endpoint, name):
    """A bucket that is there and empty; its address."""
    for path, method in (("/moto-api/reset", "POST"), (f"/{name}", "PUT")):
        with urllib.request.urlopen(urllib.request.Request(f"{endpoint}{path}", method=method)) as answer:
            assert answer.status < 300
    return f"s3://{name}"
