from __future__ import annotations

from dataclasses import replace

from headwater.batch import Window
from headwater.clock import EPOCH
from headwater.plan.build import build_plan
from headwater.plan.reads import expand_step
from headwater.plan.request_estimate import describe_recent
from headwater.plan.state import FeedState
from headwater.plan.step import Extract
from headwater.wire.cursor import ChangeFilter, FullSnapshot
from tests.plan.builders import (
    DAY,
    RESOURCES,
    UNTIL,
    VIEW,
    make_batch,
    make_feed_state,
    make_read_state,
    make_request,
    make_row,
    make_tenant_state,
)

WHOLE = Window(since=EPOCH, until=UNTIL)
TODAY = Window(since=UNTIL - DAY, until=UNTIL)


def find_open_step(state: FeedState, **changed: object) -> Extract:
    plan = build_plan(VIEW, make_tenant_state(state), make_request(**changed))
    (step,) = [step for step in plan.steps if isinstance(step, Extract) and step.open]
    return step


def test_parents_that_miss_the_same_are_read_together() -> None:
    state = make_read_state("additions", UNTIL - DAY)
    reads = expand_step(find_open_step(state), state, keys=("1", "3", "2", "4", "1"))
    assert [(one.batch.window, one.parents) for one in reads] == [(WHOLE, ("3", "4")), (TODAY, ("1", "2"))]
    assert not any(one.open for one in reads)


def test_no_parents_no_reads() -> None:
    assert expand_step(find_open_step(make_feed_state("additions")), make_feed_state("additions"), keys=()) == ()


def test_asked_again_it_tells_what_is_left() -> None:
    before = make_read_state("additions", UNTIL - DAY)
    step = find_open_step(before)
    whole, today = expand_step(step, before, keys=("1", "3"))
    known = {("changes", one.batch.window): 1 for one in (whole, today)}
    half = replace(before, parents={**before.parents, "3": (WHOLE,)}, attempts=known)
    assert [one.parents for one in expand_step(step, half, keys=("1", "3"))] == [("1",)]
    underway = replace(half, unfinished=(make_row("extracting", today.batch, parents=("1",)),))
    (again,) = expand_step(step, underway, keys=("1", "3"))
    assert (again.batch, again.resume, again.parents) == (today.batch, True, ("1",))


def test_a_new_parent_at_the_same_instant_is_another_reading() -> None:
    state = replace(make_read_state("additions"), attempts={("changes", WHOLE): 1})
    (only,) = expand_step(replace(find_open_step(make_feed_state("additions"))), state, keys=("1", "2", "9"))
    assert (only.batch.window, only.batch.attempt, only.parents) == (WHOLE, 2, ("9",))


def test_by_force_all_parents_are_read_again_in_one_batch() -> None:
    state = make_read_state("additions")
    step = find_open_step(state, since=TODAY.since, force=True)
    (only,) = expand_step(step, state, keys=("1", "2"))
    assert (only.batch, only.parents) == (step.batch, ("1", "2"))
    assert only.batch.window == TODAY
    begun = replace(state, unfinished=(make_row("extracting", step.batch, parents=("1", "2")),))
    (again,) = expand_step(step, begun, keys=("1", "2"))
    assert (again.batch, again.resume) == (step.batch, True)


def test_a_snapshot_below_parents_reads_them_all() -> None:
    resource = RESOURCES["additions"].model_copy(update={"cursor": FullSnapshot()})
    state = replace(make_feed_state("additions"), resource=resource)
    step = find_open_step(state)
    (only,) = expand_step(step, state, keys=("1", "2"))
    assert (only.batch.purpose, only.parents) == ("snapshot", ("1", "2"))


def test_an_unfinished_read_below_parents_goes_on_with_the_parents_it_began_with() -> None:
    half = make_row("extracting", make_batch("additions", UNTIL - DAY, UNTIL), parents=("1", "2"))
    plan = build_plan(
        VIEW, make_tenant_state(replace(make_read_state("additions", UNTIL - DAY), unfinished=(half,))), make_request()
    )
    first, second = (step for step in plan.steps if isinstance(step, Extract))
    assert (first.resume, first.open, first.parents) == (True, False, ("1", "2"))
    assert (second.open, second.after) == (True, (first.id,))


def make_limited_state(every: str = "1d") -> FeedState:
    """The state of a child resource whose unchanged parents are read only once a day."""
    state = make_read_state("additions", UNTIL - DAY / 24)
    parent = state.resource.parent.model_copy(update={"every": every})
    return replace(state, resource=state.resource.model_copy(update={"parent": parent}))


def list_parents(step: Extract, state: FeedState, **changed_at: object) -> list[str]:
    reads = expand_step(step, state, keys=("1", "2", "9"), changed_at={key[1:]: at for key, at in changed_at.items()})
    return sorted(parent for read in reads for parent in read.parents)


def test_unchanged_parents_are_read_at_their_own_rhythm() -> None:
    state = make_limited_state()
    step = find_open_step(state)
    assert step.unchanged_by == UNTIL - DAY
    assert list_parents(step, state) == ["9"], "a new parent is always read"
    assert list_parents(step, state, _2=UNTIL) == ["2", "9"], "a changed one, too"
    assert list_parents(step, state, _2=UNTIL - DAY / 24) == ["9"], "unless its change has been followed"
    earlier = replace(state, parents={**state.parents, "1": (Window(since=EPOCH, until=UNTIL - 2 * DAY),)})
    assert list_parents(step, earlier) == ["1", "9"], "an unchanged one after a day"
    by_hour = make_limited_state("30m")
    assert list_parents(find_open_step(by_hour), by_hour) == ["1", "2", "9"]


def test_what_is_requested_by_name_or_by_time_is_read_at_once() -> None:
    state = make_limited_state()
    for request in ({"resources": frozenset({"additions"})}, {"since": UNTIL - DAY}, {"force": True}):
        assert find_open_step(state, **request).unchanged_by is None


def test_a_collection_that_hardly_changes_is_read_at_its_own_rhythm() -> None:
    def plan_at(until, **request):
        state = make_read_state("tickets", until)
        resource = state.resource.model_copy(update={"every": "1d", "deletes": None})
        state, asked = replace(state, resource=resource), make_request(**request)
        plan = build_plan(VIEW, make_tenant_state(state), asked)
        return [step for step in plan.steps if isinstance(step, Extract)], describe_recent([state], asked)

    reads, notes = plan_at(UNTIL - DAY / 24)
    assert (reads, notes) == ([], ("psa: not due yet: tickets (every 1d); `--resource NAME` reads one now",))
    for until, request in ((UNTIL - DAY, {}), (UNTIL - DAY / 24, {"resources": frozenset({"tickets"})})):
        reads, notes = plan_at(until, **request)
        assert [(len(reads), notes)] == [(1, ())]


def test_a_filter_without_an_end_reads_history_in_one_window() -> None:
    both, since = (ChangeFilter(params=params, field="at") for params in ({"f": "{since}..{until}"}, {"f": "{since}"}))
    counts = {}
    for name, cursor in (("both", both), ("since", since)):
        state = replace(make_feed_state("tickets"), resource=RESOURCES["tickets"].model_copy(update={"cursor": cursor}))
        plan = build_plan(VIEW, make_tenant_state(state), make_request())
        steps = [step for step in plan.steps if isinstance(step, Extract) and step.batch.purpose == "changes"]
        counts[name] = [step.batch.window for step in steps]
    assert len(counts["both"]) > 3
    assert counts["since"] == [WHOLE]
