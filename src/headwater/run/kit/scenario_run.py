"""One scenario's project: a simulated service, a temporary folder with a project that reads it, and what history should say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from headwater.errors import HeadwaterError
from headwater.events import FindingKind
from headwater.model.connector import Connector
from headwater.model.load import load_connector
from headwater.model.resource import Resource
from headwater.plan.state import RunRequest
from headwater.run.kit.kit_clock import KitClock
from headwater.run.kit.relocate import (
    build_secrets,
    build_settings,
    find_longest_span,
    list_with_parents,
    relocate,
)
from headwater.run.pipeline.context import never_stop
from headwater.run.pipeline.run import run
from headwater.run.plugins import InstalledConnector, open_ledger
from headwater.run.results import RunReport
from headwater.run.workspace import choose_tenant, open_project
from headwater.testing.kit.collection import Collection
from headwater.testing.kit.gate import Gate
from headwater.testing.kit.history import ENTITY, KeyHistory, read_history
from headwater.testing.kit.http_server import Answer, Call, serve
from headwater.testing.kit.sample import get_path
from headwater.testing.kit.service import SimulatedService
from headwater.testing.kit.weather import Weather
from headwater.wire.cursor import NoDeletes
from headwater.wire.records import split_path

RECORDS = 13
"""The records of a trial: three pages."""

_ANNOUNCING: frozenset[FindingKind] = frozenset(
    (
        "changes_unproved",
        "snapshot_unproved",
        "sweep_unproved",
        "sweep_unverified",
        "sweep_skipped",
        "unread_ids",
        "count_mismatch",
        "deletes_waiting",
        "stamp_went_back",
        "missing_key",
    )
)
"""The findings that say that history may differ from the service."""

_PATIENCE = 120
"""Seconds after which a run in another process is taken to hang."""

_AGE = timedelta(days=3)
_STEP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What one run said."""

    exit_code: int
    messages: tuple[str, ...] = ()
    """Its errors and findings."""
    written: int = 0
    """The number of versions that it inserted or deleted."""
    announced: tuple[str, ...] = ()
    """Its findings that records may be missing or wrong. An error is none: what could not be read is read by a later run."""

    @property
    def is_reported(self) -> bool:
        """Whether the run said that something is wrong, so that a person looks."""
        return self.exit_code != 0 and bool(self.messages)


@dataclass(kw_only=True)
class Stranger:
    """A server to which nothing may be sent. It writes down what arrives."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)

    def respond(self, call: Call) -> Answer:
        """Write the request down."""
        self.calls.append(call)
        return Answer(headers={"Content-Type": "application/json"}, body=b"[]")


@dataclass(kw_only=True)
class ScenarioRun:
    """A project and its service, while a scenario is played."""

    root: Path
    plugin: InstalledConnector
    resource: Resource
    """The resource under test, with the defaults of the connector."""
    service: SimulatedService
    stranger: Stranger
    clock: KitClock
    seed: int
    syncs: list[Sync] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What a scenario itself found wrong."""
    may_differ: set[int] = field(default_factory=set)
    """The numbers of records that may be there or not, e.g. deleted ones if the manifest cannot notice a delete."""

    @property
    def things(self) -> Collection:
        """The records of the resource under test."""
        return self.service.collections[self.resource.resource]

    def create_records(self, count: int = RECORDS, *, ties: int = 1) -> None:
        """Create the first records. Each `ties` in a row have the same change time. Most belong to the first parent."""
        begin = self.clock.now().replace(microsecond=0, second=0) - _AGE
        parents: list[str | None] = [None]
        for parent in list(self.service.collections.values())[:-1]:
            for number in range(3):
                parent.add(number, begin, parent=parents[0])
            path = split_path(self._find_parent_field(parent.resource))
            parents = [str(get_path(record.values, path)) for record in parent.records.values()]
        for number in range(count):
            owner = parents[0] if number < count - 1 or len(parents) < 2 else parents[1]
            self.things.add(number, begin + number // ties * _STEP, parent=owner)

    def _find_parent_field(self, parent: Resource) -> str:
        children = (one.resource.parent for one in self.service.collections.values())
        return next(child.field for child in children if child and child.resource == parent.resource)

    @property
    def first_parent(self) -> str | None:
        """The parent of most records."""
        return next(iter(self.things.records.values())).parent

    def wait(self) -> None:
        """Let so much time pass that everything is due again."""
        resources = list_with_parents(self.service.connector, self._find_declared())
        self.clock.advance(timedelta(seconds=find_longest_span(self.service.connector, resources) + 3600))

    def _find_declared(self) -> Resource:
        found = self.service.connector.find_resource(self.resource.resource)
        assert found is not None
        return found

    def sync(self, weather: Weather | None = None, **request: Any) -> Sync:
        """Run the project in this weather. The weather ends with the run."""
        self.service.set_weather(weather or Weather())
        try:
            with open_project(self.root, clock=self.clock) as workspace:
                report = run(choose_tenant(workspace, None), RunRequest(**request), stop=never_stop)
            sync = Sync(
                exit_code=report.exit_code,
                messages=tuple(_list_messages(report)),
                written=sum(sum(rows) for table, rows in report.written.items() if table.endswith(ENTITY)),
                announced=tuple(_list_announced(report)) if report.exit_code else (),
            )
        except HeadwaterError as error:
            sync = Sync(exit_code=error.exit_code, messages=(_describe(error),))
        self.service.set_weather(Weather())
        self.syncs.append(sync)
        return sync

    def recover(self) -> None:
        """Run once more without a fault, if the last run failed: what it could not read must arrive now."""
        if self.syncs[-1].exit_code != 0:
            self.wait()
            self.sync()

    def sync_and_kill(self, page: int) -> bool:
        """Start a run in a process of its own, and kill it when it asks for a page. Whether it was killed."""
        words = [sys.executable, "-m", "headwater.run.kit.killed_run", str(self.root)]
        with subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:

            def kill(number: int) -> None:
                if number == page:
                    os.kill(process.pid, signal.SIGKILL)

            self.service.set_weather(Weather(on_page=kill))
            try:
                process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                self.complaints.append(f"a run did not end within {_PATIENCE} s")
        self.service.set_weather(Weather())
        return process.returncode == -signal.SIGKILL

    def read_history(self) -> dict[tuple[str, ...], KeyHistory]:
        """The current value of each key, and its number of versions."""
        has_note = self.things.note is not None
        with (
            open_project(self.root, clock=self.clock) as workspace,
            closing(choose_tenant(workspace, None).open_warehouse(read_only=True)) as warehouse,
        ):
            return read_history(warehouse, keys=len(self.resource.key), has_note=has_note)

    def find_secret(self) -> tuple[str, str] | None:
        """A secret that stands in a message or in a file that a run wrote, and where. None if there is none."""
        secrets = build_secrets(self.service.connector)
        texts = [("a message", message.encode()) for sync in self.syncs for message in sync.messages]
        files = (path for path in (self.root / ".headwater").rglob("*") if path.is_file())
        texts += [(path.name, path.read_bytes()) for path in files]
        found = ((name, where) for where, text in texts for name, value in secrets.items() if value.encode() in text)
        return next(found, None)

    def list_differences(self) -> list[str]:
        """How history differs from the records of the service."""
        try:
            history = self.read_history()
        except HeadwaterError as error:
            return [f"there is no history: {error.message}"]
        things = self.things
        alive = {things.read_key(record): record for record in things.list_alive()}
        open_keys = {things.read_key(things.records[number]) for number in self.may_differ}
        missing = [key for key in alive if key not in history and key not in open_keys]
        extra = [key for key in history if key not in alive and key not in open_keys]
        stale = [
            key for key, record in alive.items() if key in history and history[key].note != things.read_note(record)
        ]
        doubled = [key for key, own in history.items() if key in alive and own.versions > self._count_states(key)]
        differences = [
            ("missing", missing),
            ("not deleted", extra),
            ("old value", stale),
            ("more versions than states", doubled),
        ]
        return [f"{what}: {_list_keys(keys)}" for what, keys in differences if keys]

    def _count_states(self, key: tuple[str, ...]) -> int:
        record = next(one for one in self.things.records.values() if self.things.read_key(one) == key)
        return record.states

    @property
    def notices_deletes(self) -> bool:
        """Whether the manifest has a way to notice that a record was deleted."""
        deletes = self.resource.deletes
        if deletes is None:
            return getattr(self.resource.cursor, "kind", "snapshot") != "changes"
        return not isinstance(deletes, NoDeletes)


@contextmanager
def open_scenario_run(
    plugin: InstalledConnector, resource: Resource, root: Path, *, seed: int, timeout: str = ""
) -> Iterator[ScenarioRun]:
    """Serve a simulated service of `resource`, and write a project that reads it into the new folder `root`."""
    clock, stranger = KitClock(), Stranger()
    declared = plugin.connector
    chain = list_with_parents(declared, resource)
    service = SimulatedService(
        connector=declared, collections={}, gate=Gate(connector=declared, values={}), clock=clock
    )
    with serve(service.respond) as service.url, serve(stranger.respond) as stranger.url:
        manifest = relocate(declared, service.url, chain, timeout=timeout)
        connector = _write_connector(root, manifest, plugin)
        _fit_service(service, connector, plugin, Random(seed))
        trial = ScenarioRun(
            root=root,
            plugin=plugin,
            resource=service.collections[resource.resource].resource,
            service=service,
            stranger=stranger,
            clock=clock,
            seed=seed,
        )
        _write_project(trial, connector)
        yield trial


def _fit_service(service: SimulatedService, connector: Connector, plugin: InstalledConnector, random: Random) -> None:
    values = {**build_settings(plugin.connector), **build_secrets(plugin.connector)}
    service.connector, service.target = connector, connector.resources[-1].resource
    service.gate = Gate(connector=connector, values=values)
    service.collections = {
        resource.resource: Collection(
            resource=_fill_zone(connector.with_defaults(resource), values),
            nodes=plugin.contracts.get_nodes(resource.resource),
            random=random,
        )
        for resource in connector.resources
    }


def _fill_zone(resource: Resource, values: dict[str, str]) -> Resource:
    cursor = resource.cursor
    zone = getattr(cursor, "zone", "")
    if cursor is None or "{" not in zone:
        return resource
    filled = cursor.model_copy(update={"zone": values[zone.strip("{}")]})
    return resource.model_copy(update={"cursor": filled})


def _write_connector(root: Path, manifest: dict[str, Any], plugin: InstalledConnector) -> Connector:
    folder = root / "connectors" / plugin.connector.connector
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text(json.dumps(manifest), encoding="utf-8")
    if plugin.schemas is not None:
        shutil.copy(plugin.schemas, folder / "schemas.py")
    return load_connector(folder / "connector.yaml")


@cache
def _build_ledger() -> bytes:
    """An empty ledger. Its migrations take a tenth of a second, which is paid once for all scenarios."""
    with TemporaryDirectory(prefix="headwater-kit-") as scratch:
        root = Path(scratch)
        open_ledger("sqlite:///ledger.db", root).close()
        return (root / "ledger.db").read_bytes()


def _write_project(trial: ScenarioRun, connector: Connector) -> None:
    root, name = trial.root, connector.connector
    references = {}
    for secret, value in build_secrets(connector).items():
        (root / f"secret_{secret}").write_text(value, encoding="utf-8")
        references[secret] = f"file:secret_{secret}"
    connection = {
        "connector": name,
        "settings": build_settings(trial.plugin.connector),
        "secrets": references,
        "resources": [trial.resource.resource],
    }
    project = {"version": 1, "name": "kit", "tenants": {"kit": {"connections": {"it": connection}}}}
    (root / "headwater.yaml").write_text(json.dumps(project), encoding="utf-8")
    (root / ".headwater").mkdir()
    (root / ".headwater" / "ledger.db").write_bytes(_build_ledger())
    models = root / "models" / "entities"
    models.mkdir(parents=True)
    (models / "thing.yaml").write_text(json.dumps(_build_entity(trial, name)), encoding="utf-8")


def _build_entity(trial: ScenarioRun, connector: str) -> dict[str, Any]:
    things = trial.things
    dtypes = {field.path: field.dtype for field in things.fields}
    columns: dict[str, str] = {}
    mapped: dict[str, str] = {}
    for number, path in enumerate(things.key_paths):
        columns[f"k{number}"], mapped[f"k{number}"] = dtypes.get(path, "text"), ".".join(path)
    if things.note is not None:
        columns["note"], mapped["note"] = things.note.dtype, things.note.dotted
    source: dict[str, Any] = {"map": mapped}
    if (changed_at := _build_changed_at(things)) is not None:
        source["changed_at"] = changed_at
    return {
        "entity": "thing",
        "key": [f"k{number}" for number in range(len(things.key_paths))],
        "columns": columns,
        "sources": {f"{connector}.{trial.resource.resource}": source},
    }


def _build_changed_at(things: Collection) -> str | None:
    stamp = things.stamp
    if stamp is None or stamp.path not in {field.path for field in things.fields}:
        return None
    path = ".".join(stamp.path)
    match stamp.dtype:
        case "timestamp" | "date":
            return path
        case "text":
            return f"from_json_date({path})" if stamp.style == "http" else f"CAST({path} AS timestamp)"
        case _:
            return f"from_epoch_ms({path})" if stamp.style == "epoch_ms" else f"from_epoch({path})"


def _list_messages(report: RunReport) -> Iterator[str]:
    for step in report.steps:
        if step.state == "failed":
            yield f"{step.step}: {_describe(step.error) if step.error else step.detail}"
    for finding in report.findings:
        yield f"{finding.finding} of {finding.table}: {finding.detail}"
    if report.quarantined:
        yield f"{report.quarantined} records in quarantine"


def _list_announced(report: RunReport) -> Iterator[str]:
    for finding in report.findings:
        if finding.finding in _ANNOUNCING:
            yield f"{finding.finding} of {finding.table}: {finding.detail}"
    if report.quarantined:
        yield f"{report.quarantined} records in quarantine"


def _describe(error: HeadwaterError) -> str:
    parts = [error.message, error.details, error.hint]
    return "; ".join(part for part in parts if part)


def _list_keys(keys: list[tuple[str, ...]]) -> str:
    shown = ", ".join("/".join(key) for key in keys[:8])
    return shown if len(keys) <= 8 else f"{shown} and {len(keys) - 8} more"


def wait_past(trial: ScenarioRun, instant: datetime) -> None:
    """Let time pass until `instant`."""
    trial.clock.advance(max(timedelta(0), instant - trial.clock.now()))
