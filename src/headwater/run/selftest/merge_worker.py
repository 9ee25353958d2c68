"""A merge in a process of its own, for the selftest to kill: `python -m headwater.run.selftest.merge_worker`.

What to open comes as one line of JSON on standard input, secrets as references to an environment that is inherited.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from headwater.errors import HeadwaterError
from headwater.run.plugins import open_warehouse
from headwater.run.selftest.warehouse_url import settings_from_options
from headwater.testing.conformance.history.crash import MERGED, OPENED, incoming_events
from headwater.testing.conformance.history.entity import merge_events


def main() -> int:
    """Open, merge, say so; the exit code."""
    asked = json.loads(sys.stdin.readline())
    try:
        warehouse = open_warehouse(settings_from_options(asked["warehouse"]), asked["tenant"], Path(asked["root"]))
        _say(OPENED)
        merge_events(warehouse, incoming_events(asked["number"]))
        _say(MERGED)
        warehouse.close()
    except HeadwaterError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
