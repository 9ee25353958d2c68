"""Runs the conformance suite against a warehouse of the user, in tenants that it creates and erases."""

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
from headwater.run.selftest.warehouse_url import dump_settings, parse_warehouse_url
from headwater.run.workspace import open_project
from headwater.testing.conformance.check import Check, CheckResult, SelfTestOptions
from headwater.testing.conformance.suite import CHECKS
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.base import Warehouse
from headwater.warehouse.settings import WarehouseSettings

PREFIX = "selftest-"
"""The start of the name of every tenant of a self-test."""

CheckListener = Callable[[Check, CheckResult | None], None]
"""Called twice for each check: with None when it starts, and with its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestTarget:
    """The warehouse that is tested, and the tenant that the self-test creates in it."""

    settings: WarehouseSettings
    """The settings, as under `warehouse:`."""
    root: Path
    """The folder that relative paths refer to."""
    tenant: str
    """The first tenant. The others are called `<tenant>-2`, `<tenant>-3` …"""

    @property
    def location(self) -> str:
        """The location of the first tenant, in words."""
        return self.settings.describe(self.tenant)

    def open_warehouse(self, tenant: str) -> Warehouse:
        """Open the warehouse of a tenant."""
        return open_warehouse(self.settings, tenant, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestReport:
    """The result of a self-test."""

    warehouse: str
    seed: int
    examples: int
    verdicts: tuple[CheckResult, ...]
    seconds: float
    tenants: tuple[str, ...]
    """The test tenants that still exist, because they are kept or could not be erased."""
    notes: tuple[str, ...]
    """The features that the warehouse lacks."""
    stopped: bool

    @property
    def outcome(self) -> str:
        """`passed`, `failed`, or `stopped` if the self-test was stopped before a check failed."""
        if any(verdict.outcome == "failed" for verdict in self.verdicts):
            return "failed"
        return "stopped" if self.stopped else "passed"

    @property
    def exit_code(self) -> int:
        """0 if all checks passed, else 1."""
        return 0 if self.outcome == "passed" else 1


def resolve_target(warehouse: str, *, root: Path, environment: str = "") -> SelfTestTarget:
    """The warehouse with this URL, or the one of the project; SafetyCheckError if tenants share its location."""
    tenant = f"{PREFIX}{secrets.token_hex(4)}"
    if warehouse:
        target = SelfTestTarget(settings=parse_warehouse_url(warehouse), root=Path(), tenant=tenant)
    else:
        with open_project(root, environment=environment) as workspace:
            target = SelfTestTarget(settings=workspace.warehouse_settings, root=root, tenant=tenant)
    if not target.settings.separates_tenants:
        raise SafetyCheckError(
            "All tenants share one location in this warehouse, so the self-test would write into your data.",
            where=target.location,
            hint="put {tenant} into its path, or pass another location with `--warehouse`",
        )
    return target


def run_selftest(
    target: SelfTestTarget,
    options: SelfTestOptions,
    listen: CheckListener,
    *,
    only: Sequence[str] = (),
    keep: bool = False,
    clock: Clock | None = None,
) -> SelfTestReport:
    """Run the checks, or only some of them. Erases the tenants at the end, also after an error, unless `keep` is set."""
    checks, clock = _choose_checks(only), clock or SystemClock()
    start, results = clock.monotonic(), list[CheckResult]()
    reason = target.settings.exclusive_reason
    tenants = SelfTestTenants(
        target.tenant, target.open_warehouse, start_merge=_build_start(target), exclusive_reason=reason
    )
    try:
        tenants.check_reachable()
        for check in checks:
            listen(check, None)
            results.append(check.run(tenants, options))
            listen(check, results[-1])
    finally:
        tenants.close(keep=keep)
    return SelfTestReport(
        warehouse=target.location,
        seed=options.seed,
        examples=options.examples,
        verdicts=tuple(results),
        seconds=round(clock.monotonic() - start, 3),
        tenants=tenants.names,
        notes=tenants.notes,
        stopped=options.stop(),
    )


def erase_selftest(target: SelfTestTarget, tenants: Sequence[str]) -> None:
    """Erase test tenants that still exist; SafetyCheckError for any other tenant."""
    for tenant in tenants:
        if not tenant.startswith(PREFIX):
            raise SafetyCheckError(
                "This command erases only tenants of a self-test.",
                where="--erase",
                details=tenant,
                hint=f"their names start with `{PREFIX}`",
            )
    for tenant in tenants:
        target.open_warehouse(tenant).erase()


def _choose_checks(only: Sequence[str]) -> tuple[Check, ...]:
    names = [check.name for check in CHECKS]
    for name in only:
        if name not in names:
            raise DeclarationError(
                "The conformance suite has no such check.", where="--only", details=name, hint=did_you_mean(name, names)
            )
    return tuple(check for check in CHECKS if not only or check.name in only)


def _build_start(target: SelfTestTarget) -> Callable[[str, int], subprocess.Popen[str]] | None:
    if target.settings.exclusive_reason:
        return None
    settings, root = dump_settings(target.settings), str(target.root.absolute())

    def start_merge(tenant: str, number: int) -> subprocess.Popen[str]:
        request = {"warehouse": settings, "root": root, "tenant": tenant, "number": number}
        # In its own session, so that Ctrl-C does not reach it.
        process = subprocess.Popen(
            [sys.executable, "-m", "headwater.run.selftest.merge_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if process.stdin:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        return process

    return start_merge
