"""How the history of an entity comes about, as the SQL that makes it."""

from __future__ import annotations

from headwater.model.entity import Entity
from headwater.silver.schema.tables import get_history_columns
from headwater.temporal.fold import fold_sql, group_carried
from headwater.temporal.sql import format_known_columns


def explain(entity: Entity) -> tuple[str, ...]:
    """The SQL that makes versions of the log of `entity`: the whole history as one query.

    A merge runs it for the keys that something arrived for, and takes a shorter way to the same rows where it can.
    """
    shape = get_history_columns(entity)
    lists = [entity.list_known_columns(source) for source in entity.sources.values()]
    known = [
        format_known_columns(()),
        *(None if columns is None else format_known_columns(columns) for columns in lists),
    ]
    carried = group_carried(shape, known)
    return (fold_sql(f'silver."{entity.entity}_log"', shape, carried=carried, sources=tuple(entity.sources)),)
