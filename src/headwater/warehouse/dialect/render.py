"""Renders portable SQL for an engine, and reads statements that a user typed.

The code above this package writes SQL once, in DuckDB's syntax. DuckDB takes it unchanged, without parsing. For every
other dialect sqlglot (pinned) renders it, after `headwater.warehouse.dialect.translate` has replaced the patterns that
sqlglot would render inexactly.
"""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from headwater.dtypes import PORTABLE_SQL
from headwater.errors import WarehouseError
from headwater.warehouse.dialect.annotate import Columns, annotate_kinds
from headwater.warehouse.dialect.dialect import PORTABLE, Dialect
from headwater.warehouse.dialect.translate import translate

Schemas = tuple[tuple[str, str], ...]
"""Pairs of a schema of portable SQL (`silver`, `gold`, `meta`) and its name in a warehouse that many tenants share."""


def render(statement: str, dialect: Dialect, schemas: Schemas = (), columns: Columns = ()) -> str:
    """Return the portable `statement` in `dialect`, with the schema names of `schemas`.

    `columns` are those with known types, for which the SQL is shorter.
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
    """Return every identifier of a schema in a statement."""
    schemas = (node.args.get("db") for node in tree.find_all(exp.Table, exp.Column))
    return [schema for schema in schemas if isinstance(schema, exp.Identifier)]


def replace_schema_names(sql: str, dialect: str, schemas: Schemas) -> str:
    """Replace `silver`, `gold` and `meta` by the tenant's own schemas in `sql`, a user's statement in `dialect`.

    Everything else stays as the user typed it. Raises WarehouseError if it names any schema other than these and those
    of the system catalog.
    """
    names = dict(schemas)
    replacements: dict[int, tuple[int, str]] = {}
    for node in find_schema_names(_parse(sql, dialect)):
        name = node.name if node.args.get("quoted") else node.name.lower()
        if name in names:
            quoted = exp.to_identifier(names[name], quoted=True).sql(dialect=dialect)
            replacements[node.meta["start"]] = (node.meta["end"], quoted)
        elif name not in _SHARED_SCHEMAS:
            hint = "use the schemas silver, gold and meta of the tenant"
            raise WarehouseError(
                "a query can read only its own tenant", where="query", details=f"schema {name}", hint=hint
            )
    for start in sorted(replacements, reverse=True):
        end, quoted = replacements[start]
        sql = sql[:start] + quoted + sql[end + 1 :]
    return sql


_SHARED_SCHEMAS = ("information_schema", "pg_catalog", "pg_temp")


def _parse(sql: str, dialect: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(sql, dialect=dialect)
    except SqlglotError as error:
        raise WarehouseError("the SQL cannot be parsed", where="query", details=str(error).splitlines()[0]) from error


READS = (exp.Query, exp.Describe, exp.Show, exp.Summarize, exp.Values, exp.Pragma)
"""Statements that only read."""


def check_read_only(sql: str, dialect: str) -> str:
    """Return `sql` without a closing semicolon. Raises WarehouseError unless it is one statement that only reads."""
    text = sql.strip().rstrip(";").strip()
    try:
        statements = [statement for statement in sqlglot.parse(text, dialect=dialect) if statement is not None]
    except SqlglotError as error:
        raise WarehouseError(
            "the SQL cannot be parsed", where="query", details=str(error).splitlines()[0], hint=""
        ) from error
    if len(statements) != 1 or not isinstance(statements[0], READS):
        details = f"{len(statements)} statements" if len(statements) != 1 else statements[0].key.upper()
        hint = "ask with one SELECT; tables change by `headwater run` only"
        raise WarehouseError("a query must be one read-only statement", where="query", details=details, hint=hint)
    return text


def limit_sql(sql: str, dialect: str, limit: int) -> str:
    """A SELECT for the first `limit` rows of `sql`. Other statements stay as they are, because they cannot be subqueries."""
    is_select = isinstance(sqlglot.parse_one(sql, dialect=dialect), exp.Query)
    return f"SELECT * FROM (\n{sql}\n) AS limited LIMIT {limit}" if is_select else sql
