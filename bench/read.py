"""Read + land against a plain download and DuckDB's own typing: 100,000 tickets, 100 pages, on loopback.

Each side runs in a process of its own, so that its peak memory is its own. The reference downloads every page into a
file and lets DuckDB type them all, by the same contract, into one Parquet file; it keeps no place, no raw, no ledger.
Neither clock counts the start of Python and the import of libraries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.tickets import pages

RUNS = 3
SIDES = {"reference": "bench.reference", "headwater": "bench.ours"}
DATA = Path(__file__).parent / ".data" / "pages"


def main() -> None:
    """Print seconds, CPU, peak memory and the ratio of medians."""
    _prepare()
    with _served() as url:
        figures: dict[str, list[tuple[float, float, float]]] = {side: [] for side in SIDES}
        for _ in range(RUNS):
            for side, measured in figures.items():
                measured.append(_measured(side, url))
    print(f"read + land of 100,000 tickets ({_size():.0f} MB of JSON), median of {RUNS} runs")
    print(f"{'':<12}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}")
    for side, measured in figures.items():
        seconds, cpu, memory = (median(row[column] for row in measured) for column in range(3))
        print(f"{side:<12}{seconds:>9.2f}{cpu:>8.2f}{memory:>9.0f}")
    ours, reference = (median(row[0] for row in figures[side]) for side in ("headwater", "reference"))
    print(f"ratio {ours / reference:.2f}")


def _prepare() -> None:
    if len(list(DATA.glob("page-*.json"))) == 100:
        return
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    for number, body in enumerate(pages()):
        (DATA / f"page-{number:03d}.json").write_bytes(body)


def _size() -> float:
    return sum(path.stat().st_size for path in DATA.glob("page-*.json")) / 1e6


@contextmanager
def _served() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.server", str(DATA)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


def _measured(side: str, url: str) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", SIDES[side], url, folder]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env={**os.environ, "BENCH_KEY": "x"}
        )
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr}")
    seconds, cpu, memory = map(float, done.stdout.split())
    return seconds, cpu, memory


if __name__ == "__main__":
    main()
