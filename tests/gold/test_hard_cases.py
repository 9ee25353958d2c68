"""The hard cases of the star, each drawn: what happened in which entity, and what a person reads in dimension and fact.

They ship with the conformance suite: src/headwater/testing/conformance/scenarios/star.md.
"""

from __future__ import annotations

import pytest

from headwater.testing.conformance.star.scenarios import SCENARIOS, run_scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_comes_out_as_it_is_drawn(engine, scenario):
    wrong = run_scenario(engine.open(), scenario)
    assert not wrong, wrong
