"""Connects to a Postgres server, configures the session, and converts the errors of psycopg."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from headwater.errors import HeadwaterError, SafetyCheckError, WarehouseError
from headwater.warehouse.postgres.compat import CHECKING, CHECKS
from headwater.warehouse.postgres.functions import DIALECT

OLDEST = 150_000
"""The oldest supported version (15), which introduced NULLS NOT DISTINCT."""

UNENFORCED = 180_000
"""From this version (18) on, foreign keys can be declared NOT ENFORCED."""

Connection = psycopg.Connection[tuple[Any, ...]]
"""A session. Its cursors take parameters as `$1`, so that a percent sign needs no escape."""


def connect(url: str, *, memory: str, read_only: bool) -> Connection:
    """Open a session at `url`. Raises WarehouseError if that fails."""
    plain = url.replace("+psycopg", "", 1)
    try:
        connection = psycopg.connect(
            plain,
            autocommit=True,
            prepare_threshold=None,  # temporary tables are created again under the same names
            cursor_factory=psycopg.RawCursor,
            application_name="headwater",
        )
    except (psycopg.Error, ValueError) as error:
        hint = "check that the server is running, the address is correct, and this user can connect"
        raise WarehouseError(
            "Postgres cannot be reached", where=describe_target(plain), details=shorten_message(error), hint=hint
        ) from error
    try:
        _configure(connection, memory=memory, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def describe_target(url: str) -> str:
    """Describe where the server is, without user and password."""
    try:
        parameters = conninfo_to_dict(url)
    except psycopg.Error:
        return "the url of the warehouse"
    host = parameters.get("host") or parameters.get("hostaddr") or "localhost"
    port = f":{parameters['port']}" if parameters.get("port") else ""
    return f"postgres at {host}{port}, database {parameters.get('dbname') or parameters.get('user') or 'postgres'}"


def _configure(connection: Connection, *, memory: str, read_only: bool) -> None:
    version = connection.info.server_version
    if version < OLDEST:
        raise WarehouseError(
            "Postgres 15 or newer is needed",
            where=describe_target(connection.info.dsn),
            details=f"server version {version // 10000}",
        )
    settings = {
        "search_path": "",
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "IntervalStyle": "postgres",
        "jit": "off",
        "client_min_messages": "warning",
        "extra_float_digits": "1",
        "work_mem": memory,
    }
    try:
        for name, value in settings.items():
            if value:
                connection.execute("SELECT pg_catalog.set_config($1, $2, false)", (name, value))
        if read_only:
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            return
        for statement in (*DIALECT.session_statements, *([CHECKS] if version < CHECKING else [])):
            connection.execute(statement.encode())
    except psycopg.Error as error:
        raise to_warehouse_error(error, describe_target(connection.info.dsn), "") from error


def to_warehouse_error(error: psycopg.Error, where: str, statement: str) -> HeadwaterError:
    """Convert an error of the server."""
    text = " ".join(statement.split())[:300]
    match error:
        case errors.UniqueViolation():
            return SafetyCheckError(
                f"Two rows of {error.diag.table_name} have the same key; nothing was written.",
                where=where,
                details=_format_details(error),
                hint="for a dimension, declare `surrogate: sequence`; for a fact, add a column to the grain",
            )
        case errors.ExclusionViolation():
            hint = "this is a bug in Headwater; `headwater rebuild` rebuilds the history from raw"
            return WarehouseError(
                "two versions of a record overlap", where=where, details=_format_details(error), hint=hint
            )
        case errors.DependentObjectsStillExist():
            hint = "drop the objects that depend on the table (such as your own view), and create them again afterwards"
        case errors.InsufficientPrivilege():
            hint = "the user needs CREATE on the database, to make the tenant's schemas"
        case errors.DiskFull() | errors.OutOfMemory():
            hint = "give the server more disk space, or use less memory (`warehouse: {memory: 32MB}`)"
        case errors.ReadOnlySqlTransaction():
            hint = "the warehouse is open read-only"
        case psycopg.OperationalError():
            hint = "check the server and the network; the transaction was rolled back; run again"
        case _:
            hint = f"the statement was: {text}" if text else ""
    return WarehouseError("the warehouse refused a statement", where=where, details=_format_details(error), hint=hint)


def shorten_message(error: Exception) -> str:
    """Return the first two lines of an error message."""
    return "\n".join(line for line in str(error).splitlines()[:2] if line.strip())


def _format_details(error: psycopg.Error) -> str:
    return "; ".join(filter(None, (error.diag.message_primary or shorten_message(error), error.diag.message_detail)))
