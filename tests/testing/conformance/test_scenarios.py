"""Scenarios: every sentence has an implementation or is an error, and a wrong table fails. Examples: how they are drawn."""

from __future__ import annotations

import pytest

from headwater.silver.schema.migrate import migrate_tables
from headwater.testing.conformance.batches import LARGEST_GROUP, generate_group_sizes, merge_examples
from headwater.testing.conformance.history import scenarios as history_scenarios
from headwater.testing.conformance.history.entity import THING
from headwater.testing.conformance.property_check import find_failing
from headwater.testing.conformance.sample import Sample
from headwater.testing.conformance.scenario import Scenario, Step, load_scenarios
from headwater.testing.conformance.star import scenarios as star_scenarios
from headwater.testing.conformance.star.load import create_tables
from headwater.warehouse.duckdb.engine import DuckDB


@pytest.fixture
def warehouse():
    warehouse = DuckDB("acme", ":memory:", threads=1)
    yield warehouse
    warehouse.close()


def test_every_scenario_has_steps_and_its_own_name():
    for name in ("history", "star"):
        scenarios = load_scenarios(name)
        assert len({scenario.name for scenario in scenarios}) == len(scenarios) > 5
        assert all(len(scenario.steps) >= 2 for scenario in scenarios)
        assert all(str(scenario).startswith(scenario.steps[0].sentence) for scenario in scenarios)


def test_an_unknown_sentence_is_an_error(warehouse):
    migrate_tables(warehouse, THING)
    unknown = Scenario(name="x", steps=(Step(sentence="Arives:", table="| key |\n| --- |\n| A |"),))
    with pytest.raises(ValueError, match="no step is called: Arives"):
        history_scenarios.run_scenario(warehouse, unknown)
    with pytest.raises(ValueError, match="no step is called"):
        star_scenarios.run_scenario(warehouse, unknown)


@pytest.mark.parametrize("scenario", history_scenarios.SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_history_scenario_with_a_wrong_table_fails(warehouse, scenario):
    migrate_tables(warehouse, THING)
    last = scenario.steps[-1]
    if last.sentence == "Then:":
        wrong = Step(sentence="Then:", table=last.table.replace("| 10 ", "| 11 ").replace("red", "green"))
    else:
        wrong = Step(sentence=last.sentence.replace("writes 0", "writes 5"), table=last.table)
    assert wrong != last
    assert history_scenarios.run_scenario(warehouse, Scenario(name="x", steps=(*scenario.steps[:-1], wrong)))


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("Build member, work: 1 and 0 rows.", "Build member, work: 1 and 1 rows."),
        ("The keys of work are those remembered.", "The first key of member 1 is that remembered."),
    ],
)
def test_a_star_scenario_with_a_wrong_sentence_fails(warehouse, sentence, wrong):
    scenario = next(each for each in star_scenarios.SCENARIOS if any(step.sentence == sentence for step in each.steps))
    steps = tuple(
        Step(sentence=wrong, table=step.table) if step.sentence == sentence else step for step in scenario.steps
    )
    try:
        assert star_scenarios.run_scenario(create_tables(warehouse), Scenario(name="x", steps=steps))
    except KeyError:
        assert "first key" in wrong  # no step stored this key


def test_the_failing_example_of_a_group_is_found_by_bisection():
    assert find_failing(range(10), lambda some: 7 in some) == range(7, 8)
    assert find_failing(range(10), lambda some: {2, 8} <= {*some}) == range(10)


def test_examples_are_tested_together_batch_by_batch():
    assert merge_examples([((1, 2), (3,)), ((4,), (5,), (6,))]) == ((1, 2, 4), (3, 5), (6,))
    assert list(generate_group_sizes(100)) == [1, 4, 16, 64, 15]
    assert list(generate_group_sizes(2)) == [1, 1]
    assert max(generate_group_sizes(10_000)) == LARGEST_GROUP


def draw_numbers(draw):
    return tuple(draw.draw_list(lambda draw: draw.choose_number(0, 9), max_size=8))


def test_a_sample_starts_with_the_simplest_example_and_has_no_more_than_exist():
    sample = Sample(draw_example=draw_numbers, seed="1", size=20)
    examples = sample.draw()
    assert len(examples) == 20
    assert examples[0] == (0,)
    assert all(1 <= len(example) <= 8 for example in examples)
    assert len(Sample(draw_example=lambda draw: draw.choose("ab"), seed="1", size=20).draw()) == 2


def test_an_example_is_reduced_to_a_smaller_one_that_fails_too():
    sample = Sample(draw_example=draw_numbers, seed="1", size=20)
    example = max(sample.draw(), key=sum)
    tested = []

    def fails_above(candidate):
        tested.append(candidate)
        return sum(candidate) > 6

    assert sum(example) > 7
    assert sample.shrink(example, fails_above) == (7,)
    assert len(tested) == len({*tested})


def test_an_example_that_cannot_be_reduced_stays():
    sample = Sample(draw_example=draw_numbers, seed="1", size=20)
    example = sample.draw()[7]
    assert sample.shrink(example, lambda _: False) == example
    assert sample.shrink((99,), lambda _: True) == (99,)


def test_drawing_writes_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Sample(draw_example=draw_numbers, seed="1", size=5).draw()
    assert not list(tmp_path.iterdir())
