"""The hard cases of the star, each drawn: what happened in which entity, and what a person reads in dimension and fact.

They ship with the conformance suite: src/headwater/testing/conformance/drawings/star.md.
"""

from __future__ import annotations

import pytest

from headwater.testing.conformance.star.scenarios import SHEET, run_scenario


@pytest.mark.parametrize("drawing", SHEET, ids=lambda drawing: drawing.name)
def test_it_comes_out_as_it_is_drawn(engine, drawing):
    wrong = run_scenario(engine.open(), drawing)
    assert not wrong, wrong
