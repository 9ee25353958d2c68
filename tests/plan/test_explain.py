from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.plan.build import build_plan
from headwater.plan.explain import render_plan
from headwater.plan.state import RunRequest, TenantState
from tests.plan.builders import (
    DAY,
    UNTIL,
    VIEW,
    make_batch,
    make_feed_state,
    make_read_state,
    make_request,
    make_row,
    make_tenant_state,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "plan"
ALL = ("tickets", "agreements", "additions", "boards")
HOUR = timedelta(hours=1)

RESUMED = (
    replace(
        make_read_state("tickets", UNTIL - 2 * DAY),
        unfinished=(
            make_row("extracting", make_batch("tickets", UNTIL - 2 * DAY, UNTIL - DAY)),
            make_row("failed", make_batch("tickets", UNTIL - 4 * DAY, UNTIL - 3 * DAY), resume="extracted"),
            make_row("transformed", make_batch("tickets", UNTIL - 5 * DAY, UNTIL - 4 * DAY)),
        ),
    ),
    make_read_state("agreements"),
    replace(
        make_read_state("additions"),
        unfinished=(make_row("extracting", make_batch("additions", UNTIL - DAY, UNTIL), parents=("1", "2")),),
    ),
    make_read_state("boards"),
)

CASES: dict[str, tuple[TenantState, RunRequest]] = {
    "first_run": (make_tenant_state(*map(make_feed_state, ALL), built=frozenset()), make_request()),
    "incremental": (make_tenant_state(*(make_read_state(name, UNTIL - HOUR) for name in ALL)), make_request()),
    "resume": (make_tenant_state(*RESUMED), make_request(until=UNTIL + DAY)),
    "sweep_due": (make_tenant_state(*(make_read_state(name, UNTIL - DAY) for name in ALL)), make_request()),
    "one_resource": (
        make_tenant_state(*map(make_read_state, ALL)),
        make_request(resources=frozenset({"tickets"}), since=UNTIL - 45 * DAY, force=True),
    ),
    "nothing_to_do": (make_tenant_state(*map(make_read_state, ALL)), make_request()),
}


@pytest.mark.golden
@pytest.mark.parametrize("case", CASES)
def test_a_plan_reads_as_it_should(case: str) -> None:
    state, request = CASES[case]
    text = "\n".join(render_plan(build_plan(VIEW, state, request))) + "\n"
    path = GOLDEN / f"{case}.txt"
    if os.environ.get("HEADWATER_GOLDEN") == "rewrite":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_every_case_has_its_file_and_no_other_is_there() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)
