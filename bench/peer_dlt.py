"""dlt keeps history (`scd2`) of what arrives as Parquet. It runs in its own environment; see `bench.peers`."""

from __future__ import annotations

import os
import resource
import sys
import time

os.environ |= {"NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID": "true", "RUNTIME__DLTHUB_TELEMETRY": "false"}

import dlt
import pyarrow.parquet as pq


def main(folder: str, rounds: int) -> None:
    """Take each file; print the seconds of each, and the peak memory in MB."""
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=f"{folder}/dlt", destination=dlt.destinations.duckdb(f"{folder}/dlt.duckdb")
    )
    seconds = []
    for number in range(rounds):
        started = time.perf_counter()
        arrived = dlt.resource([pq.read_table(f"{folder}/{number}.parquet")], name="ticket")
        arrived.apply_hints(write_disposition={"disposition": "merge", "strategy": "scd2"}, merge_key="entity_key")
        pipeline.run(arrived)
        seconds.append(time.perf_counter() - started)
    print(*seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main(sys.argv[1], int(sys.argv[2]))
