"""The entity that history is tried on: events put into a warehouse, and versions read out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headwater.model.entity import Entity
from headwater.names import quote, quote_literal
from headwater.silver.merge.merge import merge
from headwater.silver.merge.result import MergeResult
from headwater.testing.conformance.history.oracle import Event, build_history
from headwater.warehouse.base import TableColumn, Warehouse
from headwater.warehouse.stage_rows import stage_rows

THING = Entity.model_validate(
    {
        "entity": "thing",
        "key": "thing_id",
        "columns": {
            "thing_id": "text",
            "name": "text",
            "size": "bigint",
            "note": {"type": "text", "history": "overwrite"},
        },
        "sources": {
            name: {"map": {"thing_id": "id", "name": "name", "size": "size", "note": "note"}}
            for name in ("shop.things", "shop.others")
        },
    }
)
"""Two columns that make versions, and one that is overwritten; two sources tell of it."""

COLUMNS = tuple(THING.columns)
"""Its columns."""

WIDER = Entity.model_validate(
    {
        **THING.model_dump(),
        "columns": {
            **{name: column.model_dump() for name, column in THING.columns.items()},
            "colour": {"type": "text"},
        },
        "on_schema_change": "from_now",
    }
)
"""The same, declared with one more column."""


def make_event(
    key: str,
    sequence: int,
    operation: str = "U",
    batch: str = "b",
    *,
    source: str = "shop.things",
    observed: int = 0,
    place: int = 0,
    **values: Any,
) -> Event:
    """An event as a source would send it; its hash is a function of what it says."""
    known = {"thing_id": key, **values} if operation == "U" else {}
    text = hashlib.md5(repr(sorted(known.items())).encode(), usedforsecurity=False).hexdigest()
    return Event(key, sequence, operation, known, text, batch, source, observed, place)


def stage_events(warehouse: Warehouse, events: Sequence[Event], entity: Entity = THING) -> str:
    """The events as a staged relation, as a merge takes them."""
    columns = tuple(entity.columns)
    types = event_columns({name: column.type for name, column in entity.columns.items()})
    rows = [
        {
            "entity_key": e.key, "sequence": e.sequence, "operation": e.operation, "source": e.source,
            **{name: e.values.get(name) for name in columns},
            "known_columns": _known_columns(e, columns), "hash": e.hash, "stamp": e.sequence,
            "observed": e.observed, "place": e.place, "batch_id": e.batch,
        }
        for e in events
    ]  # fmt: skip
    return stage_rows(warehouse, "arrived", types, rows)


def event_columns(values: Mapping[str, str]) -> list[TableColumn]:
    """The columns of staged events, with those that carry `values`, by name with their types."""
    types = {"entity_key": "text", "sequence": "bigint", "operation": "text", "source": "text", **values}
    types |= {"known_columns": "text", "hash": "text", "stamp": "bigint"}
    types |= {"observed": "bigint", "place": "bigint", "batch_id": "text"}
    return [TableColumn(name=name, dtype=dtype) for name, dtype in types.items()]


def merge_events(
    warehouse: Warehouse, events: Sequence[Event], entity: Entity = THING, *, in_order: bool = False
) -> MergeResult:
    """Merge events."""
    return merge(warehouse, entity, stage_events(warehouse, events, entity), in_order=in_order)


def read_versions(warehouse: Warehouse, entity: Entity = THING, *, keys: Iterable[str] = ()) -> list[tuple[Any, ...]]:
    """The stored versions, told as the oracle tells them; of these keys alone, if any are named."""
    columns = ", ".join(quote(name) for name in entity.columns)
    return warehouse.rows(
        f"SELECT entity_key, {columns}, epoch_us(valid_from), epoch_us(valid_to), is_current, version_number, batch_id "
        f"FROM silver.{quote(entity.entity)} WHERE {among_condition('entity_key', keys)} ORDER BY entity_key, version_number"
    )


def expected_versions(events: Iterable[Event], entity: Entity = THING) -> list[tuple[Any, ...]]:
    """The versions as they should be."""
    return build_history(events, tuple(entity.columns), entity.overwritten)


def among_condition(column: str, values: Iterable[str]) -> str:
    """SQL of whether a text is one of some; true when none are named."""
    named = ", ".join(quote_literal(value) for value in sorted(values))
    return f"{column} IN ({named})" if named else "TRUE"


def _known_columns(event: Event, columns: Sequence[str]) -> str | None:
    if event.operation == "U" and all(name in event.values for name in columns):
        return None
    return "," + "".join(f"{name}," for name in columns if name in event.values)
