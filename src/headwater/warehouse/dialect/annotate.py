"""Which kind of value each column of a statement holds: told from the relations whose columns are known, inside out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL
from headwater.warehouse.dialect.types import NOTED, Kind, kind_of, kind_of_type, widest_kind

Columns = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Relations whose columns are of known types: the name of each, and its columns, each with its type in DuckDB's spelling."""

_Given = Mapping[str, Kind]
"""The columns of a relation."""


def annotate_kinds(tree: exp.Expr, columns: Columns = ()) -> None:
    """Note at each column of a statement which kind of value it holds, where that can be told."""
    known: dict[str, _Given] = {
        relation: {name.lower(): kind_of_type(exp.DataType.build(dtype, dialect=PORTABLE_SQL)) for name, dtype in types}
        for relation, types in columns
    }
    for query in _inner_queries(tree) if not isinstance(tree, exp.Query) else (tree,):
        _annotate_query(query, known, {})


def _annotate_query(query: exp.Expr, known: Mapping[str, _Given], outer: Mapping[str, _Given]) -> dict[str, Kind]:
    """Note the kinds inside a query, and give those of its own columns."""
    query = query.unnest()
    for cte in query.ctes if isinstance(query, exp.Query) else ():
        known = {**known, cte.alias: _rename_columns(cte, _annotate_query(cte.this, known, outer))}
    match query:
        case exp.SetOperation():
            first, second = (_annotate_query(one, known, outer) for one in (query.left, query.right))
            pairs = zip(first.items(), second.values(), strict=False)
            return {name: widest_kind((kind, other)) for (name, kind), other in pairs}
        case exp.Select():
            return _annotate_select(query, known, outer)
        case _:
            return {}


def _annotate_select(select: exp.Select, known: Mapping[str, _Given], outer: Mapping[str, _Given]) -> dict[str, Kind]:
    sources = [one.this for one in (select.args.get("from_"), *select.args.get("joins", ())) if one is not None]
    own = {source.alias_or_name: _source_kinds(source, known, outer) for source in sources}
    scope = {**outer, **own}
    for inner in _inner_queries(select):
        if inner.parent not in sources and not isinstance(inner.parent, exp.CTE):
            _annotate_query(inner, known, scope)
    for column in select.find_all(exp.Column):
        if column.find_ancestor(exp.Query, exp.Comprehension) is select:
            column.meta[NOTED] = _find_kind(column, scope, own)
    found: dict[str, Kind] = {}
    for one in select.expressions:
        if one.is_star:
            for alias, columns in own.items():
                found |= columns if one.text("table") in ("", alias) else {}
        else:
            found[one.alias_or_name.lower()] = kind_of(one.unalias())
    return found


def _find_kind(column: exp.Column, scope: Mapping[str, _Given], own: Mapping[str, _Given]) -> Kind:
    name = column.name.lower()
    if column.table:
        return scope.get(column.table, {}).get(name, "unknown")
    holding = [columns[name] for columns in own.values() if name in columns]
    return holding[0] if len(set(holding)) == 1 else "unknown"


def _source_kinds(source: exp.Expr, known: Mapping[str, _Given], outer: Mapping[str, _Given]) -> _Given:
    """The columns of what a query is from, as far as that tells."""
    if isinstance(source, exp.Subquery):
        return _rename_columns(source, _annotate_query(source.this, known, outer))
    if isinstance(source, exp.Table):
        return known.get(f"{source.db}.{source.name}" if source.db else source.name, {})
    return {}


def _rename_columns(named: exp.Expr, columns: dict[str, Kind]) -> dict[str, Kind]:
    """Columns under the names that an alias gives them."""
    names = [one.lower() for one in named.alias_column_names] if isinstance(named, exp.DerivedTable) else []
    return dict(zip(names, columns.values(), strict=False)) if names else columns


def _inner_queries(tree: exp.Expr) -> Iterator[exp.Query]:
    """The queries that stand directly inside an expression or a query."""
    for query in tree.find_all(exp.Select, exp.SetOperation):
        if query is not tree and query.find_ancestor(exp.Select, exp.SetOperation) in (tree, None):
            yield query
