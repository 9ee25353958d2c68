"""A process that kills itself at a chosen statement of a chosen call. Run as a script; forks once a try."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from shutil import copytree, rmtree

from sqlalchemy import event

from headwater.batch import create_batch
from headwater.events import Finding
from headwater.ledger.base import RunOutcome
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import DRIFT, Hands, make_batch, make_feed, make_page, make_refusal, make_window

PARCEL, CHILD = make_batch(), create_batch(make_feed("notes"), make_window(0, 2))

CALLS: list[Callable[[SqlLedger], object]] = [
    lambda ledger: ledger.claim("acme", "run", "far-away:1:b-s-1-x", seconds=60),
    lambda ledger: ledger.begin_batch(PARCEL),
    lambda ledger: ledger.begin_batch(CHILD, parents=["1", "2"]),
    lambda ledger: ledger.record_page(PARCEL, make_page(1)),
    lambda ledger: ledger.record_page(PARCEL, make_page(2)),
    lambda ledger: ledger.discard_pages(PARCEL, after=1),
    lambda ledger: ledger.fail_batch(PARCEL, "503"),
    lambda ledger: ledger.begin_batch(PARCEL),
    lambda ledger: ledger.commit_window(PARCEL),
    lambda ledger: ledger.commit_window(CHILD),
    lambda ledger: ledger.record_landing(PARCEL, kept=9, refused=[make_refusal(PARCEL)], drift=[DRIFT]),
    lambda ledger: ledger.record_landing(CHILD, kept=0, refused=[], drift=[]),
    lambda ledger: ledger.complete_batches([PARCEL, CHILD]),
    lambda ledger: ledger.start_run("acme", "r1"),
    lambda ledger: ledger.save_findings("acme", "dim_a", [Finding(table="dim_a", finding="ancestor_cycle", count=1)]),
    lambda ledger: ledger.end_run("acme", "r1", outcome=RunOutcome.SUCCEEDED, counts={"rows": 9}),
    lambda ledger: ledger.reopen_batches("acme"),
    lambda ledger: ledger.remove_tenant("acme"),
]


def dump(root: Path) -> list[str]:
    """All that a ledger holds."""
    ledger = SqlLedger("sqlite:///ledger.db", root=root, clock=Hands())
    with ledger._database.read() as tx:
        raw = tx.connection.driver_connection
        assert raw is not None
        lines = [line for line in raw.iterdump() if line.startswith("INSERT")]
    ledger.close()
    return lines


def kill_call(root: Path, call: Callable[[SqlLedger], object], at: int) -> bool:
    """Whether the call was killed before its `at`-th statement; False when it has fewer and came to its end."""
    child = os.fork()
    if child == 0:
        ledger = SqlLedger("sqlite:///ledger.db", root=root, clock=Hands())
        seen = count()

        def kill_at_statement(*_: object) -> None:
            if next(seen) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(ledger._database._engine, "before_cursor_execute", kill_at_statement)
        event.listen(ledger._database._engine, "commit", kill_at_statement)
        call(ledger)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        sys.exit(f"the call failed at {at}")
    return False


def count_kills(root: Path, call: Callable[[SqlLedger], object], name: int) -> int:
    """How often a call could be killed; each time nothing was written, and the repeated call did it all."""
    before = dump(root)
    undisturbed = root.with_name("undisturbed")
    copytree(root, undisturbed)
    kill_call(undisturbed, call, 10_000)
    after = dump(undisturbed)
    rmtree(undisturbed)
    for at in count():
        copy = root.with_name("tried")
        copytree(root, copy)
        dead = kill_call(copy, call, at)
        if dead and dump(copy) != before:
            sys.exit(f"call {name}, statement {at}: half of it was written")
        kill_call(copy, call, 10_000)
        if dump(copy) != after:
            sys.exit(f"call {name}, statement {at}: the repeated call did not end in the same rows")
        rmtree(copy)
        if not dead:
            break
    kill_call(root, call, 10_000)
    return at


def main(place: Path) -> None:
    root = place / "ledger"
    root.mkdir()
    dump(root)
    print(sum(count_kills(root, call, name) for name, call in enumerate(CALLS)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
