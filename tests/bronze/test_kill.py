from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bronze.bench import Bench

CODE = """
import sys
from pathlib import Path
from tests.bronze.bench import Bench
bench = Bench(Path(sys.argv[1]))
print("ready", flush=True)
bench.land()
"""


@pytest.mark.slow
def test_a_landing_that_is_killed_leaves_nothing_half_written_and_is_repeated(tmp_path):
    lines = [{"id": n, "name": "x" * 300, "hours": "bad" if n % 997 == 5 else n} for n in range(20_000)]
    calm = Bench(tmp_path / "calm")
    expected = calm.land(lines)
    files = {path: calm.lake.read(path) for path in calm.lake.list("acme")}
    bench = Bench(tmp_path / "killed")
    bench.raw(lines)
    chance = random.Random(7)
    for _ in range(8):
        kill_after(chance.uniform(0.0, 0.9), tmp_path / "killed")
        seen = {path: bench.lake.read(path) for path in bench.lake.list("acme")}
        assert {path: body for path, body in seen.items() if "/raw/" not in path}.items() <= files.items()
    bench.lake.remove_leftovers()
    landed = bench.land()
    assert (landed.kept, len(landed.refused), landed.drift) == (expected.kept, len(expected.refused), expected.drift)
    assert {path: bench.lake.read(path) for path in bench.lake.list("acme")} == files


def kill_after(seconds: float, root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CODE, str(root)], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(seconds)
        running.send_signal(signal.SIGKILL)
