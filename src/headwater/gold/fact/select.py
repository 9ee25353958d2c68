"""The rows of a fact: one SELECT for each part, with every lookup answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headwater.dtypes import DUCKDB, check_dtype, render_dtype
from headwater.errors import DeclarationError
from headwater.gold.columns import LOAD, check_columns, infer_types
from headwater.gold.fact.expressions import MONTH, ExpressionReader, make_reader
from headwater.gold.fact.lookup import CompiledLookup, compile_lookups
from headwater.gold.star import Ref, Star
from headwater.model.fact import Fact, Part
from headwater.model.tables import name_table
from headwater.names import quote
from headwater.warehouse.base import Reference, Table, TableColumn, Warehouse

PERIOD = ("period_start", "period_end")
"""Columns that a fact over periods has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPart:
    """One part of a fact, compiled."""

    part: Part
    relation: str
    """The versions of its entity."""
    values: Mapping[str, str]
    """Column -> SQL, without lookups and load metadata."""
    lookups: tuple[CompiledLookup, ...]
    """Its lookups, in the order to join them."""
    where: tuple[str, ...]
    """SQL that must hold."""
    span: tuple[str, str] | None
    """SQL of its first and last day, for a fact over periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFact:
    """A fact, compiled."""

    fact: Fact
    parts: tuple[CompiledPart, ...]
    batches: str
    """`meta.batch`."""
    sure: frozenset[str]
    """Columns of its grain that are never NULL: keys of its entity, and the ends of its periods."""

    @property
    def lookups(self) -> tuple[CompiledLookup, ...]:
        """Its lookups, as the first part sees them."""
        return self.parts[0].lookups


def compile_fact(star: Star, fact: Fact, ref: Ref) -> CompiledFact:
    """`fact` with its expressions compiled; DeclarationError where they do not hold."""
    parts = tuple(_compile_part(star, fact, part, ref) for part in fact.sources)
    return CompiledFact(fact=fact, parts=parts, batches=ref("meta", "batch"), sure=_find_sure_columns(star, fact))


def _find_sure_columns(star: Star, fact: Fact) -> frozenset[str]:
    keys = [
        frozenset() if part.columns else frozenset(star.declarations.entities[part.entity].key) for part in fact.sources
    ]
    own = set(fact.degenerate) | set(fact.measures)
    named = frozenset.intersection(*keys) | (frozenset(PERIOD) if fact.periods else frozenset())
    return frozenset(name for name in fact.grain if name in named and name not in own)


def _compile_part(star: Star, fact: Fact, part: Part, ref: Ref) -> CompiledPart:
    reader = make_reader(star, fact, part, star.find_dimensions(fact))
    conditions = [text for text in (fact.where, part.where) if text]
    used = reader.find_lookups([*fact.degenerate.values(), *fact.measures.values(), *conditions])
    return CompiledPart(
        part=part,
        relation=ref("silver", part.entity),
        values=_compile_values(reader),
        lookups=compile_lookups(reader, ref, used=used),
        where=tuple(f"({reader.compile(text)})" for text in conditions),
        span=(_day_sql(reader, fact.periods.start), _day_sql(reader, fact.periods.end)) if fact.periods else None,
    )


def _compile_values(reader: ExpressionReader) -> dict[str, str]:
    fact = reader.fact
    own = {**fact.degenerate, **fact.measures}
    names = [name for name in (*fact.grain, *(PERIOD if fact.periods else ())) if name not in own]
    texts = {name: name for name in names} | own
    # Grain columns stand first, in their order, however they are declared.
    ordered = dict.fromkeys((*fact.grain, *names, *texts))
    return {
        name: _cast_sql(fact, name, reader.compile(texts[name], path=(name,)))
        for name in ordered
        if name != "entity_key"
    }


def _cast_sql(fact: Fact, name: str, sql: str) -> str:
    if name not in fact.types:
        return sql
    try:
        dtype = check_dtype(fact.types[name])
    except ValueError as error:
        where = f"{fact.origin} fact {fact.fact}, types.{name}"
        raise DeclarationError(
            f"The type of `{name}` is unknown.", where=where, details=fact.types[name], hint=str(error)
        ) from error
    return f"CAST({sql} AS {render_dtype(dtype, DUCKDB)})"


def _day_sql(reader: ExpressionReader, text: str) -> str:
    return f"CAST({reader.compile(text)} AS DATE)"


def build_table(warehouse: Warehouse, parts: CompiledFact, types: Mapping[str, str] | None = None) -> Table:
    """The table that keeps a fact; types of expressions are the engine's where `types` of the fact does not say.

    `types`: those of all columns, where they are known.
    """
    fact = parts.fact
    where = f"{fact.origin} fact {fact.fact}"
    months = "(SELECT DATE '1970-01-01' AS period_start, DATE '1970-01-31' AS period_end)"
    types = infer_types(warehouse, select_rows(parts, months=months), where=where) if types is None else types
    keys = [lookup.column for lookup in parts.lookups]
    grain = [name for name in parts.parts[0].values if name in (*fact.grain, *PERIOD)]
    others = [name for name in parts.parts[0].values if name not in grain]
    columns = (
        TableColumn(name="entity_key", dtype="text", required=True),
        *(TableColumn(name=name, dtype=types[name], required=name in parts.sure) for name in grain),
        *(TableColumn(name=f"{name}_key", dtype="bigint", required=True) for name in fact.lookups),
        *(TableColumn(name=name, dtype=types[name]) for name in others if name not in keys),
        *LOAD,
    )
    check_columns(columns, where=where)
    primary = tuple(dict.fromkeys(("entity_key", *fact.grain)))
    references = [
        Reference(column=lookup.column, table=name_table(lookup.dimension), key=lookup.key_name)
        for lookup in parts.lookups
    ]
    return Table(
        layer="gold",
        name=name_table(fact),
        columns=columns,
        key=("entity_key",),
        primary_key=primary,
        references=tuple(references),
    )


def select_rows(
    parts: CompiledFact,
    *,
    relations: Sequence[str] = (),
    members: Sequence[Mapping[str, str]] = (),
    months: str = "gold_months",
) -> str:
    """SELECT of the rows, with the hidden columns `_on_<lookup>` that tell which member was asked for.

    `relations` names, for each part, the staged rows to take instead of all current ones, and `members`, by lookup,
    the staged members that they may point at.
    """
    chosen = zip(parts.parts, relations or [""] * len(parts.parts), members or [{}] * len(parts.parts), strict=True)
    return "\nUNION ALL\n".join(_select_part_rows(parts, part, staged, months, own) for part, staged, own in chosen)


def _select_part_rows(parts: CompiledFact, part: CompiledPart, staged: str, months: str, own: Mapping[str, str]) -> str:
    values = "".join(f",\n  {sql} AS {quote(name)}" for name, sql in part.values.items())
    asked = "".join(
        f",\n  {lookup.key_sql()} AS {quote(lookup.column)}"
        + ("" if lookup.is_day else f",\n  {lookup.on} AS {quote(lookup.key_column)}")
        for lookup in _order_lookups(parts, part)
    )
    conditions = " AND ".join(["_row.is_current", *part.where])
    return (
        f"SELECT _row.entity_key{values}{asked},\n"
        "  _load.read_at AS loaded_at, _row.batch_id, _load.source\n"
        f"{from_sql(part, staged=staged, months=months, members=own)}\n"
        f"LEFT JOIN {parts.batches} AS _load ON _load.batch_id = _row.batch_id\n"
        f"WHERE {conditions}"
    )


def _order_lookups(parts: CompiledFact, part: CompiledPart) -> list[CompiledLookup]:
    # Parts may join in different orders; their columns must stand in one.
    by_name = {lookup.name: lookup for lookup in part.lookups}
    return [by_name[lookup.name] for lookup in parts.lookups]


def from_sql(
    part: CompiledPart,
    *,
    staged: str = "",
    months: str,
    only: frozenset[str] | None = None,
    members: Mapping[str, str] | None = None,
) -> str:
    """The FROM clause of a part: its rows, its months, and the rows that its lookups find (`only` these, if given)."""
    base, found = _base_sql(part, staged, months), members or {}
    joins = [
        lookup.join(
            f"SELECT {lookup.on} {base}" if staged and not lookup.depends_on else "", members=found.get(lookup.name, "")
        )
        for lookup in part.lookups
        if only is None or lookup.name in only
    ]
    return "\n".join([base, *(text for text in joins if text)])


def _base_sql(part: CompiledPart, staged: str, months: str) -> str:
    base = f"FROM {staged or part.relation} AS _row"
    if part.span:
        first, last = part.span
        base += (
            f"\nJOIN {months} AS {MONTH} ON {MONTH}.period_end >= {first}"
            f" AND ({last} IS NULL OR {MONTH}.period_start <= {last})"
        )
    return base


def select_asked_keys(part: CompiledPart, lookup: CompiledLookup, *, staged: str, months: str) -> str:
    """SELECT of the entity keys that a lookup, behind no other, asks for in the staged rows of a part."""
    return f"SELECT {lookup.on} AS entity_key {_base_sql(part, staged, months)}"


def select_referencing_keys(
    part: CompiledPart, lookup: CompiledLookup, *, changed: str, months: str, staged: str = ""
) -> str:
    """SELECT of the keys of the current rows whose lookup asks for one of the `changed` members.

    `staged` names those rows, and perhaps others, where they were found before.
    """
    return (
        f"SELECT _row.entity_key\n{from_sql(part, staged=staged, months=months, only=_collect_dependencies(part, lookup))}\n"
        f"WHERE _row.is_current AND {lookup.on} IN ({changed})"
    )


def _collect_dependencies(part: CompiledPart, lookup: CompiledLookup) -> frozenset[str]:
    by_name = {item.name: item for item in part.lookups}
    return lookup.depends_on.union(*(_collect_dependencies(part, by_name[name]) for name in lookup.depends_on))


def is_grain_sure(star: Star, fact: Fact) -> bool:
    """Whether no two rows can share the grain: one row an entity key, and the grain holds that key."""
    part = fact.sources[0]
    entity = star.declarations.entities[part.entity]
    return len(fact.sources) == 1 and not part.columns and not fact.periods and set(entity.key) <= set(fact.grain)
