"""Types, names and statements of Spark that all table formats share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from headwater.dtypes import render_dtype
from headwater.warehouse.base import Table, TableColumn

TYPES = {
    "text": "STRING",
    "boolean": "BOOLEAN",
    "integer": "INT",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
    "json": "STRING",
}
"""The types in Spark. Instants are UTC without a zone, so that no setting of a session can shift them."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})
"""No renamed columns."""

_DTYPES = MappingProxyType(
    {
        "string": "text",
        "boolean": "boolean",
        "tinyint": "integer",
        "smallint": "integer",
        "int": "integer",
        "bigint": "bigint",
        "float": "double",
        "double": "double",
        "date": "date",
        "timestamp_ntz": "timestamp",
        "timestamp": "timestamp",
    }
)


def quote_name(name: str) -> str:
    """Return `name` quoted for Spark."""
    return "`" + name.replace("`", "``") + "`"


def column_list_sql(names: Iterable[str], relation: str = "") -> str:
    """A list of quoted names, qualified by `relation` if given."""
    prefix = f"{relation}." if relation else ""
    return ", ".join(prefix + quote_name(name) for name in names)


def type_sql(dtype: str) -> str:
    """Return a type of `headwater.dtypes` in Spark's syntax."""
    return render_dtype(dtype, TYPES)


def to_dtype(stored: str) -> str:
    """Return the type of `headwater.dtypes` for a type of Spark, or the type itself if there is none."""
    return _DTYPES.get(stored, stored)


def column_sql(column: TableColumn) -> str:
    """The definition of a column for CREATE TABLE."""
    return f"{quote_name(column.name)} {type_sql(column.dtype)}{' NOT NULL' if column.required else ''}"


def cast_columns_sql(columns: Iterable[TableColumn], relation: str = "", present: Sequence[str] | None = None) -> str:
    """The select list of stored columns cast to their types; those not in `present` are NULL."""
    prefix = f"{relation}." if relation else ""
    values = (
        (column, prefix + quote_name(column.name) if present is None or column.name in present else "NULL")
        for column in columns
    )
    return ", ".join(
        f"CAST({value} AS {type_sql(column.dtype)}) AS {quote_name(column.name)}" for column, value in values
    )


def rename_columns(columns: Iterable[TableColumn], names: Mapping[str, str]) -> list[TableColumn]:
    """Return the columns with the new names in `names`."""
    return [replace(column, name=names.get(column.name, column.name)) for column in columns]


def renamed_columns_sql(names: Iterable[str], new_names: Mapping[str, str]) -> str:
    """The select list of columns, with the new names in `new_names`."""
    return ", ".join(f"{quote_name(name)} AS {quote_name(new_names.get(name, name))}" for name in names)


def equal_condition(names: Iterable[str], left: str, right: str) -> str:
    """The condition that two rows are equal in all columns, where NULL equals NULL."""
    return " AND ".join(f"{left}.{quote_name(name)} <=> {right}.{quote_name(name)}" for name in names)


def merge_changes_sql(table: Table, ref: str, *, changes: str, old_key_columns: Mapping[str, str], inserts: str) -> str:
    """The MERGE that applies `changes` and `inserts`."""
    names, insert_condition = column_list_sql(table.names), f"s.{quote_name(table.primary_key[0])} IS NOT NULL"
    old_columns = {column: f"_was_{number}" for number, column in enumerate(old_key_columns)}
    old_values = ", ".join(
        f"{quote_name(old_key_columns[column])} AS {quote_name(alias)}" for column, alias in old_columns.items()
    )
    source = f"SELECT {names}, {old_values} FROM {changes}"
    if inserts:
        nulls = ", ".join(f"NULL AS {quote_name(alias)}" for alias in old_columns.values())
        source += f" UNION ALL SELECT {names}, {nulls} FROM ({inserts}) AS a ({names})"
    key_condition = " AND ".join(
        f"t.{quote_name(column)} = s.{quote_name(alias)}" for column, alias in old_columns.items()
    )
    sets = ", ".join(f"t.{quote_name(name)} = s.{quote_name(name)}" for name in table.names)
    return (
        f"MERGE INTO {ref} AS t USING ({source}) AS s ON {key_condition}\n"
        f"WHEN MATCHED AND {insert_condition} THEN UPDATE SET {sets}\n"
        "WHEN MATCHED THEN DELETE\n"
        f"WHEN NOT MATCHED AND {insert_condition} THEN INSERT ({names}) VALUES ({column_list_sql(table.names, 's')})"
    )


def merge_differences_sql(table: Table, ref: str, *, changes: str) -> str:
    """The MERGE that deletes the rows of `changes` with `_gone`, and inserts the others."""
    names = column_list_sql(table.names)
    return (
        f"MERGE INTO {ref} AS t USING {changes} AS s ON s._gone AND {equal_condition(table.names, 't', 's')}\n"
        "WHEN MATCHED THEN DELETE\n"
        f"WHEN NOT MATCHED AND NOT s._gone THEN INSERT ({names}) VALUES ({column_list_sql(table.names, 's')})"
    )


def select_stored(table: Table, ref: str, *, keys: str) -> str:
    """SELECT of the stored rows whose `table.key` is in `keys`."""
    same = equal_condition(table.key, "k", "s")
    return f"SELECT {column_list_sql(table.names, 's')} FROM {ref} AS s WHERE EXISTS (SELECT 1 FROM {keys} AS k WHERE {same})"


def select_differences(table: Table, columns: Sequence[TableColumn], *, stored: str, new_rows: str) -> str:
    """SELECT of the rows to delete (`_gone`, each once) and the rows to insert."""
    same, names = equal_condition(table.names, "o", "r"), column_list_sql(table.names)
    typed_rows = f"(SELECT {cast_columns_sql(columns)} FROM {new_rows})"
    return (
        f"SELECT DISTINCT {names}, TRUE AS _gone FROM {stored} AS r "
        f"WHERE NOT EXISTS (SELECT 1 FROM {typed_rows} AS o WHERE {same})\n"
        f"UNION ALL SELECT {names}, FALSE AS _gone FROM {typed_rows} AS r "
        f"WHERE NOT EXISTS (SELECT 1 FROM {stored} AS o WHERE {same})"
    )


def as_of_function_sql(ref: str, function: str, columns: Sequence[TableColumn]) -> str:
    """The statement that creates the function for queries of a past instant."""
    returned = ", ".join(f"{quote_name(column.name)} {type_sql(column.dtype)}" for column in columns)
    return (
        f"CREATE OR REPLACE FUNCTION {function}(instant TIMESTAMP_NTZ) RETURNS TABLE ({returned}) "
        f"RETURN SELECT {column_list_sql(column.name for column in columns)} FROM {ref} "
        "WHERE valid_from <= instant AND valid_to > instant"
    )


def parse_columns(schema: Any) -> tuple[TableColumn, ...]:
    """Return the columns of a table or view from its schema in Spark."""
    return tuple(
        TableColumn(name=field.name, dtype=to_dtype(field.dataType.simpleString()), required=not field.nullable)
        for field in schema.fields
    )
