"""The entity on which the oracle and a warehouse are compared, and how its history is read out of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count

import pyarrow as pa

from headwater.model.entity import Entity
from headwater.silver.schema.migrate import migrate_tables
from headwater.warehouse.base import Warehouse
from tests.grid.engines import Engine
from tests.silver.oracle.event import Event
from tests.silver.oracle.fold import Version

NAMES = ("name", "size", "note")
OVERWRITTEN = ("note",)
WIDGET = Entity.model_validate(
    {
        "entity": "widget",
        "key": "widget_id",
        "columns": {
            "widget_id": "bigint",
            "name": "text",
            "size": "bigint",
            "note": {"type": "text", "history": "overwrite"},
        },
        "sources": {"shop.a": {"map": {}}, "shop.b": {"map": {}}},
    }
)
OPEN_END = 253402214400000000
_COUNT = count(1)
_SCHEMA = {
    "entity_key": pa.string(),
    "sequence": pa.int64(),
    "operation": pa.string(),
    "source": pa.string(),
    "widget_id": pa.int64(),
    "name": pa.string(),
    "size": pa.int64(),
    "note": pa.string(),
    "known_columns": pa.string(),
    "hash": pa.string(),
    "stamp": pa.int64(),
    "observed": pa.int64(),
    "place": pa.int64(),
    "batch_id": pa.string(),
}


@contextmanager
def open_warehouse(engine: Engine) -> Iterator[Warehouse]:
    """A warehouse that nobody has used, and that goes. Each set has a connection of its own there."""
    warehouse = engine.connect(f"o{os.getpid()}-{next(_COUNT)}", False)
    try:
        migrate_tables(warehouse, WIDGET)
        yield warehouse
    finally:
        warehouse.erase()
        warehouse.close()


def hash_values(values: Iterable[tuple[str, object]]) -> str:
    return sha256(repr(tuple(values)).encode()).hexdigest()[:32]


def join_known_columns(event: Event) -> str:
    """The columns that an event knows, as the log names them: its key, too, where it says what the thing is like."""
    known = {"widget_id", *dict(event.values)} if event.operation == "U" else ()
    return "," + "".join(f"{name}," for name in WIDGET.columns if name in known)


def build_row(event: Event) -> dict[str, object]:
    """An event as a merge takes it."""
    values = dict(event.values)
    return {
        **dict.fromkeys(_SCHEMA),
        **values,
        "entity_key": event.key,
        "sequence": event.sequence,
        "operation": event.operation,
        "source": event.source,
        "widget_id": int(event.key.rpartition(":")[2]),
        "known_columns": join_known_columns(event),
        "hash": event.content,
        "stamp": event.stamp,
        "observed": event.observed,
        "place": event.place,
        "batch_id": event.batch,
    }


def stage_events(warehouse: Warehouse, events: Iterable[Event]) -> str:
    """Events as a staged relation."""
    rows = [build_row(event) for event in events]
    arrays = {name: pa.array([row[name] for row in rows], type_) for name, type_ in _SCHEMA.items()}
    return warehouse.stage("oracle_events", pa.table(arrays))


def read_stored(warehouse: Warehouse, connection: str, names: Iterable[str] = NAMES) -> list[tuple]:
    """The stored history of what a connection read: every column."""
    columns = ", ".join(names)
    return warehouse.rows(
        f"SELECT entity_key, {columns}, EPOCH_US(valid_from), EPOCH_US(valid_to), is_current, version_number, batch_id "
        f"FROM silver.widget WHERE entity_key LIKE '{connection}:%' ORDER BY entity_key, version_number"
    )


def to_stored_rows(versions: Iterable[Version], names: Iterable[str] = NAMES) -> list[tuple]:
    """The oracle's history in the same words."""
    names = tuple(names)
    rows = [
        (
            one.key,
            *(dict(one.values).get(name) for name in names),
            one.valid_from,
            OPEN_END if one.valid_to is None else one.valid_to,
            one.is_current,
            one.number,
            one.batch,
        )
        for one in versions
    ]
    return sorted(rows, key=lambda row: (row[0], row[-2]))
