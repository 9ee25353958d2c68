"""A run in a process of its own, which the test kills: `python -m headwater.run.kit.killed_run FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from headwater.plan.state import RunRequest
from headwater.run.pipeline.context import never_stop
from headwater.run.pipeline.run import run
from headwater.run.workspace import choose_tenant, open_project


def main(root: Path) -> int:
    """Run the project in `root`, and return its exit code."""
    with open_project(root) as workspace:
        return run(choose_tenant(workspace, None), RunRequest(), stop=never_stop).exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
