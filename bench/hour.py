"""What a small tenant costs each hour: CPU of whole commands on the `msp` blueprint, as a ratio to importing the libraries.

Each command is a process of its own, start of Python included, against a simulated ConnectWise. CPU counts, not seconds: a
machine that serves many tenants is busy with CPU, and waits cost nothing.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import yaml

LIBRARIES = "duckdb, pydantic, sqlalchemy, httpx2, sqlglot, pyarrow"
HEADWATER = (sys.executable, "-m", "headwater.cli")
COMPANY = "acme"
SECRETS = ("public_key", "private_key", "client_id")
MONTHS = 3
RUNS = 3


@dataclass(frozen=True)
class Step:
    """A command, what happens at the service before it, and the ratio that we aim at."""

    name: str
    words: tuple[str, ...]
    advance: dict[str, int]
    aim: float
    times: int = RUNS


STEPS = (
    Step("check", ("check",), {}, 1.5),
    Step(f"first load of {MONTHS} months", ("run",), {}, 10, times=1),
    Step("run right after a run", ("run",), {}, 1.8),
    Step("an hour without news", ("run",), {"hours": 1}, 2.5),
    Step("a day", ("run",), {"days": 1}, 6),
)


def main() -> None:
    """Print CPU seconds, the ratio, the aim and the requests of each command: the median of its runs."""
    with tempfile.TemporaryDirectory() as folder, start_service() as url:
        project = create_project(Path(folder) / "msp", url)
        imports = find_median([measure((sys.executable, "-c", f"import {LIBRARIES}"), project) for _ in range(RUNS)])
        print(f"CPU of whole commands on the msp blueprint; importing {LIBRARIES}: {imports:.2f} s")
        print(f"{'':<28}{'CPU s':>8}{'ratio':>8}{'aim':>6}{'requests':>10}{'records':>9}")
        for step in STEPS:
            print_step(step, project, url, imports)


def print_step(step: Step, project: Path, url: str, imports: float) -> None:
    """Run a step several times, and print a line. An hour counts as one without news only if nothing was written."""
    used: list[float] = []
    requests = records = 0
    with httpx2.Client(base_url=f"{url}/_sandbox", trust_env=False, timeout=60) as service:
        for _ in range(step.times):
            if step.advance:
                service.post("/advance", params=step.advance).raise_for_status()
            service.delete("/requests").raise_for_status()
            used.append(measure((*HEADWATER, *step.words, "--json"), project))
            requests = len(service.get("/state").json()["requests"])
            report = json.loads((project / "out.json").read_text())
            records = report.get("rows", 0)
    cpu = find_median(used)
    print(f"{step.name:<28}{cpu:>8.2f}{cpu / imports:>8.1f}{step.aim:>6}{requests:>10}{records:>9}")


def measure(command: tuple[str, ...], project: Path) -> float:
    """The CPU seconds of a command, with its children."""
    before = read_cpu()
    environment = {**os.environ, **{f"BENCH_{name.upper()}": "x" for name in SECRETS}}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a user has byte code
    with (project / "out.json").open("w") as out:
        result = subprocess.run(
            command, cwd=project, env=environment, stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(project / 'out.json').read_text()[-2000:]}{result.stderr[-2000:]}")
    return read_cpu() - before


def read_cpu() -> float:
    """The CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def find_median(values: list[float]) -> float:
    """The middle value."""
    return sorted(values)[len(values) // 2]


def create_project(folder: Path, url: str) -> Path:
    """A project with the blueprint, as `headwater init` makes it, and one tenant."""
    words = ("init", str(folder), "--blueprint", "msp", "--connector", "connectwise")
    subprocess.run([*HEADWATER, *words], check=True, capture_output=True)
    path = folder / "headwater.yaml"
    document = yaml.safe_load(path.read_text())
    connection = {
        "connector": "connectwise",
        "settings": {"base_url": url, "company": COMPANY},
        "secrets": {name: f"env:BENCH_{name.upper()}" for name in SECRETS},
        "limits": {"requests_per_minute": 1_000_000},
    }
    document["tenants"] = {"acme": {"connections": {"psa": connection}}}
    path.write_text(yaml.safe_dump(document))
    return folder


@contextmanager
def start_service() -> Iterator[str]:
    """The address of a simulated ConnectWise in a process of its own, whose CPU is not counted before it ends."""
    command = [sys.executable, "-m", "headwater.sandbox", "connectwise", "--port", "0"]
    command += ["--months", str(MONTHS), "--company", COMPANY]
    command += [word for name in SECRETS for word in (f"--{name.replace('_', '-')}", "x")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


if __name__ == "__main__":
    main()
