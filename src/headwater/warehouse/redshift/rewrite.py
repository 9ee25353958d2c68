"""Portable SQL as Redshift takes it: its words (`functions`), and its shapes, which are this module's business.

Redshift runs a subquery only where it can make a join of it. So one that stands elsewhere than among the conditions of a
WHERE is made a join here; and so is one that compares where NULL equals NULL.
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

TypeOf = Callable[[SchemaName, str, str], str | None]
"""The type of a column of a stored table, by layer, table and column; None when it is not known."""


def rewrite(statement: str, schemas: Schemas, type_of: TypeOf) -> str:
    """`statement` (portable) in Redshift's dialect, over the schemas of a tenant."""
    if "EXISTS" not in statement:
        return _rewrite(statement, schemas)
    # What such a comparison means depends on the tables as they are stored now, so it is worked out anew each time.
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    for select in list(tree.find_all(exp.Select)):
        for exists in list(_find_null_safe_exists(select)):
            _join_exists(select, exists, type_of)
    return _rewrite(tree.sql(dialect=PORTABLE_SQL), schemas)


@lru_cache(maxsize=1024)
def _rewrite(statement: str, schemas: Schemas) -> str:
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    for values in tree.find_all(exp.Values):
        _name_columns(values)
    for number, (select, inside) in enumerate(_find_lifted(tree)):
        _join_in(select, inside, f"_in_{number}")
    for node in find_schema_names(tree):
        if node.name in dict(schemas):
            node.replace(exp.to_identifier(dict(schemas)[node.name], quoted=True))
    tree = translate(tree, DIALECT)
    for select in tree.find_all(exp.Select):
        _type_texts(select)
    return tree.sql(dialect=DIALECT.name)


def _name_columns(values: exp.Values) -> None:
    """Rows that are written out have names: they become SELECTs, and two columns without a name are one too many."""
    alias = values.args.get("alias")
    if isinstance(alias, exp.TableAlias) and not alias.columns and values.expressions:
        width = len(values.expressions[0].expressions)
        alias.set("columns", [exp.to_identifier(f"c{number}") for number in range(width)])


def _type_texts(select: exp.Select) -> None:
    """Texts that are written out are as long as any text: the column that a table gets of one takes others later."""
    for item in list(select.expressions):
        value = item.this if isinstance(item, exp.Alias) else item
        if isinstance(value, exp.Literal) and value.is_string:
            value.replace(exp.cast(value.copy(), exp.DataType.build("VARCHAR(65535)", dialect=DIALECT.name)))


def _find_lifted(tree: exp.Expr) -> list[tuple[exp.Select, exp.In]]:
    """Every `x IN (SELECT ...)` that is not simply a condition of a WHERE, and the SELECT in which it stands."""
    found = [node for node in tree.find_all(exp.In) if node.args.get("query")]
    return [(select, node) for node in found if (select := node.parent_select) and not _is_condition(node, select)]


def _is_condition(node: exp.Expr, select: exp.Select) -> bool:
    """Whether all rows of `select` have to hold, or not to hold, `node`."""
    above = node.parent
    while isinstance(above, exp.And | exp.Paren | exp.Not):
        if isinstance(above, exp.Not) and isinstance(node, exp.And):
            return False
        node, above = above, above.parent
    return isinstance(above, exp.Where) and above.parent is select


def _join_in(select: exp.Select, inside: exp.In, name: str) -> None:
    """A LEFT JOIN with the values instead of `inside`. A value that is NULL is among nothing, as none asks about here."""
    query = inside.args["query"]
    inner = query.this if isinstance(query, exp.Subquery) else query
    column = inner.selects[0].alias_or_name
    among = exp.select(exp.column(column).as_("among")).distinct().from_(inner.copy().subquery("asked"))
    asked = exp.EQ(this=exp.column("among", table=name), expression=inside.this.copy())
    inside.replace(exp.paren(exp.Not(this=exp.Is(this=exp.column("among", table=name), expression=exp.Null()))))
    select.join(among.subquery(name), on=asked, join_type="left", copy=False)


def _find_null_safe_exists(select: exp.Select) -> Iterator[exp.Exists]:
    """Every EXISTS that `select` has for a condition and that compares where NULL equals NULL."""
    where = select.args.get("where")
    for exists in where.find_all(exp.Exists) if where else ():
        if exists.parent_select is select and _is_condition(exists, select) and exists.find(exp.NullSafeEQ):
            yield exists


def _join_exists(select: exp.Select, exists: exp.Exists, type_of: TypeOf) -> None:
    """A JOIN with the distinct rows that are compared instead of `exists`, by hashes of values of one type."""
    inner = exists.this
    source = inner.args["from_"].this
    alias, kinds = source.alias_or_name, _find_types(select, type_of)
    names: dict[str, None] = {}
    conditions = []
    among = inner.args["where"].this
    for pair in (one.unnest() for one in (among.flatten() if isinstance(among, exp.And) else [among])):
        sides = (pair.this, pair.expression)
        names |= dict.fromkeys(side.name for side in sides if side.table == alias)
        dtype = next((kinds[key] for side in sides if (key := (side.table, side.name)) in kinds), None)
        conditions.append(_compare_hashes(pair, dtype) if isinstance(pair, exp.NullSafeEQ) else pair.copy())
    rows = exp.select(*(exp.column(name, quoted=True) for name in names)).distinct().from_(source.copy())
    exists.replace(exp.true())
    select.join(rows.subquery(alias), on=exp.and_(*conditions), copy=False)


def _compare_hashes(pair: exp.NullSafeEQ, dtype: str | None) -> exp.Expr:
    """A comparison beside one of hashes, by which rows meet without each being held against all others."""
    if dtype is None:
        return pair.copy()
    kind = exp.DataType.build(render_dtype(dtype, TYPES), dialect=DIALECT.name)
    left, right = (exp.cast(side.copy(), kind) for side in (pair.this, pair.expression))
    hashes = [exp.func("COALESCE", exp.func("FNV_HASH", side.copy()), exp.Literal.number(0)) for side in (left, right)]
    return exp.and_(exp.EQ(this=hashes[0], expression=hashes[1]), exp.NullSafeEQ(this=left, expression=right))


def _find_types(select: exp.Select, type_of: TypeOf) -> dict[tuple[str, str], str]:
    """The types of columns of stored tables that `select` reads, by alias and column."""
    found = {}
    for table in (join.this for join in (select.args["from_"], *(select.args.get("joins") or ()))):
        if isinstance(table, exp.Table) and table.db:
            layer = cast("SchemaName", table.db)
            for column in select.find_all(exp.Column):
                dtype = type_of(layer, table.name, column.name) if column.table == table.alias_or_name else None
                if dtype:
                    found[table.alias_or_name, column.name] = dtype
    return found
