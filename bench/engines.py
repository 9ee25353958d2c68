"""The engines that are measured: each opens a history of a state, ready for batches, and says what is written by hand."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.state import State
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.silver.schema.migrate import migrate_tables
from headwater.silver.schema.tables import BATCHES, build_log_table, build_versions_table
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.postgres.engine import Postgres
from headwater.warehouse.spark.engine import Spark

ENGINES = ("duckdb", "postgres", "spark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One process: an engine, a state, and what to do with it."""

    engine: str
    state: State
    what: str
    """`merge`, `gold` or `hand`."""
    folder: Path
    memory: str
    url: str = ""


@contextmanager
def opened(job: Job) -> Iterator[Warehouse]:
    """The engine, with the state in it."""
    with tempfile.TemporaryDirectory(dir=job.folder, ignore_cleanup_errors=True) as own:
        path = f"{own}/state.duckdb"
        shutil.copyfile(_state(job), path)
        duck = DuckDB("bench", path, memory=job.memory)
        try:
            yield from _OPENERS[job.engine](duck, job, own)
        finally:
            duck.close()


def _duckdb(duck: DuckDB, job: Job, own: str) -> Iterator[Warehouse]:
    del job, own
    yield duck


def _postgres(duck: DuckDB, job: Job, own: str) -> Iterator[Warehouse]:
    postgres = Postgres(f"bench{time.time_ns()}", job.url)
    try:
        for name in _filled(postgres, duck, job, own):
            postgres.execute_own(f"ANALYZE {name}")
        yield postgres
    finally:
        postgres.erase()


def _spark(duck: DuckDB, job: Job, own: str) -> Iterator[Warehouse]:
    settings = {"spark.driver.memory": job.memory or "4g"}
    spark = Spark(f"bench{time.time_ns()}", "local[2]", f"{own}/spark", settings=settings)
    try:
        _filled(spark, duck, job, own)
        yield spark
    finally:
        spark.erase()


_OPENERS: dict[str, Callable[[DuckDB, Job, str], Iterator[Warehouse]]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "spark": _spark,
}


def _state(job: Job) -> Path:
    """The file of a state, made where it is missing; one with a star in it for gold in DuckDB."""
    starred = job.what == "gold" and job.engine == "duckdb"
    path = job.folder / f"{'star' if starred else 'history'}-{job.state.kind}-{job.state.keys}.duckdb"
    if path.exists():
        return path
    making = path.with_suffix(".making")
    making.unlink(missing_ok=True)
    if starred:
        shutil.copyfile(_state(replace(job, what="merge")), making)
    duck = DuckDB("bench", str(making), memory=job.memory)
    if starred:
        build_star(duck, job.state)
    else:
        migrate_tables(duck, job.state.entity)
        job.state.write(duck)
    duck.close()
    making.rename(path)
    return path


def build_star(warehouse: Warehouse, state: State) -> None:
    """All of gold; nothing where it is there."""
    for table in state.star.declarations.dimensions.values():
        build_dimension(warehouse, state.star, table)
    build_fact(warehouse, state.star, state.star.declarations.facts["ticket"])


def _filled(warehouse: Postgres | Spark, duck: DuckDB, job: Job, own: str) -> list[str]:
    """The state as it is in `duck`, or for what is written by hand its versions alone; names of what was filled."""
    migrate_tables(warehouse, job.state.entity)
    tables = (build_versions_table(job.state.entity), build_log_table(job.state.entity), BATCHES)
    for table in tables[: 1 if job.what == "hand" else None]:
        with warehouse.staging():
            staged = _brought(warehouse, duck, f"{table.layer}.{table.name}", own)
            warehouse.append(table.layer, table.name, table.names, f"SELECT {', '.join(table.names)} FROM {staged}")
    return [warehouse.own_ref(table.layer, table.name) for table in tables]


def _brought(warehouse: Postgres | Spark, duck: DuckDB, name: str, own: str) -> str:
    """A table of DuckDB's, as another engine reads it: by COPY, or as a file of the lake."""
    if isinstance(warehouse, Postgres):
        return warehouse.stage("state", duck.fetch_arrow_batches(f"SELECT * FROM {name}"))
    duck.execute(f"COPY (SELECT * FROM {name}) TO '{own}/{name}.parquet' (FORMAT parquet)")
    return f"read_parquet(['{own}/{name}.parquet'], union_by_name = true)"


def by_hand(warehouse: Warehouse, state: State) -> Callable[[str], int]:
    """What one would write by hand: a copy of the versions, and what takes a staged batch into it."""
    names = [name for name in build_versions_table(state.entity).names if name != "version_number"]
    if isinstance(warehouse, Spark):
        return _by_merge(warehouse, state, names)
    hand, columns = warehouse.ref("silver", "by_hand"), ", ".join(names)
    execute = warehouse.execute  # type: ignore[attr-defined]
    execute(f"CREATE TABLE {hand} AS SELECT {columns} FROM {warehouse.ref('silver', 'ticket')}")
    if isinstance(warehouse, Postgres):
        execute(f"CREATE INDEX ON {hand} (entity_key)")
        warehouse.execute_own(f"ANALYZE {warehouse.own_ref('silver', 'by_hand')}")

    def take(batch: str) -> int:
        with warehouse.transaction():
            closed = execute(
                f"UPDATE {hand} AS t SET valid_to = a.updated_at, is_current = FALSE FROM {batch} AS a "
                f"WHERE t.entity_key = a.entity_key AND t.is_current AND ({_differs(state)})"
            )
            return int(closed + execute(f"INSERT INTO {hand} ({columns}) {_opened(state, hand, batch)}"))

    return take


def _by_merge(spark: Spark, state: State, names: Sequence[str]) -> Callable[[str], int]:
    """The same on Delta, where a MERGE closes and an INSERT opens."""
    hand, columns = spark.own_ref("silver", "by_hand"), ", ".join(names)
    say = spark._run_own  # noqa: SLF001  # what is written by hand is nobody's verb
    say(f"CREATE TABLE {hand} USING delta AS SELECT {columns} FROM {spark.own_ref('silver', 'ticket')}")

    def take(batch: str) -> int:
        own = batch.replace('"', "`")
        closed = say(
            f"MERGE INTO {hand} AS t USING {own} AS a ON t.entity_key = a.entity_key AND t.is_current "
            f"WHEN MATCHED AND ({_differs(state)}) THEN UPDATE SET valid_to = a.updated_at, is_current = FALSE"
        ).collect()[0][0]
        say(f"INSERT INTO {hand} ({columns}) {_opened(state, hand, own)}")
        return int(closed) + spark.count(batch)  # each of them says something new

    return take


def _differs(state: State) -> str:
    values = [name for name in state.entity.columns if name != "ticket_id"]
    return " OR ".join(f"t.{name} IS DISTINCT FROM a.{name}" for name in values)


def _opened(state: State, hand: str, batch: str) -> str:
    """SELECT of the rows of a batch that have no current version."""
    return (
        f"SELECT a.entity_key, {', '.join(f'a.{name}' for name in state.entity.columns)}, a.updated_at, "
        f"TIMESTAMP '9999-12-31 00:00:00', TRUE, a.batch_id FROM {batch} AS a "
        f"WHERE NOT EXISTS (SELECT 1 FROM {hand} AS t WHERE t.entity_key = a.entity_key AND t.is_current)"
    )


@contextmanager
def server(engines: list[str]) -> Iterator[str]:
    """The address of a Postgres, where one is asked for."""
    if "postgres" not in engines:
        yield ""
        return
    from tests.grid.postgres_server import postgres_server  # noqa: PLC0415  # only who measures Postgres needs it

    with postgres_server() as url:
        yield url
