"""Which lines of a batch say something of one thing: from a version back to the records it was made of."""

from __future__ import annotations

from headwater.model.entity import Entity
from headwater.names import literal, quote
from headwater.silver.observe import cast, key_of, records, sequence_of, stamp_of
from headwater.silver.reading import Arrival, Reading
from headwater.warehouse.base import Warehouse


def lines_about(
    warehouse: Warehouse, entity: Entity, reading: Reading, arrival: Arrival, *, key: str
) -> list[tuple[int, int]]:
    """(sequence, line in raw) of each record of a batch that is about the entity key, in order."""
    if not arrival.files:
        return []
    values = ", ".join(f"{reading.columns[name]} AS {quote(name)}" for name in entity.key)
    stored = {row[0]: row[1] for row in warehouse.rows(f"DESCRIBE SELECT {values} FROM {records(arrival)}")}
    taken = ", ".join(
        f"{cast(reading.columns[name], entity.columns[name].type, stored[name])} AS {quote(name)}"
        for name in entity.key
    )
    inner = f"SELECT {taken}, {stamp_of(reading)} AS _stamp, _line\nFROM {records(arrival)}"
    own = key_of(entity, arrival, {name: quote(name) for name in entity.key})
    found = warehouse.rows(
        f"SELECT {sequence_of(arrival)} AS sequence, _line\n"
        f"FROM ({inner}) AS taken WHERE {own} = {literal(key)} ORDER BY sequence, _line"
    )
    return [(int(sequence), int(line)) for sequence, line in found]
