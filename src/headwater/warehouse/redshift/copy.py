"""Rows on their way into Redshift: Parquet files in a bucket, which COPY reads, and which are gone afterwards."""

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
"""Bytes that a text may have."""

_FILE = 64 * 2**20
"""Bytes in memory after which a file is full: COPY reads several at once."""


class CopyStage:
    """The place in a bucket where a tenant's rows wait to be read, for the length of one COPY."""

    def __init__(self, url: str, tenant: str) -> None:
        self._url, self._tenant = url.rstrip("/"), tenant
        self._store = open_store(self._url)
        self._paths: list[str] = []

    @contextmanager
    def upload(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[tuple[str, int]]:
        """Rows below an address that nobody can guess, and how many; they are gone afterwards, whatever happens."""
        try:
            yield self._put(batches, schema)
        except BaseException:
            with suppress(StoreError):  # what went wrong first is what has to be told
                self._clear()
            raise
        self._clear()

    def _put(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[str, int]:
        folder, rows = f"{self._tenant}/{secrets.token_hex(16)}", 0
        for number, table in enumerate(_files(batches, schema)):
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
        """Let go of the bucket."""
        self._store.close()


def copy_sql(table: str, address: str, role: str) -> str:
    """The statement that reads the files below an address into a table whose columns stand in the same order."""
    return f"COPY {table} FROM {quote_literal(address)} IAM_ROLE {quote_literal(role)} FORMAT AS PARQUET"


def transport_schema(schema: pa.Schema) -> pa.Schema:
    """The types in which rows travel: an instant goes as microseconds, a number that no reader takes otherwise."""
    return pa.schema([(field.name, _transport_type(field.type)) for field in schema])


def _transport_type(kind: Any) -> Any:
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
    return next((found for check, found in checks if check(kind)), pa.string())


def columns_sql(schema: pa.Schema) -> str:
    """The columns of a schema of transport types as they stand in CREATE TABLE."""
    return ", ".join(f"{quote(field.name)} {_type_sql(field.type)}" for field in schema)


def _type_sql(kind: Any) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    names = {"bool": "boolean", "int64": "bigint", "int32": "integer", "double": "double", "date32[day]": "date"}
    return TYPES[names.get(str(kind), "text")]


def instant_columns(schema: pa.Schema) -> tuple[str, ...]:
    """The columns of a schema that are instants."""
    return tuple(field.name for field in schema if pa.types.is_timestamp(field.type))


def select_with_instants(staged: str, names: Iterable[str], columns: Iterable[str]) -> str:
    """SELECT (portable) of rows as they were before they travelled: their columns are columns again."""
    among = set(columns)
    taken = (f"MAKE_TIMESTAMP({quote(name)}) AS {quote(name)}" if name in among else quote(name) for name in names)
    return f"SELECT {', '.join(taken)} FROM {staged}"


def _files(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for batch in batches:
        table = pa.Table.from_batches([batch])
        held.append(_check_texts(_to_transport(table, schema)))
        if sum(one.nbytes for one in held) >= _FILE:
            yield pa.concat_tables(held)
            held = []
    if any(one.num_rows for one in held):
        yield pa.concat_tables(held)


def _to_transport(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        column.cast(pa.timestamp("us")).cast(pa.int64()) if pa.types.is_timestamp(column.type) else column.cast(kind)
        for column, kind in zip(table.columns, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _check_texts(table: pa.Table) -> pa.Table:
    """The table, if Redshift can hold each of its texts as it is: nothing is cut, and no two keys become one."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_string(column.type):
            continue
        size = pc.binary_length(column)
        if (pc.max(size).as_py() or 0) > LONGEST_TEXT:
            hint = "shorten it in the entity's map, e.g. left(note, 16000), or remove the field"
            raise _text_error(
                name, column.filter(pc.greater(size, pa.scalar(LONGEST_TEXT))), f"at most {LONGEST_TEXT:,} bytes", hint
            )
        nul = pc.match_substring(column, "\0")
        if pc.any(nul).as_py():
            raise _text_error(name, column.filter(nul), "no character U+0000", "remove the field from the entity's map")
        blank = pc.ends_with(column, " ")
        if name == "entity_key" and pc.any(blank).as_py():
            hint = "declare a key without trailing blanks, or use a warehouse that distinguishes them"
            raise _text_error(
                name, column.filter(blank), "no key that ends in a blank: it equals the key without the blank", hint
            )
    return table


def _text_error(name: str, values: Any, limit: str, hint: str) -> WarehouseError:
    text = values[0].as_py()
    details = f"{len(values)} values, the first with {len(text.encode()):,} bytes: {text[:40]!r}..."
    return WarehouseError(
        f"Redshift can store {limit}", where=f"column `{name}` of the incoming rows", details=details, hint=hint
    )
