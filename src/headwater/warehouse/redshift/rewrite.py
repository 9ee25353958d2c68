"""Renders portable SQL for Redshift: its functions (`functions`), and the structure of statements, in this module.

Redshift runs a subquery only if it can convert it to a join. So this module converts a subquery outside the conditions of
a WHERE to a join, and one that compares with NULL equal to NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import cast

import sqlglot
from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL, render_dtype
from headwater.warehouse.base import SchemaName
from headwater.warehouse.dialect.render import Schemas, find_schema_names
from headwater.warehouse.dialect.translate import translate
from headwater.warehouse.redshift.ddl import TYPES
from headwater.warehouse.redshift.functions import DIALECT

FindType = Callable[[SchemaName, str, str], str | None]
"""Returns the type of a column of a stored table, by layer, table and column, or None if it is unknown."""


def rewrite(statement: str, schemas: Schemas, find_type: FindType) -> str:
    """Return a portable statement in Redshift's dialect, over the schemas of a tenant."""
    if "EXISTS" not in statement:
        return _rewrite(statement, schemas)
    # Such a comparison depends on the current columns of the stored tables, so it is not cached.
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    for select in list(tree.find_all(exp.Select)):
        for exists in list(_find_null_safe_exists(select)):
            _join_exists(select, exists, find_type)
    return _rewrite(tree.sql(dialect=PORTABLE_SQL), schemas)


@lru_cache(maxsize=1024)
def _rewrite(statement: str, schemas: Schemas) -> str:
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    for values in tree.find_all(exp.Values):
        _name_columns(values)
    for number, (select, inside) in enumerate(_find_in_subqueries(tree)):
        _join_in(select, inside, f"_in_{number}")
    for node in find_schema_names(tree):
        if node.name in dict(schemas):
            node.replace(exp.to_identifier(dict(schemas)[node.name], quoted=True))
    tree = translate(tree, DIALECT)
    for select in tree.find_all(exp.Select):
        _cast_text_literals(select)
    return tree.sql(dialect=DIALECT.name)


def _name_columns(values: exp.Values) -> None:
    """Name the columns of VALUES: they become SELECTs, in which two columns cannot be nameless."""
    alias = values.args.get("alias")
    if isinstance(alias, exp.TableAlias) and not alias.columns and values.expressions:
        width = len(values.expressions[0].expressions)
        alias.set("columns", [exp.to_identifier(f"c{number}") for number in range(width)])


def _cast_text_literals(select: exp.Select) -> None:
    """Cast text literals to the longest type: a column created from a literal must hold other texts later."""
    for item in list(select.expressions):
        value = item.this if isinstance(item, exp.Alias) else item
        if isinstance(value, exp.Literal) and value.is_string:
            value.replace(exp.cast(value.copy(), exp.DataType.build("VARCHAR(65535)", dialect=DIALECT.name)))


def _find_in_subqueries(tree: exp.Expr) -> list[tuple[exp.Select, exp.In]]:
    """Return every `x IN (SELECT ...)` that is not simply a condition of a WHERE, with its enclosing SELECT."""
    nodes = [node for node in tree.find_all(exp.In) if node.args.get("query")]
    return [(select, node) for node in nodes if (select := node.parent_select) and not _is_condition(node, select)]


def _is_condition(node: exp.Expr, select: exp.Select) -> bool:
    """Whether `node` must be true for all rows of `select`, or false for all."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Paren | exp.Not):
        if isinstance(parent, exp.Not) and isinstance(node, exp.And):
            return False
        node, parent = parent, parent.parent
    return isinstance(parent, exp.Where) and parent.parent is select


def _join_in(select: exp.Select, inside: exp.In, name: str) -> None:
    """Replace `inside` by a LEFT JOIN with the values. NULL is in no set; no caller tests for it."""
    query = inside.args["query"]
    inner = query.this if isinstance(query, exp.Subquery) else query
    column = inner.selects[0].alias_or_name
    values = exp.select(exp.column(column).as_("among")).distinct().from_(inner.copy().subquery("asked"))
    equal = exp.EQ(this=exp.column("among", table=name), expression=inside.this.copy())
    inside.replace(exp.paren(exp.Not(this=exp.Is(this=exp.column("among", table=name), expression=exp.Null()))))
    select.join(values.subquery(name), on=equal, join_type="left", copy=False)


def _find_null_safe_exists(select: exp.Select) -> Iterator[exp.Exists]:
    """Yield every EXISTS among the conditions of `select` that compares with NULL equal to NULL."""
    where = select.args.get("where")
    for exists in where.find_all(exp.Exists) if where else ():
        if exists.parent_select is select and _is_condition(exists, select) and exists.find(exp.NullSafeEQ):
            yield exists


def _join_exists(select: exp.Select, exists: exp.Exists, find_type: FindType) -> None:
    """Replace `exists` by a JOIN with the distinct compared rows, by hashes of values of the same type."""
    inner = exists.this
    source = inner.args["from_"].this
    alias, types = source.alias_or_name, _find_types(select, find_type)
    names: dict[str, None] = {}
    conditions = []
    condition = inner.args["where"].this
    terms = condition.flatten() if isinstance(condition, exp.And) else [condition]
    for pair in (term.unnest() for term in terms):
        sides = (pair.this, pair.expression)
        names |= dict.fromkeys(side.name for side in sides if side.table == alias)
        dtype = next((types[key] for side in sides if (key := (side.table, side.name)) in types), None)
        conditions.append(_compare_hashes(pair, dtype) if isinstance(pair, exp.NullSafeEQ) else pair.copy())
    rows = exp.select(*(exp.column(name, quoted=True) for name in names)).distinct().from_(source.copy())
    exists.replace(exp.true())
    select.join(rows.subquery(alias), on=exp.and_(*conditions), copy=False)


def _compare_hashes(pair: exp.NullSafeEQ, dtype: str | None) -> exp.Expr:
    """Add a comparison of hashes, so that Redshift can use a hash join instead of comparing all pairs."""
    if dtype is None:
        return pair.copy()
    kind = exp.DataType.build(render_dtype(dtype, TYPES), dialect=DIALECT.name)
    left, right = (exp.cast(side.copy(), kind) for side in (pair.this, pair.expression))
    hashes = [exp.func("COALESCE", exp.func("FNV_HASH", side.copy()), exp.Literal.number(0)) for side in (left, right)]
    return exp.and_(exp.EQ(this=hashes[0], expression=hashes[1]), exp.NullSafeEQ(this=left, expression=right))


def _find_types(select: exp.Select, find_type: FindType) -> dict[tuple[str, str], str]:
    """Return the types of columns of stored tables that `select` reads, by alias and column."""
    types = {}
    for table in (join.this for join in (select.args["from_"], *(select.args.get("joins") or ()))):
        if isinstance(table, exp.Table) and table.db:
            layer = cast("SchemaName", table.db)
            for column in select.find_all(exp.Column):
                dtype = find_type(layer, table.name, column.name) if column.table == table.alias_or_name else None
                if dtype:
                    types[table.alias_or_name, column.name] = dtype
    return types
