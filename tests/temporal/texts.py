"""All SQL texts of `headwater.temporal`, for one schema with all kinds of columns."""

from __future__ import annotations

from headwater.temporal.append import append_sql, first_versions_sql
from headwater.temporal.asof import coverage_sql, valid_at_sql
from headwater.temporal.coalesce import coalesce_sql
from headwater.temporal.event_hash import event_hash_sql
from headwater.temporal.fold import HistoryColumns, fold_sql
from headwater.temporal.keys import entity_key_sql, hash60_sql

SHAPE = HistoryColumns(columns=("ticket_id", "status", "hours", "note"), overwritten=("note",))
KNOWN = {"ticket_id": "bigint", "status": "text", "hours": "double", "paid": "boolean", "at": "timestamp", "on": "date"}

TEXTS = {
    "fold": fold_sql("events", SHAPE),
    "fold_partial": fold_sql("events", SHAPE, carried=(("status",), ("hours",))),
    "step": append_sql("last", "events", SHAPE),
    "step_partial": append_sql("last", "events", SHAPE, partly_known=("status", "note")),
    "first_step": first_versions_sql("events", SHAPE, unless="n.entity_key IN (SELECT entity_key FROM stored)"),
    "coalesced": coalesce_sql("versions", key="entity_key", columns=("status",), firsts=("batch_id",)),
    "covering": coverage_sql("versions", key="entity_key", columns=("status",)),
    "valid_at": valid_at_sql("versions", columns=("entity_key", "status"), at="TIMESTAMP '2026-01-01 00:00:00'"),
    "event_hash": f"SELECT {event_hash_sql('operation', KNOWN)} AS hash FROM taken",
    "entity_key": f"SELECT {entity_key_sql('psa', ('a', 'b'))} AS entity_key, {hash60_sql('a')} AS key_hash FROM taken",
}
