"""The drawn cases of history. `Arrives:` is a batch (`...` is a column it does not know), `Then:` the versions afterwards."""

from __future__ import annotations

import re
from typing import Any

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.compare import NAMES
from headwater.testing.conformance.history.entity import THING, put, seen, versions
from headwater.testing.conformance.history.oracle import OPEN, Seen
from headwater.testing.conformance.scenario import Drawing, Drawn, Step, sheet
from headwater.testing.conformance.tenants import Ground
from headwater.testing.tables import drawn, mismatch
from headwater.warehouse.base import Warehouse

_WRITES = re.compile(
    r"Arrives(?P<news> as news)?(?P<ordered> in order)?(?:, and writes (\d+) versions? in the place of (\d+))?:"
)

SHEET = sheet("history")
"""The cases."""


def comes_out(warehouse: Warehouse, drawing: Drawing, *, keys: str = "") -> str:
    """How a case comes out otherwise than it is drawn; its keys begin with `keys`, so that cases can share a warehouse."""
    used: set[str] = set()
    for step in drawing.steps:
        if found := _WRITES.fullmatch(step.says):
            events = _events(step, keys)
            used |= {event.key for event in events}
            wrong = _wrote(warehouse, events, found)
        elif step.says == "Then:":
            wrong = _mismatch(warehouse, step.table, used, keys)
        else:
            raise step.unknown()
        if wrong:
            return f"{step.says}\n{wrong}"
    return ""


def _events(step: Step, keys: str) -> list[Seen]:
    return [_event(row, keys) for row in drawn(step.table)]


def _event(row: dict[str, Any], keys: str) -> Seen:
    """One line: `at` is its instant, `seen` when it was observed, `place` where in that read, `by` which source said so."""
    operation = row.pop("op", "U")
    place = row.pop("place", 0) if operation in {"U", "D"} else -1
    source, observed = f"shop.{row.pop('by', 'things')}", row.pop("seen", 0)
    key, sequence, batch = f"{keys}{row.pop('key')}", row.pop("at"), row.pop("batch", "b")
    return seen(key, sequence, operation, batch, source=source, observed=observed, place=place, **row)


def _wrote(warehouse: Warehouse, events: list[Seen], said: re.Match[str]) -> str:
    done = put(warehouse, events, in_order=bool(said["ordered"]))
    if said["news"] and done.events != len(events):
        return f"{len(events)} events are news, and {done.events} were taken for it"
    if said[3] and (done.inserted, done.deleted) != (int(said[3]), int(said[4])):
        return f"wrote {done.inserted} versions in the place of {done.deleted}"
    return ""


def _mismatch(warehouse: Warehouse, picture: str, used: set[str], keys: str) -> str:
    rows = [dict(zip(NAMES, row, strict=True)) for row in versions(warehouse, keys=used)]
    for row in rows:
        row["key"] = row["key"].removeprefix(keys)
        row["to"] = "open" if row["to"] == OPEN else row["to"]
    return mismatch(picture, rows)


def _on_shared_ground(ground: Ground, drawing: Drawing) -> str:
    warehouse = ground.shared("history", lambda made: migrate_tables(made, THING))
    return comes_out(warehouse, drawing, keys=f"p:{ground.number()}.")


HISTORY_DRAWN = Drawn(
    name="drawn-history", promise="the hard cases of history, drawn", drawings=SHEET, differs=_on_shared_ground
)
"""The line that runs them."""
