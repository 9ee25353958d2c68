"""All that is declared, as the rules that hold it against itself see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from headwater.errors import DeclarationError
from headwater.model.entity import Entity
from headwater.model.expression import Scope, compile_expression
from headwater.model.field import Field
from headwater.model.project import Declarations
from headwater.names import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationContext:
    """All that is declared, and the fields that each resource offers."""

    declarations: Declarations
    fields: Mapping[str, tuple[Field, ...]]
    """Fields of every known resource, by `connector.resource`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The project's settings."""

    def scope(self, columns: Mapping[str, str]) -> Scope:
        """A scope of these columns, with the project's settings and rules."""
        return Scope(columns=columns, settings=self.settings, rules=self.declarations.rules)


def check_expression(text: str, scope: Scope, where: str) -> Iterator[DeclarationError]:
    """The complaint about an expression that does not hold in `scope`, if there is one."""
    try:
        compile_expression(text, scope, where=where)
    except DeclarationError as error:
        yield error


def check_column(entity: Entity, column: str, where: str) -> Iterator[DeclarationError]:
    """The complaint about a column that `entity` does not have, if it does not."""
    if column not in entity.columns:
        what = f"{entity.entity} has no column `{column}`."
        yield DeclarationError(what, where=where, details=column, hint=did_you_mean(column, entity.columns))


def unknown_name_error(noun: str, name: str, known: Iterable[str], where: str) -> DeclarationError:
    """The complaint about a name that nothing of its kind has."""
    return DeclarationError(f"There is no {noun} `{name}`.", where=where, details=name, hint=did_you_mean(name, known))
