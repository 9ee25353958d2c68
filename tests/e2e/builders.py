"""Builders of end-to-end tests: a simulated service, and projects with the command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import duckdb
import httpx2
import yaml

from headwater import connectors
from headwater.cli.main import run_command
from headwater.sandbox.connectwise.app import build_connectwise_app
from headwater.sandbox.connectwise.auth import Credentials
from headwater.sandbox.server import serve_in_thread

SHOP = Path(__file__).parent / "shop"
MANIFEST = Path(connectors.__file__).parent / "connectwise" / "connector.yaml"
KEYS = {
    "CONNECTWISE_PUBLIC_KEY": "public",
    "CONNECTWISE_PRIVATE_KEY": "private-key-nobody-may-see",
    "CONNECTWISE_CLIENT_ID": "client-id-nobody-may-see",
}
HEADWATER = (sys.executable, "-m", "headwater.cli")


class Service:
    """A simulated ConnectWise in a thread, because a new process takes half a second to start."""

    def __init__(self, *, seed=7, companies=3, months=2):
        credentials = Credentials(private_key=KEYS["CONNECTWISE_PRIVATE_KEY"], client_id=KEYS["CONNECTWISE_CLIENT_ID"])
        app = build_connectwise_app(seed=seed, companies=companies, months=months, credentials=credentials)
        self._open = ExitStack()
        self.url = self._open.enter_context(serve_in_thread(app))
        self.http = self._open.enter_context(
            httpx2.Client(base_url=f"{self.url}/_sandbox", trust_env=False, verify=False, timeout=60)
        )

    def close(self):
        self._open.close()

    def advance(self, **span):
        return self._read(self.http.post("/advance", params=span))

    def add_fault(self, kind, **settings):
        return self._read(self.http.post("/faults", json={"kind": kind, **settings}))

    def clear_faults(self):
        self._read(self.http.delete("/faults"))

    def read_truth(self, path):
        """The records that the service holds now, by id."""
        return {record["id"]: record for record in self._read(self.http.get(f"/records/{path}"))}

    def read_state(self):
        return self._read(self.http.get("/state"))

    def list_requests(self, *, clear=False):
        """The paths of all requests since the log was cleared, without `system/info`."""
        lines = [request["path"] for request in self.read_state()["requests"]]
        if clear:
            self._read(self.http.delete("/requests"))
        return [line for line in lines if "/system/info" not in line]

    def _read(self, response):
        assert response.status_code < 300, response.text
        return response.json()


@dataclass(frozen=True)
class CommandResult:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def error(self):
        return self.json["error"]


def check_result(result, code):
    """Check what applies to every command: no traceback, and no secret in the output. Return the result."""
    output = result.out + result.err
    assert code is None or result.code == code, output
    assert "Traceback" not in output
    assert not any(secret in output for secret in list(KEYS.values())[1:])
    return result


READ_TIMES = "['observed', 'first_observed', 'loaded_at']"
"""Columns with the time of a read, which differs between two runs."""

FIRST_BATCHES = "['observed', 'first_observed', 'loaded_at', 'batch_id']"
"""For an enum dimension, also the batch that first contained a value: the simulated clock stands still, so that a later
run may read at an earlier instant of it."""


def list_ignored_columns(table, read_times):
    """Return the columns of a table that may differ between two runs, as a list in SQL."""
    if read_times:
        return "['']"
    return FIRST_BATCHES if table == "dim_billable_option" else READ_TIMES


class Shop:
    """A project in a folder, and its command line."""

    def __init__(self, root, **tenants):
        self.root = root
        self.env = {**os.environ, **KEYS, "HEADWATER_LOG_LEVEL": "debug"}
        self.env.pop("HEADWATER_ENV", None)
        self.tenants = tenants

    @property
    def data(self):
        return self.root / ".headwater"

    def declare(self, **more):
        """Merge `more` into headwater.yaml."""
        path = self.root / "headwater.yaml"
        document = yaml.safe_load(path.read_text())
        document |= more
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def connect(self, service, *, tenant="acme", **more):
        """Add a connection to a simulated service to a tenant."""
        url = service if isinstance(service, str) else service.url
        connection = {
            "connector": "connectwise",
            "settings": {"base_url": url, "company": "acme"},
            "secrets": {name.removeprefix("CONNECTWISE_").lower(): f"env:{name}" for name in KEYS},
            "limits": {"requests_per_minute": 100_000, "tries": 4},
        } | more
        self.tenants[tenant] = {"connections": {"psa": connection}}
        self.declare(tenants=self.tenants)

    def edit_manifest(self, change):
        """Copy the shipped manifest into the project, and change the copy."""
        document = yaml.safe_load(MANIFEST.read_text())
        change(document)
        path = self.root / "connectors" / "connectwise" / "connector.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def start(self, *words, **options):
        """Start a command in its own process group."""
        return subprocess.Popen(
            [*HEADWATER, *map(str, words)],
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    def __call__(self, *words, code=0):
        """Run a command with --json, and check its result.

        It runs in this process, because a new process takes a second to start.
        """
        return check_result(self.run_in_process(*words, "--json"), code)

    def run_in_process(self, *words):
        """Run a command in this process. Return its result unchecked."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.env, clear=True),
            chdir(self.root),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            exit_code = run_command([*map(str, words)])
        return CommandResult(exit_code, out.getvalue(), err.getvalue())

    def run_in_subprocess(self, *words, code=0, **options):
        """Run a command with --json in a subprocess, and check its result."""
        with self.start(*words, "--json", **options) as process:
            out, err = process.communicate(timeout=120)
        return check_result(CommandResult(process.returncode, out, err), code)

    def run(self, *words, code=0):
        """`headwater run`, and its report."""
        return self("run", *words, code=code).json

    def read_tables(self, tenant="acme", *, layers=("silver", "gold"), read_times=False):
        """Read all tables of some layers, with sorted rows. Without `read_times`, leave out columns with the time of a read."""
        with duckdb.connect(str(self.data / f"{tenant}.duckdb"), read_only=True) as db:
            statement = (
                "SELECT table_schema, table_name FROM information_schema.tables WHERE list_contains(?, table_schema)"
            )
            return {
                f"{layer}.{name}": db.sql(
                    f"SELECT COLUMNS(lambda c: NOT list_contains({list_ignored_columns(name, read_times)}, c)) "
                    f'FROM "{layer}"."{name}" ORDER BY ALL'
                ).fetchall()
                for layer, name in sorted(db.execute(statement, [list(layers)]).fetchall())
            }

    def query(self, sql, tenant="acme"):
        """Query the warehouse file directly."""
        with duckdb.connect(str(self.data / f"{tenant}.duckdb"), read_only=True) as db:
            return db.sql(sql).fetchall()


class SubprocessShop(Shop):
    """A project whose commands run in subprocesses, so that files that a command leaves open are closed at its end."""

    __call__ = Shop.run_in_subprocess


def create_shop(root, service, *, size=40, kind=Shop, **more):
    """Create a small project: four resources with small pages and few windows, and all three lookup strategies."""
    shutil.copytree(SHOP, root)
    project = kind(root)
    project.edit_manifest(lambda document: (document["paging"].update(size=size), document.update(look_back="90d")))
    project.connect(service, **more)
    return project


def create_msp(root, service):
    """Create a project with the whole blueprint, as `headwater init` does."""
    root.mkdir()
    project = Shop(root)
    project("init", ".", "--blueprint", "msp", "--connector", "connectwise")
    project.connect(service)
    return project


def kill(process):
    """Kill a command and its child processes. Return whether it was still running."""
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def parse_position(line):
    """Return what identifies the page of a request: collection, window and position."""
    url = urlsplit(line)
    params = parse_qs(url.query)
    return (
        url.path.rpartition("/3.0/")[2],
        *(params.get(name, [""])[0] for name in ("conditions", "pageId", "page")),
        params.get("fields", [""])[0] == "id",
    )
