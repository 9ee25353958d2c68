"""Twenty processes write one ledger at once, in each kind of database."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import make_feed, make_window

ROOT = Path(__file__).parents[2]
PROCESSES = 20
ROUNDS = 3


def test_twenty_processes_lose_nothing_and_none_finds_the_ledger_busy(tmp_path: Path, ledger_url: str) -> None:
    command = [sys.executable, "-m", "tests.ledger.many_writers", ledger_url, str(tmp_path)]
    writers = [
        subprocess.Popen(
            [*command, str(number), str(ROUNDS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(PROCESSES)
    ]
    started = time.monotonic()
    results = [writer.communicate(timeout=240) for writer in writers]
    assert [err for _, err in results if err] == []
    assert [writer.returncode for writer in writers] == [0] * PROCESSES
    with closing(SqlLedger(ledger_url, root=tmp_path)) as ledger:
        assert ledger.list_windows(make_feed()) == (make_window(0, PROCESSES * ROUNDS),)
        assert len(ledger.list_batches("shared")) == 0
        assert len(ledger.list_batches("acme")) == PROCESSES * ROUNDS
        for number in range(PROCESSES):
            assert ledger.list_windows(make_feed(tenant=f"own_{number}")) == (make_window(0, ROUNDS),)
        assert ledger.get_mark("shared", "count") == str(PROCESSES * ROUNDS)
        assert ledger.list_leases("shared") == ()
    # They want 120 requests. The ledger grants no more than the limit in each minute.
    assert 50 <= sum(int(out) for out, _ in results) <= 50 * (1 + (time.monotonic() - started) // 60)
