"""One of many processes that write the same ledger. Run as a script: URL, folder, number of the process, rounds."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from headwater.errors import LeaseHeld
from headwater.ledger.lease_owner import build_lease_owner
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import extract_batch, make_batch


def work_under_lease(ledger: SqlLedger, owner: str) -> None:
    """Count up a mark, which only the holder of the lease may do. A second holder would lose a count."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            lease = ledger.claim("shared", "run", owner, seconds=60)
        except LeaseHeld:
            time.sleep(0.01)
            continue
        before = int(ledger.get_mark("shared", "count") or 0)
        ledger.set_mark("shared", "count", str(before + 1))
        ledger.release(lease)
        return
    sys.exit("the lease was never free")


def main(url: str, root: Path, number: int, rounds: int) -> None:
    ledger = SqlLedger(url, root=root)
    granted = 0
    for turn in range(rounds):
        hour = number * rounds + turn
        extract_batch(
            ledger, make_batch(hour, hour + 1)
        )  # windows of one feed, which merge with those of other processes
        extract_batch(ledger, make_batch(turn, turn + 1, tenant=f"own_{number}"))
        work_under_lease(ledger, build_lease_owner())
        granted += ledger.grant_requests("host a.example", limit=50, count=2).count
    ledger.close()
    print(granted)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
