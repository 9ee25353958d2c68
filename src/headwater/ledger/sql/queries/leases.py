"""Leases, as conditional writes: if two processes claim a lease at the same moment, one of them gets it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, insert, select, update

from headwater.clock import format_instant, from_micros
from headwater.errors import LeaseHeld
from headwater.ledger.lease_owner import describe_owner, is_dead_process
from headwater.ledger.records import Lease
from headwater.ledger.sql.schema import lease as leases


def claim(connection: Connection, lease: Lease, *, now: int, until: int) -> Lease:
    """Claim a lease, or extend it. LeaseHeld if another live process holds it."""
    own = and_(leases.c.tenant == lease.tenant, leases.c.scope == lease.scope)
    row = connection.execute(select(leases).where(own)).mappings().one_or_none()
    if row is None:
        values = {"tenant": lease.tenant, "scope": lease.scope, "holder": lease.holder}
        connection.execute(insert(leases).values(**values, claimed_at=now, expires_at=until))
    elif row["holder"] == lease.holder:
        connection.execute(update(leases).where(own).values(expires_at=until))
    elif row["expires_at"] <= now or is_dead_process(row["holder"]):
        # checked again in the statement: where a database has no write lock, the holder may have renewed meanwhile
        unchanged = and_(own, leases.c.holder == row["holder"], leases.c.expires_at == row["expires_at"])
        new_values = {"holder": lease.holder, "claimed_at": now, "expires_at": until}
        if not connection.execute(update(leases).where(unchanged).values(**new_values)).rowcount:
            raise _build_lease_held_error(row)
    else:
        raise _build_lease_held_error(row)
    return _to_lease(connection.execute(select(leases).where(own)).mappings().one())


def renew(connection: Connection, lease: Lease, *, until: int) -> Lease | None:
    """Extend a lease to `until`; None if this process no longer holds it."""
    if not connection.execute(update(leases).where(_owner_condition(lease)).values(expires_at=until)).rowcount:
        return None
    return _to_lease(connection.execute(select(leases).where(_owner_condition(lease))).mappings().one())


def release(connection: Connection, lease: Lease) -> None:
    """Release a lease, if this process still holds it."""
    connection.execute(delete(leases).where(_owner_condition(lease)))


def list_leases(connection: Connection, tenant: str, *, now: int) -> tuple[Lease, ...]:
    """Leases of a tenant that have not expired and whose process is not known to be dead."""
    query = select(leases).where(leases.c.tenant == tenant, leases.c.expires_at > now).order_by(leases.c.scope)
    current = (_to_lease(row) for row in connection.execute(query).mappings())
    return tuple(lease for lease in current if not is_dead_process(lease.holder))


def _owner_condition(lease: Lease) -> ColumnElement[bool]:
    return and_(leases.c.tenant == lease.tenant, leases.c.scope == lease.scope, leases.c.holder == lease.holder)


def _build_lease_held_error(row: RowMapping) -> LeaseHeld:
    since, until = format_instant(from_micros(row["claimed_at"])), format_instant(from_micros(row["expires_at"]))
    return LeaseHeld(
        f"another run is working on tenant `{row['tenant']}`.",
        where=f"{row['tenant']} {row['scope']}",
        details=f"held by {describe_owner(row['holder'])} since {since}, until {until} unless renewed",
        hint="wait until it finishes; the lease of a crashed run expires by itself",
    )


def _to_lease(row: RowMapping) -> Lease:
    return Lease(
        tenant=row["tenant"],
        scope=row["scope"],
        holder=row["holder"],
        expires_at=from_micros(row["expires_at"]),
        since=from_micros(row["claimed_at"]),
    )
