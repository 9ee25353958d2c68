from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from headwater.batch import Window
from headwater.clock import EPOCH
from headwater.errors import DeclarationError
from headwater.plan.build import build_plan
from headwater.plan.explain import render_plan
from headwater.plan.state import SchemaDecision
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Plan, Publish
from tests.plan.builders import (
    BUILT,
    DAY,
    NOW,
    RESOURCES,
    UNTIL,
    VIEW,
    make_batch,
    make_feed,
    make_feed_state,
    make_read_state,
    make_request,
    make_row,
    make_tenant_state,
)


def select_extracts(plan: Plan, resource: str = "tickets") -> list[Extract]:
    return [step for step in plan.steps if isinstance(step, Extract) and step.batch.feed.resource == resource]


def list_windows(plan: Plan, resource: str = "tickets") -> list[Window]:
    return [step.batch.window for step in select_extracts(plan, resource) if step.batch.purpose == "changes"]


def select_lands(plan: Plan) -> list[Land]:
    return [step for step in plan.steps if isinstance(step, Land)]


def list_ids(plan: Plan) -> list[str]:
    """Everything above bronze."""
    return [step.id for step in plan.steps if not isinstance(step, Extract | Land)]


def test_a_first_run_reads_the_whole_past_in_chunks_and_then_sweeps() -> None:
    plan = build_plan(VIEW, make_tenant_state(make_feed_state("tickets"), built=frozenset()), make_request())
    cut = UNTIL - 90 * DAY
    assert list_windows(plan) == [
        Window(since=EPOCH, until=cut),
        *(Window(since=cut + part * 30 * DAY, until=cut + (part + 1) * 30 * DAY) for part in range(3)),
    ]
    assert [step.batch.purpose for step in select_extracts(plan)] == ["changes"] * 4 + ["sweep"]


def test_every_read_waits_for_the_one_before_and_every_landing_for_its_read() -> None:
    plan = build_plan(VIEW, make_tenant_state(make_feed_state("tickets")), make_request())
    chain = select_extracts(plan)
    assert [step.after for step in chain] == [(), *((before.id,) for before in chain[:-1])]
    assert [(step.batch, step.after) for step in select_lands(plan)] == [(step.batch, (step.id,)) for step in chain]


def test_an_entity_waits_for_all_its_landings_and_gold_for_what_it_is_made_of() -> None:
    plan = build_plan(VIEW, make_tenant_state(make_feed_state("tickets"), make_feed_state("boards")), make_request())
    conform = plan.by_id["conform:ticket"]
    assert conform.after == tuple(land.id for land in select_lands(plan) if land.feed.resource == "tickets")
    assert conform.needs == "any"
    assert plan.by_id["dimension:board"].after == ("conform:board",)
    assert plan.by_id["fact:ticket"].after == ("conform:ticket", "dimension:board")
    assert plan.by_id["fact:ticket"].needs == "all"


def test_an_hourly_run_reads_what_is_missing_and_no_more() -> None:
    hour = timedelta(hours=1)
    plan = build_plan(VIEW, make_tenant_state(make_read_state("tickets", UNTIL - hour)), make_request())
    assert list_windows(plan) == [Window(since=UNTIL - hour, until=UNTIL)]
    assert len(select_extracts(plan)) == 1
    assert list_ids(plan) == ["conform:ticket", "fact:ticket"]


def test_nothing_is_planned_where_nothing_can_have_changed() -> None:
    feeds = (
        make_read_state("tickets"),
        make_read_state("agreements"),
        make_read_state("additions"),
        make_read_state("boards"),
    )
    assert build_plan(VIEW, make_tenant_state(*feeds), make_request()).steps == ()


def test_a_sweep_and_a_snapshot_are_due_when_their_time_has_come() -> None:
    nearly = make_tenant_state(
        make_read_state("tickets", UNTIL - DAY + timedelta(seconds=1)),
        make_read_state("boards", UNTIL - DAY + timedelta(seconds=1)),
    )
    assert [
        step.batch.purpose for step in build_plan(VIEW, nearly, make_request()).steps if isinstance(step, Extract)
    ] == ["changes"]
    due = build_plan(
        VIEW,
        make_tenant_state(make_read_state("tickets", UNTIL - DAY), make_read_state("boards", UNTIL - DAY)),
        make_request(),
    )
    assert [step.batch.purpose for step in select_extracts(due)] == ["changes", "sweep"]
    assert [step.batch.purpose for step in select_extracts(due, "boards")] == ["snapshot"]
    assert select_extracts(due)[1].after == (select_extracts(due)[0].id,)


def test_an_unfinished_batch_goes_on_first_and_is_not_asked_for_twice() -> None:
    half = make_batch("tickets", UNTIL - 2 * DAY, UNTIL - DAY)
    for state in (make_row("extracting", half), make_row("failed", half, resume="extracting")):
        before = replace(make_read_state("tickets", UNTIL - 2 * DAY), unfinished=(state,), last_sweep=UNTIL)
        steps = select_extracts(build_plan(VIEW, make_tenant_state(before), make_request()))
        assert [(step.batch.window, step.resume) for step in steps] == [
            (half.window, True),
            (Window(since=UNTIL - DAY, until=UNTIL), False),
        ]
        assert steps[0].batch == half


def test_an_unfinished_sweep_is_not_doubled() -> None:
    half = make_batch("tickets", EPOCH, UNTIL - DAY, purpose="sweep")
    before = replace(make_read_state("tickets"), unfinished=(make_row("extracting", half),), last_sweep=None)
    assert [
        (step.batch, step.resume)
        for step in select_extracts(build_plan(VIEW, make_tenant_state(before), make_request()))
    ] == [(half, True)]


def test_what_was_read_and_not_landed_is_landed() -> None:
    waiting = make_batch("tickets", UNTIL - DAY, UNTIL)
    for state in (make_row("extracted", waiting), make_row("failed", waiting, resume="extracted")):
        plan = build_plan(
            VIEW, make_tenant_state(replace(make_read_state("tickets"), unfinished=(state,))), make_request()
        )
        assert [(land.batch, land.after) for land in select_lands(plan)] == [(waiting, ())]
        assert list_ids(plan) == ["conform:ticket", "fact:ticket"]


def test_what_was_landed_and_not_conformed_is_conformed_whatever_becomes_of_todays_reads() -> None:
    landed = make_row("transformed", make_batch("tickets", UNTIL - DAY, UNTIL))
    plan = build_plan(
        VIEW, make_tenant_state(replace(make_read_state("tickets"), unfinished=(landed,))), make_request()
    )
    assert [step.id for step in plan.steps] == ["conform:ticket", "fact:ticket"]
    later = build_plan(
        VIEW, make_tenant_state(replace(make_read_state("tickets", UNTIL - DAY), unfinished=(landed,))), make_request()
    )
    conform = later.by_id["conform:ticket"]
    assert conform.after
    assert conform.needs == "none"


def test_what_hangs_below_waits_for_its_parents_to_have_landed() -> None:
    plan = build_plan(
        VIEW, make_tenant_state(make_feed_state("additions"), make_feed_state("agreements")), make_request()
    )
    (below,) = select_extracts(plan, "additions")
    assert below.open
    assert below.parent == "agreements"
    assert below.batch.window == Window(since=EPOCH, until=UNTIL)
    assert below.after == tuple(land.id for land in select_lands(plan) if land.feed.resource == "agreements")
    (land,) = [land for land in select_lands(plan) if land.feed.resource == "additions"]
    assert (land.batch, land.after) == (None, (below.id,))


def test_what_hangs_below_is_asked_again_when_its_parents_have_news() -> None:
    quiet = build_plan(
        VIEW, make_tenant_state(make_read_state("agreements"), make_read_state("additions")), make_request()
    )
    assert quiet.steps == ()
    news = replace(
        make_read_state("agreements"), unfinished=(make_row("extracted", make_batch("agreements", UNTIL - DAY, UNTIL)),)
    )
    assert (
        len(
            select_extracts(
                build_plan(VIEW, make_tenant_state(news, make_read_state("additions")), make_request()), "additions"
            )
        )
        == 1
    )


def test_a_span_that_was_asked_for_narrows_what_is_read_and_sweeps_nothing() -> None:
    plan = build_plan(
        VIEW, make_tenant_state(make_feed_state("tickets")), make_request(since=UNTIL - 40 * DAY, until=UNTIL - 5 * DAY)
    )
    cut = UNTIL - 10 * DAY
    assert list_windows(plan) == [Window(since=UNTIL - 40 * DAY, until=cut), Window(since=cut, until=UNTIL - 5 * DAY)]
    assert len(select_extracts(plan)) == 2


def test_what_was_committed_is_read_again_only_by_force_and_as_another_reading() -> None:
    span = Window(since=UNTIL - 20 * DAY, until=UNTIL)
    state = replace(make_read_state("tickets"), attempts={("changes", span): 2})
    narrow = make_request(since=span.since)
    assert build_plan(VIEW, make_tenant_state(state), narrow).steps == ()
    (again,) = select_extracts(build_plan(VIEW, make_tenant_state(state), replace(narrow, force=True)))
    assert (again.batch.window, again.batch.attempt) == (span, 3)


def test_a_forced_read_that_was_interrupted_goes_on_and_is_not_begun_anew() -> None:
    span = make_batch("tickets", UNTIL - 20 * DAY, UNTIL)
    state = replace(make_read_state("tickets"), unfinished=(make_row("extracting", span),))
    steps = select_extracts(
        build_plan(VIEW, make_tenant_state(state), make_request(since=span.window.since, force=True))
    )
    assert [(step.batch, step.resume) for step in steps] == [(span, True)]


def test_nothing_is_read_past_the_services_time_less_the_hold_back() -> None:
    plan = build_plan(VIEW, make_tenant_state(make_read_state("tickets", UNTIL - DAY)), make_request(until=NOW + DAY))
    assert list_windows(plan) == [Window(since=UNTIL - DAY, until=UNTIL)]
    assert plan.notes == ("psa: requested until 2026-03-02T08:00:00Z, settled until 2026-03-01T07:55:00Z",)


def test_without_the_services_time_only_what_was_begun_goes_on() -> None:
    half = make_row("extracting", make_batch("tickets", UNTIL - 2 * DAY, UNTIL - DAY))
    state = replace(make_read_state("tickets", UNTIL - 2 * DAY), unfinished=(half,))
    plan = build_plan(VIEW, make_tenant_state(state, make_feed_state("boards")), make_request(source_times={}))
    assert [step.batch for step in plan.steps if isinstance(step, Extract)] == [half.batch]
    assert plan.notes == ("psa: the time of the service is unknown, so no new window is read",)


def test_what_changed_before_the_connection_begins_is_never_read() -> None:
    plan = build_plan(
        VIEW, make_tenant_state(replace(make_feed_state("tickets"), begins=UNTIL - 3 * DAY)), make_request()
    )
    assert list_windows(plan) == [Window(since=UNTIL - 3 * DAY, until=UNTIL)]


def test_one_resource_alone_brings_what_depends_on_it_and_what_that_needs_to_exist() -> None:
    feeds = tuple(make_feed_state(name) for name in ("tickets", "agreements", "additions", "boards"))
    plan = build_plan(
        VIEW, make_tenant_state(*feeds, built=frozenset()), make_request(resources=frozenset({"tickets"}))
    )
    assert {step.batch.feed.resource for step in plan.steps if isinstance(step, Extract)} == {"tickets"}
    assert list_ids(plan) == ["conform:ticket", "conform:board", "dimension:board", "dimension:date", "fact:ticket"]


def test_a_table_that_is_not_there_is_made() -> None:
    feeds = (
        make_read_state("tickets"),
        make_read_state("agreements"),
        make_read_state("additions"),
        make_read_state("boards"),
    )
    lacking = BUILT - {"silver.board", "gold.fact_addition"}
    assert list_ids(build_plan(VIEW, make_tenant_state(*feeds, built=lacking), make_request())) == [
        "conform:board",
        "fact:addition",
    ]


@pytest.mark.parametrize(
    ("layer", "kinds"),
    [("raw", {Extract}), ("bronze", {Land}), ("silver", {Conform}), ("gold", {BuildDimension, LoadFact})],
)
def test_a_layer_alone_takes_what_the_one_below_has_left(layer: str, kinds: set[type]) -> None:
    unfinished = (
        make_row("extracted", make_batch("tickets", UNTIL - DAY, UNTIL)),
        make_row("transformed", make_batch("tickets", UNTIL - 2 * DAY, UNTIL - DAY)),
    )
    state = replace(make_read_state("tickets", UNTIL - DAY), unfinished=unfinished)
    plan = build_plan(VIEW, make_tenant_state(state), make_request(layers=frozenset({layer})))
    assert {type(step) for step in plan.steps} == kinds


@pytest.mark.parametrize("is_rebuild", [True, False])
def test_an_entity_that_is_declared_otherwise_is_conformed_without_news_and_the_plan_says_why(is_rebuild: bool) -> None:
    turned = {"ticket": SchemaDecision(rebuild=is_rebuild, reason="`size` is new")}
    state = replace(make_tenant_state(*map(make_read_state, RESOURCES)), schema_decisions=turned)
    (conform,) = [step for step in build_plan(VIEW, state, make_request()).steps if isinstance(step, Conform)]
    assert (conform.entity, conform.rebuild_reason, conform.needs) == (
        "ticket",
        "`size` is new" if is_rebuild else "",
        "none",
    )
    reason = "its history is rebuilt" if is_rebuild else "its history continues"
    assert build_plan(VIEW, state, make_request()).notes == (f"ticket: `size` is new: {reason}",)
    assert ("ticket (rebuild)" in "\n".join(render_plan(build_plan(VIEW, state, make_request())))) == is_rebuild
    other = build_plan(VIEW, state, make_request(resources=frozenset({"agreements"}), force=True))
    assert ([step.entity for step in other.steps if isinstance(step, Conform)], other.notes) == (["agreement"], ())
    assert not build_plan(VIEW, state, make_request(layers=frozenset({"bronze"}))).notes


def test_an_unknown_resource_is_a_declaration_error_with_a_suggestion() -> None:
    with pytest.raises(DeclarationError) as caught:
        build_plan(VIEW, make_tenant_state(make_read_state("tickets")), make_request(resources=frozenset({"ticket"})))
    assert (caught.value.where, caught.value.hint) == ("--resource", "did you mean `tickets`?")
    with pytest.raises(DeclarationError):
        build_plan(VIEW, make_tenant_state(make_read_state("tickets")), make_request(connections=frozenset({"crm"})))


def test_publishing_comes_last() -> None:
    plan = build_plan(
        replace(VIEW, publish=("lakehouse",)),
        make_tenant_state(make_read_state("tickets", UNTIL - DAY)),
        make_request(),
    )
    assert isinstance(plan.steps[-1], Publish)
    assert plan.steps[-1].after == ("fact:ticket",)


def test_two_connections_feed_one_entity() -> None:
    other = replace(make_feed_state("boards"), feed=make_feed("boards", connection="branch"))
    times: dict[str, datetime] = {"psa": NOW, "branch": NOW}
    plan = build_plan(VIEW, make_tenant_state(make_feed_state("boards"), other), make_request(source_times=times))
    assert plan.by_id["conform:board"].after == tuple(land.id for land in select_lands(plan))
    only = build_plan(
        VIEW,
        make_tenant_state(make_feed_state("boards"), other),
        make_request(source_times=times, connections=frozenset({"branch"})),
    )
    assert [land.feed.connection for land in select_lands(only)] == ["branch"]


def test_the_same_input_gives_the_same_plan() -> None:
    feeds = tuple(make_feed_state(name) for name in ("tickets", "agreements", "additions", "boards"))
    assert build_plan(VIEW, make_tenant_state(*feeds), make_request()) == build_plan(
        VIEW, make_tenant_state(*feeds), make_request()
    )
