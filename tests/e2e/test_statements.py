"""How many statements a run makes: none for a table without news, and few for one with news."""

from __future__ import annotations

import threading
from collections import Counter

import duckdb
import pytest

from headwater.run.pipeline.steps import StepRunner
from headwater.warehouse.duckdb.engine import DuckDB

READS_ONCE = 2
"""Statements that the steps of a run share: what was taken already, and how far the tables of gold are."""


@pytest.fixture
def statements(monkeypatch):
    """The number of statements of each step; those outside of steps count for an empty name."""
    counts, active = Counter(), [""]
    execute, run_step = DuckDB._run, StepRunner.run_step

    def count(self, statement, parameters):
        counts[active[0]] += self.path != ":memory:"
        return execute(self, statement, parameters)

    def note(self, step):
        if threading.current_thread() is not threading.main_thread():
            return run_step(self, step)
        active[0] = step.id
        try:
            return run_step(self, step)
        finally:
            active[0] = ""

    monkeypatch.setattr(DuckDB, "_run", count)
    monkeypatch.setattr(StepRunner, "run_step", note)
    return counts


def edit_warehouse(project, statement):
    with duckdb.connect(str(project.data / "acme.duckdb")) as db:
        db.execute(statement)


def pass_an_hour(project, service):
    """Run again when some minutes have passed, in which nothing happened."""
    service.advance(hours=0.1)
    return project.run()


def test_steps_without_news_make_no_statement(small, service, statements):
    small.run()
    statements.clear()
    report = pass_an_hour(small, service)
    assert report["written"] == {}
    assert sum(count for step, count in statements.items() if step) <= READS_ONCE, statements
    assert statements[""] <= 22, statements
    taken = small.query("SELECT entity, COUNT(*) FROM meta.consumed_batch GROUP BY ALL")
    statements.clear()
    pass_an_hour(small, service)
    more = dict(small.query("SELECT entity, COUNT(*) FROM meta.consumed_batch GROUP BY ALL"))
    assert all(more[entity] > count for entity, count in taken), "empty batches count as taken"
    assert small.run()["written"] == {}


MOST = {"conform:time_entry": 44, "dimension:contact": 14, "fact:time_entry": 14}
"""The conform step has two merges: of the changes, and of a sweep. One in which records are gone has more statements."""

AROUND = 42
"""The statements outside of steps, with those that count records."""


def test_a_step_with_news_makes_few_statements(small, service, statements):
    small.run()
    statements.clear()
    service.advance(days=4)  # nobody works at the weekend
    assert small.run()["written"]
    counts = {step: statements[step] for step in MOST}
    assert all(0 < counts[step] <= most for step, most in MOST.items()), counts
    assert statements[""] <= AROUND, statements[""]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE gold.fact_time_entry",
        "DELETE FROM meta.consumer_offset",
        "DELETE FROM meta.consumer_offset WHERE consumer = 'fact_time_entry' AND entity LIKE '@%'",
        "DELETE FROM meta.consumed_batch",
        "DROP TABLE meta.change_feed",
    ],
)
def test_what_a_person_removed_between_two_runs_is_noticed_without_news(small, service, statement):
    small.run()
    pass_an_hour(small, service)
    before = small.read_tables()
    edit_warehouse(small, statement)
    pass_an_hour(small, service)
    assert small.read_tables() == before


def test_a_declaration_that_changed_is_applied_without_news(small, service):
    small.run()
    pass_an_hour(small, service)
    path = small.root / "models" / "dimensions" / "all.yaml"
    text = path.read_text()
    assert "name: T2," in text
    path.write_text(text.replace("name: T2,", "name: T2, copied: {value: name, history: T1},", 1))
    pass_an_hour(small, service)
    columns = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'gold' AND column_name = 'copied'"
    ((table,),) = small.query(columns)
    wrong = f"SELECT COUNT(*), COUNT(*) FILTER (WHERE is_current AND copied IS DISTINCT FROM name) FROM gold.{table}"
    count, differing = small.query(f"{wrong} WHERE entity_key IS NOT NULL")[0]
    assert count > 0
    assert differing == 0


def interrupt(_):
    raise KeyboardInterrupt


def test_a_run_that_ends_before_empty_batches_are_noted_is_made_up_for(small, service, monkeypatch):
    small.run()
    with monkeypatch.context() as patch:
        patch.setattr(StepRunner, "finish", interrupt)
        service.advance(hours=0.1)
        assert small("run", code=None).code != 0
    landed = "SELECT entity, batch_id FROM meta.consumed_batch ORDER BY ALL"
    before = small.query(landed)
    small.run()
    assert len(small.query(landed)) > len(before)
    assert len(set(small.query(landed))) == len(small.query(landed))
