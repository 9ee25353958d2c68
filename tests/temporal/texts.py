"""Every SQL text of the room, in one shape that is large enough to show everything."""

from __future__ import annotations

from headwater.temporal.append import first_step, step
from headwater.temporal.asof import covering, last_at_or_before, valid_at
from headwater.temporal.coalesce import coalesced
from headwater.temporal.event_hash import event_hash
from headwater.temporal.fold import Shape, fold
from headwater.temporal.keys import entity_key, hash60
from headwater.temporal.split import Side, timeline

SHAPE = Shape(columns=("ticket_id", "status", "hours", "note"), overwritten=("note",))
KNOWN = {"ticket_id": "bigint", "status": "text", "hours": "double", "paid": "boolean", "at": "timestamp", "on": "date"}

TEXTS = {
    "fold": fold("events", SHAPE),
    "fold_partial": fold("events", SHAPE, carried=(("status",), ("hours",))),
    "step": step("last", "events", SHAPE),
    "step_partial": step("last", "events", SHAPE, unsure=("status", "note")),
    "first_step": first_step("events", SHAPE, unless="n.entity_key IN (SELECT entity_key FROM stored)"),
    "coalesced": coalesced("versions", key="entity_key", columns=("status",), firsts=("batch_id",)),
    "timeline": timeline(
        Side(relation="tickets", key="entity_key", columns=("status",)),
        Side(relation="companies", key="company_key", columns=("city",)),
        on="company",
    ),
    "covering": covering("versions", key="entity_key", columns=("status",)),
    "valid_at": valid_at("versions", columns=("entity_key", "status"), at="TIMESTAMP '2026-01-01 00:00:00'"),
    "last_at_or_before": last_at_or_before(
        "versions", key="entity_key", columns=("status",), probes="facts", at="happened_at"
    ),
    "event_hash": f"SELECT {event_hash('operation', KNOWN)} AS hash FROM taken",
    "entity_key": f"SELECT {entity_key('psa', ('a', 'b'))} AS entity_key, {hash60('a')} AS key_hash FROM taken",
}
