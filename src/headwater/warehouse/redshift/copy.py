"""Loads rows into Redshift: temporary Parquet files in a bucket, which COPY reads."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headwater.errors import StoreError, WarehouseError
from headwater.names import quote, quote_literal
from headwater.storage.url import open_store
from headwater.warehouse.redshift.ddl import TYPES

LONGEST_TEXT = 65_535
"""The maximum length of a text, in bytes."""

_FILE = 64 * 2**20
"""The size of a file's rows in memory, in bytes. COPY reads several files in parallel."""


class CopyStage:
    """The prefix in a bucket that holds a tenant's rows during a COPY."""

    def __init__(self, url: str, tenant: str) -> None:
        self._url, self._tenant = url.rstrip("/"), tenant
        self._store = open_store(self._url)
        self._paths: list[str] = []

    @contextmanager
    def upload(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[tuple[str, int]]:
        """Upload rows below a random address; yield the address and the number of rows. Removes the files afterwards."""
        try:
            yield self._put(batches, schema)
        except BaseException:
            with suppress(StoreError):  # the first error is the one to report
                self._clear()
            raise
        self._clear()

    def _put(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[str, int]:
        folder, rows = f"{self._tenant}/{secrets.token_hex(16)}", 0
        for number, table in enumerate(_group_batches(batches, schema)):
            buffer = io.BytesIO()
            pq.write_table(table, buffer, compression="zstd")
            self._paths.append(f"{folder}/part-{number:05d}.parquet")
            self._store.write(self._paths[-1], buffer.getvalue())
            rows += table.num_rows
        return f"{self._url}/{folder}/", rows

    def _clear(self) -> None:
        while self._paths:
            self._store.remove(self._paths.pop())

    def close(self) -> None:
        """Close the connection to the bucket."""
        self._store.close()


def copy_sql(table: str, address: str, role: str) -> str:
    """The COPY statement that loads the files below an address into a table with the same order of columns."""
    return f"COPY {table} FROM {quote_literal(address)} IAM_ROLE {quote_literal(role)} FORMAT AS PARQUET"


def to_transport_schema(schema: pa.Schema) -> pa.Schema:
    """Return the types of the files: instants are microseconds as an integer, which every reader interprets alike."""
    return pa.schema([(field.name, _to_transport_type(field.type)) for field in schema])


def _to_transport_type(kind: Any) -> Any:
    if pa.types.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale)
    checks = (
        (pa.types.is_boolean, pa.bool_()),
        (pa.types.is_int64, pa.int64()),
        (pa.types.is_uint32, pa.int64()),
        (pa.types.is_integer, pa.int32()),
        (pa.types.is_floating, pa.float64()),
        (pa.types.is_date, pa.date32()),
        (pa.types.is_timestamp, pa.int64()),
    )
    return next((target for check, target in checks if check(kind)), pa.string())


def columns_sql(schema: pa.Schema) -> str:
    """The columns of a schema of transport types for CREATE TABLE."""
    return ", ".join(f"{quote(field.name)} {_type_sql(field.type)}" for field in schema)


def _type_sql(kind: Any) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    names = {"bool": "boolean", "int64": "bigint", "int32": "integer", "double": "double", "date32[day]": "date"}
    return TYPES[names.get(str(kind), "text")]


def find_instant_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Return the names of the columns that are instants."""
    return tuple(field.name for field in schema if pa.types.is_timestamp(field.type))


def select_with_instants(staged: str, names: Iterable[str], columns: Iterable[str]) -> str:
    """SELECT (portable) of staged rows that converts the columns `columns` back to instants."""
    instants = set(columns)
    values = (f"MAKE_TIMESTAMP({quote(name)}) AS {quote(name)}" if name in instants else quote(name) for name in names)
    return f"SELECT {', '.join(values)} FROM {staged}"


def _group_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    tables: list[pa.Table] = []
    for batch in batches:
        table = pa.Table.from_batches([batch])
        tables.append(_check_texts(_to_transport(table, schema)))
        if sum(table.nbytes for table in tables) >= _FILE:
            yield pa.concat_tables(tables)
            tables = []
    if any(table.num_rows for table in tables):
        yield pa.concat_tables(tables)


def _to_transport(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        column.cast(pa.timestamp("us")).cast(pa.int64()) if pa.types.is_timestamp(column.type) else column.cast(kind)
        for column, kind in zip(table.columns, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _check_texts(table: pa.Table) -> pa.Table:
    """Return the table. Raises WarehouseError if Redshift would change a text: truncate it, or make two keys equal."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_string(column.type):
            continue
        size = pc.binary_length(column)
        if (pc.max(size).as_py() or 0) > LONGEST_TEXT:
            hint = "shorten it in the entity's map, e.g. left(note, 16000), or remove the field"
            raise _build_text_error(
                name, column.filter(pc.greater(size, pa.scalar(LONGEST_TEXT))), f"at most {LONGEST_TEXT:,} bytes", hint
            )
        nul = pc.match_substring(column, "\0")
        if pc.any(nul).as_py():
            raise _build_text_error(
                name, column.filter(nul), "no character U+0000", "remove the field from the entity's map"
            )
        blank = pc.ends_with(column, " ")
        if name == "entity_key" and pc.any(blank).as_py():
            hint = "declare a key without trailing blanks, or use a warehouse that distinguishes them"
            raise _build_text_error(
                name, column.filter(blank), "no key that ends in a blank: it equals the key without the blank", hint
            )
    return table


def _build_text_error(name: str, values: Any, limit: str, hint: str) -> WarehouseError:
    text = values[0].as_py()
    details = f"{len(values)} values, the first with {len(text.encode()):,} bytes: {text[:40]!r}..."
    return WarehouseError(
        f"Redshift can store {limit}", where=f"column `{name}` of the incoming rows", details=details, hint=hint
    )
