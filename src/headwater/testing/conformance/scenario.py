"""Scenarios: Markdown that people read and the suite runs. Each heading is a scenario, each paragraph a step of it.

The modules that run them (`history.scenarios`, `star.scenarios`) define the sentences. A sentence that they do not know is an
error, so that a step with a typo is not left out. Remarks begin with `>`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from headwater.testing.conformance.check import CheckResult, SelfTestOptions
from headwater.testing.conformance.tenants import SelfTestTenants


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A sentence, and the table below it."""

    sentence: str
    table: str = ""

    def build_unknown_error(self) -> ValueError:
        """The error for a sentence that has no implementation."""
        return ValueError(f"no step is called: {self.sentence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A difficult case: what happens, step by step, and the expected result."""

    name: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n\n".join(f"{step.sentence}\n\n{step.table}".strip() for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCheck:
    """A check that runs all scenarios of a file."""

    name: str
    promise: str
    scenarios: tuple[Scenario, ...]
    run_scenario: Callable[[SelfTestTenants, Scenario], str]
    """The expected and the actual result of a scenario; empty if they are the same."""

    def run(self, tenants: SelfTestTenants, options: SelfTestOptions) -> CheckResult:
        """Run the scenarios until one fails."""
        start, count, example, difference = options.clock.monotonic(), 0, "", ""
        for scenario in self.scenarios:
            if options.stop() or difference:
                break
            count += 1
            example, difference = f"{scenario.name}\n\n{scenario}", self._find_difference(tenants, scenario)
        return CheckResult(
            name=self.name,
            promise=self.promise,
            outcome="failed" if difference else "passed" if count else "skipped",
            examples=count,
            seconds=round(options.clock.monotonic() - start, 3),
            reason="" if count else "stopped before its turn",
            example=example if difference else "",
            difference=difference,
        )

    def _find_difference(self, tenants: SelfTestTenants, scenario: Scenario) -> str:
        return tenants.describe_failure(lambda: self.run_scenario(tenants, scenario))


def load_scenarios(name: str) -> tuple[Scenario, ...]:
    """The scenarios of a file of this package."""
    text = (files("headwater.testing.conformance") / "scenarios" / f"{name}.md").read_text(encoding="utf-8")
    parts = text.split("\n## ")[1:]
    return tuple(_parse_scenario(*part.split("\n", 1)) for part in parts)


def _parse_scenario(name: str, text: str) -> Scenario:
    steps: list[Step] = []
    for part in filter(None, (part.strip() for part in text.split("\n\n"))):
        if part.startswith(">"):
            continue
        if part.startswith("|"):
            steps[-1] = Step(sentence=steps[-1].sentence, table=part)
        else:
            steps.append(Step(sentence=part))
    return Scenario(name=name.strip(), steps=tuple(steps))
