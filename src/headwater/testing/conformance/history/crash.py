"""The twelfth invariant: a merge in a process of its own, killed at any moment and run again."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from random import Random
from typing import Any

from headwater.errors import HeadwaterError
from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.check import Outcome, Trial, Verdict
from headwater.testing.conformance.history.compare import differing
from headwater.testing.conformance.history.entity import THING, put, seen, told, versions
from headwater.testing.conformance.history.oracle import Seen
from headwater.testing.conformance.tenants import Ground
from headwater.warehouse.base import Warehouse

OPENED, MERGED = "opened", "merged"
"""What the process says on its standard output, a line each."""

LIVES = 0.08
"""A kill costs the start of a process: so few of them for each example of other lines."""

_KEYS = 400
_WHAT = "a merge that is killed at any moment and run again ends in the same history"


def before(number: int) -> list[Seen]:
    """What is there when the process is killed for the `number`-th time."""
    return [seen(f"p:{number}.{key}", 10, name="old", size=key) for key in range(_KEYS)]


def arriving(number: int) -> list[Seen]:
    """What the process merges: late news, newer news, and keys that are new."""
    late = [seen(f"p:{number}.{key}", 5, name="older", note="x") for key in range(0, _KEYS, 3)]
    gone = [seen(f"p:{number}.{key}", 30, "D") for key in range(0, _KEYS, 7)]
    return late + gone + [seen(f"p:{number}.{key}", 20, name="new") for key in range(0, _KEYS + _KEYS // 4, 2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """The line of the corpus that kills.

    The first merge is let live, to see how long it takes. The moments of the others are drawn; what the process does at
    such a moment is the machine's to say, so that no seed brings a failure back for sure.
    """

    name: str = "12"
    promise: str = _WHAT

    def run(self, ground: Ground, trial: Trial) -> Verdict:
        """Kill some merges."""
        began = trial.clock.monotonic()
        if ground.start is None:
            return self._verdict("skipped", 0, 0.0, reason=ground.alone)
        chance, longest, difference, kills = Random(f"{trial.seed} {self.name}"), 0.0, "", 0
        for number in range(max(3, trial.share(LIVES)) + 1):
            if trial.stop() or difference:
                break
            kills += number > 0
            moment = chance.uniform(0, longest) if number else None
            took, difference = _lived(ground, trial, number, moment)
            longest = longest if number else took
        seconds = trial.clock.monotonic() - began
        if difference:
            ground.abandon()
            return self._verdict("failed", kills, seconds, difference=difference)
        if not kills:
            return self._verdict("skipped", 0, seconds, reason="stopped before its turn")
        return self._verdict("held", kills, seconds)

    def _verdict(self, outcome: Outcome, kills: int, seconds: float, **said: str) -> Verdict:
        return Verdict(
            name=self.name, promise=self.promise, outcome=outcome, examples=kills, seconds=round(seconds, 3), **said
        )


def _lived(ground: Ground, trial: Trial, number: int, moment: float | None) -> tuple[float, str]:
    try:
        return _life(ground, trial, number, moment)
    except HeadwaterError as error:
        return 0.0, f"after a kill the warehouse could not go on\n{error}"


def _life(ground: Ground, trial: Trial, number: int, moment: float | None) -> tuple[float, str]:
    """One life of the process: how long it worked, and how what it left is wrong."""
    warehouse = ground.shared("killed", lambda made: migrate_tables(made, THING))
    put(warehouse, before(number))
    tenant = warehouse.tenant
    ground.let_go(tenant)
    took, complaint = _struck(ground, trial, tenant, number, moment)
    if complaint:
        return took, complaint
    again = ground.again(tenant)
    left = _neither(again, number)
    if left:
        return took, f"killed {took:.3f} s into its merge, it left neither what was there before nor the whole\n{left}"
    put(again, arriving(number))
    rerun = differing(again, [*before(number), *arriving(number)])
    return took, f"killed {took:.3f} s into its merge and run again\n{rerun}" if rerun else ""


def _struck(ground: Ground, trial: Trial, tenant: str, number: int, moment: float | None) -> tuple[float, str]:
    """Let the process merge, and kill it at a moment; None: let it live. How long it worked, and what it complained of."""
    assert ground.start is not None
    with ground.start(tenant, number) as process:
        try:
            if _line(process) != OPENED:
                return 0.0, f"the process that merges did not open the warehouse\n{_complaint(process)}"
            began = trial.clock.monotonic()
            if moment is not None:
                trial.clock.sleep(moment)
            elif _line(process) != MERGED:
                return 0.0, f"the process that merges failed\n{_complaint(process)}"
            return trial.clock.monotonic() - began, ""
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout else ""


def _complaint(process: subprocess.Popen[str]) -> str:
    return process.stderr.read().strip() if process.stderr else ""


def _neither(warehouse: Warehouse, number: int) -> str:
    """How the tables differ from those before and from those after; empty where they are one of the two."""
    start, whole = before(number), [*before(number), *arriving(number)]
    keys = {event.key for event in whole}
    # In a transaction, so that an engine with a server waits until that has undone what was cut short.
    with warehouse.transaction():
        found = _sorted(versions(warehouse, keys=keys))
    if found in (_sorted(told(start)), _sorted(told(whole))):
        return ""
    return differing(warehouse, whole)


def _sorted(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))
