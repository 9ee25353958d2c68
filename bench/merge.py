"""A merge of 1 % changed keys into a million, against hand-written DuckDB: `python -m bench.merge [keys]`.

Both start from the same stored history of the same columns in a file of their own, and take the same arriving rows
from a Parquet file. The hand-written one closes what changed and inserts what is new, in one transaction; it keeps no
change log, cannot take late rows and counts no versions. Each runs in a process of its own, so that memory is its own;
of several rounds (each with other keys and a later instant) the median counts.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from headwater.model.entity import Entity
from headwater.silver.merge.merge import merge
from headwater.silver.schema.migrate import migrate_tables
from headwater.warehouse.duckdb.engine import DuckDB

ROUNDS = 5
COLUMNS = {
    "ticket_id": "bigint",
    "summary": "text",
    "status": "text",
    "priority": "text",
    "company_id": "bigint",
    "owner": "text",
    "actual_hours": "double",
    "closed": "boolean",
    "entered_at": "timestamp",
    "updated_at": "timestamp",
}
TICKET = Entity.model_validate(
    {"entity": "ticket", "key": "ticket_id", "columns": COLUMNS, "sources": {"connectwise.tickets": {"map": {}}}}
)
NAMES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Median seconds of a merge, seconds of the first load, and the most memory its process ever held."""

    seconds: float
    first_load: float
    peak_mb: float
    late: float = 0.0
    """Seconds of a merge whose rows are all older than what is known."""


def _instant(moment: int) -> int:
    return 1_704_067_200_000_000 + moment * 86_400_000_000


def arriving(keys: int, share: int, moment: int) -> str:
    """Rows as a source would send them: every `share`-th key, in another order each round, changed at `moment`."""
    key = f"((i * 7919 + {moment}) % {keys})"
    return f"""
        SELECT 'psa:' || {key} AS entity_key, {_instant(moment)} + i % 1000 AS sequence,
          'U' AS operation, 'connectwise.tickets' AS source,
          {key}::BIGINT AS ticket_id, 'Ticket ' || {key} || ' about ' || md5({key}::VARCHAR) AS summary,
          CASE WHEN {moment} % 2 = 0 THEN 'New' ELSE 'In progress' END || {moment} AS status,
          'Priority ' || {key} % 4 AS priority, ({key} % 1000)::BIGINT AS company_id, 'owner' || {key} % 50 AS owner,
          ({key} % 97) / 4.0::DOUBLE AS actual_hours, {key} % 7 = 0 AS closed,
          TIMESTAMP '2023-01-01' + to_seconds({key}) AS entered_at,
          make_timestamp({_instant(moment)} + i % 1000) AS updated_at,
          NULL::VARCHAR AS known_columns, md5({key} || ' {moment}') AS hash,
          {_instant(moment)} + i % 1000 AS stamp, {_instant(moment) + 60_000_000} AS observed, i::BIGINT AS place,
          'batch-{moment:06}' AS batch_id
        FROM range({keys // share}) AS t(i)"""


def write_rounds(folder: Path, keys: int) -> None:
    """Put what arrives into Parquet files: the first load, and 1 % for each round."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        for moment in range(ROUNDS + 2):
            select = arriving(keys, 1 if moment == 0 else 100, moment)
            connection.execute(f"COPY ({select}) TO '{folder}/{moment}.parquet'")
        # Other rows at the instants of the first round, so that they come before what is known by then.
        late = arriving(keys, 100, ROUNDS + 2).replace(str(_instant(ROUNDS + 2)), str(_instant(0) + 1000))
        connection.execute(f"COPY ({late}) TO '{folder}/late.parquet'")


def headwater(folder: Path) -> Measured:
    """Headwater's own merge."""
    warehouse = DuckDB("bench", f"{folder}/headwater.duckdb")
    migrate_tables(warehouse, TICKET)
    measured = _measured(folder, lambda source: merge(warehouse, TICKET, f"read_parquet('{source}')"))
    started = time.perf_counter()
    merge(warehouse, TICKET, f"read_parquet('{folder}/late.parquet')")
    return replace(measured, late=time.perf_counter() - started)


def by_hand(folder: Path) -> Measured:
    """What one would write by hand: close what changed, insert what is new."""
    connection = duckdb.connect(f"{folder}/hand.duckdb")
    connection.execute("SET enable_progress_bar = false")
    types = {"text": "VARCHAR"}
    columns = ", ".join(f"{name} {types.get(dtype, dtype)}" for name, dtype in COLUMNS.items())
    connection.execute(
        f"CREATE TABLE ticket (entity_key VARCHAR, {columns}, valid_from TIMESTAMP, valid_to TIMESTAMP, "
        "is_current BOOLEAN, batch_id VARCHAR)"
    )
    differs = " OR ".join(f"t.{name} IS DISTINCT FROM a.{name}" for name in COLUMNS)

    def close_and_insert(source: Path) -> None:
        connection.execute("BEGIN")
        connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE a AS SELECT * FROM read_parquet('{source}')")
        connection.execute(
            f"UPDATE ticket AS t SET valid_to = a.updated_at, is_current = FALSE FROM a "
            f"WHERE t.entity_key = a.entity_key AND t.is_current AND ({differs})"
        )
        connection.execute(
            f"INSERT INTO ticket SELECT entity_key, {NAMES}, updated_at, TIMESTAMP '9999-12-31', TRUE, batch_id FROM a "
            "WHERE NOT EXISTS (SELECT 1 FROM ticket AS t WHERE t.entity_key = a.entity_key AND t.is_current)"
        )
        connection.execute("COMMIT")

    return _measured(folder, close_and_insert)


def _measured(folder: Path, take: Callable[[Path], object]) -> Measured:
    times = []
    for moment in range(ROUNDS + 2):
        started = time.perf_counter()
        take(folder / f"{moment}.parquet")
        times.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # The first round after the load warms the caches of both alike.
    return Measured(seconds=statistics.median(times[2:]), first_load=times[0], peak_mb=peak)


def main(keys: int = 1_000_000) -> None:
    """Run both and print the ratio."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        write_rounds(folder, keys)
        results = {}
        for variant in (by_hand, headwater):
            with context.Pool(1) as pool:
                results[variant.__name__] = pool.apply(variant, (folder,))
    hand, own = results["by_hand"], results["headwater"]
    print(f"merge of {keys // 100:,} changed keys into {keys:,}, median of {ROUNDS}")
    for label, result in (("hand-written", hand), ("headwater", own)):
        print(
            f"  {label:<13} {result.seconds:7.3f} s   first load {result.first_load:6.2f} s   "
            f"peak {result.peak_mb:6.0f} MB"
        )
    print(f"  ratio         {own.seconds / hand.seconds:7.2f}     first load {own.first_load / hand.first_load:6.2f}")
    print(f"  as many rows that all arrive late, which only headwater can take: {own.late:.3f} s")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
