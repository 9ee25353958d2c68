"""Tokens of connections, as conditional writes: one process at a time renews a token, and no newer token is overwritten."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, insert, select, update

from headwater.clock import from_micros
from headwater.errors import LeaseHeld, StateError
from headwater.ledger.lease_owner import describe_owner, is_dead_process
from headwater.ledger.records import TokenRow
from headwater.ledger.sql.schema import token as tokens


def find_token(connection: Connection, tenant: str, name: str) -> TokenRow | None:
    """The token of a connection, or None."""
    row = connection.execute(select(tokens).where(_own_condition(tenant, name))).mappings().one_or_none()
    return None if row is None else _to_row(row)


def claim_token(connection: Connection, tenant: str, name: str, holder: str, *, now: int, until: int) -> TokenRow:
    """Claim the right to renew a token. LeaseHeld if another live process has it, StateError if there is no token."""
    own = _own_condition(tenant, name)
    row = connection.execute(select(tokens).where(own)).mappings().one_or_none()
    if row is None:
        raise StateError("the connection has no token.", where=f"{tenant}/{name}", hint="log in first")
    if row["holder"] not in ("", holder) and row["claimed_until"] > now and not is_dead_process(row["holder"]):
        raise LeaseHeld(
            "another process renews the token of this connection.",
            where=f"{tenant}/{name}",
            details=describe_owner(row["holder"]),
            hint="run again in a minute",
        )
    # A claim that was neither released nor followed by a new token: its process died, perhaps after it sent the request.
    interrupted = row["interrupted"] or bool(row["holder"])
    connection.execute(update(tokens).where(own).values(holder=holder, claimed_until=until, interrupted=interrupted))
    return _to_row({**row, "interrupted": interrupted})


def release_token(connection: Connection, tenant: str, name: str, holder: str, *, interrupted: bool) -> None:
    """Release a claim. `interrupted`: the request may have been sent, and its answer is not known."""
    own = and_(_own_condition(tenant, name), tokens.c.holder == holder)
    values: dict[str, object] = {"holder": "", "claimed_until": 0}
    connection.execute(update(tokens).where(own).values(values | ({"interrupted": True} if interrupted else {})))


def save_token(
    connection: Connection, tenant: str, name: str, value: str, *, revision: int | None, now: int
) -> int | None:
    """Save a token, and return its revision. With `revision`, None, with nothing saved, if that is not the current one."""
    own = _own_condition(tenant, name)
    current = connection.execute(select(tokens.c.revision).where(own)).scalar_one_or_none()
    if revision is not None and current != revision:
        return None
    following = (current or 0) + 1
    connection.execute(delete(tokens).where(own))
    row = {"tenant": tenant, "connection": name, "value": value, "revision": following, "saved_at": now}
    connection.execute(insert(tokens).values(row))
    return following


def forget_token(connection: Connection, tenant: str, name: str) -> bool:
    """Delete the token of a connection. Whether there was one."""
    return bool(connection.execute(delete(tokens).where(_own_condition(tenant, name))).rowcount)


def _own_condition(tenant: str, name: str) -> ColumnElement[bool]:
    return and_(tokens.c.tenant == tenant, tokens.c.connection == name)


def _to_row(row: RowMapping | dict[str, object]) -> TokenRow:
    return TokenRow(
        value=str(row["value"]),
        revision=int(str(row["revision"])),
        saved_at=from_micros(int(str(row["saved_at"]))),
        interrupted=bool(row["interrupted"]),
    )
