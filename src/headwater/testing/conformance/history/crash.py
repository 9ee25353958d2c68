"""The twelfth invariant: a merge in a process of its own, killed at any moment and run again."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from random import Random
from typing import Any

from headwater.errors import HeadwaterError
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.check import CheckResult, Outcome, SelfTestOptions
from headwater.testing.conformance.history.compare import find_difference
from headwater.testing.conformance.history.entity import (
    THING,
    expected_versions,
    make_event,
    merge_events,
    read_versions,
)
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.base import Warehouse

OPENED, MERGED = "opened", "merged"
"""What the process says on its standard output, a line each."""

LIVES = 0.08
"""A kill costs the start of a process: so few of them for each example of other lines."""

_KEYS = 400
_WHAT = "a merge that is killed at any moment and run again ends in the same history"


def events_before(number: int) -> list[Event]:
    """What is there when the process is killed for the `number`-th time."""
    return [make_event(f"p:{number}.{key}", 10, name="old", size=key) for key in range(_KEYS)]


def incoming_events(number: int) -> list[Event]:
    """What the process merges: late news, newer news, and keys that are new."""
    late = [make_event(f"p:{number}.{key}", 5, name="older", note="x") for key in range(0, _KEYS, 3)]
    gone = [make_event(f"p:{number}.{key}", 30, "D") for key in range(0, _KEYS, 7)]
    return late + gone + [make_event(f"p:{number}.{key}", 20, name="new") for key in range(0, _KEYS + _KEYS // 4, 2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashCheck:
    """The line of the corpus that kills.

    The first merge is let live, to see how long it takes. The moments of the others are drawn; what the process does at
    such a moment is the machine's to say, so that no seed brings a failure back for sure.
    """

    name: str = "12"
    promise: str = _WHAT

    def run(self, ground: SelfTestTenants, trial: SelfTestOptions) -> CheckResult:
        """Kill some merges."""
        began = trial.clock.monotonic()
        if ground.start is None:
            return self._make_result("skipped", 0, 0.0, reason=ground.alone)
        chance, longest, difference, kills = Random(f"{trial.seed} {self.name}"), 0.0, "", 0
        for number in range(max(3, trial.share(LIVES)) + 1):
            if trial.stop() or difference:
                break
            kills += number > 0
            moment = chance.uniform(0, longest) if number else None
            took, difference = _run_life(ground, trial, number, moment)
            longest = longest if number else took
        seconds = trial.clock.monotonic() - began
        if difference:
            ground.abandon()
            return self._make_result("failed", kills, seconds, difference=difference)
        if not kills:
            return self._make_result("skipped", 0, seconds, reason="stopped before its turn")
        return self._make_result("held", kills, seconds)

    def _make_result(self, outcome: Outcome, kills: int, seconds: float, **said: str) -> CheckResult:
        return CheckResult(
            name=self.name, promise=self.promise, outcome=outcome, examples=kills, seconds=round(seconds, 3), **said
        )


def _run_life(ground: SelfTestTenants, trial: SelfTestOptions, number: int, moment: float | None) -> tuple[float, str]:
    try:
        return _run_process(ground, trial, number, moment)
    except HeadwaterError as error:
        return 0.0, f"after a kill the warehouse could not go on\n{error}"


def _run_process(
    ground: SelfTestTenants, trial: SelfTestOptions, number: int, moment: float | None
) -> tuple[float, str]:
    """One life of the process: how long it worked, and how what it left is wrong."""
    warehouse = ground.shared_tenant("killed", lambda made: migrate_tables(made, THING))
    merge_events(warehouse, events_before(number))
    tenant = warehouse.tenant
    ground.close_tenant(tenant)
    took, complaint = _kill_merge(ground, trial, tenant, number, moment)
    if complaint:
        return took, complaint
    again = ground.reopen(tenant)
    left = _find_difference(again, number)
    if left:
        return took, f"killed {took:.3f} s into its merge, it left neither what was there before nor the whole\n{left}"
    merge_events(again, incoming_events(number))
    rerun = find_difference(again, [*events_before(number), *incoming_events(number)])
    return took, f"killed {took:.3f} s into its merge and run again\n{rerun}" if rerun else ""


def _kill_merge(
    ground: SelfTestTenants, trial: SelfTestOptions, tenant: str, number: int, moment: float | None
) -> tuple[float, str]:
    """Let the process merge, and kill it at a moment; None: let it live. How long it worked, and what it complained of."""
    assert ground.start is not None
    with ground.start(tenant, number) as process:
        try:
            if _read_line(process) != OPENED:
                return 0.0, f"the process that merges did not open the warehouse\n{_read_complaint(process)}"
            began = trial.clock.monotonic()
            if moment is not None:
                trial.clock.sleep(moment)
            elif _read_line(process) != MERGED:
                return 0.0, f"the process that merges failed\n{_read_complaint(process)}"
            return trial.clock.monotonic() - began, ""
        finally:
            process.kill()


def _read_line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout else ""


def _read_complaint(process: subprocess.Popen[str]) -> str:
    return process.stderr.read().strip() if process.stderr else ""


def _find_difference(warehouse: Warehouse, number: int) -> str:
    """How the tables differ from those before and from those after; empty where they are one of the two."""
    start, whole = events_before(number), [*events_before(number), *incoming_events(number)]
    keys = {event.key for event in whole}
    # In a transaction, so that an engine with a server waits until that has undone what was cut short.
    with warehouse.transaction():
        found = _sort_rows(read_versions(warehouse, keys=keys))
    if found in (_sort_rows(expected_versions(start)), _sort_rows(expected_versions(whole))):
        return ""
    return find_difference(warehouse, whole)


def _sort_rows(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))
