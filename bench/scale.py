"""What 10,000 changes cost in a history of 1, 5 and 20 million keys: `python -m bench.scale [--keys 1 5 20] ...`.

Each line is a process of its own, so that its memory is its own: merges of changes that are newer than everything known,
merges of late ones (each between two versions of its key), and what gold makes of them, beside what one would write by
hand on the same engine (closes what changed, inserts what is new; it keeps no log, takes nothing late, counts no
versions). Of several rounds, each with other keys and later instants, the median counts. The state is made by SQL, once a
size, and kept in the folder for the next run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.state import CHANGES, State
from headwater.gold.build import build_dimension
from headwater.gold.load import load_fact
from headwater.gold.progress import trim
from headwater.silver.merge import merge
from headwater.silver.ready import ready
from headwater.silver.tables import BATCHES, log_table, versions_table
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb import DuckDB
from headwater.warehouse.lake_reader import LakeReader
from headwater.warehouse.postgres import Postgres

ROUNDS = 5
MERGES = {"uniform": False, "recent": False, "late": True}
"""The merges that are measured, and whether their changes are late."""

TABLES = ("dim ticket", "dim priority", "fact ticket")


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


Line = tuple[str, float, float, int]
"""What was done, its median seconds and CPU seconds, and the rows it wrote."""


def work(job: Job) -> tuple[list[Line], float]:
    """Do a job; its lines, and the most memory its process held in MB."""
    with _opened(job) as warehouse:
        lines = list({"merge": _merges, "gold": _gold, "hand": _by_hand}[job.what](warehouse, job))
    return lines, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _merges(warehouse: Warehouse, job: Job) -> Iterator[Line]:
    for start, (spread, late) in enumerate(MERGES.items()):

        def take(batch: str) -> int:
            done = merge(warehouse, job.state.entity, batch)
            return done.events + done.inserted + done.deleted

        yield _measured(
            f"merge, {spread}", warehouse, job, take, spread="uniform" if late else spread, first=start * 20
        )


def _gold(warehouse: Warehouse, job: Job) -> Iterator[Line]:
    star = job.state.star
    ticket, priority, _ = star.declarations.dimensions.values()
    fact = star.declarations.facts["ticket"]
    _build_star(warehouse, job.state)
    steps: dict[str, Callable[[], Any]] = {
        TABLES[0]: lambda: build_dimension(warehouse, star, ticket),
        TABLES[1]: lambda: build_dimension(warehouse, star, priority),
        TABLES[2]: lambda: load_fact(warehouse, star, fact),
    }
    times: dict[str, list[tuple[float, float, int]]] = {name: [] for name in TABLES}
    for moment in range(ROUNDS + 1):
        with _arrived(warehouse, job, moment, "uniform") as batch:
            merge(warehouse, job.state.entity, batch)
        for name, step in steps.items():
            times[name].append(_timed(partial(_rows, step)))
        trim(warehouse)
    for name in TABLES:
        yield _median(name, times[name])


def _build_star(warehouse: Warehouse, state: State) -> None:
    """All of gold; nothing where it is there."""
    for table in state.star.declarations.dimensions.values():
        build_dimension(warehouse, state.star, table)
    load_fact(warehouse, state.star, state.star.declarations.facts["ticket"])


def _by_hand(warehouse: Warehouse, job: Job) -> Iterator[Line]:
    names = [name for name in versions_table(job.state.entity).names if name != "version_number"]
    columns = ", ".join(names)
    values = [name for name in job.state.entity.columns if name != "ticket_id"]
    differs = " OR ".join(f"t.{name} IS DISTINCT FROM a.{name}" for name in values)
    hand = warehouse.ref("silver", "by_hand")
    execute = warehouse.execute  # type: ignore[attr-defined]
    execute(f"CREATE TABLE {hand} AS SELECT {columns} FROM {warehouse.ref('silver', 'ticket')}")
    if warehouse.capabilities.keys:
        execute(f"CREATE INDEX ON {hand} (entity_key)")

    def take(batch: str) -> int:
        with warehouse.transaction():
            closed = execute(
                f"UPDATE {hand} AS t SET valid_to = a.updated_at, is_current = FALSE FROM {batch} AS a "
                f"WHERE t.entity_key = a.entity_key AND t.is_current AND ({differs})"
            )
            listed = ", ".join(name for name in job.state.entity.columns)
            opened = execute(
                f"INSERT INTO {hand} ({columns}) SELECT entity_key, {listed}, updated_at, TIMESTAMP '9999-12-31', TRUE, "
                f"batch_id FROM {batch} AS a WHERE NOT EXISTS "
                f"(SELECT 1 FROM {hand} AS t WHERE t.entity_key = a.entity_key AND t.is_current)"
            )
        return int(closed + opened)

    for start, spread in enumerate(("uniform", "recent")):
        yield _measured(f"by hand, {spread}", warehouse, job, take, spread=spread, first=start * 20)


def _measured(
    name: str, warehouse: Warehouse, job: Job, take: Callable[[str], int], *, spread: str, first: int
) -> Line:
    times = []
    for moment in range(first, first + ROUNDS + 1):
        with _arrived(warehouse, job, moment, spread, late=name.endswith("late")) as batch:
            times.append(_timed(partial(take, batch)))
    return _median(name, times)


def _rows(step: Callable[[], Any]) -> int:
    return int(step().rows)


def _median(name: str, times: list[tuple[float, float, int]]) -> Line:
    """The first round warms the caches and does not count."""
    seconds, cpu, rows = (statistics.median(column) for column in zip(*times[1:], strict=True))
    return name, seconds, cpu, int(rows)


def _timed(step: Callable[[], int]) -> tuple[float, float, int]:
    started, before = time.perf_counter(), _cpu()
    rows = step()
    return time.perf_counter() - started, _cpu() - before, rows


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def _arrived(warehouse: Warehouse, job: Job, moment: int, spread: str, *, late: bool = False) -> Iterator[str]:
    """A batch, staged: bringing it there is the same for both sides and counts for neither."""
    with LakeReader(warehouse) as lake:
        staged = lake.stage("bench_arriving", [job.state.arriving(moment, spread, late=late)])
    yield staged
    warehouse.unstage("bench_arriving")


@contextmanager
def _opened(job: Job) -> Iterator[Warehouse]:
    with tempfile.TemporaryDirectory(dir=job.folder) as own:
        path = f"{own}/state.duckdb"
        shutil.copyfile(_state(job), path)
        duck = DuckDB("bench", path, memory=job.memory)
        try:
            if job.engine == "duckdb":
                yield duck
            else:
                postgres = Postgres(f"bench{time.time_ns()}", job.url)
                try:
                    _filled(postgres, duck, job)
                    yield postgres
                finally:
                    postgres.erase()
        finally:
            duck.close()


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
        _build_star(duck, job.state)
    else:
        ready(duck, job.state.entity)
        job.state.write(duck)
    duck.close()
    making.rename(path)
    return path


def _filled(postgres: Postgres, duck: DuckDB, job: Job) -> None:
    """The state as it is in `duck`; for what is written by hand, the versions alone, without keys."""
    if job.what == "hand":
        postgres.prepare()
        staged = postgres.stage_arrow("state", duck.arrow_batches("SELECT * FROM silver.ticket"))
        postgres.execute(f"CREATE TABLE {postgres.ref('silver', 'ticket')} AS SELECT * FROM {staged}")
        return
    ready(postgres, job.state.entity)
    tables = (versions_table(job.state.entity), log_table(job.state.entity), BATCHES)
    for table in tables:
        staged = postgres.stage_arrow("state", duck.arrow_batches(f"SELECT * FROM {table.layer}.{table.name}"))
        postgres.append(table.layer, table.name, table.names, f"SELECT {', '.join(table.names)} FROM {staged}")
        postgres.execute_own(f"ANALYZE {postgres.own_ref(table.layer, table.name)}")
    postgres.unstage("state")


@contextmanager
def _server(engines: list[str]) -> Iterator[str]:
    """The address of a Postgres, where one is asked for."""
    if "postgres" not in engines:
        yield ""
        return
    from tests.grid.postgres_server import postgres_server  # noqa: PLC0415  # only who measures Postgres needs it

    with postgres_server() as url:
        yield url


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--keys", type=int, nargs="+", default=[1, 5, 20], help="millions of keys")
    parser.add_argument("--kind", nargs="+", default=["number", "text"], help="what keys are: number, text")
    parser.add_argument("--engine", nargs="+", default=["duckdb"], help="duckdb, postgres")
    parser.add_argument("--what", nargs="+", default=["merge", "hand", "gold"], help="merge, hand, gold")
    parser.add_argument("--memory", default="", help="the setting of that name, e.g. 1GB")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / ".data", help="where states are kept")
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    print(f"{CHANGES:,} changes, median of {ROUNDS}" + (f", memory {asked.memory}" if asked.memory else ""))
    heads = ("engine", "key", "what", "keys", "seconds", "CPU s", "rows", "peak MB", "growth", "of CPU")
    print("{:<9} {:<7} {:<18} {:>5} {:>8} {:>7} {:>7} {:>8} {:>7} {:>6}".format(*heads))
    smallest: dict[tuple[str, str, str], tuple[float, float]] = {}
    context = multiprocessing.get_context("spawn")
    with _server(asked.engine) as url:
        for engine, kind, what in ((e, k, w) for e in asked.engine for k in asked.kind for w in asked.what):
            for keys in asked.keys:
                state = State(keys=keys * 1_000_000, kind=kind)
                job = Job(engine=engine, state=state, what=what, folder=asked.folder, memory=asked.memory, url=url)
                with context.Pool(1) as pool:
                    lines, peak = pool.apply(work, (job,))
                for name, seconds, cpu, rows in lines:
                    least = smallest.setdefault((engine, kind, name), (seconds, cpu))
                    print(
                        f"{engine:<9} {kind:<7} {name:<18} {keys:>4}M {seconds:>8.3f} {cpu:>7.3f} {rows:>7,} {peak:>8.0f} "
                        f"{seconds / least[0]:>6.2f}x {cpu / least[1]:>5.2f}x",
                        flush=True,
                    )


if __name__ == "__main__":
    main(sys.argv[1:])
