"""How Spark spells types, names and values, and the statements that every format of table shares."""

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
"""Spark's spelling. Instants have no zone: they are UTC, and no session's setting can shift them."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})
"""No column has another name."""

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
    """`name` as Spark quotes it."""
    return "`" + name.replace("`", "``") + "`"


def column_list_sql(names: Iterable[str], relation: str = "") -> str:
    """Names, quoted and parted by commas, of `relation` if it is named."""
    prefix = f"{relation}." if relation else ""
    return ", ".join(prefix + quote_name(name) for name in names)


def type_sql(dtype: str) -> str:
    """A type as Spark spells it."""
    return render_dtype(dtype, TYPES)


def dtype_of(stored: str) -> str:
    """One of `headwater.dtypes` for a type as Spark spells it; the spelling itself where there is none."""
    return _DTYPES.get(stored, stored)


def column_sql(column: TableColumn) -> str:
    """A column as it stands in CREATE TABLE."""
    return f"{quote_name(column.name)} {type_sql(column.dtype)}{' NOT NULL' if column.required else ''}"


def cast_columns_sql(columns: Iterable[TableColumn], relation: str = "", given: Sequence[str] | None = None) -> str:
    """The select list of stored columns in their own types; those that are not `given` are NULL."""
    prefix = f"{relation}." if relation else ""
    return ", ".join(
        f"CAST({prefix + quote_name(one.name) if given is None or one.name in given else 'NULL'} AS {type_sql(one.dtype)})"
        f" AS {quote_name(one.name)}"
        for one in columns
    )


def rename_columns(columns: Iterable[TableColumn], names: Mapping[str, str]) -> list[TableColumn]:
    """The columns, those in `names` under another name."""
    return [replace(column, name=names.get(column.name, column.name)) for column in columns]


def renamed_list_sql(names: Iterable[str], renamed: Mapping[str, str]) -> str:
    """The select list of some columns, those in `renamed` under another name."""
    return ", ".join(f"{quote_name(name)} AS {quote_name(renamed.get(name, name))}" for name in names)


def equal_condition(names: Iterable[str], left: str, right: str) -> str:
    """Whether two rows agree in all columns, where NULL equals NULL."""
    return " AND ".join(f"{left}.{quote_name(name)} <=> {right}.{quote_name(name)}" for name in names)


def merge_changes_sql(table: Table, ref: str, *, changes: str, old_key_columns: Mapping[str, str], inserts: str) -> str:
    """The one MERGE that applies what `changes` and `inserts` say."""
    names, comes = column_list_sql(table.names), f"s.{quote_name(table.primary_key[0])} IS NOT NULL"
    went = {column: f"_was_{number}" for number, column in enumerate(old_key_columns)}
    shown = ", ".join(f"{quote_name(old_key_columns[column])} AS {quote_name(alias)}" for column, alias in went.items())
    source = f"SELECT {names}, {shown} FROM {changes}"
    if inserts:
        nothing = ", ".join(f"NULL AS {quote_name(alias)}" for alias in went.values())
        source += f" UNION ALL SELECT {names}, {nothing} FROM ({inserts}) AS a ({names})"
    found = " AND ".join(f"t.{quote_name(column)} = s.{quote_name(alias)}" for column, alias in went.items())
    sets = ", ".join(f"t.{quote_name(name)} = s.{quote_name(name)}" for name in table.names)
    return (
        f"MERGE INTO {ref} AS t USING ({source}) AS s ON {found}\n"
        f"WHEN MATCHED AND {comes} THEN UPDATE SET {sets}\n"
        "WHEN MATCHED THEN DELETE\n"
        f"WHEN NOT MATCHED AND {comes} THEN INSERT ({names}) VALUES ({column_list_sql(table.names, 's')})"
    )


def merge_differences_sql(table: Table, ref: str, *, changes: str) -> str:
    """The one MERGE that takes away the rows of `changes` that are marked `_gone`, and puts in the others."""
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
    """SELECT of the rows that are to go (`_gone`, each once) and those that are to come."""
    same, names = equal_condition(table.names, "o", "r"), column_list_sql(table.names)
    wanted = f"(SELECT {cast_columns_sql(columns)} FROM {new_rows})"
    return (
        f"SELECT DISTINCT {names}, TRUE AS _gone FROM {stored} AS r "
        f"WHERE NOT EXISTS (SELECT 1 FROM {wanted} AS o WHERE {same})\n"
        f"UNION ALL SELECT {names}, FALSE AS _gone FROM {wanted} AS r "
        f"WHERE NOT EXISTS (SELECT 1 FROM {stored} AS o WHERE {same})"
    )


def as_of_function_sql(ref: str, function: str, columns: Sequence[TableColumn]) -> str:
    """The statement that makes the function by which SQL asks a table for a past day."""
    returned = ", ".join(f"{quote_name(column.name)} {type_sql(column.dtype)}" for column in columns)
    return (
        f"CREATE OR REPLACE FUNCTION {function}(instant TIMESTAMP_NTZ) RETURNS TABLE ({returned}) "
        f"RETURN SELECT {column_list_sql(column.name for column in columns)} FROM {ref} "
        "WHERE valid_from <= instant AND valid_to > instant"
    )


def parse_columns(schema: Any) -> tuple[TableColumn, ...]:
    """The columns of a table or view as Spark describes it."""
    return tuple(
        TableColumn(name=one.name, dtype=dtype_of(one.dataType.simpleString()), required=not one.nullable)
        for one in schema.fields
    )
