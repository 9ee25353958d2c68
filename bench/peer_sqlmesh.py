"""SQLMesh keeps history (`SCD_TYPE_2_BY_TIME`) of what arrives as Parquet. It runs in its own environment; see `bench.peers`."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import shutil
import sys
import time
from pathlib import Path

os.environ["SQLMESH__DISABLE_ANONYMIZED_ANALYTICS"] = "true"

from sqlmesh import Context
from sqlmesh.core.config import Config, DuckDBConnectionConfig, GatewayConfig, ModelDefaultsConfig

MODEL = """MODEL (name main.ticket, kind SCD_TYPE_2_BY_TIME (unique_key entity_key, updated_at_name updated_at,
  invalidate_hard_deletes false), cron '@daily');
SELECT entity_key, ticket_id, summary, status, priority, company_id, owner, actual_hours, closed, entered_at, updated_at
FROM read_parquet('{folder}/now.parquet')
"""


def main(folder: str, rounds: int) -> None:
    """Take each file; print the seconds of each, and the peak memory in MB."""
    models = Path(folder) / "models"
    models.mkdir()
    (models / "ticket.sql").write_text(MODEL.replace("{folder}", folder))
    gateway = GatewayConfig(connection=DuckDBConnectionConfig(database=f"{folder}/history.duckdb"))
    config = Config(gateways={"": gateway}, model_defaults=ModelDefaultsConfig(dialect="duckdb", start="2024-01-01"))
    seconds = []
    for number in range(rounds):
        shutil.copyfile(f"{folder}/{number}.parquet", f"{folder}/now.parquet")
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            context = Context(paths=[folder], config=config)
            if number == 0:
                context.plan(auto_apply=True, no_prompts=True)
            else:
                context.run(ignore_cron=True, execution_time=f"2027-01-0{number}", end=f"2027-01-0{number}")
            context.close()
        seconds.append(time.perf_counter() - started)
    print(*seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main(sys.argv[1], int(sys.argv[2]))
