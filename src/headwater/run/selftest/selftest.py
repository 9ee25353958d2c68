"""The corpus against a user's own warehouse: in tenants that it makes, and erases again."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headwater.clock import Clock, SystemClock
from headwater.errors import DeclarationError, SafetyCheckError
from headwater.names import did_you_mean
from headwater.run.plugins import open_warehouse
from headwater.run.selftest.warehouse_url import dump_settings, settings_from_url
from headwater.run.workspace import open_project
from headwater.testing.conformance.check import Check, CheckResult, SelfTestOptions
from headwater.testing.conformance.suite import LINES
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import WarehouseSettings

PREFIX = "selftest-"
"""How every tenant of a selftest begins."""

Told = Callable[[Check, CheckResult | None], None]
"""Hears of a line twice: when it begins (None), and how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A warehouse that the corpus is to run against, and the tenant that it will make there."""

    settings: WarehouseSettings
    """As under `warehouse:`."""
    root: Path
    """What relative paths count from."""
    tenant: str
    """The first of its tenants; the others are called `<tenant>-2`, `<tenant>-3` …"""

    @property
    def place(self) -> str:
        """Where that tenant will be, in words."""
        return self.settings.describe(self.tenant)

    def opens(self, tenant: str) -> Warehouse:
        """A tenant's warehouse."""
        return open_warehouse(self.settings, tenant, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """What a selftest found."""

    warehouse: str
    seed: int
    examples: int
    verdicts: tuple[CheckResult, ...]
    seconds: float
    tenants: tuple[str, ...]
    """Those that are still there: kept on purpose, or because they could not be erased."""
    notes: tuple[str, ...]
    """What the warehouse lacks and does without."""
    stopped: bool

    @property
    def outcome(self) -> str:
        """`held`, `failed`, or `stopped` when somebody stopped it before it failed."""
        if any(verdict.outcome == "failed" for verdict in self.verdicts):
            return "failed"
        return "stopped" if self.stopped else "held"

    @property
    def exit_code(self) -> int:
        """0 when all that was tried held."""
        return 0 if self.outcome == "held" else 1


def place_to_try(warehouse: str, *, root: Path, environment: str = "") -> Tested:
    """The warehouse of that name, or the project's own; SafetyCheckError where it has no place for a tenant of its own."""
    tenant = f"{PREFIX}{secrets.token_hex(4)}"
    if warehouse:
        found = Tested(settings=settings_from_url(warehouse), root=Path(), tenant=tenant)
    else:
        with open_project(root, environment=environment) as opened:
            found = Tested(settings=opened.warehouse_settings, root=root, tenant=tenant)
    if not found.settings.separates_tenants():
        raise SafetyCheckError(
            "All tenants share one location in this warehouse, so the self-test would write into your data.",
            where=found.place,
            hint="put {tenant} into its path, or pass another location with `--warehouse`",
        )
    return found


def selftest(
    place: Tested,
    trial: SelfTestOptions,
    told: Told,
    *,
    only: Sequence[str] = (),
    keep: bool = False,
    clock: Clock | None = None,
) -> SelfTested:
    """Hold the warehouse against the corpus. Whatever happens, its tenants are erased, unless they are to be kept."""
    chosen, clock = _chosen(only), clock or SystemClock()
    began, verdicts = clock.monotonic(), list[CheckResult]()
    ground = SelfTestTenants(place.tenant, place.opens, start=_starter(place), alone=place.settings.exclusive_reason())
    try:
        ground.check_reachable()
        for line in chosen:
            told(line, None)
            verdicts.append(line.run(ground, trial))
            told(line, verdicts[-1])
    finally:
        ground.close(keep=keep)
    return SelfTested(
        warehouse=place.place,
        seed=trial.seed,
        examples=trial.examples,
        verdicts=tuple(verdicts),
        seconds=round(clock.monotonic() - began, 3),
        tenants=ground.tenants,
        notes=ground.notes,
        stopped=trial.stop(),
    )


def erase_selftest(place: Tested, tenants: Sequence[str]) -> None:
    """Erase tenants that an earlier selftest kept or left; SafetyCheckError for any that is not of one."""
    for tenant in tenants:
        if not tenant.startswith(PREFIX):
            raise SafetyCheckError(
                "This command erases only tenants of a self-test.",
                where="--erase",
                details=tenant,
                hint=f"their names start with `{PREFIX}`",
            )
    for tenant in tenants:
        place.opens(tenant).erase()


def _chosen(only: Sequence[str]) -> tuple[Check, ...]:
    known = [line.name for line in LINES]
    for name in only:
        if name not in known:
            raise DeclarationError(
                "The conformance suite has no such check.", where="--only", details=name, hint=did_you_mean(name, known)
            )
    return tuple(line for line in LINES if not only or line.name in only)


def _starter(place: Tested) -> Callable[[str, int], subprocess.Popen[str]] | None:
    if place.settings.exclusive_reason():
        return None
    settings, root = dump_settings(place.settings), str(place.root.absolute())

    def start(tenant: str, number: int) -> subprocess.Popen[str]:
        asked = {"warehouse": settings, "root": root, "tenant": tenant, "number": number}
        # In a session of its own: a Ctrl-C is for us, and what is killed here is killed by us.
        process = subprocess.Popen(
            [sys.executable, "-m", "headwater.run.selftest.merge_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if process.stdin:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
        return process

    return start
