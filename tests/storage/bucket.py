"""A bucket on this machine, with real HTTP: the server of moto, started once and emptied after each test."""

from __future__ import annotations

import http.client
import logging
import os
import threading
import urllib.request
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NAMES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


@contextmanager
def run_server():
    """Run the server, with environment variables that direct this process and its children to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415  # slow to import, and it complains
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    before = {name: os.environ.get(name) for name in NAMES}
    os.environ.update(zip(NAMES, (endpoint, "key", "secret", "us-east-1"), strict=True))
    try:
        yield endpoint
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        server.stop()


def create_bucket(endpoint, name):
    """Create an empty bucket. Return its URL."""
    for path, method in (("/moto-api/reset", "POST"), (f"/{name}", "PUT")):
        with urllib.request.urlopen(urllib.request.Request(f"{endpoint}{path}", method=method)) as response:
            assert response.status < 300
    return f"s3://{name}"


class Gate:
    """A proxy between a client and the server: it forwards requests until it is closed, and then denies access."""

    def __init__(self):
        self.open = True
        self.writes_left = None
        self.url = ""

    def is_allowed(self, method):
        """Whether to forward a request. The gate closes after `writes_left` writes."""
        if method in ("PUT", "POST") and self.writes_left is not None:
            self.writes_left -= 1
            self.open = self.open and self.writes_left >= 0
        return self.open


@contextmanager
def run_gate(endpoint):
    """Run a gate in front of the server."""
    gate, target = Gate(), urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = 403, [], b"<Error><Code>AccessDenied</Code></Error>"
            if gate.is_allowed(self.command):
                behind = http.client.HTTPConnection(target.hostname, target.port)
                behind.request(self.command, self.path, body, dict(self.headers))
                response = behind.getresponse()
                status, headers, content = response.status, response.getheaders(), response.read()
                behind.close()
            self.send_response_only(status)
            length = next((value for name, value in headers if name.lower() == "content-length"), len(content))
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(length if self.command == "HEAD" else len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gate.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
