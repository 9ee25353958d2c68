"""Creates and upgrades the schema of a queue: the tables of Procrastinate, and our own beside them."""

from __future__ import annotations

from pathlib import Path

from procrastinate.schema import SchemaManager

from headwater.errors import StateError
from headwater.ledger.queue.connection import QueueTransaction, connect_once, set_search_path
from headwater.ledger.sql.server_address import ServerAddress
from headwater.names import quote

_OWN = {
    "headwater_01": """
        CREATE TABLE queue_worker (
            id bigint PRIMARY KEY REFERENCES procrastinate_workers (id) ON DELETE CASCADE,
            scope text NOT NULL,
            queue text NOT NULL,
            owner text NOT NULL,
            jobs integer NOT NULL,
            dead_after double precision NOT NULL,
            began_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE queue_tenant (
            scope text NOT NULL,
            tenant text NOT NULL,
            deaths integer NOT NULL DEFAULT 0,
            outcome text NOT NULL DEFAULT '',
            ended_at timestamptz NOT NULL DEFAULT now(),
            seconds double precision NOT NULL DEFAULT 0,
            owner text NOT NULL DEFAULT '',
            error jsonb,
            PRIMARY KEY (scope, tenant)
        );
        CREATE TABLE queue_pause (scope text PRIMARY KEY, paused_at timestamptz NOT NULL DEFAULT now());
    """
}
"""Our own migrations, which run after those of Procrastinate."""


def name_schema(address: ServerAddress) -> str:
    """The schema of the queue: beside that of the ledger."""
    return f"{address.schema}_queue"


def has_schema(address: ServerAddress) -> bool:
    """Whether the queue exists. This call creates nothing."""
    with connect_once(address) as connection:
        return bool(_list_applied(connection, name_schema(address)))


def prepare_schema(address: ServerAddress) -> None:
    """Create or upgrade the queue if needed. StateError, with nothing written, if a newer version wrote it."""
    schema, known = name_schema(address), _list_known()
    with connect_once(address) as connection:
        if _list_applied(connection, schema) == known:
            return
        # Several commands may be the first at the same time.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"headwater queue {schema}"])
        applied = _list_applied(connection, schema)
        if newer := sorted(applied - known):
            raise StateError(
                "a newer version of Headwater or Procrastinate wrote this queue; nothing was changed.",
                where=f"{address.where} schema {schema}",
                details=", ".join(newer),
                hint='upgrade this installation: pip install --upgrade "headwater[queue]"',
            )
        if not applied:
            _create(connection, schema)
        set_search_path(connection, schema)
        for name in sorted(known - applied, key=_sort_key):
            if applied or name in _OWN:
                connection.execute(_read_migration(name).encode())
            connection.execute("INSERT INTO queue_migration (name) VALUES (%s)", [name])


def _create(connection: QueueTransaction, schema: str) -> None:
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is None:
        connection.execute(f"CREATE SCHEMA {quote(schema)}".encode())
    set_search_path(connection, schema)
    connection.execute(SchemaManager.get_schema())
    connection.execute("CREATE TABLE queue_migration (name text PRIMARY KEY)")


def _list_applied(connection: QueueTransaction, schema: str) -> frozenset[str]:
    # to_regclass may answer from a cache, and so miss what another command has just created.
    query = "SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = 'queue_migration'"
    if connection.execute(query, [schema]).fetchone() is None:
        return frozenset()
    rows = connection.execute(f"SELECT name FROM {quote(schema)}.queue_migration".encode())
    return frozenset(row["name"] for row in rows)


def _list_known() -> frozenset[str]:
    installed = {path.stem for path in Path(SchemaManager.get_migrations_path()).glob("*.sql")}
    return frozenset({*installed, *_OWN})


def _read_migration(name: str) -> str:
    return _OWN.get(name) or (Path(SchemaManager.get_migrations_path()) / f"{name}.sql").read_text(encoding="utf-8")


def _sort_key(name: str) -> tuple[bool, str]:
    return name in _OWN, name
