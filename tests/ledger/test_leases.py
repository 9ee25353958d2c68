from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.errors import LeaseHeld, StateError
from headwater.ledger.base import Lease
from headwater.ledger.heartbeat import keep_lease
from headwater.ledger.lease_owner import build_lease_owner, describe_owner, is_dead_process
from headwater.ledger.sql.ledger import SqlLedger
from tests.ledger.builders import NOON, Hands

ELSEWHERE = "far-away:4711:b-s-1-x"
OTHER = "far-away:4712:b-s-1-x"


def test_one_gets_it_and_the_other_is_told_who_has_it(ledger: SqlLedger) -> None:
    lease = ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    assert (lease.since, lease.expires_at) == (NOON, NOON + timedelta(seconds=60))
    with pytest.raises(LeaseHeld) as caught:
        ledger.claim("acme", "run", OTHER, seconds=60)
    assert caught.value.message == "another run is working on tenant `acme`."
    details = caught.value.details
    assert details == (
        "held by process 4711 on far-away since 2026-03-01T12:00:00Z, until 2026-03-01T12:01:00Z unless renewed"
    )


def test_tenants_and_scopes_do_not_stand_in_each_others_way(ledger: SqlLedger) -> None:
    ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    ledger.claim("globex", "run", OTHER, seconds=60)
    ledger.claim("acme", "other", OTHER, seconds=60)
    assert [lease.scope for lease in ledger.list_leases("acme")] == ["other", "run"]


def test_the_same_holder_holds_on_and_keeps_the_first_claim(ledger: SqlLedger, hands: Hands) -> None:
    ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    hands.sleep(30)
    again = ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    assert (again.since, again.expires_at) == (NOON, NOON + timedelta(seconds=90))


def test_a_lease_given_back_is_free(ledger: SqlLedger) -> None:
    lease = ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    ledger.release(lease)
    ledger.release(lease)
    assert ledger.list_leases("acme") == ()
    taken = ledger.claim("acme", "run", OTHER, seconds=60)
    ledger.release(lease)
    assert ledger.list_leases("acme") == (taken,)


def test_a_lease_of_another_machine_is_taken_over_when_it_expires(ledger: SqlLedger, hands: Hands) -> None:
    lost = ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    hands.sleep(59)
    with pytest.raises(LeaseHeld):
        ledger.claim("acme", "run", OTHER, seconds=60)
    hands.sleep(1)
    assert ledger.list_leases("acme") == ()
    assert ledger.claim("acme", "run", OTHER, seconds=60).holder == OTHER
    assert ledger.renew(lost, seconds=60) is None


def test_an_expired_lease_that_nobody_took_is_renewed(ledger: SqlLedger, hands: Hands) -> None:
    lease = ledger.claim("acme", "run", ELSEWHERE, seconds=60)
    hands.sleep(600)
    renewed = ledger.renew(lease, seconds=60)
    assert renewed is not None
    assert renewed.expires_at == hands.at + timedelta(seconds=60)


def test_every_claim_of_a_process_is_another_holder() -> None:
    assert build_lease_owner() != build_lease_owner()
    assert build_lease_owner().startswith(f"{socket.gethostname()}:{os.getpid()}:")
    assert describe_owner(build_lease_owner()) == f"process {os.getpid()} on {socket.gethostname()}"
    assert describe_owner("somebody") == "somebody"


def test_a_living_process_is_not_dead_and_a_stranger_is_never_called_so() -> None:
    assert not is_dead_process(build_lease_owner())
    assert not is_dead_process(ELSEWHERE)
    assert not is_dead_process("somebody")


proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@proc
def test_a_process_id_that_now_means_another_process_is_dead() -> None:
    host, pid, start = build_lease_owner().split(":")
    boot, space, ticks, claim = start.split("-")
    assert is_dead_process(f"{host}:{pid}:{boot}-{space}-{int(ticks) - 1}-{claim}")
    assert not is_dead_process(f"{host}:{pid}:{boot}-elsewhere-{int(ticks) - 1}-{claim}")
    assert not is_dead_process(f"{host}:{pid}:anotherboot-{space}-{int(ticks) - 1}-{claim}")


CLAIM = """
import sys, time
from pathlib import Path
from headwater.ledger.lease_owner import build_lease_owner
from headwater.ledger.sql.ledger import SqlLedger
ledger = SqlLedger("sqlite:///ledger.db", root=Path(sys.argv[1]))
ledger.claim("acme", "run", build_lease_owner(), seconds=3600)
print("claimed", flush=True)
time.sleep(60)
"""


@proc
def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    child = subprocess.Popen([sys.executable, "-c", CLAIM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "claimed\n"
    with pytest.raises(LeaseHeld) as caught:
        ledger.claim("acme", "run", build_lease_owner(), seconds=60)
    assert f"process {child.pid} on {socket.gethostname()}" in caught.value.details
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    me = build_lease_owner()
    assert ledger.claim("acme", "run", me, seconds=60).holder == me  # dead, though not yet buried by its parent
    child.communicate()
    ledger.close()


def test_a_kept_lease_outlives_its_time_and_is_given_back(tmp_path: Path) -> None:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    lease = ledger.claim("acme", "run", build_lease_owner(), seconds=0.3)
    with keep_lease(ledger, lease, seconds=0.3) as held_lease:
        time.sleep(0.7)
        held_lease.check()
        assert held_lease.lease.expires_at > lease.expires_at
        with pytest.raises(LeaseHeld):
            ledger.claim("acme", "run", build_lease_owner(), seconds=60)
    assert ledger.list_leases("acme") == ()
    ledger.close()


def test_a_lost_lease_is_told_loudly(tmp_path: Path) -> None:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    errors: list[StateError] = []

    def work() -> None:
        lease = ledger.claim("acme", "run", build_lease_owner(), seconds=0.3)
        with keep_lease(ledger, lease, seconds=0.3, on_lost=errors.append) as held_lease:
            ledger.release(lease)
            ledger.claim("acme", "run", ELSEWHERE, seconds=60)
            _wait_until(lambda: held_lease.lost_error is not None)
            with pytest.raises(StateError):
                held_lease.check()

    with pytest.raises(StateError, match="was lost"):
        work()
    assert len(errors) == 1
    assert [lease.holder for lease in ledger.list_leases("acme")] == [ELSEWHERE]
    ledger.close()


def test_an_error_of_the_work_is_not_hidden_by_a_lost_lease(tmp_path: Path) -> None:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)

    def work() -> None:
        lease = ledger.claim("acme", "run", build_lease_owner(), seconds=0.3)
        with keep_lease(ledger, lease, seconds=0.3) as held_lease:
            ledger.release(lease)
            _wait_until(lambda: held_lease.lost_error is not None)
            raise ValueError("the work's own")

    with pytest.raises(ValueError, match="own"):
        work()
    ledger.close()


def _wait_until(true: object) -> None:
    deadline = time.monotonic() + 5
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_heartbeat_that_fails_for_a_while_does_not_lose_the_lease_whatever_the_clocks_say(
    ledger_url: str, tmp_path: Path
) -> None:
    ledger = SqlLedger(ledger_url, root=tmp_path)
    lease = ledger.claim("acme", "run", build_lease_owner(), seconds=1.2)
    renewals: list[str] = []

    class Unreachable:
        """A ledger whose first renewal fails. Its expiry is in the time of a server whose clock is an hour behind."""

        def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
            renewals.append(lease.holder)
            if len(renewals) == 1:
                raise StateError("the server of the ledger cannot be reached.")
            return ledger.renew(lease, seconds=seconds)

        def release(self, lease: Lease) -> None:
            ledger.release(lease)

    stale = replace(lease, expires_at=lease.expires_at - timedelta(hours=1))
    with keep_lease(Unreachable(), stale, seconds=1.2) as held_lease:  # type: ignore[arg-type]
        _wait_until(lambda: len(renewals) > 1)
        held_lease.check()
    assert ledger.list_leases("acme") == ()
    ledger.close()
