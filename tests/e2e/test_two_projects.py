"""Two projects that were given one place: the second one is told so and writes nothing. Through the command line."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
import yaml

from tests.e2e.byte_service import ByteShop, serve

FIELDS = {"id": "bigint", "name": "text", "count": "bigint"}


@pytest.fixture
def services():
    with serve() as one, serve() as other:
        one.send('{"id":1,"name":"a"}', '{"id":2,"name":"b","count":"x"}')
        other.send('{"id":7,"name":"q"}', '{"id":8,"name":"r","count":"x"}')
        yield one, other


def create_two(tmp_path, services, **settings):
    """Two projects, of one tenant each, with these settings; the first one has run."""
    shops = [ByteShop(tmp_path / name, service, fields=FIELDS) for name, service in zip("ab", services, strict=True)]
    for shop, name in zip(shops, ("first", "second"), strict=True):
        shop.declare(name=name, **settings)
    shops[0].run()
    return shops


def read_history(shop):
    """What the first project has in its history."""
    return shop("query", "SELECT entity_key, name, is_current FROM silver.thing ORDER BY 1").json["rows"]


def read_mtimes(folder):
    """When each file was written last, but for the one by which a writer keeps others out."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "_lock"}


SHARED = {
    "duckdb": lambda root: {"warehouse": {"kind": "duckdb", "path": f"{root}/shared/x.duckdb"}},
    "files": lambda root: {"warehouse": {"kind": "files", "url": f"{root}/shared"}},
    "postgres": lambda root: {"warehouse": {"kind": "postgres", "url": "env:E2E_URL"}},
    "lake": lambda root: {"lake": {"url": f"{root}/shared"}},
}


@pytest.mark.parametrize("kind", SHARED)
def test_the_second_project_of_a_place_is_refused_and_the_first_one_goes_on(tmp_path, services, kind, request):
    if kind == "postgres":
        request.getfixturevalue("database")
    first, second = create_two(tmp_path, services, **SHARED[kind](tmp_path))
    files = read_mtimes(tmp_path / "shared")
    for words in (["run"], ["rebuild"], ["backfill", "--since", "2026-01-01"]):
        error = second(*words, code=2).error
        assert "belongs to another project" in error["message"]
        assert error["at"].startswith("headwater.yaml")
        assert "`acme` of the project `first`" in error["found"]
        assert "headwater tenant claim acme" in error["fix"]
    assert read_mtimes(tmp_path / "shared") == files
    assert read_history(first) == [["it:1", "a", True]]
    assert first.run()["written"] == {}
    first("rebuild")
    second("run", code=2)
    assert read_history(first) == [["it:1", "a", True]]


def test_nobody_erases_or_fills_what_is_another_project_s(tmp_path, services):
    first, second = create_two(tmp_path, services, warehouse={"kind": "duckdb", "path": f"{tmp_path}/x.duckdb"})
    second.declare(warehouse={"kind": "duckdb", "path": ".headwater/own.duckdb"})
    second.run()
    second.declare(warehouse={"kind": "duckdb", "path": f"{tmp_path}/x.duckdb"})
    second.declare(policies={"desk.things": {"fields": {"count": "text"}}})
    second("quarantine", "retry", code=2)
    second.declare(tenants={})
    second("tenant", "remove", "acme", "--erase", "--yes", code=2)
    assert read_history(first) == [["it:1", "a", True]]


def test_a_project_that_moves_takes_its_ledger_along_and_goes_on(tmp_path, services):
    first, _ = create_two(tmp_path, services)
    before = first.silver()
    moved = ByteShop(tmp_path / "c", services[0], fields=FIELDS)
    shutil.rmtree(moved.root)
    shutil.move(first.root, moved.root)
    assert moved.run()["written"] == {}
    moved("rebuild")
    assert moved.silver() == before


def test_places_whose_ledger_is_gone_are_claimed_by_a_word(tmp_path, services):
    first, _ = create_two(tmp_path, services)
    for path in first.data.glob("ledger.db*"):
        path.unlink()
    first("run", code=2)
    assert "--yes" in first("tenant", "claim", "acme", code=2).error["fix"]
    first("run", code=2)
    assert first("tenant", "claim", "acme", "--yes").json == {"tenant": "acme", "claimed": True}
    assert first.run()["outcome"] == "succeeded"
    assert read_history(first) == [["it:1", "a", True]]
    assert "no tenant" in first("tenant", "claim", "nobody", "--yes", code=2).error["message"]


def test_places_of_an_older_version_have_no_mark_and_are_the_project_s_that_runs_first(tmp_path, services):
    first, second = create_two(tmp_path, services, warehouse={"kind": "files", "url": f"{tmp_path}/shared"})
    shared = first.root / ".headwater" / "lake" / "acme" / "owner.json"
    shared.unlink()
    with closing(sqlite3.connect(first.data / "ledger.db")) as ledger:
        assert ledger.execute("DELETE FROM mark WHERE tenant = ''").rowcount == 1
        ledger.commit()
    shutil.rmtree(tmp_path / "shared")
    first("rebuild")
    assert shared.is_file()
    assert read_history(first) == [["it:1", "a", True]]
    second("run", code=2)


def test_a_tenant_that_was_removed_and_comes_back_finds_its_places(tmp_path, services):
    first, _ = create_two(tmp_path, services)
    declared = yaml.safe_load((first.root / "headwater.yaml").read_text())["tenants"]
    first.declare(tenants={})
    first("tenant", "remove", "acme", "--yes")
    first.declare(tenants=declared)
    assert first.run()["outcome"] == "succeeded"
