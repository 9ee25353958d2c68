"""Reads the version of a ledger, and upgrades it to the current one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from headwater.errors import StateError
from headwater.ledger.sql import migrations
from headwater.ledger.sql.schema import HEAD, VERSION_TABLE

EMPTY = 0
"""The version of an empty database."""


def read_version(connection: Connection, *, where: str) -> int:
    """The version of the ledger in a database, or EMPTY if it has no ledger.

    StateError if a newer version of Headwater wrote it, or if the database contains something else.
    """
    stamp = _read_stamp(connection)
    if stamp is None:
        _refuse_foreign_database(connection, where=where)
        return EMPTY
    if not stamp.isdecimal():
        raise _build_foreign_error(where, details=f"its version reads `{stamp}`")
    if int(stamp) > HEAD:
        raise StateError(
            "a newer version of Headwater wrote this ledger; nothing was read or changed.",
            where=where,
            details=f"ledger version {int(stamp)}; this version supports up to {HEAD}",
            hint="upgrade headwater: pip install --upgrade headwater",
        )
    return int(stamp)


def upgrade(connection: Connection, *, where: str) -> None:
    """Upgrade the ledger to the current version, in the open transaction of `connection`.

    Reads the version again first: another process may have upgraded it while this one waited for the lock.
    """
    if read_version(connection, where=where) == HEAD:
        return
    # the import takes up to a second, and only an upgrade needs it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, f"{HEAD:04d}")


def _read_stamp(connection: Connection) -> str | None:
    if connection.dialect.name != "sqlite" and not inspect(connection).has_table(VERSION_TABLE):
        # A statement that fails ends the transaction in most databases. In SQLite it does not, and the look-up is slower.
        return None
    try:
        stamp = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()
    except DatabaseError as error:
        if inspect(connection).has_table(VERSION_TABLE):
            raise
        del error
        return None
    return None if stamp is None else str(stamp)


def _refuse_foreign_database(connection: Connection, *, where: str) -> None:
    others = [name for name in inspect(connection).get_table_names() if name != VERSION_TABLE]
    if others:
        raise _build_foreign_error(where, details=f"tables {', '.join(sorted(others)[:5])}")


def _build_foreign_error(where: str, *, details: str) -> StateError:
    return StateError(
        "this database is not a Headwater ledger; nothing was changed.",
        where=where,
        details=details,
        hint="set another `ledger: url:` in headwater.yaml",
    )
