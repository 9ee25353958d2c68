from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.plan.build import build_plan
from headwater.plan.explain import render_plan
from headwater.plan.state import RunRequest, TenantState
from tests.plan.builders import DAY, UNTIL, VIEW, asked, batch, fresh, read, row, tenant

GOLDEN = Path(__file__).parents[1] / "golden" / "plan"
ALL = ("tickets", "agreements", "additions", "boards")
HOUR = timedelta(hours=1)

RESUMED = (
    replace(
        read("tickets", UNTIL - 2 * DAY),
        unfinished=(
            row("extracting", batch("tickets", UNTIL - 2 * DAY, UNTIL - DAY)),
            row("failed", batch("tickets", UNTIL - 4 * DAY, UNTIL - 3 * DAY), resume="extracted"),
            row("transformed", batch("tickets", UNTIL - 5 * DAY, UNTIL - 4 * DAY)),
        ),
    ),
    read("agreements"),
    replace(
        read("additions"),
        unfinished=(row("extracting", batch("additions", UNTIL - DAY, UNTIL), parents=("1", "2")),),
    ),
    read("boards"),
)

CASES: dict[str, tuple[TenantState, RunRequest]] = {
    "first_run": (tenant(*map(fresh, ALL), built=frozenset()), asked()),
    "incremental": (tenant(*(read(name, UNTIL - HOUR) for name in ALL)), asked()),
    "resume": (tenant(*RESUMED), asked(until=UNTIL + DAY)),
    "sweep_due": (tenant(*(read(name, UNTIL - DAY) for name in ALL)), asked()),
    "one_resource": (
        tenant(*map(read, ALL)),
        asked(resources=frozenset({"tickets"}), since=UNTIL - 45 * DAY, force=True),
    ),
    "nothing_to_do": (tenant(*map(read, ALL)), asked()),
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
