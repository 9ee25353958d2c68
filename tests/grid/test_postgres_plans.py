"""How Postgres finds the rows of a few changes in a long history: by index, in every statement of a merge and of a build."""

from __future__ import annotations

import os

import pytest
from bench.state import State

from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.gold.star import Star
from headwater.model.fact import Fact
from headwater.silver.merge.merge import merge
from headwater.silver.schema.migrate import migrate_tables
from headwater.warehouse.lake_reader import LakeReader
from headwater.warehouse.postgres.engine import Postgres

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="module"),
]

STATE = State(keys=50_000, kind="number")
LONG = {"ticket", "ticket_log", "dim_ticket", "fact_ticket"}
"""Tables as long as the history."""


class Watched(Postgres):
    """Asks the server how it will run each statement, before it runs."""

    def __init__(self, *args, **kwargs):
        self.scanned, self.loops = [], []
        super().__init__(*args, **kwargs)

    def _run(self, statement, parameters=()):
        plans = statement.startswith(("SELECT", "INSERT", "DELETE", "UPDATE", "WITH", "CREATE TEMPORARY"))
        if plans and " AS " in statement and "search_path" not in statement:
            (((answer,),),) = super()._run(f"EXPLAIN (FORMAT JSON) {statement}", parameters).fetchall()
            self.scanned += scans(answer["Plan"])
            self.loops += loops(answer["Plan"])
        return super()._run(statement, parameters)


def scans(plan):
    """The long tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in LONG:
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from scans(part)


def loops(plan):
    """How often each comparison that no index and no hash spares is made."""
    if plan["Node Type"] == "Nested Loop" and "Join Filter" in plan:
        outer, inner = (part["Plan Rows"] for part in plan["Plans"])
        yield outer * inner
    for part in plan.get("Plans", []):
        yield from loops(part)


def merge_changes(warehouse, moment, *, few=False, late=False):
    """Merge 10,000 changes, or 20; the tables that were read from end to end."""
    select = STATE.arriving(moment, "uniform", late=late)
    with LakeReader(warehouse) as lake:
        batch = lake.stage(
            "arriving", [f"SELECT * FROM ({select}) AS batch WHERE hash < '08' LIMIT 20" if few else select]
        )
    warehouse.scanned.clear()
    done = merge(warehouse, STATE.entity, batch)
    assert done.events == (20 if few else done.events) > 0
    return set(warehouse.scanned)


@pytest.fixture(scope="module")
def history(engine):
    tenant = engine.open().tenant
    warehouse = Watched(tenant, os.environ["DATABASE_URL"])
    migrate_tables(warehouse, STATE.entity)
    for moment in range(5):
        merge_changes(warehouse, moment)
    yield warehouse
    warehouse.close()


def test_a_merge_of_a_few_keys_reads_neither_the_log_nor_the_versions_whole(history):
    assert history.rows("SELECT COUNT(*) >= 50000 FROM silver.ticket") == [(True,)]
    assert merge_changes(history, 10, few=True) == set()


def test_nor_does_one_of_late_news(history):
    assert merge_changes(history, 11, few=True, late=True) == set()


def test_what_gold_makes_of_a_few_keys_is_found_by_index(history):
    star = STATE.star
    ticket, priority, date = star.declarations.dimensions.values()
    fact = star.declarations.facts["ticket"]
    for step in range(2):
        if step:
            merge_changes(history, 12, few=True)
        read = {}
        for declared in (ticket, priority, date):
            history.scanned.clear()
            build_dimension(history, star, declared)
            read[declared.dimension] = set(history.scanned)
        history.scanned.clear()
        rows = build_fact(history, star, fact).rows
        read["fact"] = set(history.scanned)
    assert 20 <= rows <= 60
    assert read["ticket"] == set()
    # The first batch of a value, and who looks up a member that changed, are asked of the versions.
    assert read["priority"] | read["fact"] <= {"ticket"}


def test_a_grain_that_is_not_the_key_is_not_looked_for_row_by_row(history):
    fact = Fact.model_validate(
        {"fact": "task", "entity": "ticket", "grain": ["summary"], "measures": {"hours": "actual_hours"}}
    )
    star = Star(declarations=STATE.star.declarations.model_copy(update={"facts": {"task": fact}}))
    first = build_fact(history, star, fact)  # 50,000 rows held against each other would take minutes
    assert first.rows >= 50_000
    history.loops.clear()
    merge_changes(history, 13, few=True)
    build_fact(history, star, fact)
    assert not [rows for rows in history.loops if rows > 1_000_000]
