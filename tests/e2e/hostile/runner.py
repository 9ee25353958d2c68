"""One random scenario from end to end: a project, syncs by the command line, a quiet period, and a comparison."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import yaml

from headwater.cli.main import run_command
from tests.e2e.hostile.command import NOW, machine_at
from tests.e2e.hostile.scenario import QUIET, Scenario, Ways, Weather
from tests.e2e.hostile.service import FUTURE, HostileService, Record, serve

ROOT = Path(__file__).parents[3]
FIELDS = {
    "id": "bigint",
    "name": "text",
    "status": "text",
    "amount": "decimal(18,2)",
    "changed": "timestamp",
    "gone": "boolean",
}
HARMLESS = ("missing_stamp", "future_stamp", "sweep_skipped")
"""Findings that do not mean that rows are missing or left over."""
Row = tuple[str, Decimal]
"""Name and amount of a thing."""


@dataclass
class ScenarioLog:
    """The log of a scenario, and the differences at its end."""

    scenario: Scenario
    messages: list[str] = field(default_factory=list)
    results: list[RunResult] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"seed {self.scenario.seed}",
                str(self.scenario.ways),
                *map(str, self.scenario.weathers),
                *self.messages,
                *self.faults,
            ]
        )


def run_scenario(scenario: Scenario, root: Path) -> ScenarioLog:
    """Change the service, sync it, and compare."""
    scenario_log = ScenarioLog(scenario)
    service = HostileService(scenario)
    chance = Random(scenario.seed + 2)
    with serve(service):
        project = Project(root, service, scenario)
        for weather in scenario.weathers:
            service.weather = weather
            service.pass_time(chance)
            service.start(weather, chance)
            scenario_log.results.append(project.run(weather))
            scenario_log.messages.append(f"{service.now:%d %H:%M} {weather} -> {scenario_log.results[-1]}")
            project.edit(weather.edit)
        service.weather = QUIET
        service.pass_time(chance)
        service.now += timedelta(hours=6)
        service.start(QUIET, chance)
        for _ in range(2):
            scenario_log.results.append(project.run(QUIET))
            scenario_log.messages.append(f"{service.now:%d %H:%M} quiet -> {scenario_log.results[-1]}")
            service.now += timedelta(hours=3)
        scenario_log.faults += compare(project, service, scenario_log.results, is_forced=False)
        if scenario.ways.cursor == "changes":
            until = f"{service.now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
            backfill = project("backfill", "--since", "1970-01-01", "--until", until, "--chunk", "9000d", "--force")
            scenario_log.messages.append(f"{service.now:%d %H:%M} forced -> {backfill}")
            after = project.run(QUIET)
            scenario_log.messages.append(f"{service.now:%d %H:%M} after it -> {after}")
            both = RunResult(after.code or backfill.code, (*backfill.messages, *after.messages), after.refused)
            scenario_log.faults += compare(project, service, [*scenario_log.results, both], is_forced=True)
    if scenario_log.faults:
        scenario_log.messages.append(f"requests of the last sync: {service.log[-12:]}")
    return scenario_log


@dataclass(frozen=True)
class RunResult:
    """The result of a command: exit code, findings and errors, and the number of refused records."""

    code: int
    messages: tuple[str, ...] = ()
    refused: int = 0


class Project:
    """A folder with a project that reads the service."""

    def __init__(self, root: Path, service: HostileService, scenario: Scenario) -> None:
        self.root, self.service, self.ways = root, service, scenario.ways
        self.size, self.view = scenario.ways.size, "full"
        self.valid_from: dict[int, str] = {}
        """The `valid_from` of each current version, by key."""
        (root / "models/entities").mkdir(parents=True)
        (root / "connectors/hostile").mkdir(parents=True)
        self._write("headwater.yaml", {
            "version": 1, "name": "hostile", "warehouse": {"kind": "duckdb", "path": ".headwater/{tenant}.duckdb", "threads": 1},
            "tenants": {"acme": {"connections": {"main": {"connector": "hostile", "settings": {"base_url": service.url}}}}},
        })  # fmt: skip
        source = {"changed_at": "changed", "map": {"thing_id": "id", "name": "name", "amount": "amount"}}
        if self.ways.where:
            source["where"] = "status = 'good'"
        if self.ways.deletes == "flag":
            source["deleted"] = "gone"
        columns = {"thing_id": "bigint", "name": "text", "amount": "decimal(18,2)"}
        self._write("models/entities/thing.yaml", {
            "entity": "thing", "key": "thing_id", "columns": columns, "sources": {"hostile.things": source},
        })  # fmt: skip
        self._write_connector()

    def _write(self, path: str, document: dict[str, Any]) -> None:
        (self.root / path).write_text(yaml.safe_dump(document, sort_keys=False))

    def _write_connector(self) -> None:
        ways = self.ways
        paging: dict[str, Any] = {"kind": ways.paging}
        if ways.paging != "unpaged":
            paging |= {"size_param": "size", "size": self.size}
        if ways.paging == "forward_only":
            paging |= {"param": "after", "field": "id"}
        params = {"since": "{since}", "until": "{until}"} if ways.knows != "since" else {"since": "{since}"}
        things: dict[str, Any] = {
            "resource": "things", "path": "things", "key": ["id"], "fields": FIELDS, "params": {"view": self.view},
            "cursor": {"kind": "changes", "params": params, "field": "changed"} if ways.cursor == "changes"
            else {"kind": "snapshot", "every": "0s"},
        }  # fmt: skip
        if ways.deletes == "sweep":
            things["deletes"] = {"kind": "sweep", "params": {"fields": "id"}, "every": "0s"}
            if ways.max_drop is not None:
                things["deletes"]["max_drop"] = ways.max_drop
        elif ways.deletes == "flag":
            things["deletes"] = {"kind": "flag", "field": "gone", "equals": "true"}
        elif ways.deletes == "none":
            things["deletes"] = {"kind": "none"}
        if ways.count:
            things["count"] = {"path": "things/count"}
        if ways.verify:
            things["verify"] = {"path": "things/{id}"}
        self._write("connectors/hostile/connector.yaml", {
            "version": 1, "connector": "hostile", "base_url": "{base_url}", "settings": {"base_url": {"description": "where"}},
            "paging": paging, "limits": {"requests_per_minute": 100_000, "tries": 3}, "clock": {"path": "time"},
            "chunk": "9000d", "resources": [things],
        })  # fmt: skip

    def edit(self, what: str) -> None:
        """Change the manifest between two runs."""
        if what == "size":
            self.size = 5 if self.size != 5 else 11
        elif what == "params":
            self.view = "all" if self.view == "full" else "full"
        self._write_connector()

    def run(self, weather: Weather) -> RunResult:
        """`headwater run`, killed if the weather has a kill."""
        return self._run_and_kill(weather) if weather.kills else self("run")

    def __call__(self, *words: str) -> RunResult:
        out, err = io.StringIO(), io.StringIO()
        with machine_at(self.service.now), redirect_stdout(out), redirect_stderr(err):
            code = run_command([*words, "--project", str(self.root), "--json"])
        return _parse_result(code, out.getvalue(), err.getvalue())

    def _run_and_kill(self, weather: Weather) -> RunResult:
        env = {
            **os.environ,
            NOW: self.service.now.isoformat(),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src"))),
        }
        words = [sys.executable, "-m", "tests.e2e.hostile.command", "run", "--project", str(self.root), "--json"]
        with subprocess.Popen(
            words, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            self.service.on_kill = lambda: os.kill(process.pid, signal.SIGKILL)
            if weather.kill_after:
                time.sleep(weather.kill_after)
                process.kill()
            out, err = process.communicate(timeout=120)
        self.service.on_kill = lambda: None
        return RunResult(-9) if process.returncode == -signal.SIGKILL else _parse_result(process.returncode, out, err)

    def read_current(self) -> dict[int, Row]:
        """Read the current rows of silver, by key."""
        path = self.root / ".headwater/acme.duckdb"
        if not path.exists():
            return {}
        with duckdb.connect(str(path), read_only=True) as db:
            if not db.execute("SELECT 1 FROM information_schema.tables WHERE table_name = 'thing_current'").fetchall():
                return {}
            rows = db.execute("SELECT thing_id, name, amount, valid_from FROM silver.thing_current").fetchall()
        assert len({row[0] for row in rows}) == len(rows), rows
        self.valid_from = {row[0]: f"{row[3]:%Y-%m-%dT%H:%M:%SZ}" for row in rows}
        return {row[0]: (row[1], row[2]) for row in rows}

    def read_waiting_keys(self) -> set[int]:
        """Read the keys of the records in quarantine, which users can see are missing in silver."""
        path = self.root / ".headwater/ledger.db"
        if not path.exists():
            return set()
        with closing(sqlite3.connect(path)) as ledger:
            rows = ledger.execute("SELECT DISTINCT key FROM refused WHERE state = 'waiting'").fetchall()
        return {int(row[0]) for row in rows if str(row[0]).isdigit()}

    def read_warnings(self) -> list[str]:
        """Read what `status` reports as a possible difference."""
        out = io.StringIO()
        with machine_at(self.service.now), redirect_stdout(out), redirect_stderr(io.StringIO()):
            run_command(["status", "--project", str(self.root), "--json"])
        report = json.loads(out.getvalue())
        words = ("difference", "differs", "missing")
        lines = [f"status: {word} {feed[word]}" for feed in report.get("feeds", []) for word in words if feed.get(word)]
        return lines + [f"status: {one}" for one in report.get("findings", [])]


def _parse_result(code: int, out: str, err: str) -> RunResult:
    assert "Traceback" not in err, err
    report = json.loads(out)
    if "error" in report:
        return RunResult(code, (f"{report['error']['kind']}: {report['error']['message']} {report['error']['found']}",))
    findings = [f"{one['finding']} {one['count']} {one['detail']}" for one in report.get("findings", [])]
    errors = [f"{step['step']}: {step['detail']}" for step in report.get("steps", []) if step["state"] == "failed"]
    return RunResult(code, (*findings, *errors), report.get("quarantined") or 0)


def compare(project: Project, service: HostileService, runs: list[RunResult], *, is_forced: bool) -> list[str]:
    """Return the keys in which silver differs from the truth without a report, or although the service shows enough.

    A report is a finding and an exit code. For a snapshot, the last run must report it. For a window of changes, the run
    that read the window must report it.
    """
    ways, result = service.ways, runs[-1]
    went_back = any(
        any(one.startswith("stamp_went_back") for one in run.messages) for run in runs[-1 if ways.whole else 0 :]
    )
    truth = {ident: _to_row(record) for ident, record in service.records.items() if _is_expected(ways, record)}
    silver = project.read_current()
    waiting_keys, messages = project.read_waiting_keys(), (*result.messages, *project.read_warnings())
    is_reported = result.code in {1, 3} and any(not one.startswith(HARMLESS) for one in messages)
    faults: list[str] = []
    kind = "forced" if is_forced else "plain"
    if result.code != 0 and not _may_fail(ways, service, result):
        faults.append(f"FAULT jams: exit code {result.code} in a quiet time: {result.messages}")
    for ident in sorted(truth.keys() | silver.keys()):
        expected, actual = truth.get(ident), silver.get(ident)
        if (
            expected == actual
            and ident not in service.odd
            and project.valid_from[ident] != service.records[ident]["changed"]
        ):
            faults.append(
                f"FAULT {kind} begun: key {ident} from {project.valid_from[ident]}; record {service.records[ident]}"
            )
        if expected == actual or (expected is None and not ways.drops and ident not in service.records):
            continue
        what = f"key {ident}: silver {actual}, truth {expected}; record {service.records.get(ident) or service.dead.get(ident)}"
        if ident in waiting_keys and ident in service.malformed | service.hidden:
            continue
        if result.code in {1, 3} and any(re.search(rf"main:{ident}(?!\d)", one) for one in messages):
            continue
        if ident in service.regressed and (went_back or any(run.code == -9 for run in runs if not ways.whole)):
            continue
        if _is_unknowable(service, ident, actual, expected, is_forced=is_forced):
            continue
        if _is_provable(ways, service, ident, actual, expected):
            faults.append(f"FAULT {kind} {'aloud' if is_reported else 'silent'}: {what}")
        elif not is_reported:
            faults.append(f"FAULT {kind} silent, unproved: {what}")
    more = [f"... and {len(faults) - 4} more"] if len(faults) > 4 else []
    return [*faults[:4], *more, f"said {messages}"] if faults else []


def _to_row(record: Record) -> Row:
    amount = record["amount"]
    return record["name"], Decimal(str(amount)) if not isinstance(amount, str) else Decimal(-1)


def _is_expected(ways: Ways, record: Record) -> bool:
    return not ways.where or record["status"] == "good"


def _may_fail(ways: Ways, service: HostileService, result: RunResult) -> bool:
    """Return whether a run may end with an exit code although the service is not faulty now."""
    ignored = ways.cursor == "changes" and ways.knows == "nothing"
    failed = any(one.startswith(("extract:", "land:", "conform:", "connect:")) for one in result.messages)
    announced = result.code == 3 and not failed
    return ignored or bool(service.malformed) or announced


def _is_unknowable(
    service: HostileService, ident: int, actual: Row | None, expected: Row | None, *, is_forced: bool
) -> bool:
    """Return whether no future response of the service can show this difference."""
    if service.ways.whole or ident not in service.hidden:
        return False
    if service.ways.where and ident in service.outside:
        return True
    record = service.records.get(ident) or service.dead[ident]
    stamp = record["changed"]
    if is_forced and stamp is not None and "1970" < stamp < FUTURE:
        return False
    sweeps = service.ways.deletes == "sweep"
    return not (sweeps and (actual is None or (expected is None and ident in service.dead)))


def _is_provable(ways: Ways, service: HostileService, ident: int, actual: Row | None, expected: Row | None) -> bool:
    """Return whether the service shows enough for this key to be correct, so that a finding is no excuse."""
    if ways.cursor == "changes" and ways.knows == "nothing":
        return False
    if expected is None and ident not in service.records:
        return ways.deletes == "flag" or (ways.provable and ways.max_drop == 1.0)
    if actual is None and ident in service.hidden:
        return ways.verify
    return ident not in service.regressed
