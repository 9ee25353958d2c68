"""The real thing: `run --layer bronze` of one resource, with its ledger, raw and bronze."""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta
from pathlib import Path

from bench.measure import measured
from headwater.clock import parse_instant
from headwater.run import app

LIBRARIES = (
    "alembic.command", "duckdb", "headwater.ledger.sql.ledger", "headwater.run.pipeline.run", "headwater.run.workspace",
    "headwater.warehouse.duckdb.engine", "httpx2", "pyrate_limiter", "sqlalchemy.dialects.sqlite",
)  # fmt: skip
"""What headwater imports once it needs it, and its own modules. Neither side's clock counts the import of modules."""

PROJECT = """
version: 1
name: bench
tenants:
  acme:
    connections:
      psa:
        connector: connectwise
        settings: {{base_url: "{url}", company: acme}}
        secrets: {{public_key: "env:BENCH_KEY", private_key: "env:BENCH_KEY", client_id: "env:BENCH_KEY"}}
        limits: {{requests_per_minute: 1000000}}
        resources: [tickets]
"""
"""One connection that reads nothing but tickets, in one window."""


def read_and_land(url: str, folder: Path) -> None:
    """Read 100 pages and land 100,000 rows."""
    (folder / "headwater.yaml").write_text(PROJECT.format(url=url))
    with app.open_project(folder) as opened:
        # A span of time is asked for, so that nothing else is due: no sweep of ids, one window.
        asked = app.RunRequest(
            layers=frozenset({"raw", "bronze"}), chunk=timedelta(days=3650), since=parse_instant("2025-12-31")
        )
        report = app.run(opened.open_tenant("acme"), asked, stop=lambda: False)
    if report.outcome != "succeeded" or report.kept != 100_000:
        sys.exit(f"{report.outcome}: {report.kept} kept\n" + "\n".join(str(step.error) for step in report.steps))


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    measured(lambda: read_and_land(sys.argv[1], Path(sys.argv[2])))
