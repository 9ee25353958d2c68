"""The real thing from outside: a simulated service and the command line, each in a process of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import duckdb
import httpx2
import yaml

from headwater import connectors
from headwater.cli.main import run_command

SHOP = Path(__file__).parent / "shop"
MANIFEST = Path(connectors.__file__).parent / "connectwise" / "connector.yaml"
KEYS = {
    "CONNECTWISE_PUBLIC_KEY": "public",
    "CONNECTWISE_PRIVATE_KEY": "private-key-nobody-may-see",
    "CONNECTWISE_CLIENT_ID": "client-id-nobody-may-see",
}
HEADWATER = (sys.executable, "-m", "headwater.cli")


class Service:
    """A simulated ConnectWise in its own process."""

    def __init__(self, *, seed=7, companies=3, months=2):
        words = ["--seed", seed, "--companies", companies, "--months", months]
        words += ["--private-key", KEYS["CONNECTWISE_PRIVATE_KEY"], "--client-id", KEYS["CONNECTWISE_CLIENT_ID"]]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headwater.sandbox", "connectwise", "--port", "0", *map(str, words)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        self.http = httpx2.Client(base_url=f"{self.url}/_sandbox", trust_env=False, timeout=60)

    def close(self):
        self.http.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def advance(self, **span):
        return self._read(self.http.post("/advance", params=span))

    def fault(self, kind, **settings):
        return self._read(self.http.post("/faults", json={"kind": kind, **settings}))

    def heal(self):
        self._read(self.http.delete("/faults"))

    def truth(self, path):
        """The records that the service holds now, by id."""
        return {record["id"]: record for record in self._read(self.http.get(f"/records/{path}"))}

    def state(self):
        return self._read(self.http.get("/state"))

    def asked(self, *, forget=False):
        """What was asked since it was last forgotten, without the clock."""
        lines = [request["path"] for request in self.state()["requests"]]
        if forget:
            self._read(self.http.delete("/requests"))
        return [line for line in lines if "/system/info" not in line]

    def _read(self, answer):
        assert answer.status_code < 300, answer.text
        return answer.json()


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

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


def kept(ran, code):
    """How a command ended, once it is clear that it kept what every command promises."""
    said = ran.out + ran.err
    assert code is None or ran.code == code, said
    assert "Traceback" not in said
    assert not any(secret in said for secret in list(KEYS.values())[1:])
    return ran


READ_TIMES = "['observed', 'first_observed', 'loaded_at']"
"""Columns that say when a run read: two runs read at two times."""

FIRST_BATCHES = "['observed', 'first_observed', 'loaded_at', 'batch_id']"
"""Of the values of an enum dimension, the batch that brought them first, too: the simulated clock stands still, so that a
later run may read at an earlier instant of it."""


def left_out(table, read_times):
    """The columns of a table that two runs need not agree on, as a list in SQL."""
    if read_times:
        return "['']"
    return FIRST_BATCHES if table == "dim_billable_option" else READ_TIMES


class Shop:
    """A project in a folder, and a shell in it."""

    def __init__(self, root, **tenants):
        self.root = root
        self.env = {**os.environ, **KEYS, "HEADWATER_LOG_LEVEL": "debug"}
        self.env.pop("HEADWATER_ENV", None)
        self.tenants = tenants

    @property
    def data(self):
        return self.root / ".headwater"

    def declare(self, **more):
        """Write headwater.yaml anew, with what is said here over what was said before."""
        path = self.root / "headwater.yaml"
        told = yaml.safe_load(path.read_text())
        told |= more
        path.write_text(yaml.safe_dump(told, sort_keys=False))

    def connect(self, service, *, tenant="acme", **more):
        """Give a tenant a connection to a simulated service."""
        url = service if isinstance(service, str) else service.url
        connection = {
            "connector": "connectwise",
            "settings": {"base_url": url, "company": "acme"},
            "secrets": {name.removeprefix("CONNECTWISE_").lower(): f"env:{name}" for name in KEYS},
            "limits": {"requests_per_minute": 100_000, "tries": 4},
        } | more
        self.tenants[tenant] = {"connections": {"psa": connection}}
        self.declare(tenants=self.tenants)

    def manifest(self, change):
        """Keep the shipped manifest as the project's own, changed."""
        told = yaml.safe_load(MANIFEST.read_text())
        change(told)
        path = self.root / "connectors" / "connectwise" / "connector.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(told, sort_keys=False))

    def start(self, *words, **options):
        """Begin a command in a process group of its own."""
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
        """Carry out a command with --json, and hold what it says against the promises that every command makes.

        It is carried out in this process, since a process of its own takes a second to begin.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.env, clear=True),
            chdir(self.root),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            found = run_command([*map(str, words), "--json"])
        return kept(Ran(found, out.getvalue(), err.getvalue()), code)

    def apart(self, *words, code=0, **options):
        """The same in a process of its own."""
        with self.start(*words, "--json", **options) as process:
            out, err = process.communicate(timeout=120)
        return kept(Ran(process.returncode, out, err), code)

    def run(self, *words, code=0):
        """`headwater run`, and its report."""
        return self("run", *words, code=code).json

    def tables(self, tenant="acme", *, layers=("silver", "gold"), read_times=False):
        """The columns of all tables of some layers, rows in order; with `read_times`, when they were read as well."""
        with duckdb.connect(str(self.data / f"{tenant}.duckdb"), read_only=True) as db:
            listed = (
                "SELECT table_schema, table_name FROM information_schema.tables WHERE list_contains(?, table_schema)"
            )
            return {
                f"{layer}.{name}": db.sql(
                    f"SELECT COLUMNS(lambda c: NOT list_contains({left_out(name, read_times)}, c)) "
                    f'FROM "{layer}"."{name}" ORDER BY ALL'
                ).fetchall()
                for layer, name in sorted(db.execute(listed, [list(layers)]).fetchall())
            }

    def ask(self, sql, tenant="acme"):
        """Rows straight from the warehouse."""
        with duckdb.connect(str(self.data / f"{tenant}.duckdb"), read_only=True) as db:
            return db.sql(sql).fetchall()


class ApartShop(Shop):
    """A project for which every command is a process of its own: what a command leaves open ends with it."""

    __call__ = Shop.apart


def shop(root, service, *, size=40, kind=Shop, **more):
    """A small project: four resources in small pages and few windows, with all three kinds of lookup."""
    shutil.copytree(SHOP, root)
    made = kind(root)
    made.manifest(lambda told: (told["paging"].update(size=size), told.update(look_back="90d")))
    made.connect(service, **more)
    return made


def msp(root, service):
    """The whole blueprint, as `headwater init` makes it."""
    made = Shop(root)
    subprocess.run([*HEADWATER, "init", root, "--blueprint", "msp", "--connector", "connectwise"], check=True,
                   capture_output=True)  # fmt: skip
    made.connect(service)
    return made


def kill(process):
    """SIGKILL a command and whatever it started; whether it was still at work."""
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def place(line):
    """What of a request tells one page from another: its collection, its window, its position."""
    url = urlsplit(line)
    asked = parse_qs(url.query)
    return (
        url.path.rpartition("/3.0/")[2],
        *(asked.get(name, [""])[0] for name in ("conditions", "pageId", "page")),
        asked.get("fields", [""])[0] == "id",
    )
