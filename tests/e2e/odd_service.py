"""A service with ways of its own, on loopback, and a small project that reads it by a manifest of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import yaml

from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

SOON = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def stamp(minutes=0):
    """An instant of the near past, as services spell it."""
    return f"{SOON + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def things(*ids, **more):
    """Records."""
    return [{"id": one, "name": f"thing {one}", "changed": stamp(one % 600), **more} for one in ids]


class OddService:
    """Collections by path. Its ways are its methods: a test exchanges those it is about."""

    cap = 1000
    """The most records of a page, whatever was asked for."""
    count = None
    """What it says when asked for a count; the truth if None."""

    def __init__(self, records=()):
        self.records = list(records)
        self.requests = []
        self.headers = {}
        self.url = ""

    def build_answer(self, path, params):
        """Status and body of an answer."""
        if path == "/time":
            return 200, {}
        self.requests.append((path, params))
        if path == "/things/count":
            return 200, {"count": len(self.filter_records(params)) if self.count is None else self.count}
        if path.startswith("/things/"):
            records = [one for one in self.records if str(one["id"]) == path.rpartition("/")[2]]
            return (200, records[0]) if records else (404, {"message": "no such thing"})
        return 200, self.page(self.filter_records(params), params)

    def filter_records(self, params):
        """Return the records that match the parameters."""
        since, until = params.get("since"), params.get("until")
        return [
            one
            for one in self.records
            if (not since or (one.get("changed") or "") >= since) and (not until or (one.get("changed") or "") < until)
        ]

    def page(self, records, params):
        """One page, by key or by number."""
        size = min(self.cap, int(params.get("size", 1000)))
        if "after" in params or "page" not in params:
            above = [one for one in records if one["id"] > int(params.get("after", 0))]
            return above[:size]
        start = (int(params["page"]) - 1) * size
        return records[start : start + size]


@contextmanager
def serve(service):
    """Serve the service while the block runs."""

    def respond(request):
        service.headers = {}
        status, content = service.build_answer(request.path, request.params)
        return status, service.headers, content

    with serve_http(respond) as service.url:
        yield service


FORWARD = {"kind": "forward_only", "param": "after", "size_param": "size", "size": 100}
NUMBERED = {"kind": "page_number", "size_param": "size", "size": 100}
CHANGES = {"kind": "changes", "params": {"since": "{since}", "until": "{until}"}, "field": "changed"}
SWEEP = {"kind": "sweep", "every": "0s", "max_drop": 1}


class OddShop(Shop):
    """A project with one connector, one resource and one entity; what differs is said when it is made."""

    def __init__(self, root, service, **resource):
        super().__init__(root)
        root.mkdir()
        self.service = service
        (root / "headwater.yaml").write_text(yaml.safe_dump({
            "version": 1, "name": "odd",
            "tenants": {"acme": {"connections": {"odd": {"connector": "odd", "settings": {"base_url": service.url}}}}},
        }))  # fmt: skip
        self.entity = {
            "entity": "thing", "key": "thing_id", "columns": {"thing_id": "bigint", "name": "text"},
            "sources": {"odd.things": {"changed_at": "changed", "map": {"thing_id": "id", "name": "name"}}},
        }  # fmt: skip
        self.write("models/entities/thing.yaml", self.entity)
        self.resource = {
            "resource": "things", "path": "things", "paging": FORWARD, "cursor": CHANGES,
            "fields": {"id": "bigint", "name": "text", "changed": "timestamp"}, **resource,
        }  # fmt: skip
        self.connector = {
            "connector": "odd", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s",
            "limits": {"requests_per_minute": 100_000, "tries": 2}, "look_back": "0d",
        }  # fmt: skip
        self.write_connector()

    def write(self, path, document):
        """A declaration of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def write_connector(self, connector=None, **resource):
        """Write the manifest anew, with what is said here over what was said before."""
        self.resource |= resource
        self.connector |= connector or {}
        self.write("connectors/odd/connector.yaml", {**self.connector, "resources": [self.resource]})

    def current(self):
        """The ids of the things that are there now, sorted."""
        return [row[0] for row in self.query("SELECT thing_id FROM silver.thing WHERE is_current ORDER BY 1")]

    def names(self):
        """What the things are called now, by id."""
        return dict(self.query("SELECT thing_id, name FROM silver.thing WHERE is_current ORDER BY 1"))

    def findings(self, report):
        """The kinds of the findings of a run."""
        return {finding["finding"] for finding in report["findings"]}

    def raw(self):
        """How many lines each batch brought, by purpose, in the order in which they were read."""
        with closing(sqlite3.connect(self.data / "ledger.db")) as ledger:
            return ledger.execute("SELECT purpose, rows FROM batch ORDER BY ordinal").fetchall()
