"""Gold is tried on every engine of the grid."""

from __future__ import annotations

import pytest

from tests.gold import builders


@pytest.fixture(scope="module")
def on_each_engine(engine):
    """Lets `stand.opened` open warehouses on one engine after the other."""
    builders.chosen.append(engine)
    yield engine
    builders.chosen.pop()
