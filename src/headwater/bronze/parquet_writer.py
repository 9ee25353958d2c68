"""Converts lines of JSON to Parquet with DuckDB, in little memory and without changing a value."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from headwater.bronze.schema import BronzeSchema, bronze_value_sql, columns_sql, struct_sql
from headwater.bronze.spelling import NOT_CANONICAL
from headwater.errors import LakeError
from headwater.model.field import Node
from headwater.names import quote, quote_literal
from headwater.warehouse.progress_bar import disable_progress_bar

_MEMORY_MB = 256
"""Memory limit of DuckDB."""
_MEMORY_FACTOR = 12
"""The memory for a long line, as a multiple of its length."""
_ROW_GROUP = 16_384
_MAX_LINE = 4 << 20
_NON_TEXT = r"^([{\[]|(true|false|-?[0-9]+(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))$)"
"""How DuckDB writes an object, a list, a boolean or a fraction into a text column. A whole number is allowed there."""
# A record with millions of values needs too much memory. It is then read row by row and refused.
_CONVERSION_ERRORS = (
    duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException, duckdb.OutOfMemoryException,
)  # fmt: skip


class TypeMismatch(Exception):
    """DuckDB cannot convert a line to the declared types."""


class NonCanonicalJson(TypeMismatch):
    """A line has a JSON value that must be made canonical before DuckDB reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFile:
    """A zstd file of lines: the original records, or records wrapped as {n: line number, p: parent, r: record}."""

    url: str
    is_wrapped: bool = False
    longest: int = 0
    has_parents: bool = False
    """Whether to write the column `_parent`."""

    def rows_sql(self, nodes: tuple[Node, ...]) -> str:
        """The table function that reads `nodes` of each record."""
        columns = columns_sql(nodes)
        if self.is_wrapped:
            columns = f"{{'n': 'BIGINT', 'p': 'VARCHAR', 'r': {quote_literal(struct_sql(nodes))}}}"
        size = max(_MAX_LINE, 2 * self.longest)
        options = f"format='newline_delimited', compression='zstd', columns={columns}, maximum_object_size={size}"
        return f"read_json({quote_literal(self.url)}, {options})"

    @property
    def record_column(self) -> str:
        """The column of the record. Empty if the fields of the record are the columns."""
        return "r" if self.is_wrapped else ""


class ParquetWriter:
    """Writes Parquet files for one landing, with a DuckDB connection that no other landing uses at the same time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.has_more_memory = False
        """Whether the memory limit was raised."""

    def reserve_memory(self, longest: int) -> None:
        """Raise the memory limit for lines of up to `longest` bytes."""
        if longest > _MAX_LINE:
            self.has_more_memory = True
            self._connection.execute(f"SET memory_limit = '{_MEMORY_MB + _MEMORY_FACTOR * (longest >> 20)}MB'")

    def read_field_names(self, line_file: LineFile, custom_fields: Node) -> dict[str, str]:
        """The captions of the custom fields in `line_file`, by id."""
        value = (
            f"{line_file.record_column}.{quote(custom_fields.key)}"
            if line_file.record_column
            else quote(custom_fields.key)
        )
        return self._select_names(
            f"SELECT unnest({value}) AS field FROM {line_file.rows_sql((custom_fields,))}", custom_fields
        )

    def read_stored_names(self, path: str, custom_fields: Node) -> dict[str, str]:
        """The captions of the custom fields in a bronze file, by id."""
        return self._select_names(
            f"SELECT unnest({quote(custom_fields.key)}) AS field FROM read_parquet({quote_literal(path)})",
            custom_fields,
        )

    def find_suspicious_columns(self, path: str, texts: Sequence[str]) -> set[str]:
        """The columns among `texts` of a bronze file with a text that may not have been text in the record."""
        if not texts:
            return set()
        conditions = ", ".join(f"bool_or({_suspicious_sql(quote(name))})" for name in texts)
        flags = self._run(f"SELECT {conditions} FROM read_parquet({quote_literal(path)})").fetchone()
        return {name for name, is_suspicious in zip(texts, flags, strict=True) if is_suspicious}

    def write(
        self, line_file: LineFile, schema: BronzeSchema, target: str, *, custom_fields: Node | None, ids: Iterable[str]
    ) -> int:
        """Convert the records of `line_file` to the Parquet file `target`. Return their number."""
        columns = ["n AS _line" if line_file.is_wrapped else "row_number() OVER () AS _line"]
        if line_file.has_parents:
            columns.append("p AS _parent")
        columns.append(schema.select_sql(line_file.record_column))
        if custom_fields is not None:
            columns += [_pivot_sql(custom_fields, key, line_file.record_column) for key in ids]
        query = f"SELECT {', '.join(columns)} FROM {line_file.rows_sql(schema.nodes)}"
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
        written = self._run(f"COPY ({query}) TO {quote_literal(target)} ({options})").fetchone()
        return int(written[0]) if written else 0

    def write_empty(self, line_file: LineFile, schema: BronzeSchema, target: str) -> int:
        """Write a Parquet file at `target` with the columns of `line_file` and no rows."""
        empty = ", ".join(f"NULL::{type_}" for type_ in ("BIGINT", "VARCHAR", struct_sql(schema.nodes)))
        columns = ["n AS _line", *(("p AS _parent",) if line_file.has_parents else ()), schema.select_sql("r")]
        query = f"SELECT {', '.join(columns)} FROM (SELECT {empty}) AS nothing(n, p, r) WHERE n IS NOT NULL"
        self._run(f"COPY ({query}) TO {quote_literal(target)} (FORMAT parquet)")
        return 0

    def _select_names(self, fields: str, custom_fields: Node) -> dict[str, str]:
        caption = "max(field.caption)" if any(node.key == "caption" for node in custom_fields.nodes) else "NULL"
        statement = (
            f"SELECT CAST(field.id AS VARCHAR), {caption} FROM ({fields}) WHERE field.id IS NOT NULL GROUP BY field.id"
        )
        return sort_field_names((key, caption or "") for key, caption in self._run(statement).fetchall())

    def read_line_numbers(self, path: str) -> set[int]:
        """The line numbers in a bronze file."""
        return {line for (line,) in self._run(f"SELECT _line FROM read_parquet({quote_literal(path)})").fetchall()}

    def _run(self, statement: str) -> Any:
        try:
            return self._connection.execute(statement)
        except _CONVERSION_ERRORS as error:
            kind = NonCanonicalJson if NOT_CANONICAL in str(error) else TypeMismatch
            raise kind(_take_first_line(error)) from error
        except duckdb.Error as error:
            hint = "check disk space, permissions and memory, then run again; committed data is safe"
            raise LakeError(
                "A bronze file cannot be written.", where="bronze", details=_take_first_line(error), hint=hint
            ) from error


class _IdleConnection:
    """The connection of the last landing of this process, for the next one: to open another takes longer than to write a
    small file. It holds no tables, and only settings that every landing has.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def take(self) -> duckdb.DuckDBPyConnection:
        """The idle connection, or a new one if another landing uses it."""
        with self._lock:
            connection, self._connection = self._connection, None
        return connection if connection is not None else _connect()

    def keep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep a connection, unless there is one."""
        with self._lock:
            if self._connection is None:
                self._connection = connection
                return
        connection.close()


_IDLE = _IdleConnection()


def _connect() -> duckdb.DuckDBPyConnection:
    # One thread: line numbers make the pipeline serial, and the scan uses another core at the same time.
    config: dict[str, Any] = {"memory_limit": f"{_MEMORY_MB}MB", "threads": 1}
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = true")
    # Files of the same name follow each other, and a cache must not take one for the other.
    connection.execute("SET enable_external_file_cache = false")
    disable_progress_bar(connection)
    return connection


@contextmanager
def open_writer(draft: str) -> Iterator[ParquetWriter]:
    """Open a DuckDB that spills to a folder beside `draft`, and remove that folder afterwards.

    Its connection is kept for the next landing, except after an error, a spill or a long line: these leave files or settings.
    """
    spill = Path(f"{draft}.spill.tmp")
    connection, writer = _IDLE.take(), None
    try:
        connection.execute(f"SET temp_directory = {quote_literal(str(spill))}")
        writer = ParquetWriter(connection)
        yield writer
    except BaseException:
        writer = None
        raise
    finally:
        if writer is None or writer.has_more_memory or spill.exists():
            connection.close()
        else:
            _IDLE.keep(connection)
        shutil.rmtree(spill, ignore_errors=True)


def find_custom_fields(schema: BronzeSchema, name: str) -> Node | None:
    """The node of the custom fields `name`, if the contract has one with ids and values."""
    custom_fields = next((node for node in schema.nodes if node.key == name and node.many), None)
    kinds = {node.key: node.dtype for node in custom_fields.nodes} if custom_fields else {}
    return custom_fields if kinds.get("id") in ("text", "integer", "bigint") and kinds.get("value") else None


def sort_field_names(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Captions by id, in the order of the ids, with numeric ids in numeric order."""
    return dict(sorted(fields, key=lambda pair: (len(pair[0]), pair[0])))


def _suspicious_sql(text: str) -> str:
    # The first letter decides for nearly all texts, in half the time of the pattern.
    begins = (
        f"{text} < ':' OR {text} BETWEEN '[' AND '\\' OR {text} BETWEEN '{{' AND '|' OR {text} IN ('true', 'false')"
    )
    return f"CASE WHEN {begins} THEN regexp_matches({text}, {quote_literal(_NON_TEXT)}) END"


def _pivot_sql(custom_fields: Node, key: str, record_column: str) -> str:
    value = f"{record_column}.{quote(custom_fields.key)}" if record_column else quote(custom_fields.key)
    kinds = {node.key: node.dtype for node in custom_fields.nodes}
    number = kinds["id"] in ("bigint", "integer")
    field_value = (
        f"list_filter({value}, lambda field: field.id = {int(key) if number else quote_literal(key)})[1].value"
    )
    values = next(node for node in custom_fields.nodes if node.key == "value")
    text = f"CAST({bronze_value_sql(field_value, values)} AS VARCHAR)"
    return f"{text} AS {quote(f'{custom_fields.key}_{key}')}"


def _take_first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
