"""Writes rows to Postgres by COPY, and converts fetched rows to Arrow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.warehouse.base import ArrowStream
from headwater.warehouse.postgres.ddl import TYPES

_CHUNK = 50_000
"""Rows that are converted to CSV at a time."""

_ARROW: dict[str, Any] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
    "varchar": pa.string(),
    "name": pa.string(),
}


def open_reader(rows: ArrowStream) -> pa.RecordBatchReader:
    """Return a stream of rows as record batches."""
    return pa.RecordBatchReader.from_stream(rows)


def columns_sql(schema: pa.Schema) -> str:
    """The columns of an Arrow schema for CREATE TABLE."""
    return ", ".join(f"{quote(field.name)} {_type_sql(field)}" for field in schema)


def _type_sql(field: Any) -> str:
    kind = field.type
    if pa.types.is_decimal(kind):
        return f"NUMERIC({kind.precision}, {kind.scale})"
    checks = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_int64, "bigint"),
        (pa.types.is_uint32, "bigint"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "double"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp"),
    )
    return TYPES[next((dtype for check, dtype in checks if check(kind)), "text")]


def write_csv(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """Convert record batches to CSV, in which NULL is empty and the empty text is quoted."""
    options = arrow_csv.WriteOptions(include_header=False)
    for batch in batches:
        for start in range(0, batch.num_rows, _CHUNK):
            buffer = io.BytesIO()
            arrow_csv.write_csv(batch.slice(start, _CHUNK), buffer, write_options=options)
            text = buffer.getvalue()
            if b"\0" in text:
                raise WarehouseError(
                    "Postgres cannot store the character U+0000, and a text contains it",
                    where="the incoming rows",
                    details=_extract_context(text, text.index(b"\0")),
                    hint="remove the field from the entity's map, or use a warehouse that can store it",
                )
            yield text


def _extract_context(text: bytes, position: int) -> str:
    return repr(text[max(position - 60, 0) : position + 20])


def build_arrow_table(names: list[str], types: list[str], rows: list[tuple[Any, ...]]) -> pa.Table:
    """Convert fetched rows to a pyarrow Table. `types` are the types of the columns in Postgres."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    arrays = [_to_array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.Table.from_arrays(arrays, names=names)


def _to_array(values: Iterable[Any], kind: str) -> Any:
    items = list(values)
    if kind == "numeric":
        return pa.array(items) if any(value is not None for value in items) else pa.nulls(len(items))
    if kind in _ARROW:
        return pa.array(items, _ARROW[kind])
    return pa.array([None if value is None else str(value) for value in items], pa.string())
