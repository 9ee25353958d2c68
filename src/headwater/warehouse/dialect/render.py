"""Facts of SQL: how names, rows and types are written, and how portable SQL becomes another engine's.

Everything above this room writes SQL once, in DuckDB's spelling and within `ALLOWED`. DuckDB takes it as it is, without
parsing; for every other dialect sqlglot (pinned) renders it, after phrases that it would render inexactly were
exchanged for that dialect's own (`headwater.warehouse.dialect.translate`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from headwater.dtypes import DUCKDB, PORTABLE_SQL, render_dtype
from headwater.errors import WarehouseError
from headwater.names import quote
from headwater.warehouse.base import SchemaName, Table, TableColumn, Warehouse
from headwater.warehouse.dialect.annotate import Columns, annotate_kinds
from headwater.warehouse.dialect.dialect import PORTABLE, Dialect
from headwater.warehouse.dialect.translate import translate

Schemas = tuple[tuple[str, str], ...]
"""What the schemas `silver`, `gold` and `meta` of portable SQL are called in a warehouse that many tenants share."""


def same_row_condition(columns: Iterable[str], left: str, right: str) -> str:
    """Whether two rows agree in all `columns`, where NULL equals NULL."""
    return " AND ".join(f"{left}.{quote(name)} IS NOT DISTINCT FROM {right}.{quote(name)}" for name in columns)


def create_table_sql(table: Table, ref: str, *, plain: Collection[str] = ()) -> str:
    """The statement that makes a stored table in DuckDB's spelling.

    Texts in `plain` columns are not packed: of packed ones that partly repeat, DuckDB unpacks all to read a few.
    """
    columns = ", ".join(_column_sql(column, plain=column.name in plain) for column in table.columns)
    return f"CREATE TABLE {ref} ({columns})"


def _column_sql(column: TableColumn, *, plain: bool) -> str:
    packing = " USING COMPRESSION uncompressed" if plain and column.dtype == "text" else ""
    required = " NOT NULL" if column.required else ""
    return f"{quote(column.name)} {render_dtype(column.dtype, DUCKDB)}{packing}{required}"


def absent_condition(table: Table, rows: str, others: str) -> str:
    """The condition that no row of `others` equals one of `rows` in all columns of `table`."""
    return f"NOT EXISTS (SELECT 1 FROM {others} AS o WHERE {same_row_condition(table.names, 'o', rows)})"


def render(statement: str, dialect: Dialect, schemas: Schemas = (), columns: Columns = ()) -> str:
    """`statement` (portable) in `dialect`; `schemas` says what `silver`, `gold` and `meta` are called there.

    `columns` are those whose types are known: what is said of them can be said more shortly.
    """
    return statement if dialect is PORTABLE else _render_tree(statement, dialect, schemas, columns)


@lru_cache(maxsize=1024)
def _render_tree(statement: str, dialect: Dialect, schemas: Schemas, columns: Columns) -> str:
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    annotate_kinds(tree, columns)
    for node in find_schema_names(tree):
        if node.name in dict(schemas):
            node.replace(exp.to_identifier(dict(schemas)[node.name], quoted=True))
    return translate(tree, dialect).sql(dialect=dialect.name)


def find_schema_names(tree: exp.Expr) -> list[exp.Identifier]:
    """Every place of a statement where a schema is named."""
    found = (node.args.get("db") for node in tree.find_all(exp.Table, exp.Column))
    return [schema for schema in found if isinstance(schema, exp.Identifier)]


def replace_schema_names(sql: str, dialect: str, schemas: Schemas) -> str:
    """`sql`, somebody's own text in `dialect`, in which `silver`, `gold` and `meta` are the tenant's own schemas.

    Everything else stays as it was typed. WarehouseError where it names a schema that is nobody's to ask from here.
    """
    names = dict(schemas)
    found: dict[int, tuple[int, str]] = {}
    for node in find_schema_names(_parse(sql, dialect)):
        name = node.name if node.args.get("quoted") else node.name.lower()
        if name in names:
            own = exp.to_identifier(names[name], quoted=True).sql(dialect=dialect)
            found[node.meta["start"]] = (node.meta["end"], own)
        elif name not in _ANYBODYS:
            hint = "use the schemas silver, gold and meta of the tenant"
            raise WarehouseError(
                "a query can read only its own tenant", where="query", details=f"schema {name}", hint=hint
            )
    for start in sorted(found, reverse=True):
        end, own = found[start]
        sql = sql[:start] + own + sql[end + 1 :]
    return sql


_ANYBODYS = ("information_schema", "pg_catalog", "pg_temp")


def _parse(sql: str, dialect: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(sql, dialect=dialect)
    except SqlglotError as error:
        raise WarehouseError("the SQL cannot be parsed", where="query", details=str(error).splitlines()[0]) from error


READS = (exp.Query, exp.Describe, exp.Show, exp.Summarize, exp.Values, exp.Pragma)
"""Statements that only read."""


def check_read_only(sql: str, dialect: str) -> str:
    """`sql` without a closing semicolon, if it is one statement that only reads; WarehouseError otherwise."""
    text = sql.strip().rstrip(";").strip()
    try:
        found = [statement for statement in sqlglot.parse(text, dialect=dialect) if statement is not None]
    except SqlglotError as error:
        raise WarehouseError(
            "the SQL cannot be parsed", where="query", details=str(error).splitlines()[0], hint=""
        ) from error
    if len(found) != 1 or not isinstance(found[0], READS):
        details = f"{len(found)} statements" if len(found) != 1 else found[0].key.upper()
        hint = "ask with one SELECT; tables change by `headwater run` only"
        raise WarehouseError("a query must be one read-only statement", where="query", details=details, hint=hint)
    return text


def count_rows(warehouse: Warehouse, layer: SchemaName, name: str) -> int:
    """How many rows a stored table holds."""
    return int(warehouse.rows(f"SELECT COUNT(*) FROM {warehouse.ref(layer, name)}")[0][0])
