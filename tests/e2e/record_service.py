"""A service whose collections and whose time a test sets, and a small project of its own entities that reads it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import yaml

from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SWEEP = {"kind": "sweep", "params": {"fields": "id"}, "every": "1d"}
CHANGES = {"kind": "changes", "params": {"since": "{since}", "until": "{until}"}, "field": "changed"}
SNAPSHOT = {"kind": "snapshot", "every": "1d"}
FIELDS = {"id": "bigint", "name": "text", "status": "text", "changed": "timestamp", "gone": "boolean"}


def at(day):
    """The start of a day of the simulated time, as services spell it."""
    return f"{BEGIN + timedelta(days=day - 1):%Y-%m-%dT%H:%M:%SZ}"


def record(ident, name="x", day=1, **more):
    """A record that was changed on a day; without a stamp where the day is None."""
    return {"id": ident, "name": name, **({} if day is None else {"changed": at(day)}), **more}


class Service:
    """Collections by name, as of a day that a test turns."""

    def __init__(self):
        self.day = 1
        self.collections = {}
        self.hidden = set()
        """Ids that a list of ids leaves out, although they are there."""
        self.single = True
        """Whether it answers when asked for one record."""
        self.url = ""

    def build_answer(self, path, params):
        name, _, ident = path.strip("/").partition("/")
        records = self.collections.get(name, [])
        if ident:
            found = [one for one in records if str(one["id"]) == ident]
            return (503, {}) if not self.single else (200, found[0]) if found else (404, {})
        since, until = params.get("since", ""), params.get("until", "")
        if since or until:
            return 200, [
                one
                for one in records
                if since <= one.get("changed", "") and (not until or one.get("changed", "") < until)
            ]
        if "fields" in params:
            return 200, [{"id": one["id"]} for one in records if one["id"] not in self.hidden]
        return 200, records


@contextmanager
def serve(service):
    """Serve the service while the block runs."""

    def respond(request):
        status, content = service.build_answer(request.path, request.params)
        return status, {"Date": format_datetime(BEGIN + timedelta(days=service.day - 1), usegmt=True)}, content

    with serve_http(respond) as service.url:
        yield service


class RecordShop(Shop):
    """A project that reads such a service. Resources are named after collections."""

    def __init__(self, root, service, **resources):
        super().__init__(root)
        root.mkdir()
        self.service = service
        self.resources = resources
        (root / "headwater.yaml").write_text(yaml.safe_dump({
            "version": 1, "name": "shelf",
            "tenants": {"acme": {"connections": {"psa": {"connector": "shelf", "settings": {"base_url": service.url}}}}},
        }))  # fmt: skip
        self.write_connector()

    def write_connector(self, **resources):
        """Write the manifest anew."""
        self.resources |= resources
        self.write("connectors/shelf/connector.yaml", {
            "connector": "shelf", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s",
            "clock": {"path": "time"}, "limits": {"requests_per_minute": 100_000, "tries": 1}, "look_back": "0d",
            "resources": [
                {"resource": name, "path": name, "fields": FIELDS, "cursor": SNAPSHOT, **more}
                for name, more in self.resources.items()
            ],
        })  # fmt: skip

    def entity(self, name, sources, *, stamped=True, **more):
        """Declare an entity of two columns."""
        source_map = {"map": {"thing_id": "id", "name": "name"}, **({"changed_at": "changed"} if stamped else {})}
        named = sources if isinstance(sources, dict) else {source: {} for source in sources}
        self.write(f"models/entities/{name}.yaml", {
            "entity": name, "key": "thing_id", "columns": {"thing_id": "bigint", "name": "text"},
            "sources": {f"shelf.{source}": {**source_map, **other} for source, other in named.items()}, **more,
        })  # fmt: skip

    def write(self, path, document):
        """A declaration of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def on(self, day, *words, code=0, **collections):
        """Let it be a day on which the collections hold these records, and run."""
        self.service.day = day
        self.service.collections |= collections
        return self.run(*words, code=code)

    def lives(self, entity="thing"):
        """Each version as key, name, day it begins, day it ends (empty while it lasts)."""
        return self.query(
            f"SELECT entity_key, name, date_diff('day', DATE '2025-12-31', CAST(valid_from AS DATE)), "
            f"CASE WHEN is_current THEN NULL ELSE date_diff('day', DATE '2025-12-31', CAST(valid_to AS DATE)) END "
            f"FROM silver.{entity} ORDER BY entity_key, version_number"
        )


def count_findings(report):
    """Findings by name, with their counts."""
    return {one["finding"]: one["count"] for one in report["findings"]}
