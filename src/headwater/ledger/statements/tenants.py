"""Tenants and connections that live in the ledger, and marks."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from headwater.errors import StateError
from headwater.ledger.rows import ConnectionRow
from headwater.ledger.tables import connection as connections
from headwater.ledger.tables import mark as marks
from headwater.ledger.tables import metadata
from headwater.ledger.tables import tenant as tenants


def listed(connection: Connection) -> tuple[str, ...]:
    """Tenants, sorted."""
    return tuple(connection.execute(select(tenants.c.tenant).order_by(tenants.c.tenant)).scalars())


def add(connection: Connection, tenant: str) -> None:
    """Add a tenant; StateError if it exists."""
    if connection.execute(select(tenants).where(tenants.c.tenant == tenant)).first():
        raise StateError(
            "there is such a tenant already.", where="the ledger", saw=tenant, hint="headwater tenant list"
        )
    connection.execute(insert(tenants).values(tenant=tenant))


def remove(connection: Connection, tenant: str) -> None:
    """Forget a tenant and all its rows."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table).where(table.c.tenant == tenant))


def connections_of(connection: Connection, tenant: str) -> tuple[ConnectionRow, ...]:
    """Connections of a tenant, by name."""
    query = select(connections).where(connections.c.tenant == tenant).order_by(connections.c.name)
    return tuple(ConnectionRow(**row) for row in connection.execute(query).mappings())


def add_connection(connection: Connection, row: ConnectionRow) -> None:
    """Add or replace a connection."""
    own = (connections.c.tenant == row.tenant, connections.c.name == row.name)
    connection.execute(delete(connections).where(*own))
    values = {"tenant": row.tenant, "name": row.name, "declaration": dict(row.declaration)}
    connection.execute(insert(connections).values(values))


def mark(connection: Connection, tenant: str, name: str) -> str | None:
    """The value of a mark."""
    query = select(marks.c.value).where(marks.c.tenant == tenant, marks.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def set_mark(connection: Connection, tenant: str, name: str, value: str) -> None:
    """Set a mark."""
    connection.execute(delete(marks).where(marks.c.tenant == tenant, marks.c.name == name))
    connection.execute(insert(marks).values(tenant=tenant, name=name, value=value))
