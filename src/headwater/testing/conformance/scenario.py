"""Sheets of drawn cases: Markdown that people read and the corpus runs. Each heading is a case, each paragraph a step of it.

Which sentences there are is for those who run the sheet to say (`history_drawn`, `star_drawn`), and any other is refused: a step
with a slip of the pen in it must not hold by being left out. Remarks begin with `>`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from headwater.errors import HeadwaterError
from headwater.testing.conformance.check import CheckResult, SelfTestOptions
from headwater.testing.conformance.tenants import SelfTestTenants


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One sentence, and the table drawn below it."""

    says: str
    table: str = ""

    def unknown(self) -> ValueError:
        """What to raise where this sentence means nothing."""
        return ValueError(f"nobody carries out: {self.says}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A hard case: what happens, step by step, and what is there afterwards."""

    name: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n\n".join(f"{step.says}\n\n{step.table}".strip() for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCheck:
    """A line of the corpus that runs a sheet."""

    name: str
    promise: str
    scenarios: tuple[Scenario, ...]
    run_scenario: Callable[[SelfTestTenants, Scenario], str]
    """How a drawn case comes out otherwise; empty where it does not."""

    def run(self, ground: SelfTestTenants, trial: SelfTestOptions) -> CheckResult:
        """Try every case, up to the first that fails."""
        began, tried, failed = trial.clock.monotonic(), 0, ("", "")
        for drawing in self.scenarios:
            if trial.stop() or failed[1]:
                break
            tried += 1
            failed = (f"{drawing.name}\n\n{drawing}", self._find_difference(ground, drawing))
        return CheckResult(
            name=self.name,
            promise=self.promise,
            outcome="failed" if failed[1] else "held" if tried else "skipped",
            examples=tried,
            seconds=round(trial.clock.monotonic() - began, 3),
            reason="" if tried else "stopped before its turn",
            example=failed[0] if failed[1] else "",
            difference=failed[1],
        )

    def _find_difference(self, ground: SelfTestTenants, drawing: Scenario) -> str:
        try:
            difference = self.run_scenario(ground, drawing)
        except HeadwaterError as error:
            difference = str(error)
        except Exception as error:  # noqa: BLE001 - an engine's own error, of whatever kind: it broke the promise
            difference = f"{type(error).__name__}: {error}"
        if difference:
            ground.abandon()
        return difference


def load_scenarios(name: str) -> tuple[Scenario, ...]:
    """The cases of a sheet that ships with the corpus."""
    text = (files("headwater.testing.conformance") / "drawings" / f"{name}.md").read_text(encoding="utf-8")
    parts = text.split("\n## ")[1:]
    return tuple(_parse_scenario(*part.split("\n", 1)) for part in parts)


def _parse_scenario(name: str, text: str) -> Scenario:
    steps: list[Step] = []
    for part in filter(None, (part.strip() for part in text.split("\n\n"))):
        if part.startswith(">"):
            continue
        if part.startswith("|"):
            steps[-1] = Step(says=steps[-1].says, table=part)
        else:
            steps.append(Step(says=part))
    return Scenario(name=name.strip(), steps=tuple(steps))
