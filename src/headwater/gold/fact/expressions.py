"""How one part of a fact reads its expressions: every name becomes SQL over `_row` and the rows that lookups found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headwater.errors import DeclarationError
from headwater.gold.star import Star
from headwater.model.dimension import Dimension
from headwater.model.expression import compile_expression, find_names
from headwater.model.fact import Fact, Part
from headwater.model.names_in_scope import map_entity_columns, map_lookup_columns
from headwater.names import quote

MONTH = "_month"
"""What the row of the months is called in the SELECT of a fact over periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionReader:
    """Reads the expressions of a fact over one of its parts."""

    star: Star
    fact: Fact
    base: Mapping[str, str]
    """What the part offers: name -> SQL."""
    looked_up: Mapping[str, str]
    """`<lookup>.<attribute>` -> SQL."""
    derived: Mapping[str, str] = field(default_factory=dict)
    """Names that the fact declares -> their expressions."""

    @property
    def where(self) -> str:
        """Where the fact stands."""
        return f"{self.fact.origin} fact {self.fact.fact}"

    def compile(self, text: str, *, path: tuple[str, ...] = ()) -> str:
        """SQL of an expression. A column wins over a declared name that is spelled alike."""
        where = f"{self.where}, {path[-1]}" if path else self.where
        known = dict.fromkeys((*self.derived, *self.looked_up, *self.base), "NULL")
        used = {name: self._resolve(name, path) for name in find_names(text, where=where) if name in known}
        return compile_expression(text, self.star.build_scope({**known, **used}), where=where)

    def find_lookups(self, texts: Iterable[str], *, path: tuple[str, ...] = ()) -> set[str]:
        """The lookups whose rows these expressions need."""
        lookups: set[str] = set()
        for text in texts:
            for name in find_names(text, where=self.where):
                if name in self.base:
                    continue
                if name in self.looked_up:
                    lookups.add(name.split(".", 1)[0])
                elif name in self.derived:
                    self._check_circle(name, path)
                    lookups |= self.find_lookups([self.derived[name]], path=(*path, name))
        return lookups

    def _resolve(self, name: str, path: tuple[str, ...]) -> str:
        if name in self.base:
            return self.base[name]
        if name in self.looked_up:
            return self.looked_up[name]
        self._check_circle(name, path)
        return self.compile(self.derived[name], path=(*path, name))

    def _check_circle(self, name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise DeclarationError(
                f"`{name}` refers to itself.",
                where=self.where,
                details=" -> ".join((*path, name)),
                hint="use only columns and names that are declared earlier",
            )


def make_reader(star: Star, fact: Fact, part: Part, dimensions: Mapping[str, Dimension]) -> ExpressionReader:
    """The reader of `part`."""
    where = f"{fact.origin} fact {fact.fact}"
    own = map_entity_columns(star.get_entity(part.entity, where=where), "_row")
    scope = star.build_scope(own)
    given = {name: compile_expression(text, scope, where=f"{where}, {name}") for name, text in part.columns.items()}
    months = {name: f"{MONTH}.{quote(name)}" for name in ("period_start", "period_end")} if fact.periods else {}
    base = {**(given or own), **months, "entity_key": '_row."entity_key"'}
    derived = {**fact.degenerate, **fact.measures}
    return ExpressionReader(star=star, fact=fact, base=base, looked_up=map_lookup_columns(dimensions), derived=derived)
