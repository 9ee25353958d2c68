"""`as-of`: an entity or a dimension as it was at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headwater.errors import DeclarationError, WarehouseError
from headwater.model.dimension import DateDimension
from headwater.model.project import Declarations
from headwater.names import did_you_mean
from headwater.run.inspect.query import Query
from headwater.run.results import QueryResult
from headwater.run.workspace import TenantWorkspace
from headwater.warehouse.as_of import select_rows_at
from headwater.warehouse.base import SchemaName, Warehouse


def build_as_of_query(
    workspace: TenantWorkspace,
    instant: datetime,
    name: str,
    *,
    where: str = "",
    columns: Sequence[str] = (),
    limit: int | None = None,
) -> Query:
    """A query of the rows of an entity (`company`) or dimension (`dim_company`) that were valid at an instant, sorted by key.

    `where` is a condition on its columns, in the SQL of the warehouse.
    """
    layer, table = find_versioned_table(workspace.declarations, name)

    def build_sql(warehouse: Warehouse) -> str:
        stored = list_columns(warehouse, layer, table)
        _check_columns(columns, stored, table=f"{layer}.{table}")
        selected = tuple(columns) or stored
        return select_rows_at(warehouse, layer, table, columns=selected, instant=instant, where=where, limit=limit)

    return Query(workspace=workspace, build_sql=build_sql)


def read_as_of(
    workspace: TenantWorkspace,
    instant: datetime,
    name: str,
    *,
    where: str = "",
    columns: Sequence[str] = (),
    limit: int | None = None,
) -> QueryResult:
    """The rows that `build_as_of_query` selects."""
    return build_as_of_query(workspace, instant, name, where=where, columns=columns, limit=limit).fetch()


def _check_columns(names: Sequence[str], stored: Sequence[str], *, table: str) -> None:
    for name in names:
        if name not in stored:
            hint = did_you_mean(name, stored)
            raise DeclarationError(f"{table} has no column `{name}`.", where="--columns", details=name, hint=hint)


def find_versioned_table(declared: Declarations, name: str) -> tuple[SchemaName, str]:
    """The table of an entity or a dimension. DeclarationError if it has no versions."""
    layer, _, rest = name.rpartition(".")
    bare = rest.removeprefix("dim_")
    if layer in {"", "silver"} and rest in declared.entities:
        return "silver", rest
    dimension = declared.dimensions.get(bare)
    if layer in {"", "gold"} and dimension is not None and not isinstance(dimension, DateDimension):
        return "gold", f"dim_{bare}"
    names = [*declared.entities, *(f"dim_{dimension_name}" for dimension_name in declared.dimensions)]
    if dimension is not None or rest.removeprefix("fact_") in declared.facts:
        hint = "pass an entity or a dimension; use `headwater query` for other tables"
        raise DeclarationError(
            f"`{name}` has no versions, so it has no past state.", where="as-of", details=name, hint=hint
        )
    raise DeclarationError(
        f"There is no entity or dimension `{name}`.", where="as-of", details=name, hint=did_you_mean(name, names)
    )


def list_columns(warehouse: Warehouse, layer: SchemaName, table: str) -> tuple[str, ...]:
    """The columns of a stored table. WarehouseError if it does not exist yet."""
    columns = warehouse.describe(layer, table)
    if columns is None:
        raise WarehouseError(
            f"{layer}.{table} does not exist yet", details="no such table", hint="`headwater run` creates it"
        )
    return tuple(column.name for column in columns)
