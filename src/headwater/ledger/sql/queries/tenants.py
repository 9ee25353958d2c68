"""Tenants, connections and marks that are stored in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, delete, insert, select, update

from headwater.errors import StateError
from headwater.events import Finding
from headwater.ledger.records import CLEAR_SECRET_REMOVED, ConnectionRow
from headwater.ledger.sql.queries import runs
from headwater.ledger.sql.schema import connection as connections
from headwater.ledger.sql.schema import mark as marks
from headwater.ledger.sql.schema import metadata
from headwater.ledger.sql.schema import tenant as tenants
from headwater.model.address import has_secret, is_reference


def list_tenants(connection: Connection) -> tuple[str, ...]:
    """Tenants, sorted."""
    return tuple(connection.execute(select(tenants.c.tenant).order_by(tenants.c.tenant)).scalars())


def add_tenant(connection: Connection, tenant: str) -> None:
    """Add a tenant; StateError if it exists."""
    if connection.execute(select(tenants).where(tenants.c.tenant == tenant)).first():
        raise StateError(
            "the tenant exists already.", where="the ledger", details=tenant, hint="`headwater tenant list` lists them"
        )
    connection.execute(insert(tenants).values(tenant=tenant))


def remove_tenant(connection: Connection, tenant: str) -> None:
    """Delete a tenant and all its rows."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table).where(table.c.tenant == tenant))


def list_connections(connection: Connection, tenant: str) -> tuple[ConnectionRow, ...]:
    """Connections of a tenant, by name."""
    query = select(connections).where(connections.c.tenant == tenant).order_by(connections.c.name)
    return tuple(ConnectionRow(**row) for row in connection.execute(query).mappings())


def add_connection(connection: Connection, row: ConnectionRow) -> None:
    """Add or replace a connection."""
    own = (connections.c.tenant == row.tenant, connections.c.name == row.name)
    connection.execute(delete(connections).where(*own))
    values = {"tenant": row.tenant, "name": row.name, "declaration": dict(row.declaration)}
    connection.execute(insert(connections).values(values))


def remove_connection(connection: Connection, tenant: str, name: str) -> None:
    """Delete a connection, if it exists."""
    connection.execute(delete(connections).where(connections.c.tenant == tenant, connections.c.name == name))


def remove_clear_secrets(connection: Connection) -> bool:
    """Remove secrets that older versions stored in clear text from connections, and save a finding. Whether there were any."""
    removed = False
    for row in connection.execute(select(connections)).mappings().all():
        declaration = dict(row["declaration"])
        secrets = _find_invalid(declaration.get("secrets"), is_reference)
        addresses = _find_invalid(declaration.get("settings"), lambda text: not has_secret(text))
        if not (secrets or addresses):
            continue
        removed = True
        for part, names in (("secrets", secrets), ("settings", addresses)):
            declaration[part] = {
                name: text for name, text in dict(declaration.get(part) or {}).items() if name not in names
            }
        own = (connections.c.tenant == row["tenant"], connections.c.name == row["name"])
        connection.execute(update(connections).where(*own).values(declaration=declaration))
        detail = f"{', '.join((*secrets, *addresses))} contained a secret: change it at the service, and add the connection again"
        finding = Finding(
            table=f"connection {row['name']}",
            finding=CLEAR_SECRET_REMOVED,
            count=len(secrets) + len(addresses),
            detail=detail,
        )
        runs.save_findings(connection, row["tenant"], finding.table, [finding])
    return removed


def _find_invalid(values: Mapping[str, object] | None, is_valid: Callable[[str], bool]) -> tuple[str, ...]:
    return tuple(name for name, value in (values or {}).items() if not is_valid(str(value)))


def get_mark(connection: Connection, tenant: str, name: str) -> str | None:
    """The value of a mark."""
    query = select(marks.c.value).where(marks.c.tenant == tenant, marks.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def set_mark(connection: Connection, tenant: str, name: str, value: str) -> None:
    """Set a mark."""
    connection.execute(delete(marks).where(marks.c.tenant == tenant, marks.c.name == name))
    connection.execute(insert(marks).values(tenant=tenant, name=name, value=value))
