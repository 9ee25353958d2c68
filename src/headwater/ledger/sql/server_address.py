"""The server of a ledger on Postgres, for those who keep something beside the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from headwater.ledger.sql.postgres import split_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """How to connect to the database of a ledger."""

    url: str = field(repr=False)
    """The URL for the driver, which may contain a password."""
    schema: str
    """The schema of the ledger."""
    where: str
    """The location for messages, without a password."""


def find_server(url: str) -> ServerAddress | None:
    """The server of a ledger; None if it is kept in a file or in another database."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    if parsed.get_backend_name() != "postgresql":
        return None
    where = parsed.set(query={}).render_as_string(hide_password=True)
    driver_url, schema = split_schema(parsed, where=where)
    plain = driver_url.set(drivername="postgresql").render_as_string(hide_password=False)
    return ServerAddress(url=plain, schema=schema, where=where)
