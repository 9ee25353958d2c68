"""`dbt snapshot` keeps history of what arrives as Parquet. It runs in its own environment; see `bench.peers`."""

from __future__ import annotations

import contextlib
import io
import resource
import sys
import time
from pathlib import Path

from dbt.cli.main import dbtRunner

FILES = {
    "dbt_project.yml": (
        "name: bench\nsnapshot-paths: [snapshots]\nversion: '1.0.0'\nprofile: bench\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    ),
    "profiles.yml": "bench:\n  target: x\n  outputs: {x: {type: duckdb, path: history.duckdb, threads: 2}}\n",
    "snapshots/ticket.sql": (
        "{% snapshot ticket %}{{ config(target_schema='main', unique_key='entity_key', strategy='timestamp', "
        "updated_at='updated_at') }} select * from read_parquet('{{ var(\"file\") }}'){% endsnapshot %}"
    ),
}


def main(folder: str, rounds: int) -> None:
    """Take each file; print the seconds of each, and the peak memory in MB."""
    for name, text in FILES.items():
        path = Path(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    seconds = []
    for number in range(rounds):
        arguments = ["-q", "snapshot", "--project-dir", folder, "--profiles-dir", folder]
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            done = dbtRunner().invoke([*arguments, "--vars", f"{{file: '{folder}/{number}.parquet'}}"])
        if not done.success:
            sys.exit(str(done.exception or done.result))
        seconds.append(time.perf_counter() - started)
    print(*seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main(sys.argv[1], int(sys.argv[2]))
