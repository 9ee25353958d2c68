"""Tables of version 0.1 get their names of today: once, as a whole, and without another row."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headwater.gold.dimension.rekey import find_outdated
from headwater.silver.schema.diff import decide_schemas
from headwater.silver.schema.migrate import migrate_tables
from headwater.silver.schema.snapshot import find_snapshots
from headwater.silver.schema.tables import META, build_log_table
from headwater.silver.schema.upgrade import upgrade_tables
from headwater.warehouse.duckdb.engine import DuckDB
from headwater.warehouse.meta_names import FORMER_NAMES
from tests.silver.builders import THING, make_event, merge_events, open_duckdb, open_on_engine, read_versions
from tests.silver.schema.older import fill, make_older, read_tables


@pytest.fixture
def warehouse(engine):
    warehouse = open_on_engine(engine)
    fill(warehouse)
    return warehouse


def test_all_tables_get_their_names_and_no_row_changes(warehouse):
    before, tables = read_tables(warehouse), warehouse.tables("meta")
    make_older(warehouse)
    assert set(FORMER_NAMES.values()) <= set(warehouse.tables("meta"))
    upgrade_tables(warehouse)
    assert warehouse.tables("meta") == tables
    assert read_tables(warehouse) == before
    assert [name for name, rows in before.items() if not rows] == ["meta.batch"]
    assert [column.name for column in warehouse.describe("silver", "thing_log")] == [*build_log_table(THING).names]
    for table in META:
        assert [column.name for column in warehouse.describe("meta", table.name)] == [*table.names]


def test_history_goes_on_as_if_it_had_had_these_names_always(engine, warehouse):
    other = open_on_engine(engine, tenant="other")
    fill(other)
    make_older(warehouse)
    upgrade_tables(warehouse)
    for one in (warehouse, other):
        migrate_tables(one, THING)
        merge_events(
            one, [make_event("p:1", 15, size=9), make_event("p:2", 5, name="z"), make_event("p:1", 30, name="e")]
        )
    assert read_versions(warehouse) == read_versions(other)
    assert read_tables(warehouse) == read_tables(other)


def test_what_only_reads_knows_the_former_names(warehouse):
    notes = find_snapshots(warehouse)
    make_older(warehouse)
    assert find_snapshots(warehouse) == notes
    assert decide_schemas(warehouse, [THING]) == {}
    assert find_outdated(warehouse, [], frozenset()) == frozenset()


def upgrade_without_end(warehouse):
    with warehouse.transaction():
        upgrade_tables(warehouse)
        raise RuntimeError("no power")


def test_an_upgrade_that_does_not_end_has_not_happened_and_is_done_again(warehouse):
    before, tables = read_tables(warehouse), warehouse.tables("meta")
    make_older(warehouse)
    older = warehouse.tables("meta")
    with pytest.raises(RuntimeError, match="no power"):
        upgrade_without_end(warehouse)
    assert warehouse.tables("meta") == older
    assert "known" in [column.name for column in warehouse.describe("silver", "thing_log")]
    upgrade_tables(warehouse)
    upgrade_tables(warehouse)
    assert warehouse.tables("meta") == tables
    assert read_tables(warehouse) == before


class Counted(DuckDB):
    """DuckDB that counts its statements."""

    statements = 0

    def _run(self, statement, parameters):
        self.statements += 1
        return super()._run(statement, parameters)


def test_it_costs_at_most_one_statement_once_it_is_done():
    warehouse = Counted("acme", ":memory:")
    migrate_tables(warehouse, THING)
    before = warehouse.statements
    upgrade_tables(warehouse)
    assert warehouse.statements - before <= 1


KILLED = """
import os, sys
from headwater.silver.schema.upgrade import upgrade_tables
from headwater.warehouse.duckdb.engine import DuckDB
warehouse = DuckDB("acme", sys.argv[1])
with warehouse.transaction():
    upgrade_tables(warehouse)
    os._exit(9)
"""


def test_a_process_that_is_killed_within_it_leaves_the_file_as_it_was(tmp_path):
    path = str(tmp_path / "acme.duckdb")
    warehouse = open_duckdb(path=path)
    fill(warehouse)
    before = read_tables(warehouse)
    make_older(warehouse)
    older = warehouse.tables("meta")
    warehouse.close()
    assert subprocess.run([sys.executable, "-c", KILLED, path], check=False).returncode == 9
    warehouse = DuckDB("acme", path)
    assert warehouse.tables("meta") == older
    upgrade_tables(warehouse)
    assert read_tables(warehouse) == before
    warehouse.close()
