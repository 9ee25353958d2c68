"""The checks: they hold for a correct engine, find broken ones with a small example, and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headwater.errors import SafetyCheckError, WarehouseError
from headwater.testing.conformance.check import SelfTestOptions
from headwater.testing.conformance.history import strategies as history_strategies
from headwater.testing.conformance.history.suite import HISTORY
from headwater.testing.conformance.property_check import MAX_TESTS
from headwater.testing.conformance.sample import Sample
from headwater.testing.conformance.star import strategies as star_strategies
from headwater.testing.conformance.suite import CHECKS
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.duckdb.engine import DuckDB
from tests.testing.conformance import broken

BY_NAME = {check.name: check for check in CHECKS}
CHEAP = (
    "1", "1-in-order", "1-at-once", "1-reads", "2", "2-reads", "3", "4", "5", "6", "7", "8", "9", "10", "11", "13", "14",
    "point-in-time", "drawn-history",
)  # fmt: skip


@pytest.fixture
def open_tenants(tmp_path):
    """Opens tenants of a kind of warehouse, which are erased afterwards."""
    warehouses = []

    def open_with(kind, **options):
        warehouses.append(
            SelfTestTenants(
                "selftest-x", lambda tenant: kind(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1), **options
            )
        )
        return warehouses[-1]

    yield open_with
    for tenants in warehouses:
        tenants.close()
    assert not list(tmp_path.iterdir())


def run(tenants, name, examples=20, seed=1, **options):
    return BY_NAME[name].run(tenants, SelfTestOptions(examples=examples, seed=seed, **options))


def count_events(result):
    lines = [line for line in result.example.splitlines() if line.startswith("| ")]
    return sum(not line.startswith(("| arrives", "| ---")) for line in lines)


def test_each_invariant_and_each_guarantee_of_gold_has_a_check():
    numbers = {check.name.partition("-")[0] for check in CHECKS}
    assert numbers >= {str(number) for number in range(1, 15)}
    assert numbers >= {"point", "inferred", "re", "stable", "star", "reserved", "drawn"}
    assert len(BY_NAME) == len(CHECKS)
    assert all(check.promise for check in CHECKS)


@pytest.mark.parametrize("name", CHEAP)
def test_a_check_holds_for_a_correct_engine(open_tenants, name):
    # tests/silver/test_invariants.py draws more examples of the checks of history, on every engine.
    result = run(open_tenants(DuckDB), name, examples=2 if BY_NAME[name] in HISTORY else 6)
    assert result.outcome == "passed", result.difference
    assert result.examples > 0


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [
        (broken.LosesDeletes, "8", 2),
        (broken.LosesDeletes, "1", 3),
        (broken.ForgetsNull, "7", 2),
        (broken.IgnoresWhatIsLate, "1", 3),
        (broken.CountsInMilliseconds, "1", 2),
        (broken.CountsInMilliseconds, "5", 2),
        (broken.KeepsOldVersions, "3", 3),
        (broken.NeverPointsAnew, "re-pointing", 4),
        (broken.ReservesNothing, "reserved", 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_check_fails_for_a_broken_engine_with_a_small_example(open_tenants, kind, name, most):
    tenants = open_tenants(kind)
    result = run(tenants, name, examples=60)
    assert result.outcome == "failed"
    assert tenants.take_number() < 3 * 60 + MAX_TESTS
    assert 1 <= count_events(result) <= most, result.example
    assert result.difference


@pytest.mark.parametrize(
    ("kind", "name"),
    [(broken.IgnoresWhatIsLate, "1-in-order"), (broken.ForgetsNull, "8"), (broken.ReservesNothing, "5")],
)
def test_a_broken_engine_does_not_fail_unrelated_checks(open_tenants, kind, name):
    assert run(open_tenants(kind), name).outcome == "passed"


def test_a_write_into_another_tenant_is_found(open_tenants):
    class Neighbour(broken.SpillsOver):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            neighbours.append(self)

        @property
        def others(self):
            return [one for one in neighbours if one is not self]

        def close(self):
            super().close()
            neighbours[:] = [one for one in neighbours if one is not self]

    neighbours = []
    result = run(open_tenants(Neighbour), "11")
    assert result.outcome == "failed"
    assert "before the other wrote" in result.difference


@pytest.mark.parametrize("kind", [broken.LosesDeletes, broken.ForgetsNull])
def test_a_scenario_fails_for_a_broken_engine(open_tenants, kind):
    result = run(open_tenants(kind), "drawn-history")
    assert result.outcome == "failed"
    assert "Then:" in result.example
    assert result.difference


def test_an_engine_that_raises_has_failed_and_the_next_check_gets_a_new_tenant(open_tenants):
    class Falls(DuckDB):
        def rows(self, statement, parameters=()):
            if "valid_from" in statement and self.tenant == "selftest-x":
                raise RuntimeError("out of order")
            return super().rows(statement, parameters)

    tenants = open_tenants(Falls)
    assert "out of order" in run(tenants, "1", examples=1).difference
    assert run(tenants, "2").outcome == "passed"


def test_the_same_seed_draws_the_same(open_tenants):
    first, second = (run(open_tenants(broken.LosesDeletes), "8", seed=3) for _ in range(2))
    assert (first.example, first.examples) == (second.example, second.examples)
    for draw_example in (history_strategies.draw_any_order, star_strategies.draw_company):
        first, second, other = (
            Sample(draw_example=draw_example, seed=seed, size=10).draw() for seed in ("5", "5", "6")
        )
        assert first == second != other


def test_a_stop_is_the_reason_of_a_skipped_check(open_tenants):
    result = run(open_tenants(DuckDB), "1", stop=lambda: True)
    assert (result.outcome, result.reason) == ("skipped", "stopped before its turn")


def test_a_location_with_tables_is_refused(tmp_path):
    (tmp_path / "one.duckdb").write_bytes(b"")
    (tmp_path / "one.duckdb").unlink()
    used = DuckDB("acme", str(tmp_path / "one.duckdb"), threads=1)
    used.execute("CREATE SCHEMA silver")
    used.execute("CREATE TABLE silver.company (a INTEGER)")
    used.close()
    tenants = SelfTestTenants("selftest-x", lambda tenant: DuckDB(tenant, str(tmp_path / "one.duckdb"), threads=1))
    with pytest.raises(SafetyCheckError, match="already has tables in its location") as caught:
        tenants.create_tenant()
    assert caught.value.details == "silver.company"
    tenants.close()
    assert (tmp_path / "one.duckdb").exists()


def test_tenants_that_cannot_be_erased_are_listed(tmp_path):
    class Stays(DuckDB):
        def erase(self):
            raise WarehouseError("no")

    tenants = SelfTestTenants("selftest-x", lambda tenant: Stays(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1))
    run(tenants, "1", examples=1)
    tenants.close()
    assert tenants.names == ("selftest-x",)


def test_a_warehouse_that_no_process_can_open_is_a_reason_to_skip(open_tenants):
    result = run(open_tenants(DuckDB, exclusive_reason="it is in memory"), "12")
    assert (result.outcome, result.reason) == ("skipped", "it is in memory")


MERGE_SCRIPT = """
import sys
from headwater.testing.conformance.history.crash import MERGED, OPENED, make_incoming_events
from headwater.testing.conformance.history.entity import merge_events
from tests.testing.conformance.broken import CommitsEachStatement
warehouse = CommitsEachStatement(sys.argv[1], sys.argv[2], threads=1)
print(OPENED, flush=True)
merge_events(warehouse, make_incoming_events(int(sys.argv[3])))
print(MERGED, flush=True)
warehouse.close()
"""


def start_process(script, *words):
    return subprocess.Popen(
        [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_merge_that_a_kill_interrupts_is_found(open_tenants, tmp_path):
    def start(tenant, number):
        return start_process(MERGE_SCRIPT, tenant, f"{tmp_path}/{tenant}.duckdb", str(number))

    result = run(open_tenants(DuckDB, start_merge=start), "12", examples=100)
    assert result.outcome == "failed"
    assert "s into its merge" in result.difference


def test_a_process_that_cannot_open_the_warehouse_is_a_failure(open_tenants):
    result = run(open_tenants(DuckDB, start_merge=lambda *_: start_process("import sys; sys.exit('no door')")), "12")
    assert result.outcome == "failed"
    assert "no door" in result.difference
