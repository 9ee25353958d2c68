"""A bucket on this machine, spoken to by real HTTP: moto's server, started once and emptied behind each test."""

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


class Gate:
    """Between a client and the server: passes requests on until it is shut, and then answers that access is denied."""

    def __init__(self):
        self.open = True
        self.writes_left = None
        self.url = ""

    def admits(self, method):
        """Whether a request passes; it shuts after so many writes."""
        if method in ("PUT", "POST") and self.writes_left is not None:
            self.writes_left -= 1
            self.open = self.open and self.writes_left >= 0
        return self.open


@contextmanager
def gate(endpoint):
    """Such a gate before the server."""
    made, target = Gate(), urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, answer = 403, [], b"<Error><Code>AccessDenied</Code></Error>"
            if made.admits(self.command):
                behind = http.client.HTTPConnection(target.hostname, target.port)
                behind.request(self.command, self.path, body, dict(self.headers))
                response = behind.getresponse()
                status, headers, answer = response.status, response.getheaders(), response.read()
                behind.close()
            self.send_response_only(status)
            length = next((value for name, value in headers if name.lower() == "content-length"), len(answer))
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(length if self.command == "HEAD" else len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
