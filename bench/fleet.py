"""Measures `headwater run --all`: a first load of many small companies, and an hour without news.

python -m bench.fleet [--tenants 100] [--jobs 2] [--blueprint msp]

All tenants read one simulated service. CPU is that of all processes of Headwater, without the service.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEYS = {"CONNECTWISE_PUBLIC_KEY": "public", "CONNECTWISE_PRIVATE_KEY": "private", "CONNECTWISE_CLIENT_ID": "client"}
HEADWATER = (sys.executable, "-m", "headwater.cli")


def write_project(root: Path, url: str, tenants: int) -> None:
    """Create a project with the blueprint `msp`, whose tenants all read the service at `url`."""
    subprocess.run([*HEADWATER, "init", str(root), "--blueprint", "msp"], check=True, capture_output=True)
    lines = ["version: 1", "name: fleet", "blueprint: msp", "tenants:"]
    secrets = ", ".join(f"{name.removeprefix('CONNECTWISE_').lower()}: 'env:{name}'" for name in KEYS)
    for number in range(tenants):
        lines += [
            f"  t{number:04d}:",
            "    connections:",
            "      psa:",
            "        connector: connectwise",
            f"        settings: {{base_url: '{url}', company: acme}}",
            f"        secrets: {{{secrets}}}",
            "        limits: {requests_per_minute: 100000}",
        ]
    lines += [
        "warehouse: {kind: duckdb, path: '.headwater/{tenant}.duckdb'}",
        "lake: {url: '.headwater/lake'}",
        f"ledger: {{url: '{os.environ.get('BENCH_LEDGER', 'sqlite:///.headwater/ledger.db')}'}}",
    ]
    (root / "headwater.yaml").write_text("\n".join(lines) + "\n")


def measure_run(root: Path, name: str, tenants: int, *words: str) -> None:
    """Run the fleet once, and print its CPU and memory."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [*HEADWATER, "run", "--all", "--json", *words]
    done = subprocess.run(command, cwd=root, env={**os.environ, **KEYS}, stdout=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    requests = sum(result["requests"] for result in report["tenants"])
    rows = sum(result["rows"] for result in report["tenants"])
    print(
        f"{name}: exit {done.returncode}, {report['outcomes']}, {requests} requests, {rows} records; "
        f"CPU {cpu:.1f} s, {cpu / tenants:.2f} s a tenant; {time.monotonic() - began:.0f} s of time; "
        f"largest process {after.ru_maxrss / 1024:.0f} MB",
        flush=True,
    )


def main() -> None:
    """Start the service, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--jobs", default="2")
    arguments = parser.parse_args()
    service = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "headwater.sandbox",
                "connectwise",
                "--port",
                "0",
                "--companies",
                "2",
                "--months",
                "1",
            ),
            *("--private-key", KEYS["CONNECTWISE_PRIVATE_KEY"], "--client-id", KEYS["CONNECTWISE_CLIENT_ID"]),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert service.stdout is not None
    url = service.stdout.readline().strip()
    try:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "fleet"
            write_project(root, url, arguments.tenants)
            measure_run(root, "first load", arguments.tenants, "--jobs", arguments.jobs)
            for name in ("right after", "again"):
                measure_run(root, name, arguments.tenants, "--jobs", arguments.jobs)
            subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"import httpx2; httpx2.post('{url}/_sandbox/advance', params={{'hours': 1}}, trust_env=False)",
                ],
                check=False,
            )
            measure_run(root, "an hour later", arguments.tenants, "--jobs", arguments.jobs)
    finally:
        service.kill()
        service.wait()


if __name__ == "__main__":
    main()
