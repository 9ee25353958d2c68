"""A job of a queue: a tenant, and what to run for it. It holds no secret and no path, only plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from headwater.clock import EPOCH
from headwater.ledger.queue.records import FORMAT, NewJob, Scope, TakenJob
from headwater.plan.state import RunRequest
from headwater.run.plugins import list_plugin_versions
from headwater.version import __version__

_FOLDERS = ("models", "connectors")
_SUFFIXES = frozenset({".yaml", ".yml", ".py"})
"""The files of a project that decide what a run does, beside headwater.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A version of a project: workers run only the jobs that were queued from the same one."""

    version: str
    """Of Headwater."""
    declarations: str
    """A hash of the files of the project, and of the versions of plug-ins."""

    def name_queue(self, scope: Scope) -> str:
        """The name of its queue."""
        return f"{scope.key}@{self.version}-{FORMAT}-{self.declarations}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantJob:
    """A tenant that waits for a worker."""

    tenant: str
    request: RunRequest = field(default_factory=RunRequest)
    due: timedelta | None = None
    """Only if the last successful run ended so long ago. A worker checks it again."""
    timeout: timedelta | None = None
    """The longest time that it may take."""


_JOBS = TypeAdapter(TenantJob)


def read_checkout(root: Path) -> Checkout:
    """The version of the project in a folder, with the plug-ins that are installed."""
    digest = hashlib.sha256(json.dumps(list_plugin_versions()).encode())
    for path in _list_declarations(root):
        # A checkout may convert the ends of lines.
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(json.dumps([path.relative_to(root).as_posix(), len(content)]).encode() + content)
    return Checkout(version=__version__, declarations=digest.hexdigest()[:12])


def _list_declarations(root: Path) -> Iterator[Path]:
    """The files that decide what a run does, in one order. An editor's backup is none of them."""
    yield root / "headwater.yaml"
    for folder in _FOLDERS:
        found = (path for path in (root / folder).rglob("*") if path.suffix in _SUFFIXES and path.is_file())
        yield from sorted(path for path in found if not path.name.startswith("."))


def build_job(job: TenantJob, *, rank: int) -> NewJob:
    """A job as the queue stores it."""
    plain: dict[str, Any] = _JOBS.dump_python(job, mode="json", exclude={"request": {"source_times"}})
    # The order of a set differs between processes.
    request = {name: sorted(value) if isinstance(value, list) else value for name, value in plain["request"].items()}
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode())
    return NewJob(
        tenant=job.tenant, content={**plain, "request": request}, fingerprint=digest.hexdigest()[:12], rank=rank
    )


def load_job(taken: TakenJob) -> TenantJob:
    """What a job that a worker took asks for."""
    return _JOBS.validate_python(taken.content)


def rank_tenant(last_success: datetime | None, *, now: datetime) -> int:
    """The priority of a tenant: the longer ago its last success is, the higher. It does not change while the job waits."""
    # A success of the future is from before a clock was set back.
    seconds = (min(last_success or EPOCH, now) - EPOCH).total_seconds()
    return -int(seconds // 60)


def is_due(job: TenantJob, last_success: datetime | None, *, now: datetime) -> bool:
    """Whether a job is still due when a worker takes it."""
    if job.due is None or last_success is None:
        return True
    return last_success > now.astimezone(UTC) or now - last_success >= job.due
