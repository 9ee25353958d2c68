"""A project with one connector, one resource and one entity, for a service of a test."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing, contextmanager

import yaml

from headwater.clock import from_micros
from tests.e2e.builders import Shop, kill
from tests.e2e.http_server import serve_http


class Service:
    """A service that writes down its requests. `build_answer` is what it answers."""

    def __init__(self, records=()):
        self.records = list(records)
        self.requests = []
        self.url = ""
        self.broken_from = None
        """The number of the request from which on it is out of order."""
        self.waiting = None
        """An event that it sets before it never answers again, for a process that is killed then."""

    def respond(self, request):
        self.requests.append(request)
        if self.broken_from is not None and len(self.requests) >= self.broken_from:
            if self.waiting is not None:
                self.waiting.set()
                threading.Event().wait(20)
            return 503, {}, {"message": "out of order"}
        return self.build_answer(request)

    def build_answer(self, request):
        raise NotImplementedError


@contextmanager
def serve(service):
    """Serve the service while the block runs."""
    with serve_http(service.respond) as service.url:
        yield service


def read_json(request):
    """The body of a request."""
    return json.loads(request.body)


class GrammarShop(Shop):
    """A project that reads the things of a service into the entity `thing`."""

    def __init__(
        self, root, service, *, resource, connector=None, source=None, settings=None, secrets=None, entity=None
    ):
        super().__init__(root)
        root.mkdir()
        self.service = service
        connection = {"connector": "grammar", "settings": {"base_url": service.url, **(settings or {})}}
        connection["secrets"] = {name: f"env:{name.upper()}" for name in secrets or ()}
        self.env |= {name.upper(): value for name, value in (secrets or {}).items()}
        self.write(
            "headwater.yaml",
            {"version": 1, "name": "grammar", "tenants": {"acme": {"connections": {"it": connection}}}},
        )
        self.connector = {
            "connector": "grammar", "base_url": "{base_url}", "hold_back": "0s", "look_back": "0d",
            "limits": {"requests_per_minute": 100_000, "tries": 1},
            "settings": {"base_url": {}, **{name: {} for name in settings or ()}},
            "secrets": dict.fromkeys(secrets or (), "a secret"),
            **(connector or {}),
        }  # fmt: skip
        self.resource = {
            "resource": "things", "path": "things", "fields": {"id": "text", "name": "text", "changed": "timestamp"},
            **resource,
        }  # fmt: skip
        self.write_connector()
        self.write("models/entities/thing.yaml", {
            "entity": "thing", "key": "thing_id", "columns": {"thing_id": "text", "name": "text"},
            "sources": {"grammar.things": {"changed_at": "changed", "map": {"thing_id": "id", "name": "name"}, **(source or {})}},
            **(entity or {}),
        })  # fmt: skip

    def write(self, path, document):
        """Write a declaration of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def write_connector(self, **resource):
        """Write the manifest anew."""
        self.resource |= resource
        self.write("connectors/grammar/connector.yaml", {**self.connector, "resources": [self.resource]})

    def read_ids(self):
        """The ids of the things that are there now, sorted."""
        return [row[0] for row in self.query("SELECT thing_id FROM silver.thing WHERE is_current ORDER BY 1")]

    def read_names(self):
        """The names of the things that are there now, by id."""
        return dict(self.query("SELECT thing_id, name FROM silver.thing WHERE is_current ORDER BY 1"))

    def count_versions(self):
        """The number of versions of each thing."""
        return dict(self.query("SELECT thing_id, count(*) FROM silver.thing GROUP BY 1"))

    def list_reads(self):
        """The purpose and the number of records of each batch, in the order in which they were read."""
        with closing(sqlite3.connect(self.data / "ledger.db")) as ledger:
            return ledger.execute("SELECT purpose, rows FROM batch ORDER BY ordinal").fetchall()

    def read_end_of_windows(self):
        """The end of the newest window."""
        with closing(sqlite3.connect(self.data / "ledger.db")) as ledger:
            return from_micros(ledger.execute("SELECT max(until) FROM batch").fetchone()[0])

    def fail(self, *words):
        """Run, and return the error of the step that failed."""
        report = self.run(*words, code=None)
        assert report["outcome"] != "succeeded", report
        return next(step["error"] for step in report["steps"] if step.get("error"))

    def kill_at_request(self, number):
        """Start a run, and kill it while the service does not answer this request."""
        self.service.broken_from, self.service.waiting = number, threading.Event()
        with self.start("run") as process:
            assert self.service.waiting.wait(60)
            assert kill(process)
        self.service.broken_from = self.service.waiting = None


def build_stamp(second):
    """An instant of May 2026."""
    return f"2026-05-{1 + second // 86_400:02}T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def build_things(count, *, step=1, first=1):
    """Things, each changed `step` seconds after the one before."""
    return [
        {"id": f"id{number:04}", "name": f"thing {number}", "changed": build_stamp(number * step)}
        for number in range(first, first + count)
    ]


def list_ids(records):
    """The ids of records, sorted."""
    return sorted(str(record["id"]) for record in records)
