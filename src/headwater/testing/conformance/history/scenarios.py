"""The scenarios of history. `Arrives:` is a batch (`...` is a column it does not have), `Then:` the versions afterwards."""

from __future__ import annotations

import re
from typing import Any

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.compare import NAMES
from headwater.testing.conformance.history.entity import THING, make_event, merge_events, read_versions
from headwater.testing.conformance.history.oracle import OPEN, Event
from headwater.testing.conformance.scenario import Scenario, ScenarioCheck, Step, load_scenarios
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.testing.tables import find_mismatch, parse_table
from headwater.warehouse.base import Warehouse

_WRITES = re.compile(
    r"Arrives(?P<news> as news)?(?P<ordered> in order)?(?:, and writes (\d+) versions? in the place of (\d+))?:"
)

SCENARIOS = load_scenarios("history")
"""The scenarios, in their order."""


def run_scenario(warehouse: Warehouse, scenario: Scenario, *, prefix: str = "") -> str:
    """The difference from the expected result; empty if there is none.

    Keys get a prefix, so that scenarios can share a warehouse.
    """
    keys: set[str] = set()
    for step in scenario.steps:
        if match := _WRITES.fullmatch(step.sentence):
            events = _parse_events(step, prefix)
            keys |= {event.key for event in events}
            difference = _check_writes(warehouse, events, match)
        elif step.sentence == "Then:":
            difference = _find_mismatch(warehouse, step.table, keys, prefix)
        else:
            raise step.build_unknown_error()
        if difference:
            return f"{step.sentence}\n{difference}"
    return ""


def _parse_events(step: Step, prefix: str) -> list[Event]:
    return [_parse_event(row, prefix) for row in parse_table(step.table)]


def _parse_event(row: dict[str, Any], prefix: str) -> Event:
    """One row: `at` is the instant, `seen` the time of the observation, `place` the place in the read, `by` the source."""
    operation = row.pop("op", "U")
    place = row.pop("place", 0) if operation in {"U", "D"} else -1
    source, observed = f"shop.{row.pop('by', 'things')}", row.pop("seen", 0)
    key, sequence, batch = f"{prefix}{row.pop('key')}", row.pop("at"), row.pop("batch", "b")
    return make_event(key, sequence, operation, batch, source=source, observed=observed, place=place, **row)


def _check_writes(warehouse: Warehouse, events: list[Event], match: re.Match[str]) -> str:
    result = merge_events(warehouse, events, in_order=bool(match["ordered"]))
    if match["news"] and result.events != len(events):
        return f"{len(events)} events are new, and the merge found {result.events}"
    if match[3] and (result.inserted, result.deleted) != (int(match[3]), int(match[4])):
        return f"wrote {result.inserted} versions in the place of {result.deleted}"
    return ""


def _find_mismatch(warehouse: Warehouse, table: str, keys: set[str], prefix: str) -> str:
    rows = [dict(zip(NAMES, row, strict=True)) for row in read_versions(warehouse, keys=keys)]
    for row in rows:
        row["key"] = row["key"].removeprefix(prefix)
        row["to"] = "open" if row["to"] == OPEN else row["to"]
    return find_mismatch(table, rows)


def _run_in_shared_tenant(tenants: SelfTestTenants, scenario: Scenario) -> str:
    warehouse = tenants.open_shared_tenant("history", lambda created: migrate_tables(created, THING))
    return run_scenario(warehouse, scenario, prefix=f"p:{tenants.take_number()}.")


HISTORY_SCENARIOS = ScenarioCheck(
    name="drawn-history",
    promise="the hard cases of history, drawn",
    scenarios=SCENARIOS,
    run_scenario=_run_in_shared_tenant,
)
"""The check that runs them."""
