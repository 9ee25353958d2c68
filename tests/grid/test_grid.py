"""The grid itself: its page is true, and its marks cannot be used loosely."""

from __future__ import annotations

import pytest

from headwater.testing.golden import compare_golden
from headwater.warehouse.base import Warehouse
from tests.docs.pages import DOCS
from tests.grid.engines import NAMES
from tests.grid.page import KINDS, build_engines_page


@pytest.mark.golden
def test_the_page_of_engines_is_made_from_their_facts_and_marks():
    compare_golden(DOCS / "reference" / "engines.md", build_engines_page())


def test_every_engine_of_the_grid_has_a_column_on_the_page():
    assert set(NAMES) == set(KINDS)


def test_every_engine_has_every_verb(engine):
    verbs = {name for name in dir(Warehouse) if not name.startswith("_")}
    missing = verbs - set(dir(KINDS[engine.name])) - {"notes"}
    assert not missing
