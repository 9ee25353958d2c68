"""A merge killed for real, at any moment: the file holds the state before or after, and the next run ends the same."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from headwater.testing.conformance.history.oracle import build_history
from tests.silver.builders import COLUMNS, THING, make_event, merge_events, open_duckdb, read_versions

SCRIPT = """
import sys
from tests.silver.builders import open_duckdb, merge_events
from tests.silver.merge.test_crash import make_next_events
warehouse = open_duckdb(path=sys.argv[1])
print("open", flush=True)
merge_events(warehouse, make_next_events())
warehouse.close()
"""


def make_first_events():
    return [make_event(f"p:{number}", 10, name="old", size=number) for number in range(2000)]


def make_next_events():
    late = [make_event(f"p:{number}", 5, name="older", note="x") for number in range(0, 2000, 3)]
    return late + [make_event(f"p:{number}", 20, name="new") for number in range(0, 2500, 2)]


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_ends_in_the_same_history(tmp_path):
    path = str(tmp_path / "acme.duckdb")
    warehouse = open_duckdb(path=path)
    merge_events(warehouse, make_first_events())
    start = read_versions(warehouse)
    warehouse.close()
    wanted = build_history([*make_first_events(), *make_next_events()], COLUMNS, THING.overwritten)
    chance = random.Random(7)
    seen_states = []
    for _ in range(8):
        run = subprocess.Popen([sys.executable, "-c", SCRIPT, path], stdout=subprocess.PIPE, text=True)
        assert run.stdout.readline() == "open\n"
        time.sleep(chance.uniform(0, 0.25))
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        warehouse = open_duckdb(path=path)
        versions = read_versions(warehouse)
        warehouse.close()
        assert versions in (start, wanted)
        seen_states.append(versions == wanted)
    warehouse = open_duckdb(path=path)
    merge_events(warehouse, make_next_events())
    assert read_versions(warehouse) == wanted
    warehouse.close()
