"""Whose a warehouse is: one row that says which ledger first wrote there."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from headwater.names import quote_literal
from headwater.warehouse.base import Table, TableColumn, Warehouse
from headwater.warehouse.dml import overwrite_rows

NAMES = ("ledger", "tenant", "project")

OWNERS = Table(
    layer="meta",
    name="owner",
    columns=tuple(TableColumn(name=name, dtype="text") for name in NAMES),
    key=("ledger",),
    primary_key=("ledger",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a place is."""

    ledger: str
    """What the ledger calls itself where it keeps this tenant: a random name, which moves along with it."""
    tenant: str
    project: str
    """What the project is called, for people to read."""


def find_owner(warehouse: Warehouse) -> Owner | None:
    """Whose the warehouse is; None where nobody has said so."""
    if warehouse.describe("meta", OWNERS.name) is None:
        return None
    rows = warehouse.rows(f"SELECT {', '.join(NAMES)} FROM {warehouse.ref('meta', OWNERS.name)}")
    return Owner(**dict(zip(NAMES, rows[0], strict=True))) if rows else None


def save_owner(warehouse: Warehouse, owner: Owner) -> None:
    """Let the warehouse be this owner's, whosever it was."""
    values = ", ".join(f"{quote_literal(value)} AS {name}" for name, value in asdict(owner).items())
    with warehouse.transaction():
        warehouse.ensure(OWNERS)
        overwrite_rows(
            warehouse,
            "meta",
            OWNERS.name,
            where="ledger IS NOT NULL",
            columns=OWNERS.names,
            select=f"SELECT {values}",
        )
