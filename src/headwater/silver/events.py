"""Records of bronze as events of an entity: SQL text."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import timedelta

from headwater.clock import to_micros
from headwater.dtypes import DUCKDB, render_dtype
from headwater.model.entity import Entity
from headwater.names import quote, quote_literal
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.temporal.event_hash import event_hash_sql
from headwater.temporal.keys import entity_key_sql
from headwater.temporal.sql import FOREVER, format_known_columns, micros_sql

STAMP_TOLERANCE = timedelta(minutes=5)
"""So much later than its own read a stamp may be: by so much clocks differ, and beyond it the stamp is not believed."""

_ALWAYS_FITS = {
    "text": ("VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "UUID", "DECIMAL", "ENUM"),
    "json": ("VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "UUID", "DECIMAL", "ENUM"),
    "bigint": ("INTEGER", "SMALLINT", "TINYINT", "BOOLEAN"),
    "double": ("INTEGER", "BIGINT", "SMALLINT", "TINYINT", "FLOAT", "DECIMAL"),
    "timestamp": ("DATE", "TIMESTAMP WITH TIME ZONE"),
}
"""Stored types whose every value fits a declared one, so that nobody needs to look."""


def records_sql(landed: LandedBatch) -> str:
    """The relation of a batch's records in bronze."""
    files = ", ".join(quote_literal(file) for file in landed.files)
    return f"read_parquet([{files}], union_by_name = true)"


def cast_sql(value: str, dtype: str, stored: str) -> str:
    """`value` (of the stored type) as a declared type; NULL where it does not fit.

    Texts of instants go by way of a zoned type: cast at once, DuckDB would drop their offset. Nested values become JSON;
    of which type they are stands there too, for engines that have to spell that text themselves.
    """
    if dtype in {"text", "json"} and _is_nested(stored):
        return f"CAST(TO_JSON(CAST({value} AS {stored})) AS VARCHAR)"
    if dtype == "timestamp" and stored != "TIMESTAMP":
        return f"CAST(TRY_CAST({value} AS TIMESTAMP WITH TIME ZONE) AS TIMESTAMP)"
    wanted = render_dtype(dtype, DUCKDB)
    return f"({value})" if stored == wanted else f"TRY_CAST({value} AS {wanted})"


def _is_nested(stored: str) -> bool:
    return stored.endswith("]") or stored.startswith(("STRUCT", "MAP"))


def can_mismatch(dtype: str, stored: str) -> bool:
    """Whether a value of the stored type may not be one of the declared type."""
    if stored == render_dtype(dtype, DUCKDB):
        return False
    return not (
        (_is_nested(stored) and dtype in {"text", "json"})
        or stored.split("(", maxsplit=1)[0] in _ALWAYS_FITS.get(dtype, ())
    )


def rounds_sql(value: str, dtype: str, stored: str) -> str | None:
    """Whether a declared number has fewer digits than the value that it is made of (SQL); None where it never has.

    What an expression works out is rounded to the type that its author chose. A field that is taken as it is should keep
    every digit.
    """
    if not (dtype.startswith("decimal") or dtype in {"bigint", "integer"}) or not _is_column(value):
        return None
    exact = "DOUBLE" if stored in {"DOUBLE", "FLOAT"} else "DECIMAL(38, 18)"
    return f"TRY_CAST({value} AS {exact}) <> TRY_CAST({cast_sql(value, dtype, stored)} AS {exact})"


def _is_column(value: str) -> bool:
    # The parser takes time to import, and only values whose stored type differs from the declared one need it.
    return bool(importlib.import_module("headwater.silver.expression_columns").is_column(value))


def typed_columns_sql(entity: Entity, mapping: SourceMapping, stored: Mapping[str, str]) -> dict[str, str]:
    """Each column that the source knows, as SQL of its declared type; `stored` says what the expressions give."""
    return {
        name: cast_sql(mapping.columns[name], column.type, stored[name])
        for name, column in entity.columns.items()
        if name in mapping.columns
    }


def key_sql(entity: Entity, landed: LandedBatch, values: Mapping[str, str]) -> str:
    """The entity key of a record in SQL; NULL where a part of it is."""
    return entity_key_sql(landed.batch.feed.connection, [values[name] for name in entity.key])


def select_events(entity: Entity, mapping: SourceMapping, landed: LandedBatch, stored: Mapping[str, str]) -> str:
    """The events that a batch's records are.

    The result has the columns of the log without `first_observed` and `key_hash`, and `_unstamped`: no stamp that can be
    believed, so that the read's own instant stands for it. `_outside`: the record does not fit the source's condition, so
    that the source shows the thing no more (an absence with the place of its record). A record without a key gives an event
    whose `entity_key` is NULL.
    """
    values = typed_columns_sql(entity, mapping, stored)
    known = {name: column.type for name, column in entity.columns.items() if name in values}
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in values.items())
    outside = f"CASE WHEN {mapping.where} THEN FALSE ELSE TRUE END" if mapping.where else "FALSE"
    inner = (
        f"SELECT {taken},\n  {stamp_sql(mapping)} AS _stamp, {_operation_sql(mapping)} AS operation, "
        f"{outside} AS _outside, _line\n"
        f"FROM {records_sql(landed)}"
    )
    columns = ", ".join(_column_sql(entity, mapping, name, known) for name in entity.columns)
    says = "CAST(NULL AS VARCHAR)" if len(known) == len(entity.columns) else quote_literal(format_known_columns(known))
    key = key_sql(entity, landed, {name: quote(name) for name in values})
    event_hash = event_hash_sql("operation", known, entity.event_names)
    return (
        f"SELECT {key} AS entity_key,\n"
        f"  {sequence_sql(landed)} AS sequence, operation, {quote_literal(landed.source)} AS source,\n"
        f"  {columns},\n  {_unless_absent_sql(mapping, says, quote_literal(format_known_columns(())))} AS known_columns,\n"
        f"  {_unless_absent_sql(mapping, event_hash, event_hash_sql(quote_literal('A'), {}))} AS hash,\n"
        f"  _stamp AS stamp, CAST({to_micros(landed.read_at)} AS BIGINT) AS observed, CAST(_line AS BIGINT) AS place,\n"
        f"  {quote_literal(landed.batch.id)} AS batch_id, "
        f"(_stamp IS NULL OR _stamp > {_get_latest_stamp(landed)}) AS _unstamped, _outside\n"
        f"FROM ({inner}) AS taken"
    )


def select_presence_events(entity: Entity, landed: LandedBatch, operation: str, keys: str) -> str:
    """The events that say of each key in a relation that it is absent (A) or present (P) in a complete read."""
    nothing = ", ".join(
        f"CAST(NULL AS {render_dtype(column.type, DUCKDB)}) AS {quote(name)}" for name, column in entity.columns.items()
    )
    return (
        f"SELECT entity_key, CAST({to_micros(landed.batch.window.until)} AS BIGINT) AS sequence, "
        f"{quote_literal(operation)} AS operation, {quote_literal(landed.source)} AS source, {nothing}, "
        f"{quote_literal(format_known_columns(()))} AS known_columns, {event_hash_sql(quote_literal(operation), {})} AS hash, "
        "CAST(NULL AS BIGINT) AS stamp, "
        f"CAST({to_micros(landed.read_at)} AS BIGINT) AS observed, CAST(-1 AS BIGINT) AS place, "
        f"{quote_literal(landed.batch.id)} AS batch_id FROM {keys}"
    )


def _column_sql(entity: Entity, mapping: SourceMapping, name: str, known: Mapping[str, str]) -> str:
    nothing = f"CAST(NULL AS {render_dtype(entity.columns[name].type, DUCKDB)})"
    value = _unless_absent_sql(mapping, quote(name), nothing) if name in known else nothing
    return f"{value} AS {quote(name)}"


def _unless_absent_sql(mapping: SourceMapping, value: str, default: str) -> str:
    """`value`, where a source without a condition has no other; what is absent says nothing else."""
    return f"CASE WHEN operation = 'A' THEN {default} ELSE {value} END" if mapping.where else value


def stamp_sql(mapping: SourceMapping) -> str:
    """The change stamp in microseconds; NULL when there is none, or none that a version could begin at."""
    if not mapping.changed_at:
        return "CAST(NULL AS BIGINT)"
    instant = f"CAST(TRY_CAST({mapping.changed_at} AS TIMESTAMP WITH TIME ZONE) AS TIMESTAMP)"
    return f"CASE WHEN {instant} < {FOREVER} THEN {micros_sql(instant)} END"


def sequence_sql(landed: LandedBatch) -> str:
    """As of when a record counts (SQL over its `_stamp`), in microseconds.

    A stamp later than the read can be true of no record that was read: then the read's own instant counts.
    """
    return (
        f"CASE WHEN _stamp IS NULL THEN {to_micros(landed.batch.window.until)} "
        f"WHEN _stamp > {_get_latest_stamp(landed)} THEN {to_micros(landed.read_at)} ELSE _stamp END"
    )


def _get_latest_stamp(landed: LandedBatch) -> int:
    return to_micros(landed.latest_credible + STAMP_TOLERANCE)


def _operation_sql(mapping: SourceMapping) -> str:
    """What a record says: that the thing is gone, that it is as it is told, or that it is none of this source's."""
    gone = f"WHEN {mapping.deleted} THEN 'D' " if mapping.deleted else ""
    fits = f"WHEN {mapping.where} THEN 'U' ELSE 'A'" if mapping.where else "ELSE 'U'"
    return f"CASE {gone}{fits} END" if gone or mapping.where else "'U'"
