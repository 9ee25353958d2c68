"""The smallest scenario that goes wrong as a random one does: `python -m tests.e2e.hostile.shrink SEED`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from tests.e2e.hostile.runner import ScenarioLog, run_scenario
from tests.e2e.hostile.scenario import QUIET, Scenario, draw


def attempt(scenario: Scenario) -> ScenarioLog:
    """Run the scenario in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return run_scenario(scenario, Path(folder) / "project")


def list_smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Scenarios with one thing less."""
    weathers = scenario.weathers
    for place in range(len(weathers)):
        yield replace(scenario, weathers=weathers[:place] + weathers[place + 1 :])
    for place, weather in enumerate(weathers):
        if weather != QUIET:
            yield replace(scenario, weathers=(*weathers[:place], QUIET, *weathers[place + 1 :]))
    for kind in scenario.kinds:
        if len(scenario.kinds) > 1:
            yield replace(scenario, kinds=tuple(one for one in scenario.kinds if one != kind))
    if scenario.changes > 1:
        yield replace(scenario, changes=scenario.changes // 2)
    if scenario.records > 4:
        yield replace(scenario, records=scenario.records // 2)
    for place, weather in enumerate(weathers):
        for name in (one.name for one in fields(weather)):
            if getattr(weather, name) != getattr(QUIET, name):
                calmer = replace(weather, **{name: getattr(QUIET, name)})
                yield replace(scenario, weathers=(*weathers[:place], calmer, *weathers[place + 1 :]))


def shrink(scenario_log: ScenarioLog) -> ScenarioLog:
    """The smallest scenario that still goes wrong in the way of the first fault."""
    kind = scenario_log.faults[0].partition(":")[0]
    again = True
    while again:
        again = False
        for scenario in list_smaller(scenario_log.scenario):
            smaller = attempt(scenario)
            if any(fault.startswith(kind) for fault in smaller.faults):
                scenario_log, again = smaller, True
                break
    return scenario_log


if __name__ == "__main__":
    first = attempt(draw(int(sys.argv[1])))
    print(shrink(first) if first.faults else "nothing is wrong")
