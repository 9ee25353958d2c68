"""What a warehouse can do. One is opened for one tenant, so no statement can reach another one's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from headwater.warehouse.dialect.dialect import Dialect

SchemaName = Literal["silver", "gold", "meta"]
"""Schemas of a tenant. `meta` holds what silver tells gold: changed keys, batches, how far each table is."""

LAYERS: tuple[SchemaName, ...] = ("silver", "gold", "meta")
"""The schemas of a tenant, in the order in which they are made."""

FileFormat = Literal["parquet", "csv"]
"""What a table can be written as."""


class ArrowStream(Protocol):
    """Rows as Arrow's PyCapsule protocol hands them over: a pyarrow Table or RecordBatchReader, or an answer of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a stream, once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Facts about an engine. Deciders ask these, never the engine's name."""

    dialect: Dialect
    """Its SQL, as `render` takes it."""
    narrow_reads: bool = False
    """A read costs what it unpacks, and a statement next to nothing: several narrow reads are faster than a wide one."""
    reads_lake: bool = False
    """It reads Parquet in the lake by itself."""
    as_of_functions: bool = False
    """Plain SQL can ask for a past day by `<table>_asof(instant)`, see `Warehouse.ensure`."""
    holds_nul: bool = True
    """A text may hold the character NUL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column of a stored table."""

    name: str
    dtype: str
    """One of `headwater.dtypes`."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A column of a table in gold whose every value is a key of another table there."""

    column: str
    table: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A stored table: its layer, name, columns, and the columns its rows are looked up by."""

    layer: SchemaName
    name: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...] = ()
    """Columns that rows are found, replaced and deleted by, e.g. `entity_key`. Not necessarily unique."""
    primary_key: tuple[str, ...] = ()
    """Columns that tell one row from another."""
    references: tuple[Reference, ...] = ()
    """What its columns point at, for engines that keep such knowledge."""
    has_validity: bool = False
    """Its rows are valid from `valid_from` on, until `valid_to`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCounts:
    """Rows that a write took away and put in."""

    deleted: int = 0
    inserted: int = 0

    def __add__(self, other: WriteCounts) -> WriteCounts:
        return WriteCounts(deleted=self.deleted + other.deleted, inserted=self.inserted + other.inserted)

    @property
    def rows(self) -> int:
        """Rows touched."""
        return self.deleted + self.inserted


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKey:
    """The column that rows of a table are looked up by, and what else tells where the rows of a key are.

    An engine may use the rest to find numbers where it would find texts: a number says where a row may be, and the key
    itself is compared on those few rows.
    """

    column: str = "entity_key"
    number: str = ""
    """The column that holds the key, or what follows the connection in an entity key, as a whole number."""
    log: str = ""
    """Where there is no such column: a relation with `key_hash` and `sequence`, at whose instants every row of an entity key
    begins (`valid_from`)."""
    unlocatable_condition: str = ""
    """The condition over `x` of rows of which neither tells. They are few, and looked up by the key."""


ENTITY_KEY = RowKey()
"""The entity key, of which nothing else is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRows:
    """Rows of a stored table, staged by `Warehouse.select_rows`."""

    relation: str
    """The quoted name to use. Beside the columns that were asked for it may have some of the engine's own (`_...`)."""
    has_row_ids: bool = False
    """For the engine: whether it can delete these rows by ids that are among its own columns."""


class Warehouse(Protocol):
    """One tenant's silver and gold on one engine.

    It takes portable SQL in DuckDB's spelling (see `headwater.warehouse.dialect.render`), which an engine of another dialect
    renders for itself; only `answer` takes the engine's own. In all of it `silver.x`, `gold.x` and `meta.x` mean the
    tenant's own tables, whatever the engine calls their schemas.
    """

    tenant: str
    capabilities: Capabilities
    notes: tuple[str, ...]
    """What a person should know about this very warehouse: something it lacks and does without."""

    def close(self) -> None:
        """Let go of the engine."""
        ...

    def erase(self) -> None:
        """Remove everything that the tenant has there; the warehouse cannot be used afterwards."""
        ...

    def ref(self, layer: SchemaName, name: str) -> str:
        """The quoted name of a table of this tenant, as it stands in SQL."""
        ...

    def ensure(self, table: Table) -> None:
        """Make the table (and its schema), or add and widen columns of the stored one.

        WarehouseError where a type cannot be widened. A table that `has_validity` gets the function `<name>_asof(instant)`
        where the capability `as_of_functions` holds: it gives the rows that were valid at an instant, and goes with the table.
        """
        ...

    def ensure_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Make or replace a view."""
        ...

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Columns of a stored table or view; None when there is none."""
        ...

    def tables(self, layer: SchemaName) -> tuple[str, ...]:
        """Names of the stored tables and views of a layer, sorted."""
        ...

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view; nothing happens when there is none."""
        ...

    def drop_columns(self, layer: SchemaName, name: str, columns: Sequence[str]) -> None:
        """Drop columns of a stored table, with what they hold."""
        ...

    def rename_columns(self, layer: SchemaName, name: str, names: Mapping[str, str]) -> None:
        """Give columns of a stored table other names (stored name -> name); rows and the order of columns stay."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside commit together, or none does. One inside another is part of the outer one."""
        ...

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a small answer."""
        ...

    def answer(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """The names of the columns and the rows of a small answer to a statement in the engine's own dialect."""
        ...

    def fetch_arrow(self, select: str) -> ArrowStream:
        """The answer to a portable SELECT, for `stage` of another warehouse. Read it before the next statement."""
        ...

    def schema_of(self, select: str) -> dict[str, str]:
        """The columns of a SELECT over stored tables and their types in DuckDB's spelling, without running it."""
        ...

    def stage(self, name: str, rows: str | ArrowStream, *more: str) -> str:
        """The rows of SELECTs with the same columns, or of a stream, as a temporary table; the quoted name to use.

        They are worked out now: what happens to their sources afterwards does not change them, and nothing else does.
        Replaces an earlier one of that name, of which the SELECT may be.
        """
        ...

    def staging(self) -> AbstractContextManager[None]:
        """Drop at the end what is staged inside, but for tables that replace one that was staged before."""
        ...

    def count(self, staged: str) -> int:
        """How many rows a staged relation (as `stage` has named it) has."""
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

        `keys` is a SELECT of the column `by.column`; `columns` holds that column, too.
        """
        ...

    def append(self, layer: SchemaName, name: str, columns: Sequence[str], select: str) -> int:
        """Put the rows of `select` (in the order of `columns`) into a stored table; how many."""
        ...

    def delete(self, layer: SchemaName, name: str, where: str) -> int:
        """Take away the rows of a stored table that hold a condition over their own columns, without subqueries."""
        ...

    def update(self, layer: SchemaName, name: str, values: Mapping[str, str], where: str) -> int:
        """Set columns of the rows that hold a condition over their own columns, without subqueries; how many."""
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

        `changes` is staged and has the table's columns, and those that `old_key_columns` names: column of the primary key ->
        column of `changes`. Where those are not NULL, they name the stored row to delete. Where the primary key is not NULL,
        the row is inserted; it never has the primary key of a stored row that stays. `inserts` is a SELECT of further rows to
        insert. `stored` are the rows to delete, and perhaps others, with their primary key: an engine need not find them again.
        """
        ...

    def replace_rows(self, table: Table, *, keys: str, fresh: str, stored: StagedRows | None = None) -> WriteCounts:
        """Make the stored rows whose `table.key` is in `keys` equal to `fresh`, touching only rows that differ.

        `keys` and `fresh` name staged tables; `fresh` has all of the table's columns and `keys` has its key columns.
        Comparison is NULL-safe and whole-row; rows that are equal stay as they are, so a replay writes nothing. `stored` are
        the stored rows of `keys`, and perhaps others, with all columns: an engine need not find them again.
        """
        ...


@runtime_checkable
class CanExport(Warehouse, Protocol):
    """A warehouse that writes its tables to files of this machine."""

    def digest(self, layer: SchemaName, name: str) -> str:
        """A text that changes when rows or columns of a table do, whatever their order."""
        ...

    def export(self, layer: SchemaName, name: str, path: str, file_format: FileFormat) -> int:
        """Write a table's rows to a new file of this machine; how many."""
        ...
