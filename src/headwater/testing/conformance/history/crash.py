"""The twelfth invariant: a merge in a separate process that is killed at any moment and runs again."""

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
    build_expected_versions,
    make_event,
    merge_events,
    read_versions,
)
from headwater.testing.conformance.history.oracle import Event
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.base import Warehouse

OPENED, MERGED = "opened", "merged"
"""The lines that the process prints."""

PART = 0.08
"""The number of kills for each example of other checks. Each kill starts a process."""

_KEYS = 400


def make_events_before(number: int) -> list[Event]:
    """The stored events when the `number`-th process starts."""
    return [make_event(f"p:{number}.{key}", 10, name="old", size=key) for key in range(_KEYS)]


def make_incoming_events(number: int) -> list[Event]:
    """The events that the process merges: late ones, newer ones, and new keys."""
    late = [make_event(f"p:{number}.{key}", 5, name="older", note="x") for key in range(0, _KEYS, 3)]
    gone = [make_event(f"p:{number}.{key}", 30, "D") for key in range(0, _KEYS, 7)]
    return late + gone + [make_event(f"p:{number}.{key}", 20, name="new") for key in range(0, _KEYS + _KEYS // 4, 2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashCheck:
    """The check that kills processes.

    The first merge is not killed, to measure how long it takes. The others are killed at random moments. What the process does at
    such a moment depends on the machine, so a seed does not always repeat a failure.
    """

    name: str = "12"
    promise: str = "a merge that is killed at any moment and run again ends in the same history"

    def run(self, tenants: SelfTestTenants, options: SelfTestOptions) -> CheckResult:
        """Kill some merges, and merge again after each kill."""
        start = options.clock.monotonic()
        if tenants.start_merge is None:
            return self._build_result("skipped", 0, 0.0, reason=tenants.exclusive_reason)
        random, duration, difference, kills = Random(f"{options.seed} {self.name}"), 0.0, "", 0
        for number in range(max(3, options.scale_examples(PART)) + 1):
            if options.stop() or difference:
                break
            kills += number > 0
            moment = random.uniform(0, duration) if number else None
            seconds, difference = _test_process(tenants, options, number, moment)
            duration = duration if number else seconds
        seconds = options.clock.monotonic() - start
        if difference:
            tenants.abandon()
            return self._build_result("failed", kills, seconds, difference=difference)
        if not kills:
            return self._build_result("skipped", 0, seconds, reason="stopped before its turn")
        return self._build_result("passed", kills, seconds)

    def _build_result(self, outcome: Outcome, kills: int, seconds: float, **texts: str) -> CheckResult:
        return CheckResult(
            name=self.name, promise=self.promise, outcome=outcome, examples=kills, seconds=round(seconds, 3), **texts
        )


def _test_process(
    tenants: SelfTestTenants, options: SelfTestOptions, number: int, moment: float | None
) -> tuple[float, str]:
    try:
        return _run_process(tenants, options, number, moment)
    except HeadwaterError as error:
        return 0.0, f"the warehouse could not continue after a kill\n{error}"


def _run_process(
    tenants: SelfTestTenants, options: SelfTestOptions, number: int, moment: float | None
) -> tuple[float, str]:
    """Start a process and kill it: how long it ran, in seconds, and how its result differs."""
    warehouse = tenants.open_shared_tenant("killed", lambda created: migrate_tables(created, THING))
    merge_events(warehouse, make_events_before(number))
    tenant = warehouse.tenant
    tenants.close_tenant(tenant)
    seconds, failure = _kill_merge(tenants, options, tenant, number, moment)
    if failure:
        return seconds, failure
    reopened = tenants.reopen(tenant)
    if difference := _find_partial_merge(reopened, number):
        return seconds, f"killed {seconds:.3f} s into its merge, the process left a part of it\n{difference}"
    merge_events(reopened, make_incoming_events(number))
    difference = find_difference(reopened, [*make_events_before(number), *make_incoming_events(number)])
    return seconds, f"killed {seconds:.3f} s into its merge and run again\n{difference}" if difference else ""


def _kill_merge(
    tenants: SelfTestTenants, options: SelfTestOptions, tenant: str, number: int, moment: float | None
) -> tuple[float, str]:
    """Start a merge and kill it after `moment` seconds (None: when it ends). How long it ran, in seconds, and why it failed."""
    assert tenants.start_merge is not None
    with tenants.start_merge(tenant, number) as process:
        try:
            if _read_line(process) != OPENED:
                return 0.0, f"the process that merges did not open the warehouse\n{_read_errors(process)}"
            start = options.clock.monotonic()
            if moment is not None:
                options.clock.sleep(moment)
            elif _read_line(process) != MERGED:
                return 0.0, f"the process that merges failed\n{_read_errors(process)}"
            return options.clock.monotonic() - start, ""
        finally:
            process.kill()


def _read_line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout else ""


def _read_errors(process: subprocess.Popen[str]) -> str:
    return process.stderr.read().strip() if process.stderr else ""


def _find_partial_merge(warehouse: Warehouse, number: int) -> str:
    """The difference from the complete merge; empty if the tables have the state before it or after it."""
    before = make_events_before(number)
    after = [*before, *make_incoming_events(number)]
    keys = {event.key for event in after}
    # In a transaction, because a server rolls back the killed one first.
    with warehouse.transaction():
        rows = _sort_rows(read_versions(warehouse, keys=keys))
    if rows in (_sort_rows(build_expected_versions(before)), _sort_rows(build_expected_versions(after))):
        return ""
    return find_difference(warehouse, after)


def _sort_rows(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))
