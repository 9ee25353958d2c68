"""The interface of a warehouse. It is opened for one tenant, so no statement can reach the tables of another tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from headwater.warehouse.dialect.dialect import Dialect

SchemaName = Literal["silver", "gold", "meta"]
"""Schemas of a tenant. `meta` holds what silver passes to gold: changed keys, batches, and the position of each table."""

LAYERS: tuple[SchemaName, ...] = ("silver", "gold", "meta")
"""The schemas of a tenant, in the order in which they are created."""

FileFormat = Literal["parquet", "csv"]
"""The formats of exported files."""


class ArrowStream(Protocol):
    """Rows in Arrow's PyCapsule protocol: a pyarrow Table or RecordBatchReader, or a result of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as a stream. It can be read once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Facts about an engine. Code that depends on the engine checks these, never its name."""

    dialect: Dialect
    """Its SQL dialect, for `render`."""
    narrow_reads: bool = False
    """A read costs what it decompresses, and a statement almost nothing: several narrow reads are faster than a wide one."""
    reads_lake: bool = False
    """It can read the Parquet files of the lake itself."""
    as_of_functions: bool = False
    """SQL can query a past instant by `<table>_asof(instant)`, see `Warehouse.ensure`."""
    holds_nul: bool = True
    """A text can contain the character NUL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column of a stored table."""

    name: str
    dtype: str
    """One of `headwater.dtypes`."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A column of a gold table whose values are all keys of another gold table."""

    column: str
    table: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A stored table: its layer, name, columns, and the columns that find its rows."""

    layer: SchemaName
    name: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...] = ()
    """Columns that find the rows to replace or delete, e.g. `entity_key`. Not necessarily unique."""
    primary_key: tuple[str, ...] = ()
    """Columns that identify a row."""
    references: tuple[Reference, ...] = ()
    """The tables that its columns refer to, for engines that declare foreign keys."""
    has_validity: bool = False
    """Whether its rows are valid from `valid_from` (inclusive) to `valid_to` (exclusive)."""

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCounts:
    """How many rows a write deleted and inserted."""

    deleted: int = 0
    inserted: int = 0

    def __add__(self, other: WriteCounts) -> WriteCounts:
        return WriteCounts(deleted=self.deleted + other.deleted, inserted=self.inserted + other.inserted)

    @property
    def rows(self) -> int:
        """Rows deleted and inserted."""
        return self.deleted + self.inserted


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKey:
    """The key column that finds the rows of a table, and what else can locate the rows of a key.

    An engine can use the other fields to compare numbers instead of texts: a number narrows down the candidate rows, and
    the key itself is compared on those few rows.
    """

    column: str = "entity_key"
    number: str = ""
    """The integer column that holds the key, or the part of an entity key after the connection."""
    log: str = ""
    """If there is no such column: a relation with `key_hash` and `sequence`. Every row of an entity key begins (`valid_from`)
    at an instant of this relation."""
    unlocatable_condition: str = ""
    """The condition over `x` of rows that neither can locate. They are few, and are found by the key."""


ENTITY_KEY = RowKey()
"""The entity key alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRows:
    """Rows of a stored table, staged by `Warehouse.select_rows`."""

    relation: str
    """The quoted name to use. Besides the requested columns it can have columns of the engine (`_...`)."""
    has_row_ids: bool = False
    """For the engine: whether its own columns contain row ids by which it can delete these rows."""


class Warehouse(Protocol):
    """One tenant's silver and gold on one engine.

    It takes portable SQL in DuckDB's syntax (see `headwater.warehouse.dialect.render`). An engine with another dialect
    renders it itself; only `answer` takes the engine's own dialect. In both, `silver.x`, `gold.x` and `meta.x` are the
    tenant's own tables, whatever the names of their schemas in the engine.
    """

    tenant: str
    capabilities: Capabilities
    notes: tuple[str, ...]
    """What the user should know about this warehouse, such as a missing feature."""

    def close(self) -> None:
        """Close the connection to the engine."""
        ...

    def erase(self) -> None:
        """Remove everything that the tenant has in this warehouse. It cannot be used afterwards."""
        ...

    def ref(self, layer: SchemaName, name: str) -> str:
        """Return the quoted name of a table of this tenant for use in SQL."""
        ...

    def ensure(self, table: Table) -> None:
        """Create the table (and its schema), or add and widen columns of the stored one.

        Raises WarehouseError if a type cannot be widened. With the capability `as_of_functions`, a table that
        `has_validity` gets the function `<name>_asof(instant)`. It returns the rows that were valid at an instant, and
        is dropped with the table.
        """
        ...

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        ...

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table or view, or None if it does not exist."""
        ...

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of the stored tables and views of a layer, sorted."""
        ...

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view if it exists."""
        ...

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with their values."""
        ...

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Rename columns of a stored table (stored name -> new name). Rows and the order of columns stay."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all statements inside together, or none. A nested transaction is part of the outer one."""
        ...

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a small result."""
        ...

    def answer(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the column names and rows of a small result, for a statement in the engine's own dialect."""
        ...

    def fetch_arrow(self, select: str) -> ArrowStream:
        """Return the result of a portable SELECT, for `stage` of another warehouse. Read it before the next statement."""
        ...

    def schema_of(self, select: str) -> dict[str, str]:
        """Return the columns of a SELECT over stored tables, with their types in DuckDB's syntax, without running it."""
        ...

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """Store the rows of SELECTs with the same columns, or of a stream, in a temporary table; return its quoted name.

        The rows are computed now: later changes of their sources do not change them. Replaces an earlier temporary table
        of that name, which the SELECT can read.
        """
        ...

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end the tables staged inside, except those that replace a table staged before."""
        ...

    def count(self, staged: str) -> int:
        """Count the rows of a staged relation, given by the name that `stage` returned."""
        ...

    def is_small(self, layer: SchemaName, name: str) -> bool:
        """Whether comparing all rows of a stored table costs no more than another statement, so that none prepares for it."""
        ...

    def select_rows(
        self,
        into: str,
        layer: SchemaName,
        name: str,
        *,
        keys: str,
        columns: Sequence[str],
        where: str = "TRUE",
        by: RowKey = ENTITY_KEY,
    ) -> StagedRows:
        """Stage (as `into`) the rows of a stored table whose key is in `keys` and that meet a condition over `x`.

        `keys` is a SELECT of the column `by.column`; `columns` includes that column.
        """
        ...

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Insert the rows of `select` (in the order of `columns`) into a stored table; return their number."""
        ...

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Delete the rows that meet a condition over their own columns, without subqueries; return their number."""
        ...

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Update the rows that meet a condition over their own columns, without subqueries; return their number."""
        ...

    def apply(
        self,
        table: Table,
        changes: str,
        *,
        old_key_columns: Mapping[str, str],
        inserts: str = "",
        stored: Sequence[StagedRows] = (),
    ) -> WriteCounts:
        """Apply deletes, inserts and replacements to a stored table.

        `changes` is staged. It has the table's columns and those of `old_key_columns` (column of the primary key -> column of
        `changes`). If those are not NULL, they identify the stored row to delete. If the primary key is not NULL, the row is
        inserted; its primary key never equals that of a stored row that stays. `inserts` is a SELECT of further rows to
        insert. `stored` are the rows to delete, and possibly others, with their primary key: an engine can use them to avoid
        a second lookup.
        """
        ...

    def replace_rows(self, table: Table, *, keys: str, new_rows: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `new_rows`, touching only rows that differ.

        `keys` and `new_rows` name staged tables; `new_rows` has all of the table's columns and `keys` has its key columns.
        The comparison is NULL-safe and covers the whole row. Equal rows stay as they are, so a replay writes nothing.
        `stored` are the stored rows of `keys`, and possibly others, with all columns: an engine can use them to avoid a second
        lookup.
        """
        ...


@runtime_checkable
class CanExport(Warehouse, Protocol):
    """A warehouse that can write its tables to local files."""

    def digest(self, layer: SchemaName, name: str) -> str:
        """Return a text that changes when rows or columns of a table do, independent of the order of rows."""
        ...

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new local file; return their number."""
        ...


@runtime_checkable
class CanAnswerInArrow(Warehouse, Protocol):
    """A warehouse that can return the result of a query as Arrow."""

    def answer_arrow(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Execute a statement in the engine's own dialect, and return a pyarrow Table."""
        ...
