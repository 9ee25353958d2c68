"""Measures a day in the life of many tenants with `run --all`, and compares some of them with runs of their own.

python -m bench.fleet [--tenants 1000] [--jobs 2] [--blueprint shop|msp] [--compared 20]

The tenants are spread over ten simulated services, and two more services hang or fail. CPU is that of all processes of
Headwater, without the services. A second project runs some of the tenants one by one, in the same hours, and must end
with the same rows in silver and gold.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import httpx2
import yaml

KEYS = {"CONNECTWISE_PUBLIC_KEY": "public", "CONNECTWISE_PRIVATE_KEY": "private", "CONNECTWISE_CLIENT_ID": "client"}
HEADWATER = (sys.executable, "-m", "headwater.cli")
SHOP = Path(__file__).parents[1] / "tests/e2e/shop/models"
SERVICES = 10
HANGS, FAILS = "hangs", "fails"
READ_TIMES = "observed", "first_observed", "loaded_at"
"""Columns with the time of a read, which differs between two runs."""


@dataclass(frozen=True)
class Service:
    """A simulated service, small enough for a company with some hundred records."""

    url: str

    def post(self, path: str, **values: object) -> None:
        """Change what it simulates."""
        with httpx2.Client(trust_env=False, timeout=60) as client:
            client.post(f"{self.url}/_sandbox/{path}", json=values or None).raise_for_status()

    def advance(self, **span: int) -> None:
        """Let time pass there."""
        with httpx2.Client(trust_env=False, timeout=60) as client:
            client.post(f"{self.url}/_sandbox/advance", params=span).raise_for_status()

    def clear_faults(self) -> None:
        """Let it work again."""
        with httpx2.Client(trust_env=False, timeout=60) as client:
            client.delete(f"{self.url}/_sandbox/faults").raise_for_status()


@contextmanager
def start_service() -> Iterator[Service]:
    """Run a simulated ConnectWise in a process of its own."""
    secrets = ("--private-key", KEYS["CONNECTWISE_PRIVATE_KEY"], "--client-id", KEYS["CONNECTWISE_CLIENT_ID"])
    words = (sys.executable, "-m", "headwater.sandbox", "connectwise", "--port", "0", "--companies", "2")
    with subprocess.Popen((*words, "--months", "1", *secrets), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Service(process.stdout.readline().strip())
        finally:
            process.kill()


@dataclass(frozen=True)
class Fleet:
    """A project with many tenants."""

    root: Path
    jobs: str

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `headwater run` with these words."""
        command = [*HEADWATER, "run", "--json", *words]
        environment = {**os.environ, **KEYS}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        log = (self.root / "log.txt").open("ab")
        with log:
            return subprocess.Popen(command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=log)

    def measure(self, name: str, *words: str) -> None:
        """Run all tenants once, and print what that took."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        process = self.start("--all", "--jobs", self.jobs, *words)
        out, _ = process.communicate()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        report = json.loads(out)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        tenants = report["tenants"]
        print(
            f"{name}: exit {process.returncode}, {report['outcomes']}; {sum(one['requests'] for one in tenants):,} requests, "
            f"{sum(one['rows'] for one in tenants):,} records; {time.monotonic() - began:.0f} s; CPU {cpu:.0f} s, "
            f"{cpu / len(tenants):.2f} s a tenant; largest process {after.ru_maxrss / 1024:.0f} MB",
            flush=True,
        )

    def kill(self, after: float) -> None:
        """Kill a fleet run while it works."""
        process = self.start("--all", "--jobs", self.jobs)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def run_one_by_one(self) -> None:
        """Run each tenant with a command of its own."""
        for tenant in yaml.safe_load((self.root / "headwater.yaml").read_text())["tenants"]:
            process = self.start("--tenant", tenant)
            process.communicate()
            if process.returncode:
                sys.exit(f"{tenant} failed, see {self.root / 'log.txt'}")


def create_fleet(root: Path, urls: dict[str, str], *, blueprint: str, jobs: str) -> Fleet:
    """A project with a tenant for each entry of `urls`."""
    root.mkdir()
    document: dict[str, object] = {
        "version": 1,
        "name": "fleet",
        "warehouse": {"kind": "duckdb", "path": ".headwater/{tenant}.duckdb"},
        "lake": {"url": ".headwater/lake"},
        "ledger": {"url": os.environ.get("BENCH_LEDGER", "sqlite:///.headwater/ledger.db")},
        "tenants": {tenant: {"connections": {"psa": build_connection(url)}} for tenant, url in urls.items()},
    }
    if blueprint == "shop":
        shutil.copytree(SHOP, root / "models")
    else:
        document["blueprint"] = blueprint
    (root / "headwater.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return Fleet(root, jobs)


def build_connection(url: str) -> dict[str, object]:
    """The connection of a tenant."""
    return {
        "connector": "connectwise",
        "settings": {"base_url": url, "company": "acme"},
        "secrets": {name.removeprefix("CONNECTWISE_").lower(): f"env:{name}" for name in KEYS},
        "since": "2025-09-01",
        "limits": {"requests_per_minute": 100_000, "tries": 2},
    }


def run_day(
    fleet: Fleet, single: Fleet, services: Sequence[Service], hanging: Service, failing: Service, kill_after: float
) -> None:
    """The hours of a day: each is run by the fleet, and one by one."""
    fleet.measure("first load")
    single.run_one_by_one()
    fleet.measure("right after")
    for service in services:
        service.advance(hours=1)
    fleet.measure("an hour without news")
    single.run_one_by_one()
    services[0].advance(days=1)
    fleet.measure("an hour with news for a tenth")
    single.run_one_by_one()
    hanging.post("faults", kind="timeout", seconds=3600)
    failing.post("faults", kind="error", status=500, times=1000)
    for service in (hanging, failing):
        service.advance(hours=1)
    fleet.measure("one tenant hangs, one fails", "--tenant-timeout", "20s")
    for service in (hanging, failing):
        service.clear_faults()
    for service in services:
        service.advance(days=1)
    fleet.kill(after=kill_after)
    fleet.measure("news for all, after a kill")
    single.run_one_by_one()


def compare(fleet: Fleet, single: Fleet, tenant: str) -> int:
    """The number of tables of a tenant. Exit if one has other rows in the two projects."""
    with duckdb.connect() as connection:
        for name, project in (("many", fleet), ("one", single)):
            path = project.root / ".headwater" / f"{tenant}.duckdb"
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'one' "
            "AND schema_name IN ('silver', 'gold') ORDER BY ALL"
        ).fetchall()
        for schema, table in tables:
            columns = connection.execute(
                f"SELECT column_name FROM (DESCRIBE one.{schema}.{table}) WHERE column_name NOT IN {READ_TIMES}"
            ).fetchall()
            names = ", ".join(f'"{column}"' for (column,) in columns)
            many, one = (f"SELECT {names} FROM {side}.{schema}.{table}" for side in ("many", "one"))
            different = f"({many} EXCEPT ALL {one}) UNION ALL ({one} EXCEPT ALL {many})"
            if connection.execute(different).fetchall():
                sys.exit(f"{tenant}: {schema}.{table} differs")
        return len(tables)


def main() -> None:
    """Start the services, run the day, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--compared", type=int, default=20)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--blueprint", default="shop", choices=("shop", "msp"))
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        services = [stack.enter_context(start_service()) for _ in range(SERVICES)]
        hanging, failing = (stack.enter_context(start_service()) for _ in range(2))
        urls = {f"t{number:04d}": services[number % SERVICES].url for number in range(arguments.tenants - 2)}
        compared = dict(list(urls.items())[: arguments.compared])
        everyone = {**urls, HANGS: hanging.url, FAILS: failing.url}
        fleet = create_fleet(folder / "fleet", everyone, blueprint=arguments.blueprint, jobs=arguments.jobs)
        single = create_fleet(folder / "single", compared, blueprint=arguments.blueprint, jobs="1")
        run_day(fleet, single, services, hanging, failing, kill_after=min(60, arguments.tenants / 4))
        tables = [compare(fleet, single, tenant) for tenant in compared]
        print(f"{len(tables)} tenants, {sum(tables)} tables: the same rows as one by one")


if __name__ == "__main__":
    main()
