"""A process that merges, for the self-test to kill: `python -m headwater.run.selftest.merge_worker`.

It reads what to open from standard input, as one line of JSON. Secrets are references to the environment, which it inherits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from headwater.errors import HeadwaterError
from headwater.run.plugins import open_warehouse
from headwater.run.selftest.warehouse_url import load_settings
from headwater.testing.conformance.history.crash import MERGED, OPENED, make_incoming_events
from headwater.testing.conformance.history.entity import merge_events


def main() -> int:
    """Open the warehouse, merge, and print each step. Returns the exit code."""
    request = json.loads(sys.stdin.readline())
    try:
        settings = load_settings(request["warehouse"])
        warehouse = open_warehouse(settings, request["tenant"], Path(request["root"]))
        _write_line(OPENED)
        merge_events(warehouse, make_incoming_events(request["number"]))
        _write_line(MERGED)
        warehouse.close()
    except HeadwaterError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _write_line(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
