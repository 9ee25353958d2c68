"""A service whose clock and counts a test sets, and a project that reads it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import yaml

from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def stamp(ago=timedelta(0)):
    """An instant before now, as services spell it."""
    return f"{datetime.now(UTC) - ago:%Y-%m-%dT%H:%M:%SZ}"


class ClockService:
    """Items by id; `ahead` is how far its clock is ahead, or an instant at which it stands; None: it tells no time."""

    def __init__(self):
        self.items = {}
        self.ahead = timedelta(0)
        self.age = ""
        self.simulated = ""
        self.sweep = None
        self.count = None
        self.requests = []
        self.gate = threading.Event()
        self.gate.set()
        self.url = ""

    def put(self, *ids, ago=2 * DAY, **more):
        """Items that changed some time ago."""
        self.items |= {one: {"id": one, "name": f"item {one}", "changed": stamp(ago), **more} for one in ids}

    @property
    def date(self):
        """What time it says it is."""
        if self.ahead is None:
            return ""
        return format_datetime(self.ahead if isinstance(self.ahead, datetime) else datetime.now(UTC) + self.ahead)

    def build_answer(self, path, params):
        """The body of an answer."""
        if path == "/time":
            return {}
        self.requests.append(path)
        since, until = params.get("since", ""), params.get("until") or "9999"
        found = [one for _, one in sorted(self.items.items()) if since <= (one["changed"] or "") < until]
        if path == "/items/count":
            return {"count": len(found) if self.count is None else self.count}
        if "ids" in params and self.sweep is not None:
            found = [{"id": one} for one in self.sweep]
        after, size = int(params.get("after", 0)), int(params.get("size", 100))
        if after:
            self.gate.wait(30)
        return [one for one in found if one["id"] > after][:size]


@contextmanager
def serve(service):
    """Serve the service while the block runs."""

    def respond(request):
        headers = {"Date": service.date, "Age": service.age, "X-Simulated-Calendar": service.simulated}
        content = service.build_answer(request.path, request.params)
        return 200, {name: value or None for name, value in headers.items()}, content

    with serve_http(respond) as service.url:
        try:
            yield service
        finally:
            service.gate.set()


class ClockShop(Shop):
    """A project with one connector, one resource and one entity, which differ by what a test says."""

    def __init__(self, root, service, *, clock="both", entity=None, warehouse=None, **resource):
        super().__init__(root)
        root.mkdir()
        self.service = service
        self.warehouse = warehouse
        self.believe(clock)
        self.write(
            "models/entities/item.yaml",
            {
                "entity": "item", "key": "item_id", "columns": {"item_id": "bigint", "name": "text"},
                "sources": {"odd.items": {"changed_at": "changed", "map": {"item_id": "id", "name": "name"}}},
                **(entity or {}),
            },
        )  # fmt: skip
        self.resource = {
            "resource": "items", "path": "items", "key": ["id"],
            "fields": {"id": "bigint", "name": "text", "changed": "timestamp"},
            "paging": {"kind": "forward_only", "param": "after", "size_param": "size", "size": 2},
            "cursor": {"kind": "changes", "params": {"since": "{since}", "until": "{until}"}, "field": "changed"},
            **resource,
        }  # fmt: skip
        self.write("connectors/odd/connector.yaml", {
            "connector": "odd", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s",
            "clock": {"path": "time"}, "look_back": "0d", "limits": {"requests_per_minute": 100_000, "tries": 2},
            "resources": [self.resource],
        })  # fmt: skip

    def write(self, path, document):
        """A declaration of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def believe(self, clock):
        """Whose clock counts from now on."""
        connection = {"connector": "odd", "settings": {"base_url": self.service.url}, "clock": clock}
        document = {"version": 1, "name": "odd", "tenants": {"acme": {"connections": {"odd": connection}}}}
        if self.warehouse:
            document["warehouse"] = self.warehouse
        self.write("headwater.yaml", document)

    def current(self):
        """The ids of the items that are there now."""
        return [row[0] for row in self.query("SELECT item_id FROM silver.item WHERE is_current ORDER BY 1")]

    def findings(self, report):
        """The findings of a run, by kind."""
        return {found["finding"]: found["detail"] for found in report["findings"]}

    def ledger(self, statement):
        """What the ledger answers, or does, behind everybody's back."""
        with closing(sqlite3.connect(self.data / "ledger.db")) as ledger:
            found = ledger.execute(statement).fetchall()
            ledger.commit()
            return found
