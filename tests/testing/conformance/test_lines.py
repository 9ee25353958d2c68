"""The corpus itself: it holds where all is well, finds what is broken, small, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from headwater.errors import SafetyCheckError, WarehouseError
from headwater.testing.conformance.check import SelfTestOptions
from headwater.testing.conformance.history import generate as generate_history
from headwater.testing.conformance.star import generate as generate_star
from headwater.testing.conformance.suite import LINES
from headwater.testing.conformance.tenants import SelfTestTenants
from headwater.warehouse.duckdb.engine import DuckDB
from tests.testing.conformance import broken

BY_NAME = {line.name: line for line in LINES}
CHEAP = ("1", "1-in-order", "2", "3", "4", "5", "6", "7", "8", "9", "11", "13", "14", "point-in-time", "drawn-history")


@pytest.fixture
def ground(tmp_path):
    """Ground of a kind of warehouse; everything on it is gone afterwards."""
    made = []

    def on(kind, **options):
        made.append(
            SelfTestTenants(
                "selftest-x", lambda tenant: kind(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1), **options
            )
        )
        return made[-1]

    yield on
    for one in made:
        one.close()
    assert not list(tmp_path.iterdir())


def run(ground, name, examples=20, seed=1, **options):
    return BY_NAME[name].run(ground, SelfTestOptions(examples=examples, seed=seed, **options))


def events_in(verdict):
    lines = [line for line in verdict.example.splitlines() if line.startswith("| ")]
    return sum(not line.startswith(("| arrives", "| ---")) for line in lines)


def test_the_invariants_and_the_promises_of_gold_all_have_a_line():
    numbers = {line.name.partition("-")[0] for line in LINES}
    assert numbers >= {str(number) for number in range(1, 15)}
    assert numbers >= {"point", "inferred", "re", "stable", "star", "reserved", "drawn"}
    assert len(BY_NAME) == len(LINES)
    assert all(line.promise for line in LINES)


@pytest.mark.parametrize("name", CHEAP)
def test_a_line_holds_where_all_is_well(ground, name):
    verdict = run(ground(DuckDB), name, examples=6)
    assert verdict.outcome == "held", verdict.difference
    assert verdict.examples > 0


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
def test_what_is_broken_is_caught_by_its_line_with_a_small_example(ground, kind, name, most):
    verdict = run(ground(kind), name, examples=60)
    assert verdict.outcome == "failed"
    assert 1 <= events_in(verdict) <= most, verdict.example
    assert verdict.difference


@pytest.mark.parametrize(
    ("kind", "name"),
    [(broken.IgnoresWhatIsLate, "1-in-order"), (broken.ForgetsNull, "8"), (broken.ReservesNothing, "5")],
)
def test_what_is_broken_does_not_fail_lines_that_have_nothing_to_do_with_it(ground, kind, name):
    assert run(ground(kind), name).outcome == "held"


def test_a_tenant_that_is_written_by_another_is_seen(ground):
    class Neighbour(broken.SpillsOver):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            known.append(self)

        @property
        def others(self):
            return [one for one in known if one is not self]

        def close(self):
            super().close()
            known[:] = [one for one in known if one is not self]

    known = []
    found = ground(Neighbour)
    verdict = run(found, "11")
    assert verdict.outcome == "failed"
    assert "before the other wrote" in verdict.difference


@pytest.mark.parametrize("kind", [broken.LosesDeletes, broken.ForgetsNull])
def test_the_drawn_cases_show_what_is_broken(ground, kind):
    verdict = run(ground(kind), "drawn-history")
    assert verdict.outcome == "failed"
    assert "Then:" in verdict.example
    assert verdict.difference


def test_an_engine_that_falls_over_has_failed_and_the_next_line_begins_afresh(ground):
    class Falls(DuckDB):
        def rows(self, statement, parameters=()):
            if "valid_from" in statement and self.tenant == "selftest-x":
                raise RuntimeError("out of order")
            return super().rows(statement, parameters)

    found = ground(Falls)
    assert "out of order" in run(found, "1", examples=1).difference
    assert run(found, "2").outcome == "held"


def test_the_same_seed_draws_the_same(ground):
    found = [run(ground(broken.LosesDeletes), "1", seed=seed) for seed in (3, 3, 4)]
    assert found[0].example == found[1].example
    assert found[0].examples == found[1].examples
    for draw in (generate_history.draw_any_order, generate_star.draw_company):
        assert draw(Random(5)) == draw(Random(5)) != draw(Random(6))


def test_whoever_is_asked_to_stop_says_so(ground):
    verdict = run(ground(DuckDB), "1", stop=lambda: True)
    assert (verdict.outcome, verdict.reason) == ("skipped", "stopped before its turn")


def test_a_place_that_is_in_use_is_not_touched(tmp_path):
    (tmp_path / "one.duckdb").write_bytes(b"")
    (tmp_path / "one.duckdb").unlink()
    used = DuckDB("acme", str(tmp_path / "one.duckdb"), threads=1)
    used.execute("CREATE SCHEMA silver")
    used.execute("CREATE TABLE silver.company (a INTEGER)")
    used.close()
    ground = SelfTestTenants("selftest-x", lambda tenant: DuckDB(tenant, str(tmp_path / "one.duckdb"), threads=1))
    with pytest.raises(SafetyCheckError, match="already has tables in its location") as caught:
        ground.create_tenant()
    assert caught.value.details == "silver.company"
    ground.close()
    assert (tmp_path / "one.duckdb").exists()


def test_what_is_kept_stays_and_what_cannot_be_erased_is_told(tmp_path):
    class Stays(DuckDB):
        def erase(self):
            raise WarehouseError("no")

    ground = SelfTestTenants("selftest-x", lambda tenant: Stays(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1))
    run(ground, "1", examples=1)
    ground.close()
    assert ground.tenants == ("selftest-x",)


def test_no_process_to_kill_is_a_reason(ground):
    verdict = run(ground(DuckDB, alone="it is in memory"), "12")
    assert (verdict.outcome, verdict.reason) == ("skipped", "it is in memory")


STRUCK = """
import sys
from headwater.testing.conformance.history.crash import MERGED, OPENED, incoming_events
from headwater.testing.conformance.history.entity import merge_events
from tests.testing.conformance.broken import CommitsEachStatement
warehouse = CommitsEachStatement(sys.argv[1], sys.argv[2], threads=1)
print(OPENED, flush=True)
merge_events(warehouse, incoming_events(int(sys.argv[3])))
print(MERGED, flush=True)
warehouse.close()
"""


def process(script, *words):
    return subprocess.Popen(
        [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_merge_that_is_torn_apart_by_a_kill_is_caught(ground, tmp_path):
    def start(tenant, number):
        return process(STRUCK, tenant, f"{tmp_path}/{tenant}.duckdb", str(number))

    verdict = run(ground(DuckDB, start=start), "12", examples=100)
    assert verdict.outcome == "failed"
    assert "s into its merge" in verdict.difference


def test_a_process_that_does_not_open_says_why(ground):
    verdict = run(ground(DuckDB, start=lambda *_: process("import sys; sys.exit('no door')")), "12")
    assert verdict.outcome == "failed"
    assert "no door" in verdict.difference
