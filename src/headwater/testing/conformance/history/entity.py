"""The entity of the history checks: merges events into a warehouse, and reads versions."""

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
"""An entity with two tracked columns, one overwritten column, and two sources."""

COLUMNS = tuple(THING.columns)
"""The columns of `THING`."""

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
"""`THING` with an additional column."""


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
    """An event as a source sends it. Its hash depends only on its values."""
    values = {"thing_id": key, **values} if operation == "U" else {}
    text = hashlib.md5(repr(sorted(values.items())).encode(), usedforsecurity=False).hexdigest()
    return Event(key, sequence, operation, values, text, batch, source, observed, place)


def stage_events(warehouse: Warehouse, events: Sequence[Event], entity: Entity = THING) -> str:
    """Stage events for a merge; the relation."""
    columns = tuple(entity.columns)
    types = list_event_columns({name: column.type for name, column in entity.columns.items()})
    rows = [
        {
            "entity_key": e.key, "sequence": e.sequence, "operation": e.operation, "source": e.source,
            **{name: e.values.get(name) for name in columns},
            "known_columns": _list_known_columns(e, columns), "hash": e.hash, "stamp": e.sequence,
            "observed": e.observed, "place": e.place, "batch_id": e.batch,
        }
        for e in events
    ]  # fmt: skip
    return stage_rows(warehouse, "arrived", types, rows)


def list_event_columns(values: Mapping[str, str]) -> list[TableColumn]:
    """The columns of staged events, with the columns of the entity (name -> type)."""
    types = {"entity_key": "text", "sequence": "bigint", "operation": "text", "source": "text", **values}
    types |= {"known_columns": "text", "hash": "text", "stamp": "bigint"}
    types |= {"observed": "bigint", "place": "bigint", "batch_id": "text"}
    return [TableColumn(name=name, dtype=dtype) for name, dtype in types.items()]


def merge_events(
    warehouse: Warehouse, events: Sequence[Event], entity: Entity = THING, *, in_order: bool = False
) -> MergeResult:
    """Merge events into the warehouse."""
    return merge(warehouse, entity, stage_events(warehouse, events, entity), in_order=in_order)


def read_versions(warehouse: Warehouse, entity: Entity = THING, *, keys: Iterable[str] = ()) -> list[tuple[Any, ...]]:
    """The stored versions, with the columns of the reference implementation. Only those of `keys`, if there are any."""
    columns = ", ".join(quote(name) for name in entity.columns)
    return warehouse.rows(
        f"SELECT entity_key, {columns}, epoch_us(valid_from), epoch_us(valid_to), is_current, version_number, batch_id "
        f"FROM silver.{quote(entity.entity)} WHERE {among_condition('entity_key', keys)} ORDER BY entity_key, version_number"
    )


def build_expected_versions(events: Iterable[Event], entity: Entity = THING) -> list[tuple[Any, ...]]:
    """The versions of the reference implementation."""
    return build_history(events, tuple(entity.columns), entity.overwritten)


def among_condition(column: str, values: Iterable[str]) -> str:
    """SQL condition: whether a text column has one of the values; true if there are no values."""
    literals = ", ".join(quote_literal(value) for value in sorted(values))
    return f"{column} IN ({literals})" if literals else "TRUE"


def _list_known_columns(event: Event, columns: Sequence[str]) -> str | None:
    if event.operation == "U" and all(name in event.values for name in columns):
        return None
    return "," + "".join(f"{name}," for name in columns if name in event.values)
