"""A command imports only what it needs: run for real on a small project, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from headwater.run import app
from tests.e2e.http_server import serve_http
from tests.house.source import HOUSE, Module

HEAVY = {
    "alembic", "anyio", "datamodel_code_generator", "deltalake", "duckdb", "httpx2", "hypothesis", "keyring", "numpy",
    "obstore", "pandas", "procrastinate", "psycopg", "psycopg_pool", "pyarrow", "pyrate_limiter", "pyspark", "rich",
    "sqlalchemy", "sqlglot", "starlette", "uvicorn",
}  # fmt: skip
"""The libraries that take time to import."""

LEDGER = {"sqlalchemy"}
TABLES = LEDGER | {"duckdb"}
TEXT = {"rich"}
SERVICE = {"anyio", "httpx2", "pyrate_limiter"}

NEVER = ("codegen", "sandbox", "testing", "run.selftest", "run.manage", "cli.demo", "ledger.queue", "run.queue")
"""Own packages that no command of an ordinary day imports."""

FLEET = ("cli.fleet.command", "run.fleet.fleet", "run.fleet.pool")
"""The pool of processes, which a run of one tenant does not import."""

FLOW = ("bronze", "gold", "silver.conform", "silver.merge")
"""The flow of records, which a command that only looks at declarations does not import."""


@dataclass(frozen=True)
class Need:
    """What a command may import: heavy libraries; and the own packages that it must not import."""

    words: tuple[str, ...]
    libraries: set[str]
    without: tuple[str, ...] = NEVER


NEEDS = {
    "check": Need(("check",), LEDGER | TEXT, (*NEVER, *FLOW, "plan")),
    "status": Need(("status",), TABLES | TEXT),
    "query": Need(("query", "SELECT 1"), TABLES | TEXT | {"sqlglot"}),
    "plan": Need(("plan",), TABLES | TEXT | SERVICE),
    "run": Need(("run",), TABLES | TEXT | SERVICE, (*NEVER, *FLEET)),
    "run --json": Need(("run", "--json"), TABLES | SERVICE, (*NEVER, *FLEET)),
}

PROGRAM = """
import json, sys
from headwater.cli.main import run_command
code = run_command(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""

CONNECTOR = """\
connector: toy
base_url: "{base_url}"
settings: {base_url: {}}
auth: {kind: none}
resources:
  - {resource: things, path: things, key: [id], fields: {id: bigint, name: text}}
"""
MODELS = """\
entity: thing
sources: {toy.things: {map: {id: id, name: upper(name)}}}
key: id
columns: {id: bigint, name: text}
---
dimension: thing
entity: thing
attributes: {name: T2}
"""


def run_process(*words):
    """The exit code of a command, and the modules that it imported."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    return modules


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that has run, as it is on an ordinary day."""
    root = tmp_path_factory.mktemp("need") / "shop"
    with serve_http(lambda _: (200, {}, [{"id": 1, "name": "a"}])) as url:
        run_process("init", str(root))
        (root / "connectors" / "toy").mkdir(parents=True)
        (root / "connectors" / "toy" / "connector.yaml").write_text(CONNECTOR)
        (root / "models" / "all.yaml").write_text(MODELS)
        declared = (root / "headwater.yaml").read_text()
        connection = f'      toy: {{connector: toy, settings: {{base_url: "{url}"}}}}\n'
        (root / "headwater.yaml").write_text(declared.replace("      {}\n", connection))
        for _ in range(2):  # the second one finds the folder for the cache
            run_process("run", "--project", str(root))
        yield root


@pytest.mark.parametrize("name", NEEDS)
def test_a_command_imports_what_it_needs(name, project):
    need = NEEDS[name]
    modules = run_process(*need.words, "--project", str(project))
    libraries = {module.partition(".")[0] for module in modules} & HEAVY
    assert libraries <= need.libraries
    unneeded = [
        module for module in modules for package in need.without if f"{module}.".startswith(f"headwater.{package}.")
    ]
    assert not unneeded


def test_a_command_seldom_searches_its_imports_for_unused_cycles(project):
    program = "import atexit, gc, sys\nfrom headwater.cli.main import main\n"
    program += "atexit.register(lambda: print(gc.get_stats()[0]['collections'], file=sys.stderr))\nmain()"
    words = [sys.executable, "-c", program, "run", "--project", str(project)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stderr.splitlines()[-1]) < 60  # about 250 with the threshold of Python


def test_each_name_of_run_app_is_imported_from_where_the_type_checker_sees_it():
    module = Module(HOUSE / "run" / "app.py")
    seen = {
        name: found.module for found in module.imports for name in found.names if found.module.startswith("headwater.")
    }
    assert seen == app._MODULES
    assert sorted(app._MODULES) == sorted(app.__all__)
    assert all(getattr(app, name) is not None for name in app.__all__)
    with pytest.raises(AttributeError, match="no attribute"):
        app.no_such_name  # noqa: B018
