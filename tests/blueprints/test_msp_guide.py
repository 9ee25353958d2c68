"""What the guide tells people to write is what they may write."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from headwater.model.check.context import ValidationContext
from headwater.model.check.entities import find_errors
from headwater.model.dimension import DateDimension
from headwater.model.load import load_declarations
from headwater.model.project import Declarations
from tests.blueprints.builders import MSP
from tests.blueprints.resource_fields import read_offered_fields

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "agreement-rules.md"


@pytest.fixture
def guide_declarations(tmp_path: Path) -> Declarations:
    for name, text in re.findall(r"```yaml\n# models/(\S+)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_declarations(tmp_path)


def test_the_examples_of_the_guide_fit_the_blueprint(guide_declarations: Declarations):
    whole = ValidationContext(declarations=MSP.merge(guide_declarations), fields=read_offered_fields())
    assert set(guide_declarations.rules) == {"agreement_class", "priority_level"}
    assert [str(error) for error in find_errors(whole)] == []


def test_rules_of_a_project_give_the_outputs_that_the_blueprint_asks_for(guide_declarations: Declarations):
    assert guide_declarations.rules["agreement_class"].outputs == MSP.rules["agreement_class"].outputs


def test_the_holidays_of_the_guide_are_days(guide_declarations: Declarations):
    calendar = guide_declarations.dimensions["date"]
    assert isinstance(calendar, DateDimension)
    assert calendar.holidays[date(2026, 6, 17)] == "Þjóðhátíðardagurinn"
