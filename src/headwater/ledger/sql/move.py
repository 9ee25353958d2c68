"""Moves a ledger to another database: copies all rows, compares their numbers, and closes the old ledger for runs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Table, func, insert, select

from headwater.errors import LeaseHeld, StateError
from headwater.ledger.lease_owner import describe_owner, is_dead_process
from headwater.ledger.sql.database import Database
from headwater.ledger.sql.queries.tenants import get_mark, set_mark
from headwater.ledger.sql.schema import lease, metadata, token

MOVED = "moved_to"
"""The mark of a ledger that was moved. It belongs to no tenant."""

_ROWS = 1000


def count_rows(connection: Connection) -> dict[str, int]:
    """The number of rows of each table."""
    return {table.name: _count(connection, table) for table in metadata.sorted_tables}


def refuse_moved(connection: Connection, *, where: str) -> None:
    """Raise StateError if the ledger was moved: what is written here would be missing in the new one."""
    if (moved := get_mark(connection, "", MOVED)) is not None:
        raise StateError(
            "this ledger was moved; nothing was changed.",
            where=where,
            details=f"moved to {moved}",
            hint="set the new `ledger: url:` in headwater.yaml",
        )


def move_rows(source: Database, target: Database) -> Mapping[str, int]:
    """Copy all rows into an empty ledger, and mark the source as moved. StateError, with nothing changed, if it cannot be.

    The source is locked until the end, so that no run writes it meanwhile. The target is committed first: if the process
    dies in between, both ledgers are complete, and the source is still the one in use.
    """
    with source.write_alone() as old:
        _check_leases(old, now=source.read_now(old), where=source.where)
        _check_tokens(old, now=source.read_now(old), where=source.where)
        with target.write_alone() as new:
            _check_empty(new, where=target.where)
            for table in metadata.sorted_tables:
                _copy_table(old, new, table)
            before, after = count_rows(old), count_rows(new)
            if before != after:
                raise StateError(
                    "the copy differs from the ledger; nothing was changed.",
                    where=target.where,
                    details=f"{before} rows, {after} in the copy",
                    hint="report a bug",
                )
            target.restart_numbers(new)
        set_mark(old, "", MOVED, target.where)
    return after


def _copy_table(old: Connection, new: Connection, table: Table) -> None:
    rows = old.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    for part in rows.partitions(_ROWS):
        new.execute(insert(table), [dict(row) for row in part])


def _check_leases(connection: Connection, *, now: int, where: str) -> None:
    for row in connection.execute(select(lease).where(lease.c.expires_at > now)).mappings():
        if not is_dead_process(row["holder"]):
            raise LeaseHeld(
                f"a run is working on tenant `{row['tenant']}`; nothing was changed.",
                where=where,
                details=f"held by {describe_owner(row['holder'])}",
                hint="wait until it finishes",
            )


def _check_tokens(connection: Connection, *, now: int, where: str) -> None:
    """A token that a process renews now would arrive in the old ledger."""
    for row in connection.execute(select(token).where(token.c.holder != "", token.c.claimed_until > now)).mappings():
        if not is_dead_process(row["holder"]):
            raise LeaseHeld(
                f"a process renews the login of `{row['tenant']}/{row['connection']}`; nothing was changed.",
                where=where,
                details=f"held by {describe_owner(row['holder'])}",
                hint="repeat the command in a minute",
            )


def _check_empty(connection: Connection, *, where: str) -> None:
    counts = {name: count for name, count in count_rows(connection).items() if count}
    if counts:
        details = ", ".join(f"{name}: {count}" for name, count in counts.items())
        hint = "use another database or schema. If an earlier move was interrupted, delete its copy first"
        raise StateError("the target is not empty; nothing was changed.", where=where, details=details, hint=hint)


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
