"""Plans carried out against a real ledger by a worker that dies again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headwater.batch import Window
from headwater.clock import EPOCH
from headwater.ledger.base import Ledger, PageRow
from headwater.ledger.sql.ledger import SqlLedger
from headwater.plan.build import build_plan
from headwater.plan.reads import expand_step
from headwater.plan.state import FeedState, TenantState
from headwater.plan.step import Conform, Extract, Land
from tests.plan.builders import BUILT, HOLD_BACK, NOW, VIEW, make_feed_state, make_request

NAMES = ("tickets", "agreements", "additions", "boards")


class Died(Exception):
    """The worker's end."""


class Worker:
    """Carries out plans, and dies after so many ledger calls."""

    def __init__(self, ledger: Ledger, tenant: str) -> None:
        self.ledger = ledger
        self.tenant = tenant
        self.left = 0
        self.pages: Counter[tuple[str, int]] = Counter()
        self.now = NOW

    def read_state(self, name: str) -> FeedState:
        state = make_feed_state(name, tenant=self.tenant)
        snapshot = self.ledger.find_latest(state.feed, purpose="snapshot")
        sweep = self.ledger.find_latest(state.feed, purpose="sweep")
        return replace(
            state,
            committed=self.ledger.list_windows(state.feed),
            parents=self.ledger.list_windows_by_parent(state.feed),
            unfinished=self.ledger.list_batches(
                self.tenant, feed=state.feed, states=("extracting", "extracted", "transformed", "failed")
            ),
            attempts=self.ledger.count_attempts(state.feed),
            last_snapshot=snapshot and snapshot.window.until,
            last_sweep=sweep and sweep.window.until,
        )

    def run(self, *, calls: int) -> int:
        """Plan and do; how many steps there were."""
        self.left = calls
        feeds = tuple(self.read_state(name) for name in NAMES)
        state = TenantState(tenant=self.tenant, feeds=feeds, built=BUILT)
        plan = build_plan(VIEW, state, make_request(source_times={"psa": self.now}))
        for step in plan.steps:
            match step:
                case Extract() if step.open:
                    for read in expand_step(step, self.read_state(step.batch.feed.resource), keys=("1", "2", "3")):
                        self.extract(read)
                case Extract():
                    self.extract(step)
                case Land():
                    self.land(step)
                case Conform():
                    self.conform(step)
        return len(plan.steps)

    def call(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Died

    def extract(self, step: Extract) -> None:
        self.call()
        if self.ledger.begin_batch(step.batch, parents=step.parents).state != "extracting":
            return
        for number in range(len(self.ledger.list_pages(step.batch)) + 1, 4):
            self.call()
            row = PageRow(number=number, path=str(number), rows=2, size=9, next=None if number == 3 else "on")
            self.ledger.record_page(step.batch, row)
            self.pages[step.batch.id, number] += 1
        self.call()
        self.ledger.commit_window(step.batch)

    def land(self, step: Land) -> None:
        rows = self.ledger.list_batches(self.tenant, feed=step.feed, states=("extracted",))
        for row in rows:
            if step.batch is None or row.batch == step.batch:
                self.call()
                self.ledger.record_landing(row.batch, kept=row.rows, refused=(), drift=())

    def conform(self, step: Conform) -> None:
        resources = {source.removeprefix("desk.") for source in VIEW.entities[step.entity]}
        rows = self.ledger.list_batches(self.tenant, states=("transformed",))
        self.call()
        self.ledger.complete_batches([row.batch for row in rows if row.batch.feed.resource in resources])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlLedger]:
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path_factory.mktemp("flow"))
    yield ledger
    ledger.close()


FRESH = count()


@settings(max_examples=15, deadline=None)
@given(lives=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=8))
@example(lives=[(0, 0), (30, 1), (30, 1), (47, 4), (56, 10), (22, 15), (12, 25)])
def test_however_often_it_dies_all_is_read_once_and_nothing_is_left(
    shared: SqlLedger, lives: list[tuple[int, int]]
) -> None:
    worker = Worker(shared, f"t{next(FRESH)}")
    for calls, hours in lives:
        worker.now += timedelta(hours=hours)
        try:
            worker.run(calls=calls)
        except Died:
            continue
    for _ in range(2):  # the first may end a complete read of a day ago, after which another one is due
        worker.run(calls=10_000)
    whole = (Window(since=EPOCH, until=worker.now - HOLD_BACK),)
    for name in ("tickets", "agreements"):
        assert worker.read_state(name).committed == whole
    assert worker.read_state("additions").parents == {"1": whole, "2": whole, "3": whole}
    assert {row.state for row in shared.list_batches(worker.tenant)} == {"completed"}
    assert set(worker.pages.values()) == {1}
    assert worker.run(calls=0) == 0
