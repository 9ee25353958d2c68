"""Each built-in connector passes the test of connectors.

Here it plays the scenarios about records. `headwater connector test NAME` plays all of them, which takes minutes.
"""

from __future__ import annotations

import pytest

from headwater.run.plugins import list_connector_names
from headwater.testing import check_connector

SCENARIOS = (
    "complete", "changes", "ties", "moving-rows", "vanishing-rows", "capped-pages", "deletes", "missing-ids",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted(list_connector_names()))
def test_a_built_in_connector_passes(name):
    report = check_connector(name, only=SCENARIOS, lives=0)
    assert report.counts["failed"] == 0
    assert report.counts["passed"] > 2
