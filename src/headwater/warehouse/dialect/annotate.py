"""Infers the kind of value of each column of a statement, from the relations with known columns, inside out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL
from headwater.warehouse.dialect.types import META_KEY, Kind, find_widest_kind, infer_kind, to_kind

Columns = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Relations with known columns: the name of each, and its columns with their types in DuckDB's syntax."""

_ColumnKinds = Mapping[str, Kind]
"""The columns of a relation, in lower case, with the kinds of their values."""


def annotate_kinds(tree: exp.Expr, columns: Columns = ()) -> None:
    """Record at each column of a statement the kind of its values, where it can be inferred."""
    relations: dict[str, _ColumnKinds] = {
        relation: {name.lower(): to_kind(exp.DataType.build(dtype, dialect=PORTABLE_SQL)) for name, dtype in types}
        for relation, types in columns
    }
    for query in _find_inner_queries(tree) if not isinstance(tree, exp.Query) else (tree,):
        _annotate_query(query, relations, {})


def _annotate_query(
    query: exp.Expr, relations: Mapping[str, _ColumnKinds], outer: Mapping[str, _ColumnKinds]
) -> dict[str, Kind]:
    """Record the kinds inside a query; return those of its own columns."""
    query = query.unnest()
    for cte in query.ctes if isinstance(query, exp.Query) else ():
        relations = {**relations, cte.alias: _rename_columns(cte, _annotate_query(cte.this, relations, outer))}
    match query:
        case exp.SetOperation():
            first, second = (_annotate_query(side, relations, outer) for side in (query.left, query.right))
            pairs = zip(first.items(), second.values(), strict=False)
            return {name: find_widest_kind((kind, other)) for (name, kind), other in pairs}
        case exp.Select():
            return _annotate_select(query, relations, outer)
        case _:
            return {}


def _annotate_select(
    select: exp.Select, relations: Mapping[str, _ColumnKinds], outer: Mapping[str, _ColumnKinds]
) -> dict[str, Kind]:
    sources = [
        clause.this for clause in (select.args.get("from_"), *select.args.get("joins", ())) if clause is not None
    ]
    own = {source.alias_or_name: _find_source_kinds(source, relations, outer) for source in sources}
    scope = {**outer, **own}
    for inner in _find_inner_queries(select):
        if inner.parent not in sources and not isinstance(inner.parent, exp.CTE):
            _annotate_query(inner, relations, scope)
    for column in select.find_all(exp.Column):
        if column.find_ancestor(exp.Query, exp.Comprehension) is select:
            column.meta[META_KEY] = _find_kind(column, scope, own)
    kinds: dict[str, Kind] = {}
    for item in select.expressions:
        if item.is_star:
            for alias, columns in own.items():
                kinds |= columns if item.text("table") in ("", alias) else {}
        else:
            kinds[item.alias_or_name.lower()] = infer_kind(item.unalias())
    return kinds


def _find_kind(column: exp.Column, scope: Mapping[str, _ColumnKinds], own: Mapping[str, _ColumnKinds]) -> Kind:
    name = column.name.lower()
    if column.table:
        return scope.get(column.table, {}).get(name, "unknown")
    candidates = [columns[name] for columns in own.values() if name in columns]
    return candidates[0] if len(set(candidates)) == 1 else "unknown"


def _find_source_kinds(
    source: exp.Expr, relations: Mapping[str, _ColumnKinds], outer: Mapping[str, _ColumnKinds]
) -> _ColumnKinds:
    """Return the known columns of a source of a query."""
    if isinstance(source, exp.Subquery):
        return _rename_columns(source, _annotate_query(source.this, relations, outer))
    if isinstance(source, exp.Table):
        return relations.get(f"{source.db}.{source.name}" if source.db else source.name, {})
    return {}


def _rename_columns(aliased: exp.Expr, columns: dict[str, Kind]) -> dict[str, Kind]:
    """Return the columns under the names that an alias gives them."""
    names = [name.lower() for name in aliased.alias_column_names] if isinstance(aliased, exp.DerivedTable) else []
    return dict(zip(names, columns.values(), strict=False)) if names else columns


def _find_inner_queries(tree: exp.Expr) -> Iterator[exp.Query]:
    """Yield the queries that are directly inside an expression or a query."""
    for query in tree.find_all(exp.Select, exp.SetOperation):
        if query is not tree and query.find_ancestor(exp.Select, exp.SetOperation) in (tree, None):
            yield query
