"""A service that sends the very bytes that a test gives it, and a project that keeps them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

from tests.e2e.stand import Shop

FIELDS = {
    "id": "bigint", "wide": "decimal(38,10)", "money": "decimal(18,4)", "big": "bigint", "double": "double", "name": "text",
    "any": "json", "on": "date", "at": "timestamp",
}  # fmt: skip


class Bytes:
    """What the service answers."""

    def __init__(self):
        self.body = b"[]"
        self.url = ""

    def send(self, *records, wrap=b"[%s]"):
        """Records, as bytes or text, in a list."""
        self.body = wrap % b",".join(one if isinstance(one, bytes) else one.encode() for one in records)


@contextmanager
def serving():
    """The service on a port of its own."""
    service = Bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(service.body)))
            self.end_headers()
            self.wfile.write(service.body)

        def log_message(self, *args):
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


class Desk(Shop):
    """A project that reads one collection of such a service, whole, on every run, into the entity `thing`."""

    def __init__(self, root, service, *, fields=FIELDS, records="", warehouse=None):
        super().__init__(root)
        root.mkdir()
        self.write("headwater.yaml", {
            "version": 1, "name": "desk",
            "tenants": {"acme": {"connections": {"it": {"connector": "desk", "settings": {"base_url": service.url}}}}},
        } | ({"warehouse": warehouse} if warehouse else {}))  # fmt: skip
        self.write("connectors/desk/connector.yaml", {
            "connector": "desk", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s",
            "limits": {"requests_per_minute": 100_000, "tries": 1},
            "resources": [{
                "resource": "things", "path": "things", "key": ["id"], "fields": fields, "records": records,
                "cursor": {"kind": "snapshot", "every": "0s"},
            }],
        })  # fmt: skip
        columns = {name: "text" if kind == "json" else kind for name, kind in fields.items()}
        self.write("models/entities/thing.yaml", {
            "entity": "thing", "key": "id", "columns": columns,
            "sources": {"desk.things": {"map": {name: f'"{name}"' for name in columns}}},
        })  # fmt: skip

    def write(self, path, told):
        """A declaration of the project."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(yaml.safe_dump(told, sort_keys=False))

    def values(self, column, where="is_current"):
        """The texts of a column in the history, by id and time."""
        quoted = f'"{column}"'
        asked = f"SELECT id, CAST({quoted} AS VARCHAR) FROM silver.thing WHERE {where} ORDER BY id, valid_from"
        return [tuple(row) for row in self("query", asked).json["rows"]]
