"""Connects to a Redshift cluster or workgroup, and converts the errors of psycopg."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.postgres import types

from headwater.errors import HeadwaterError, WarehouseError

SETTINGS = (
    "SET TimeZone TO 'UTC'",
    "SET DateStyle TO 'ISO'",
    "SET extra_float_digits TO 2",
    "SET enable_case_sensitive_identifier TO FALSE",
)
"""Statements at the start of a session."""

_ROLE = re.compile(r"IAM_ROLE '[^']*'")


class Cursor(Protocol):
    """The cursor of a statement, as far as it is used here."""

    rowcount: int
    statusmessage: str | None
    description: Any

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        ...


class Connection(Protocol):
    """The connection of a driver in autocommit mode, as far as it is used here."""

    def execute(self, statement: bytes, parameters: Sequence[Any] | None = None) -> Any:
        """Run a statement, with `$1` for parameters; return its cursor."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def connect(url: str) -> Connection:
    """Open a session at `url`. Raises WarehouseError if that fails.

    Redshift names its encoding UNICODE, which psycopg does not support, so the client requests UTF-8. Prepared statements
    are off, because Redshift does not support the way in which psycopg deallocates them.
    """
    plain = re.sub(r"^redshift(\+\w+)?://", "postgresql://", url)
    try:
        mode = conninfo_to_dict(plain).get("sslmode", "require")
        return psycopg.connect(
            plain,
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=psycopg.RawCursor,
            client_encoding="utf8",
            application_name="headwater",
            sslmode=mode,
        )
    except (psycopg.Error, ValueError) as error:
        hint = "check that the cluster is running and reachable, the address is correct, and this user can connect"
        raise WarehouseError(
            "Redshift cannot be reached", where=describe_target(plain), details=_shorten_message(error), hint=hint
        ) from error


def find_type_name(code: int) -> str:
    """Return the name of the type with the OID `code`, or an empty text if it is unknown."""
    info = types.get(code)
    return info.name if info else ""


def describe_target(url: str) -> str:
    """Describe where the cluster is, without user and password."""
    try:
        parameters = conninfo_to_dict(re.sub(r"^redshift(\+\w+)?://", "postgresql://", url))
    except psycopg.Error:
        return "the url of the warehouse"
    port = f":{parameters['port']}" if parameters.get("port") else ""
    return f"redshift at {parameters.get('host') or 'localhost'}{port}, database {parameters.get('dbname') or 'dev'}"


def to_warehouse_error(error: psycopg.Error, where: str, statement: str) -> HeadwaterError:
    """Convert an error of the cluster. Most errors can be distinguished only by their message."""
    statement_text = _ROLE.sub("IAM_ROLE '...'", " ".join(statement.split()))[:300]
    text = _format_details(error)
    match error:
        case _ if _is_conflict(error, text):
            hint = "another session wrote to the tables of the tenant in the meantime; nothing was written: run again"
            return WarehouseError("a transaction conflicted with another", where=where, details=text, hint=hint)
        case errors.StringDataRightTruncation():
            hint = (
                "Redshift allows at most 65,535 bytes in a text; shorten it in the entity's map, e.g. left(note, 16000)"
            )
        case errors.InsufficientPrivilege():
            hint = "the user needs CREATE on the database, to make the tenant's schemas"
        case _ if statement.startswith("COPY"):
            hint = "check that the role can read the stage, in the same region; for details, see sys_load_error_detail"
        case psycopg.OperationalError():
            hint = "check the cluster and the network; the transaction was rolled back; run again"
        case _:
            hint = f"the statement was: {statement_text}" if statement_text else ""
    return WarehouseError("the warehouse refused a statement", where=where, details=text, hint=hint)


def _is_conflict(error: psycopg.Error, text: str) -> bool:
    """Whether this is Redshift's error 1023 or 1018, which have their own code only sometimes."""
    messages = ("serializable isolation violation", "table was dropped by a concurrent transaction")
    return isinstance(error, errors.SerializationFailure) or any(message in text.lower() for message in messages)


def _shorten_message(error: Exception) -> str:
    return "\n".join(line for line in str(error).splitlines()[:2] if line.strip())


def _format_details(error: psycopg.Error) -> str:
    return "; ".join(filter(None, (error.diag.message_primary or _shorten_message(error), error.diag.message_detail)))
