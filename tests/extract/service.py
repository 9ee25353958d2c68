"""A small real HTTP service on loopback, with faults on demand, and what is needed to read it."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.clock import SystemClock
from headwater.extract.client import Client
from headwater.extract.credentials import Credentials
from headwater.extract.rate_limit import RateLimiters
from headwater.extract.request_params import ReadRequest
from headwater.model.connector import Connector

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(since=SINCE, until=UNTIL)
FEED = Feed(tenant="acme", connection="psa", resource="tickets")
SECRETS = {"public_key": "pub-4711", "private_key": "priv-0815-hush", "client_id": "client-0042"}


@dataclass
class ReceivedRequest:
    """A request that the service received."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


Reply = tuple[int, dict[str, str], bytes]
Fault = Callable[[ReceivedRequest, Reply], Reply]


@dataclass
class Service:
    """Collections by path; every request is recorded; a fault changes the reply to the request that it is queued for."""

    collections: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[ReceivedRequest] = field(default_factory=list)
    faults: list[Fault | None] = field(default_factory=list)
    """One for each of the next requests to a collection. None means no fault."""
    always: Fault | None = None
    compress: bool = False
    url: str = ""

    def list_page_params(self, param: str = "pageId") -> list[str]:
        """The values of the page parameter, in the order of the requests."""
        return [request.params.get(param, "") for request in self.requests]

    def respond(self, request: ReceivedRequest) -> Reply:
        """The reply of the service, before any fault."""
        self.requests.append(request)
        path = request.path.removeprefix("/v1/")
        if path == "info":
            return 200, {}, b"{}"
        counted = path.removesuffix("/count")
        if counted not in self.collections:
            return 404, {}, b'{"message":"no such collection"}'
        records = self.collections[counted]
        if path.endswith("/count"):
            return 200, {}, json.dumps({"count": len(records)}).encode()
        return self._page(records, request)

    def _page(self, records: list[Any], request: ReceivedRequest) -> Reply:
        size = int(request.params.get("pageSize", "25"))
        if "pagination-type" in request.headers:
            after = int(request.params.get("pageId", "0"))
            rows = [record for record in records if _is_above(record, after)][:size]
            return 200, {}, json.dumps(rows).encode()
        number = int(request.params.get("page", "1"))
        rows = records[(number - 1) * size : number * size]
        more = number * size < len(records)
        link = f'<{self.url}{request.path}?page={number + 1}&pageSize={size}>; rel="next"'
        return 200, {"Link": link} if more else {}, json.dumps(rows).encode()


def _is_above(record: Any, after: int) -> bool:
    return record.get("id", 0) > after if isinstance(record, dict) else not after


@contextmanager
def serve(service: Service) -> Iterator[Service]:
    """Run the service on its own port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are two writes; without this the second waits for the first one's acknowledgement.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = ReceivedRequest(parts.path, dict(parse_qsl(parts.query)), headers)
            reply = service.respond(request)
            fault = service.always
            if service.faults and "info" not in request.path:
                fault = service.faults.pop(0) or fault
            try:
                self._send(*(fault(request, reply) if fault else reply))
            except ConnectionError:
                self.close_connection = True

        do_POST = do_GET

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            if service.compress:
                body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
            self.send_response_only(status)
            self.send_header("Date", headers.pop("Date", self.date_time_string()))
            length = int(headers.pop("X-Claimed-Length", len(body)))
            for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(length)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = length != len(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class FastClock(SystemClock):
    """A clock that does not sleep: it adds the seconds to the real time."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        with self._lock:
            return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._ahead += seconds


MANIFEST: dict[str, Any] = {
    "connector": "toy",
    "base_url": "{base_url}/v1",
    "settings": {"base_url": {}, "company": {"default": "acme"}},
    "secrets": {"public_key": "public", "private_key": "private", "client_id": "client"},
    "auth": {
        "kind": "basic",
        "user": "{company}+{public_key}",
        "password": "{private_key}",
        "headers": {"clientId": "{client_id}"},
    },
    "params": {"orderBy": "id asc"},
    "fields_param": "fields",
    "paging": {"kind": "forward_only", "size": 10, "headers": {"pagination-type": "forward-only"}},
    "cursor": {
        "kind": "changes",
        "params": {"conditions": "lastUpdated >= [{since}] and lastUpdated < [{until}]"},
        "field": "_info.lastUpdated",
    },
    "limits": {"requests_per_minute": 10000, "timeout": "2s"},
    "clock": {"path": "info"},
    "overlap": "10m",
    "resources": [
        {"resource": "tickets", "path": "tickets", "deletes": {"kind": "sweep", "params": {"fields": "id"}}},
        {
            "resource": "numbered",
            "path": "tickets",
            "paging": {"kind": "page_number", "size": 10},
            "count": {"path": "tickets/count"},
        },
        {"resource": "linked", "path": "tickets", "paging": {"kind": "link_header", "size": 10}},
        {"resource": "whole", "path": "tickets", "paging": {"kind": "unpaged"}, "cursor": {"kind": "snapshot"}},
        {"resource": "notes", "path": "tickets/{parent}/notes", "parent": {"resource": "tickets"}},
    ],
}


def build_connector(**changes: Any) -> Connector:
    """The toy connector, with changes to its manifest."""
    return Connector.model_validate({**MANIFEST, **changes})


def build_client(service: Service, *, clock: FastClock | None = None, **more: Any) -> Client:
    """A client of the toy service."""
    credentials = more.pop("credentials", None) or Credentials(
        tenant="acme", connection="psa", settings={"base_url": service.url}, secrets=SECRETS
    )
    rate_limiters = more.pop("rate_limiters", None) or RateLimiters()
    listen = {"listen": more.pop("listen")} if "listen" in more else {}
    left_out = more.pop("without", ())
    manifest = build_connector(**more, **dict.fromkeys(left_out))
    return Client(
        manifest, credentials, rate_limiters=rate_limiters, clock=clock or FastClock(), jitter=lambda: 1.0, **listen
    )


def build_read_request(client: Client, resource: str = "tickets", **more: Any) -> ReadRequest:
    """Build a read request for a resource of the toy connector."""
    declaration = client.connector.find_resource(resource)
    assert declaration is not None
    return ReadRequest(resource=client.connector.with_defaults(declaration), **more)


def build_batch(resource: str = "tickets", *, purpose: str = "changes", window: Window = WINDOW) -> Batch:
    """Build the batch of a resource."""
    feed = Feed(tenant=FEED.tenant, connection=FEED.connection, resource=resource)
    return create_batch(feed, window, purpose=purpose)


def build_ticket(ident: int, **more: Any) -> dict[str, Any]:
    """A record that changed within the window."""
    stamp = SINCE + timedelta(minutes=ident)
    return {"id": ident, "summary": f"Mál {ident}", "_info": {"lastUpdated": f"{stamp:%Y-%m-%dT%H:%M:%SZ}"}, **more}


def build_tickets(count: int) -> list[dict[str, Any]]:
    """Build `count` records."""
    return [build_ticket(ident) for ident in range(1, count + 1)]
