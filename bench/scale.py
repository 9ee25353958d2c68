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
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.engines import ENGINES, Job, build_star, by_hand, opened, server
from bench.state import CHANGES, State
from headwater.gold.change_feed import prune_changes
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.silver.merge.merge import merge
from headwater.warehouse.base import Warehouse
from headwater.warehouse.duckdb.engine import DuckDB

ROUNDS = 5
MERGES = {"uniform": False, "recent": False, "late": True}
"""The merges that are measured, and whether their changes are late."""

TABLES = ("dim ticket", "dim priority", "fact ticket")


Line = tuple[str, float, float, int]
"""What was done, its median seconds and CPU seconds, and the rows it wrote."""


def work(job: Job) -> tuple[list[Line], float]:
    """Do a job; its lines, and the most memory its process held in MB."""
    with opened(job) as warehouse:
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
    build_star(warehouse, job.state)
    steps: dict[str, Callable[[], Any]] = {
        TABLES[0]: lambda: build_dimension(warehouse, star, ticket),
        TABLES[1]: lambda: build_dimension(warehouse, star, priority),
        TABLES[2]: lambda: build_fact(warehouse, star, fact),
    }
    times: dict[str, list[tuple[float, float, int]]] = {name: [] for name in TABLES}
    for moment in range(ROUNDS + 1):
        with _arrived(warehouse, job, moment, "uniform") as batch:
            merge(warehouse, job.state.entity, batch)
        for name, step in steps.items():
            times[name].append(_timed(partial(_rows, step)))
        prune_changes(warehouse)
    for name in TABLES:
        yield _median(name, times[name])


def _by_hand(warehouse: Warehouse, job: Job) -> Iterator[Line]:
    take = by_hand(warehouse, job.state)
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
    with warehouse.staging():
        with closing(DuckDB("bench", ":memory:")) as maker:
            staged = warehouse.stage(
                "bench_arriving", maker.answer_arrow(job.state.arriving(moment, spread, late=late))
            )
        yield staged


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--keys", type=int, nargs="+", default=[1, 5, 20], help="millions of keys")
    parser.add_argument("--kind", nargs="+", default=["number", "text"], help="what keys are: number, text")
    parser.add_argument("--engine", nargs="+", default=["duckdb"], choices=ENGINES, help="which engines")
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
    with server(asked.engine) as url:
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
