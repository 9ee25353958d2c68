"""A session with a Redshift cluster or workgroup: opened, told how to behave, and its complaints put in words."""

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
"""What a session begins with."""

_ROLE = re.compile(r"IAM_ROLE '[^']*'")


class Cursor(Protocol):
    """What is needed of an answer."""

    rowcount: int
    statusmessage: str | None
    description: Any

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        ...


class Connection(Protocol):
    """What is needed of a driver's connection that commits every statement unless it is told to begin."""

    def execute(self, statement: bytes, parameters: Sequence[Any] | None = None) -> Any:
        """Run a statement, with `$1` for parameters; its cursor."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def connect(url: str) -> Connection:
    """A session at `url`; WarehouseError when there is none to be had.

    Redshift calls its encoding UNICODE, which psycopg does not know by that name, so it is asked for UTF-8. Prepared
    statements would be deallocated in a way that Redshift does not know.
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
            "Redshift cannot be reached", where=describe_target(plain), details=_first_lines(error), hint=hint
        ) from error


def type_name(code: int) -> str:
    """The name of a type by the number that an answer has for it; empty when it is not known."""
    known = types.get(code)
    return known.name if known else ""


def describe_target(url: str) -> str:
    """Where a cluster is, without the user or a password."""
    try:
        known = conninfo_to_dict(re.sub(r"^redshift(\+\w+)?://", "postgresql://", url))
    except psycopg.Error:
        return "the url of the warehouse"
    port = f":{known['port']}" if known.get("port") else ""
    return f"redshift at {known.get('host') or 'localhost'}{port}, database {known.get('dbname') or 'dev'}"


def to_warehouse_error(error: psycopg.Error, where: str, statement: str) -> HeadwaterError:
    """What the cluster said, in four parts. Most of its complaints are told apart by their words only."""
    shown = _ROLE.sub("IAM_ROLE '...'", " ".join(statement.split()))[:300]
    text = _detail(error)
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
            hint = f"the statement was: {shown}" if shown else ""
    return WarehouseError("the warehouse refused a statement", where=where, details=text, hint=hint)


def _is_conflict(error: psycopg.Error, text: str) -> bool:
    """Whether this is Redshift's error 1023 or 1018, which come with a code of their own only sometimes."""
    known = ("serializable isolation violation", "table was dropped by a concurrent transaction")
    return isinstance(error, errors.SerializationFailure) or any(words in text.lower() for words in known)


def _first_lines(error: Exception) -> str:
    return "\n".join(line for line in str(error).splitlines()[:2] if line.strip())


def _detail(error: psycopg.Error) -> str:
    return "; ".join(filter(None, (error.diag.message_primary or _first_lines(error), error.diag.message_detail)))
