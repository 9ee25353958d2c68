"""Sheets of drawn cases: every sentence is carried out or refused, and a wrong drawing fails."""

from __future__ import annotations

import pytest

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.history import scenarios as history_scenarios
from headwater.testing.conformance.history.entity import THING
from headwater.testing.conformance.scenario import Scenario, Step, load_scenarios
from headwater.testing.conformance.shrink import flatten, growing_counts, merge_examples, shrink
from headwater.testing.conformance.star import scenarios as star_scenarios
from headwater.testing.conformance.star.load import create_tables
from headwater.warehouse.duckdb.engine import DuckDB


@pytest.fixture
def warehouse():
    opened = DuckDB("acme", ":memory:", threads=1)
    yield opened
    opened.close()


def test_every_case_has_steps_and_a_name_of_its_own():
    for name in ("history", "star"):
        found = load_scenarios(name)
        assert len({drawing.name for drawing in found}) == len(found) > 5
        assert all(len(drawing.steps) >= 2 for drawing in found)
        assert all(str(drawing).startswith(drawing.steps[0].says) for drawing in found)


def test_a_sentence_that_means_nothing_is_refused(warehouse):
    migrate_tables(warehouse, THING)
    strange = Scenario(name="x", steps=(Step(says="Arives:", table="| key |\n| --- |\n| A |"),))
    with pytest.raises(ValueError, match="nobody carries out: Arives"):
        history_scenarios.run_scenario(warehouse, strange)
    with pytest.raises(ValueError, match="nobody carries out"):
        star_scenarios.run_scenario(warehouse, strange)


@pytest.mark.parametrize("drawing", history_scenarios.SHEET, ids=lambda drawing: drawing.name)
def test_a_case_of_history_that_is_drawn_wrong_fails(warehouse, drawing):
    migrate_tables(warehouse, THING)
    last = drawing.steps[-1]
    if last.says == "Then:":
        wrong = Step(says="Then:", table=last.table.replace("| 10 ", "| 11 ").replace("red", "green"))
    else:
        wrong = Step(says=last.says.replace("writes 0", "writes 5"), table=last.table)
    assert wrong != last
    assert history_scenarios.run_scenario(warehouse, Scenario(name="x", steps=(*drawing.steps[:-1], wrong)))


@pytest.mark.parametrize(
    ("says", "wrong"),
    [
        ("Build member, work: 1 and 0 rows.", "Build member, work: 1 and 1 rows."),
        ("The keys of work are those remembered.", "The first key of member 1 is that remembered."),
    ],
)
def test_a_case_of_the_star_that_says_something_wrong_fails(warehouse, says, wrong):
    drawing = next(one for one in star_scenarios.SHEET if any(step.says == says for step in one.steps))
    steps = tuple(Step(says=wrong, table=step.table) if step.says == says else step for step in drawing.steps)
    try:
        assert star_scenarios.run_scenario(create_tables(warehouse), Scenario(name="x", steps=steps))
    except KeyError:
        assert "first key" in wrong  # nothing of that name was remembered


def test_the_smallest_example_is_found_by_leaving_out():
    examples = [((1, 2, 3), (4, 5)), ((6,), (7, 8))]
    found = shrink(examples, lambda some: "x" if {2, 8} <= set(flatten(merge_examples(some))) else "")
    assert found == [((2,),), ((8,),)]
    assert shrink(examples, lambda _: "always") == [((8,),)]


def test_examples_are_tried_together_batch_by_batch():
    assert merge_examples([((1, 2), (3,)), ((4,), (5,), (6,))]) == ((1, 2, 4), (3, 5), (6,))
    assert list(growing_counts(100)) == [1, 4, 16, 64, 15]
    assert list(growing_counts(2)) == [1, 1]
