"""Each built-in connector passes the test of connectors, which `headwater connector test` runs."""

from __future__ import annotations

import pytest

from headwater.run.plugins import list_connector_names
from headwater.testing import check_connector


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", sorted(list_connector_names()))
def test_a_built_in_connector_passes(name):
    report = check_connector(name, lives=1)
    assert report.counts["failed"] == 0
    assert report.counts["passed"] > 5
