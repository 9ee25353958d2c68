"""The invariants of history, on every engine: the checks of the conformance suite, and tests that need an engine's internals.

HEADWATER_EXAMPLES sets the number of examples for each check, e.g. 1000, and HEADWATER_SEED the random seed.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from headwater.errors import WarehouseError
from headwater.silver.merge.merge import merge
from headwater.silver.schema.migrate import drop_entity, migrate_tables
from headwater.testing.conformance.check import SelfTestOptions
from headwater.testing.conformance.draw import build_strategy
from headwater.testing.conformance.history.compare import find_difference, read_stored
from headwater.testing.conformance.history.strategies import draw_two_batches, relabel_keys
from headwater.testing.conformance.history.suite import HISTORY
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.row_lookup import select_rows_by_key
from tests.conftest import count_examples
from tests.silver.builders import THING, make_event, merge_events, open_on_engine, read_versions, stage_events

EXAMPLES = int(os.environ.get("HEADWATER_EXAMPLES", "40"))
SEED = int(os.environ.get("HEADWATER_SEED", secrets.randbelow(10**6)))


class LooksUpByKey(DuckDB):
    """DuckDB as an engine that looks up rows by nothing but their key."""

    capabilities = replace(DuckDB.capabilities, narrow_reads=False)
    select_rows = select_rows_by_key


@pytest.fixture(scope="module")
def tenants(engine):
    warehouse = SelfTestTenants(f"selftest-{secrets.token_hex(4)}", engine.open)
    yield warehouse
    warehouse.close()


def run(check, tenants, examples):
    result = check.run(tenants, SelfTestOptions(examples=examples, seed=SEED))
    assert result.outcome == "passed", f"HEADWATER_SEED={SEED}\n{result.example}\n{result.difference}"
    assert result.examples > 0


@pytest.mark.drawn
@pytest.mark.parametrize("check", HISTORY, ids=lambda check: check.name)
def test_an_invariant_holds(check, engine, tenants):
    run(check, tenants, count_examples(engine.name, EXAMPLES))


@pytest.mark.drawn
@pytest.mark.parametrize("check", HISTORY[:4], ids=lambda check: check.name)
def test_an_engine_that_looks_up_rows_by_key_gives_the_same_history(check, tmp_path):
    tenants = SelfTestTenants(
        "selftest-keys", lambda tenant: LooksUpByKey(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1)
    )
    run(check, tenants, count_examples("duckdb", EXAMPLES))
    tenants.close()


class PowerFailure(BaseException):
    """The power fails."""


@pytest.mark.slow
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=build_strategy(draw_two_batches))
def test_12_a_merge_that_is_interrupted_at_any_statement_and_run_again_gives_the_same_state(tenants, batches):
    warehouse = tenants.open_shared_tenant("history", lambda created: migrate_tables(created, THING))
    for statement in range(200):
        # Each statement is interrupted on other keys, so that no tables need to be emptied.
        before, arriving = relabel_keys(batches, tenants.take_number())
        merge_events(warehouse, before)
        start = read_stored(warehouse, [*before, *arriving])
        is_finished = _interrupt_merge(warehouse, statement, stage_events(warehouse, arriving))
        if is_finished or read_stored(warehouse, [*before, *arriving]) != start:
            # The commit came before the interrupted statement, so the state is the one after the merge.
            assert not find_difference(warehouse, [*before, *arriving])
        merge(warehouse, THING, stage_events(warehouse, arriving))
        assert not find_difference(warehouse, [*before, *arriving])
        if is_finished:
            break
    assert is_finished


def _interrupt_merge(warehouse, statement, relation):
    """Merge, and raise an error instead of a statement; whether the merge ended before this statement."""
    run_statement, numbers = warehouse._run, iter(range(1000))

    def run_or_fail(text, parameters=()):
        if next(numbers) == statement:
            raise PowerFailure
        return run_statement(text, parameters)

    warehouse._run = run_or_fail
    try:
        merge(warehouse, THING, relation)
    except PowerFailure:
        return False
    finally:
        del warehouse._run
    return True


def test_events_that_cannot_be_merged_leave_nothing_behind(engine):
    warehouse = open_on_engine(engine)
    with pytest.raises(WarehouseError):
        merge(warehouse, THING, "nowhere")
    assert read_versions(warehouse) == []
    merge_events(warehouse, [make_event("p:1", 1, name="a")])
    assert len(read_versions(warehouse)) == 1


def test_dropping_an_entity_forgets_it(engine):
    warehouse = open_on_engine(engine)
    merge_events(warehouse, [make_event("p:1", 1, name="a")])
    drop_entity(warehouse, THING)
    assert warehouse.tables("silver") == ()
    migrate_tables(warehouse, THING)
    assert read_versions(warehouse) == []
