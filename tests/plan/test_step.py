from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.batch import Feed, Window, create_batch
from headwater.errors import DeclarationError
from headwater.plan.step import (
    BuildDimension,
    Conform,
    Extract,
    Land,
    LoadFact,
    Plan,
    Publish,
    Step,
    as_dict,
    load_step,
)

INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NAMES = st.text("abcdefghij_", min_size=1, max_size=8)
FEEDS = st.builds(Feed, tenant=NAMES, connection=NAMES, resource=NAMES)
WINDOWS = st.lists(INSTANTS, min_size=2, max_size=2, unique=True).map(
    lambda pair: Window(since=min(pair), until=max(pair))
)
BATCHES = st.builds(
    create_batch, FEEDS, WINDOWS, purpose=st.sampled_from(["changes", "sweep", "snapshot"]), attempt=st.integers(1, 3)
)
IDS = st.lists(NAMES, max_size=3).map(tuple)
NEEDS = st.sampled_from(["all", "any", "none"])
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        Extract,
        batch=BATCHES,
        resume=st.booleans(),
        parent=NAMES,
        parents=IDS,
        again=st.booleans(),
        after=IDS,
        needs=NEEDS,
    ),
    st.builds(Land, feed=FEEDS, batch=st.none() | BATCHES, after=IDS, needs=NEEDS),
    st.builds(Conform, tenant=NAMES, entity=NAMES, after=IDS, needs=NEEDS),
    *(
        st.builds(kind, tenant=NAMES, name=NAMES, after=IDS, needs=NEEDS)
        for kind in (BuildDimension, LoadFact, Publish)
    ),
)


@settings(deadline=None)
@given(STEPS)
def test_a_step_comes_back_from_json_as_it_was(step: Step) -> None:
    written = json.loads(json.dumps(as_dict(step)))
    assert load_step(written) == step
    assert written["id"] == step.id
    assert written["tenant"] == step.tenant


@pytest.mark.parametrize(
    "written", [{}, {"kind": "dance", "depends_on": [], "needs": "all"}, {"kind": "land", "inputs": {}}]
)
def test_what_is_no_step_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(DeclarationError, match="not a step"):
        load_step(written)


def test_a_plan_whose_steps_are_out_of_order_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="before a step that it depends on"):
        Plan(tenant="acme", steps=(Conform(tenant="acme", entity="ticket", after=("land:x",)),))
    twice = Conform(tenant="acme", entity="ticket")
    with pytest.raises(ValueError, match="appears twice"):
        Plan(tenant="acme", steps=(twice, twice))
