"""What a machine gets: one JSON object from every command, and a command line that starts at once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from tests.e2e.builders import HEADWATER

COMMANDS = [
    ("check",),
    ("plan",),
    ("run",),
    ("status",),
    ("backfill", "--since", "2025-09-01"),
    ("rebuild",),
    ("quarantine", "list"),
    ("quarantine", "retry"),
    ("tenant", "list"),
    ("connection", "list"),
    ("connection", "test", "psa"),
    ("connector", "list"),
    ("connector", "show", "connectwise"),
    ("query", "SELECT 1 AS one"),
    ("explain", "time_entry"),
    ("schema",),
    ("tenant", "add", "later"),
    ("tenant", "claim", "later", "--yes"),
    ("tenant", "remove", "later", "--yes"),
]


@pytest.mark.slow
def test_every_command_answers_with_one_json_object(shop_after_run):
    shop_after_run.declare(tenants=shop_after_run.tenants)
    for words in COMMANDS:
        assert isinstance(shop_after_run(*words).json, dict), words
    for words in (("query", "DROP TABLE gold.dim_company"), ("explain", "nobody"), ("quarantine", "show", "x")):
        error = shop_after_run(*words, code=None)
        assert error.code in (1, 2)
        assert {"kind", "message", "at", "found", "fix"} <= set(error.error)


def test_a_query_answers_with_columns_and_rows(first_run):
    asked = "SELECT company_id, valid_from, 1.50::DECIMAL(9,2) AS d, NULL AS n FROM silver.company ORDER BY 1 LIMIT 2"
    answer = first_run("query", asked).json
    assert answer["columns"] == ["company_id", "valid_from", "d", "n"]
    assert len(answer["rows"]) == 2
    key, since, amount, nothing = answer["rows"][0]
    assert (key, amount, nothing) == (1, 1.5, None)
    assert since.endswith("Z")
    assert since[10] == "T"


@pytest.mark.parametrize(("words", "most"), [(("--help",), 0.6), (("run", "--help"), 3)])
def test_help_costs_next_to_no_processor_time(words, most):
    """The promise is 0.3 s for `--help`; twice that, so that a busy machine does not fail the test."""
    subprocess.run([*HEADWATER, *words], check=True, capture_output=True)  # once, so that it is compiled
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*HEADWATER, *words], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"headwater {' '.join(words)}: {min(spent):.2f} s of CPU time")
    assert min(spent) < most


def test_help_imports_nothing_heavy():
    probe = """
import sys
from headwater.cli.main import run_command
run_command(["--help"])
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", probe], check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert not loaded & {
        "duckdb",
        "pyarrow",
        "sqlalchemy",
        "alembic",
        "sqlglot",
        "pydantic",
        "httpx2",
        "uvicorn",
        "starlette",
    }
