"""The drawn cases of history. `Arrives:` is a batch (`...` is a column it does not know), `Then:` the versions afterwards."""

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

SHEET = load_scenarios("history")
"""The cases."""


def run_scenario(warehouse: Warehouse, drawing: Scenario, *, keys: str = "") -> str:
    """How a case comes out otherwise than it is drawn; its keys begin with `keys`, so that cases can share a warehouse."""
    used: set[str] = set()
    for step in drawing.steps:
        if found := _WRITES.fullmatch(step.says):
            events = _parse_events(step, keys)
            used |= {event.key for event in events}
            wrong = _check_writes(warehouse, events, found)
        elif step.says == "Then:":
            wrong = _find_mismatch(warehouse, step.table, used, keys)
        else:
            raise step.unknown()
        if wrong:
            return f"{step.says}\n{wrong}"
    return ""


def _parse_events(step: Step, keys: str) -> list[Event]:
    return [_parse_event(row, keys) for row in parse_table(step.table)]


def _parse_event(row: dict[str, Any], keys: str) -> Event:
    """One line: `at` is its instant, `seen` when it was observed, `place` where in that read, `by` which source said so."""
    operation = row.pop("op", "U")
    place = row.pop("place", 0) if operation in {"U", "D"} else -1
    source, observed = f"shop.{row.pop('by', 'things')}", row.pop("seen", 0)
    key, sequence, batch = f"{keys}{row.pop('key')}", row.pop("at"), row.pop("batch", "b")
    return make_event(key, sequence, operation, batch, source=source, observed=observed, place=place, **row)


def _check_writes(warehouse: Warehouse, events: list[Event], said: re.Match[str]) -> str:
    done = merge_events(warehouse, events, in_order=bool(said["ordered"]))
    if said["news"] and done.events != len(events):
        return f"{len(events)} events are news, and {done.events} were taken for it"
    if said[3] and (done.inserted, done.deleted) != (int(said[3]), int(said[4])):
        return f"wrote {done.inserted} versions in the place of {done.deleted}"
    return ""


def _find_mismatch(warehouse: Warehouse, picture: str, used: set[str], keys: str) -> str:
    rows = [dict(zip(NAMES, row, strict=True)) for row in read_versions(warehouse, keys=used)]
    for row in rows:
        row["key"] = row["key"].removeprefix(keys)
        row["to"] = "open" if row["to"] == OPEN else row["to"]
    return find_mismatch(picture, rows)


def _run_in_shared_tenant(ground: SelfTestTenants, drawing: Scenario) -> str:
    warehouse = ground.shared_tenant("history", lambda made: migrate_tables(made, THING))
    return run_scenario(warehouse, drawing, keys=f"p:{ground.next_number()}.")


HISTORY_DRAWN = ScenarioCheck(
    name="drawn-history",
    promise="the hard cases of history, drawn",
    scenarios=SHEET,
    run_scenario=_run_in_shared_tenant,
)
"""The line that runs them."""
