"""The same 10,000 changes taken by dlt, dbt snapshot and SQLMesh, where they are installed: `python -m bench.peers [keys]`.

They live in an environment of their own (`make bench-peers` makes `.venv-peers`), since they would not agree with ours.
Each gets the rows as Parquet and keeps them as slowly changing rows in a DuckDB file. What counts is the time inside its
process, imports not counted; a peer that is not there is said to be missing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from bench.state import State

PEERS = ("dlt", "dbt", "sqlmesh")
ROUNDS = 3
ENVIRONMENT = Path(os.environ.get("BENCH_PEERS", ".venv-peers"))


def write(folder: Path, state: State) -> None:
    """Put what each round brings into Parquet files: all keys, and then changes."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        numbers = f"(SELECT CAST(i AS BIGINT) AS i FROM range({state.keys}) AS t(i)) AS t"
        values = state.values("i", "Old", f"{1_704_067_200_000_000} + i")
        connection.execute(
            f"COPY (SELECT {state.entity_key('i')} AS entity_key, {values} FROM {numbers}) TO '{folder}/0.parquet'"
        )
        for moment in range(1, ROUNDS + 2):
            own = "sequence, operation, source, known_columns, hash, stamp, observed, place, batch_id"
            select = f"SELECT * EXCLUDE ({own}) FROM ({state.arriving(moment, 'uniform')})"
            connection.execute(f"COPY ({select}) TO '{folder}/{moment}.parquet'")


def main(keys: int = 1_000_000) -> None:
    """Print a line a peer."""
    print(f"10,000 changes in {keys:,} keys by others, median of {ROUNDS} (start-up of a process not counted)")
    python = ENVIRONMENT / "bin" / "python"
    for peer in PEERS:
        if not (ENVIRONMENT / "bin" / peer).exists():
            print(f"  {peer:<8} is not installed in {ENVIRONMENT} (`make bench-peers` installs it)")
            continue
        with tempfile.TemporaryDirectory(prefix="headwater-peer-") as name:
            write(Path(name), State(keys=keys, kind="number"))
            command = [str(python.absolute()), str(Path(__file__).parent / f"peer_{peer}.py"), name, str(ROUNDS + 2)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=name)
        if done.returncode:
            print(f"  {peer:<8} failed: {(done.stderr or done.stdout).strip().splitlines()[-1][:120]}")
            continue
        *seconds, peak = map(float, done.stdout.strip().splitlines()[-1].split())
        # The first batch of changes warms the caches, as everywhere here.
        print(
            f"  {peer:<8} {statistics.median(seconds[2:]):7.2f} s   first load {seconds[0]:7.2f} s   peak {peak:6.0f} MB"
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
