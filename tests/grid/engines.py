"""The engines that the corpus runs on: each opens a warehouse for a tenant, fresh or as it was left."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.files.engine import Files
from headwater.warehouse.postgres.engine import Postgres
from headwater.warehouse.spark.engine import Spark
from tests.grid.postgres_server import postgres_server
from tests.grid.spark_session import SETTINGS

NAMES = ("duckdb", "postgres", "files", "spark")
"""The engines of the grid."""

LONG = pytest.mark.long
"""What takes minutes: `make test` leaves it out."""

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
    flavour: str = ""
    """What tables are kept as, where an engine has several ways and the module of a test may choose."""
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
            opened = DuckDB(tenant, f"{folder}/{tenant}.duckdb", threads=1, read_only=read_only)
            # For every second tenant no table is small, because rows of large tables are found in another way.
            opened.small_rows = opened.small_rows if sum(tenant.encode()) % 2 else 0
            return opened

        yield Engine("duckdb", connect, lambda: {"kind": "duckdb", "path": f"{folder}/{{tenant}}.duckdb"})


@contextmanager
def postgres_engine() -> Iterator[Engine]:
    """Postgres: the server that DATABASE_URL names, or one that is started for the occasion."""
    with postgres_server() as url:

        def connect(tenant: str, read_only: bool) -> Warehouse:
            return Postgres(tenant, url, read_only=read_only)

        yield Engine("postgres", connect, lambda: {"kind": "postgres", "url": "env:DATABASE_URL"}, shared=True)


@contextmanager
def files_engine() -> Iterator[Engine]:
    """Parquet files in a folder that goes: in memory, where there is such a disk, for tests need not survive the power."""
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:

        def connect(tenant: str, read_only: bool) -> Warehouse:
            return Files(tenant, folder, threads=1, read_only=read_only)

        yield Engine("files", connect, lambda: {"kind": "files", "url": folder})


@contextmanager
def spark_engine() -> Iterator[Engine]:
    """Spark in this very process, with its tables in a folder that goes: Parquet, or what a test's module asks for."""
    memory = "/dev/shm"
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:
        engine = Engine("spark", lambda *_: None, dict, flavour="parquet")

        def connect(tenant: str, read_only: bool) -> Warehouse:
            kept: Any = engine.flavour
            there = f"{folder}/{kept}"
            return Spark(tenant, "local[1]", there, table_format=kept, settings=SETTINGS, read_only=read_only)

        def settings() -> dict[str, Any]:
            there = {"path": f"{folder}/{engine.flavour}", "format": engine.flavour}
            return {"kind": "spark", "url": "local[1]", "settings": SETTINGS, **there}

        engine.connect, engine.settings = connect, settings
        yield engine


OPENERS = {"files": files_engine, "duckdb": duckdb_engine, "postgres": postgres_engine}
"""How each engine of the grid is started. Spark is no part of it: the fixture `spark_engine` starts it."""
