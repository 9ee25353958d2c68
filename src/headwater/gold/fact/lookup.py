"""Lookups: which member of a dimension a row of a fact points at."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headwater.errors import DeclarationError
from headwater.gold.dimension import date
from headwater.gold.fact.expressions import ExpressionReader
from headwater.gold.star import Ref
from headwater.gold.surrogate_key import entity_key_sql
from headwater.model.dimension import ERROR, NOT_APPLICABLE, UNKNOWN, DateDimension, Dimension, EntityDimension
from headwater.model.fact import Lookup
from headwater.model.names_in_scope import list_attribute_names
from headwater.model.tables import name_key_column, name_table
from headwater.names import quote
from headwater.temporal.asof import coverage_sql, covers_sql

_LAST = "TIMESTAMP '9999-12-30 00:00:00'"
_KEPT = ("entity_key", "valid_from", "valid_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledLookup:
    """A lookup of one part of a fact, compiled."""

    name: str
    lookup: Lookup
    dimension: Dimension
    table: str
    """The dimension's table."""
    on: str
    """SQL of the member's entity key; of the day, for days."""
    values: tuple[str, ...]
    """SQL of what that is made of."""
    at: str
    """SQL of the instant, clipped so that some version answers; only for point_in_time."""
    not_applicable_condition: str
    """SQL that holds where NULL is as it should be."""
    depends_on: frozenset[str]
    """The lookups that must be answered before."""
    has_attributes: bool
    """Whether expressions use its attributes."""

    @property
    def is_day(self) -> bool:
        """Whether the value itself is the key."""
        return isinstance(self.dimension, DateDimension)

    @property
    def key_column(self) -> str:
        """The hidden column that holds the entity key asked for."""
        return f"_on_{self.name}"

    @property
    def column(self) -> str:
        """The column of the fact."""
        return f"{self.name}_key"

    def key_sql(self) -> str:
        """SQL of the key; NULL where the member has not been met yet."""
        nothing = str(UNKNOWN)
        if self.not_applicable_condition:
            nothing = f"CASE WHEN {self.not_applicable_condition} THEN {NOT_APPLICABLE} ELSE {UNKNOWN} END"
        if isinstance(self.dimension, DateDimension):
            outside = date.outside_condition(self.dimension, self.on)
            return (
                f"CASE WHEN {self.on} IS NULL THEN {nothing} WHEN {outside} THEN {ERROR} "
                f"ELSE {date.key_sql(self.on)} END"
            )
        return f"CASE WHEN {self.on} IS NULL THEN {nothing} ELSE {quote(self.name)}.{self._key} END"

    def join(self, narrow: str, *, members: str = "") -> str:
        """The LEFT JOIN of the dimension's row, known by the lookup's name; `narrow` SELECTs the entity keys asked for.

        `members` names the staged members of those keys, where they were looked for before.
        """
        alias = quote(self.name)
        if isinstance(self.dimension, DateDimension):
            joined = f"LEFT JOIN {self.table} AS {alias} ON {alias}.{self._key} = {date.key_sql(self.on)}"
            return joined if self.has_attributes else ""
        among = f"entity_key IN ({narrow})" if narrow else "entity_key IS NOT NULL"
        members = f"{members} AS members" if members else f"(SELECT * FROM {self.table} WHERE {among}) AS members"
        meets = f"{alias}.entity_key = {self.on}"
        if self.lookup.strategy == "point_in_time":
            spans = coverage_sql(
                members, key="entity_key", columns=[name for name in self.needed_columns if name not in _KEPT]
            )
            return f"LEFT JOIN (\n{spans}\n) AS {alias} ON {meets} AND {covers_sql(alias, self.at)}"
        if isinstance(self.dimension, EntityDimension):
            place = "ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from DESC) AS _place"
            members = f"(SELECT * FROM (SELECT *, {place} FROM {members}) AS placed WHERE _place = 1)"
            return f"LEFT JOIN {members} AS {alias} ON {meets}"
        return f"LEFT JOIN {self.table} AS {alias} ON {meets}"

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns of the dimension that the fact takes something from."""
        return (*_KEPT, self.key_name, *(list_attribute_names(self.dimension) if self.has_attributes else ()))

    @property
    def key_name(self) -> str:
        """The column of the dimension that holds the key."""
        return name_key_column(self.dimension)

    @property
    def _key(self) -> str:
        return quote(self.key_name)


def compile_lookups(reader: ExpressionReader, ref: Ref, *, used: set[str]) -> tuple[CompiledLookup, ...]:
    """The lookups of a fact, each after those whose attributes it needs."""
    dimensions = reader.star.find_dimensions(reader.fact)
    known: dict[str, CompiledLookup] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise DeclarationError(
                f"The lookup `{name}` depends on itself.",
                where=reader.where,
                details=" -> ".join((*path, name)),
                hint="use columns of the row for `on` and `at`",
            )
        if name not in known:
            behind = reader.find_lookups(_list_texts(reader.fact.lookups[name]))
            for other in sorted(behind):
                visit(other, (*path, name))
            known[name] = _compile_lookup(reader, ref, name, dimensions[name], behind=behind)

    for name in reader.fact.lookups:
        visit(name, ())
    everywhere = used.union(*(item.depends_on for item in known.values()))
    return tuple(replace(item, has_attributes=item.name in everywhere) for item in known.values())


def _compile_lookup(
    reader: ExpressionReader, ref: Ref, name: str, dimension: Dimension, *, behind: set[str]
) -> CompiledLookup:
    lookup = reader.fact.lookups[name]
    values = tuple(reader.compile(text) for text in lookup.on)
    instant = f"COALESCE(CAST({reader.compile(lookup.at)} AS TIMESTAMP), {_LAST})" if lookup.at else ""
    return CompiledLookup(
        name=name,
        lookup=lookup,
        dimension=dimension,
        table=ref("gold", name_table(dimension)),
        on=_on_sql(reader, name, dimension, values),
        values=values,
        at=f"LEAST({instant}, {_LAST})" if instant else "",
        not_applicable_condition=f"({reader.compile(lookup.not_applicable)})" if lookup.not_applicable else "",
        depends_on=frozenset(behind),
        has_attributes=True,
    )


def _on_sql(reader: ExpressionReader, name: str, dimension: Dimension, values: tuple[str, ...]) -> str:
    wanted = 1
    if isinstance(dimension, EntityDimension):
        entity = reader.star.get_entity(dimension.entity, where=reader.where)
        wanted = len(entity.key)
    if len(values) != wanted:
        raise DeclarationError(
            f"The lookup `{name}` has {len(values)} values for a key of {wanted} parts.",
            where=reader.where,
            details=", ".join(reader.fact.lookups[name].on),
            hint="use one expression for each part of the key",
        )
    if isinstance(dimension, EntityDimension):
        return f"({entity_key_sql('_row.entity_key', values)})"
    kind = "DATE" if isinstance(dimension, DateDimension) else "VARCHAR"
    return f"CAST({values[0]} AS {kind})"


def _list_texts(lookup: Lookup) -> list[str]:
    return [text for text in (*lookup.on, lookup.at, lookup.not_applicable) if text]
