"""A merge into files killed for real, at any moment: the manifest names the state before or after, never another."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history.oracle import build_history
from headwater.warehouse.files.engine import Files
from tests.silver.builders import COLUMNS, THING, merge_events, read_versions
from tests.silver.merge.test_crash import make_first_events, make_next_events

SCRIPT = """
import sys
from tests.silver.builders import merge_events
from tests.silver.merge.test_crash import make_next_events
from tests.warehouse.files.test_crash import open_files
warehouse = open_files(*sys.argv[1:])
print("open", flush=True)
merge_events(warehouse, make_next_events())
warehouse.close()
"""


def open_files(place, file_format):
    warehouse = Files("acme", place, file_format, threads=1)
    migrate_tables(warehouse, THING)
    return warehouse


@pytest.mark.slow
@pytest.mark.parametrize(("file_format", "where"), [("parquet", "folder"), ("delta", "folder"), ("parquet", "bucket")])
def test_killed_at_any_moment_and_run_again_ends_in_the_same_history(tmp_path, request, file_format, where):
    place = str(tmp_path) if where == "folder" else request.getfixturevalue("bucket")
    with closing(open_files(place, file_format)) as warehouse:
        merge_events(warehouse, make_first_events())
        start = read_versions(warehouse)
    wanted = build_history([*make_first_events(), *make_next_events()], COLUMNS, THING.overwritten)
    chance = random.Random(7)
    ends = []
    for _ in range(3):
        run = subprocess.Popen([sys.executable, "-c", SCRIPT, place, file_format], stdout=subprocess.PIPE, text=True)
        assert run.stdout.readline() == "open\n"
        time.sleep(chance.uniform(0, 0.4))
        run.send_signal(signal.SIGKILL)
        run.communicate()
        with closing(Files("acme", place, file_format, threads=1, read_only=True)) as reader:
            versions = read_versions(reader)
        assert versions in (start, wanted)
        ends.append(versions == wanted)
        if ends[-1]:
            break
    with closing(open_files(place, file_format)) as warehouse:
        assert read_versions(warehouse) == (wanted if ends[-1] else start)
        merge_events(warehouse, make_next_events())
        assert read_versions(warehouse) == wanted
