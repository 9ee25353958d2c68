"""The hard cases of history, each drawn: what was there, what arrives, what is there afterwards.

They ship with the conformance suite: src/headwater/testing/conformance/scenarios/history.md.
"""

from __future__ import annotations

import pytest

from headwater.testing.conformance.history.scenarios import SCENARIOS, run_scenario
from tests.silver.builders import open_on_engine


@pytest.fixture(scope="module")
def warehouse(engine):
    return open_on_engine(engine)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_comes_out_as_it_is_drawn(warehouse, scenario):
    wrong = run_scenario(warehouse, scenario, prefix=f"{SCENARIOS.index(scenario)}.")
    assert not wrong, wrong
