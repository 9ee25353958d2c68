"""All declarations, as the checks see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from headwater.errors import DeclarationError
from headwater.model.check.casts import check_casts
from headwater.model.entity import Entity
from headwater.model.expression import Scope, compile_expression
from headwater.model.field import Field
from headwater.model.project import Declarations
from headwater.names import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationContext:
    """All declarations, and the fields of each resource."""

    declarations: Declarations
    fields: Mapping[str, tuple[Field, ...]]
    """Fields of every known resource, by `connector.resource`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings of the project."""

    def build_scope(self, columns: Mapping[str, str]) -> Scope:
        """A scope with these columns and the settings and rules of the project."""
        return Scope(columns=columns, settings=self.settings, rules=self.declarations.rules)


def check_expression(
    text: str, scope: Scope, where: str, *, dtypes: Mapping[str, str] | None = None, to: str = ""
) -> Iterator[DeclarationError]:
    """The errors of an expression: a name that is not in `scope`, or a cast that no engine makes.

    `dtypes` are the types of columns, and `to` is the type of the result, as far as they are known.
    """
    try:
        compile_expression(text, scope, where=where)
    except DeclarationError as error:
        yield error
        return
    yield from check_casts(text, dtypes or {}, where=where, to=to)


def check_column(entity: Entity, column: str, where: str) -> Iterator[DeclarationError]:
    """The error for a column that `entity` does not have, if any."""
    if column not in entity.columns:
        message = f"{entity.entity} has no column `{column}`."
        yield DeclarationError(message, where=where, details=column, hint=did_you_mean(column, entity.columns))


def build_unknown_name_error(noun: str, name: str, known: Iterable[str], where: str) -> DeclarationError:
    """The error for a name that does not exist."""
    return DeclarationError(f"There is no {noun} `{name}`.", where=where, details=name, hint=did_you_mean(name, known))
