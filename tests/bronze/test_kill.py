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
def test_a_killed_landing_leaves_no_partial_file_and_can_be_repeated(tmp_path):
    lines = [{"id": n, "name": "x" * 300, "hours": "bad" if n % 997 == 5 else n} for n in range(20_000)]
    undisturbed = Bench(tmp_path / "calm")
    expected = undisturbed.land(lines)
    files = {path: undisturbed.lake.read(path) for path in undisturbed.lake.list("acme")}
    bench = Bench(tmp_path / "killed")
    bench.write_raw(lines)
    generator = random.Random(7)
    for _ in range(8):
        kill_after(generator.uniform(0.0, 0.9), tmp_path / "killed")
        seen = {path: bench.lake.read(path) for path in bench.lake.list("acme")}
        assert {path: body for path, body in seen.items() if "/raw/" not in path}.items() <= files.items()
    bench.lake.remove_leftovers()
    result = bench.land()
    assert (result.kept, len(result.refused), result.drift) == (expected.kept, len(expected.refused), expected.drift)
    assert {path: bench.lake.read(path) for path in bench.lake.list("acme")} == files


def kill_after(seconds: float, root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CODE, str(root)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
