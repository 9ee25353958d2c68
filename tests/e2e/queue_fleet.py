"""A service with many small customers, and checkouts of a project that share a ledger, a lake and a warehouse."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import yaml

from tests.e2e.builders import HEADWATER, Shop, kill
from tests.e2e.clock_service import stamp
from tests.e2e.http_server import serve_http

CONNECTOR = {
    "connector": "toy", "base_url": "{base_url}", "settings": {"base_url": {}}, "hold_back": "0s", "auth": {"kind": "none"},
    "clock": {"path": "time"}, "look_back": "30d", "limits": {"requests_per_minute": 100_000, "tries": 2},
    "paging": {"kind": "forward_only", "param": "after", "size_param": "size", "size": 8},
    "cursor": {"kind": "changes", "params": {"since": "{since}", "until": "{until}"}, "field": "changed"},
    "resources": [
        {"resource": "items", "path": "items", "key": ["id"],
         "fields": {"id": "bigint", "name": "text", "changed": "timestamp"}},
        {"resource": "orders", "path": "orders", "key": ["id"],
         "fields": {"id": "bigint", "item": "bigint", "amount": "bigint", "changed": "timestamp"}},
    ],
}  # fmt: skip
MODELS = [
    {"entity": "item", "key": "item_id", "columns": {"item_id": "bigint", "name": "text"},
     "sources": {"toy.items": {"changed_at": "changed", "map": {"item_id": "id", "name": "name"}}}},
    {"entity": "order", "key": "order_id",
     "columns": {"order_id": "bigint", "item_id": "bigint", "amount": "bigint", "ordered_at": "timestamp"},
     "sources": {"toy.orders": {"changed_at": "changed", "map": {
         "order_id": "id", "item_id": "item", "amount": "amount", "ordered_at": "changed"}}}},
    {"dimension": "item", "entity": "item", "attributes": {"name": "T2"}},
    {"fact": "order", "entity": "order", "grain": ["order_id"], "measures": {"amount": "amount"},
     "lookups": {"item": {"dimension": "item", "on": "item_id", "at": "ordered_at", "strategy": "point_in_time"}}},
]  # fmt: skip

OTHER_TIMES = frozenset({"observed", "first_observed", "loaded_at", "batch_id"})
"""Columns that depend on when a record was read."""


class ToyService:
    """Items and orders of each tenant, below a path with its name. A page takes `delay` seconds."""

    def __init__(self, tenants, *, delay=0.0):
        self.delay = delay
        self.gate = threading.Event()
        self.gate.set()
        self.gated = ""
        self.asked = []
        self.url = ""
        self.records = {}
        for number, tenant in enumerate(tenants):
            seed = random.Random(number)
            changed = [stamp(timedelta(days=seed.randint(5, 20), seconds=n)) for n in range(40)]
            self.records[tenant] = {
                "items": {n: {"id": n, "name": f"{tenant} {n}", "changed": changed[n]} for n in range(1, 20)},
                "orders": {
                    n: {"id": n, "item": seed.randint(1, 22), "amount": seed.randint(1, 99), "changed": changed[n]}
                    for n in range(1, 30)
                },
            }

    def advance(self, tenants):
        """Change some records of some tenants."""
        for number, tenant in enumerate(tenants):
            seed, items = random.Random(-number), self.records[tenant]["items"]
            for n in seed.sample(sorted(items), 6):
                items[n] = {"id": n, "name": f"{tenant} {n} again", "changed": stamp(timedelta(days=3, seconds=n))}
            self.records[tenant]["orders"][50] = {"id": 50, "item": 1, "amount": 5, "changed": stamp(timedelta(days=2))}

    def respond(self, request):
        """The response to a request."""
        _, tenant, resource = request.path.split("/")
        if resource == "time":
            return 200, {}, {}
        self.asked.append(tenant)
        if tenant not in self.records:
            return 403, {}, {}
        time.sleep(self.delay)
        if tenant == self.gated:
            self.gate.wait(60)
        since, until = request.params.get("since", ""), request.params.get("until") or "9999"
        after, size = int(request.params.get("after", 0)), int(request.params.get("size", 100))
        rows = [row for _, row in sorted(self.records[tenant][resource].items()) if since <= row["changed"] < until]
        return 200, {}, [row for row in rows if row["id"] > after][:size]

    @contextmanager
    def serve(self):
        """Serve while the block runs."""
        with serve_http(self.respond) as self.url:
            try:
                yield self
            finally:
                self.gate.set()


class Checkout(Shop):
    """A checkout of the project, with its own folder. All that it shares is named by variables of the environment."""

    def __init__(self, root, service, *, ledger, warehouse, lake):
        super().__init__(root)
        self.warehouse, self.lake = warehouse, lake
        self.env |= {"LEDGER_URL": ledger, "E2E_URL": warehouse, "HEADWATER_LOG_LEVEL": "info"}
        root.mkdir()
        declared = {
            "version": 1, "name": "toys", "ledger": {"url": "env:LEDGER_URL"}, "lake": {"url": lake},
            "warehouse": {"kind": "postgres", "url": "env:E2E_URL"},
            "tenants": {
                tenant: {"connections": {"toy": {"connector": "toy", "settings": {"base_url": f"{service.url}/{tenant}"}}}}
                for tenant in service.records
            },
        }  # fmt: skip
        (root / "headwater.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
        for path, documents in (("connectors/toy/connector.yaml", [CONNECTOR]), ("models/all.yaml", MODELS)):
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(yaml.safe_dump_all(documents, sort_keys=False))

    def copy(self, root):
        """Another checkout of the same project."""
        other = Shop.__new__(Checkout)
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns(".headwater"))
        other.root, other.env, other.tenants = root, dict(self.env), {}
        other.warehouse, other.lake = self.warehouse, self.lake
        return other

    def read_rows(self):
        """All rows of silver and gold of all tenants, sorted, without the columns that depend on when a record was read."""
        with psycopg.connect(self.warehouse) as db:
            columns = {}
            for schema, table, column in db.execute(
                "SELECT table_schema, table_name, column_name FROM information_schema.columns"
                " WHERE table_schema ~ '_(silver|gold)$' ORDER BY 1, 2, ordinal_position"
            ):
                columns.setdefault((schema, table), []).append(column)
            return {
                f"{schema}.{table}": sorted(
                    map(repr, db.execute("SELECT {} FROM {}.{}".format(*quote(select(names)), *quote([schema, table]))))
                )
                for (schema, table), names in columns.items()
            }


def select(names):
    return [", ".join(f'"{name}"' for name in names if name not in OTHER_TIMES)]


def quote(names):
    return [name if '"' in name else f'"{name}"' for name in names]


class Machine:
    """A machine with a checkout and a worker, which can die. With `host`, other machines cannot look into its processes."""

    def __init__(self, checkout, *words, host=""):
        self.checkout = checkout
        self.command = [*(rename_host(host) if host else ()), *HEADWATER, "worker", *map(str, words), "--json"]
        self.log = checkout.root / "worker.log"
        self.process = None
        self.start()

    def start(self):
        """Start a worker, with its log in a file."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.checkout.root,
                env=self.checkout.env,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def kill(self, *, whole=True):
        """Kill the worker: with its processes, as when the machine dies, or only the first one."""
        if whole:
            kill(self.process)
        else:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def end(self, *, seconds=60):
        """Wait until the worker ends, and return what it printed."""
        out, _ = self.process.communicate(timeout=seconds)
        return out

    def stop(self, *, seconds=60):
        """Ask the worker to end, as a service manager does, and return what it printed."""
        self.process.send_signal(signal.SIGTERM)
        return self.end(seconds=seconds)

    def read_log(self):
        return self.log.read_text()


def rename_host(name):
    """What to put before a command, so that it runs on a host with this name. Nothing where the system does not allow it."""
    prefix = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name]
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return prefix


def wait_until(condition, *, seconds=60, what="it"):
    """Wait for a condition, and return its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    msg = f"{what} did not happen within {seconds} s"
    raise AssertionError(msg)
