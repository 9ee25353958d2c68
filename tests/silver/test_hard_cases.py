"""The hard cases of history, each drawn: what was there, what arrives, what is there afterwards.

They ship with the conformance suite: src/headwater/testing/conformance/drawings/history.md.
"""

from __future__ import annotations

import pytest

from headwater.testing.conformance.history.scenarios import SHEET, run_scenario
from tests.silver.builders import made


@pytest.fixture(scope="module")
def warehouse(engine):
    return made(engine)


@pytest.mark.parametrize("drawing", SHEET, ids=lambda drawing: drawing.name)
def test_it_comes_out_as_it_is_drawn(warehouse, drawing):
    wrong = run_scenario(warehouse, drawing, keys=f"{SHEET.index(drawing)}.")
    assert not wrong, wrong
