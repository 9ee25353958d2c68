"""Plug-ins of a distribution that lies outside the package: an engine, a ledger and a connector, found by entry point."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.builders import SubprocessShop
from tests.e2e.odd_service import OddService, serve, things

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).parent / "plugin" / "headwater_memo"
ENTRY_POINTS = """\
[headwater.warehouses]
memo = headwater_memo.settings:MemoWarehouse

[headwater.ledgers]
memo = headwater_memo.ledger:MemoLedger

[headwater.connectors]
memo = headwater_memo.memo
"""
PROJECT = """\
version: 1
name: memos
warehouse:
  kind: memo
  folder: .headwater/tables
ledger: {url: "memo:.headwater/ledger.memo"}
tenants:
  acme: {connections: {desk: {connector: memo, settings: {base_url: URL}}}}
"""
THING = """\
entity: thing
key: thing_id
columns: {thing_id: bigint, name: text}
sources:
  memo.things: {changed_at: changed, map: {thing_id: id, name: name}}
"""


@pytest.fixture
def site(tmp_path):
    """A folder of installed packages: the plug-in, and what an installer notes of it."""
    folder = tmp_path / "site"
    shutil.copytree(PLUGIN, folder / PLUGIN.name)
    notes = folder / "headwater_memo-1.0.dist-info"
    notes.mkdir()
    (notes / "METADATA").write_text("Metadata-Version: 2.1\nName: headwater-memo\nVersion: 1.0\n")
    (notes / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture
def project(tmp_path, site):
    """A project that keeps everything where the plug-in says, and reads a service on loopback with its connector."""
    with serve(OddService(things(1, 2, 3))) as service:
        made = SubprocessShop(tmp_path / "project")
        (made.root / "models").mkdir(parents=True)
        (made.root / "models" / "thing.yaml").write_text(THING)
        (made.root / "headwater.yaml").write_text(PROJECT.replace("URL", service.url))
        made.env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
        yield made


def edit(project, old, new):
    path = project.root / "headwater.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_project_runs_on_plugins_alone(project):
    assert project("check").json["connectors"] == ["memo"]
    report = project.run()
    assert (report["outcome"], report["rows"]) == ("succeeded", 3)
    rows = project("query", "SELECT thing_id, name FROM silver.thing ORDER BY 1").json["rows"]
    assert [list(row) for row in rows] == [[1, "thing 1"], [2, "thing 2"], [3, "thing 3"]]
    status = project("status").json
    assert status["warehouse"] == ".headwater/tables/acme.memo"
    assert project.run()["rows"] == 0
    kept = {path.relative_to(project.data).as_posix() for path in project.data.rglob("*.memo")}
    assert kept == {"tables/acme.memo", "ledger.memo"}
    assert not [*project.data.rglob("*.duckdb"), *project.data.rglob("*.db")]


def test_a_tenant_of_such_a_project_is_removed_with_its_tables(project):
    project.run()
    edit(project, "tenants:\n  acme:", "tenants:\n  other:")
    takes = project("tenant", "remove", "acme", "--erase", "--dry-run").json["takes"]
    assert "warehouse.folder: .headwater/tables/acme.memo" in takes["erased"]
    project("tenant", "remove", "acme", "--erase", "--yes")
    assert not list((project.data / "tables").iterdir())


@pytest.mark.parametrize(
    ("old", "new", "what", "where", "hint"),
    [
        ("folder:", "foldr:", "`warehouse.foldr` is not a known key.", 5, "did you mean `folder`?"),
        ("  folder: .headwater/tables\n", "", "`warehouse.folder` is missing.", 3, "add `folder:`"),
        (".headwater/tables", "~/tables", "`warehouse.folder` is invalid.", 5, "`~`, `$NAME`"),
    ],
)
def test_a_wrong_option_of_the_engine_is_an_error_with_its_line(project, old, new, what, where, hint):
    edit(project, old, new)
    said = project.start("check").communicate(timeout=60)[1]
    (found,) = [error for error in said.split("\n\n") if what in error]
    assert f"\n  at    headwater.yaml:{where}\n" in found
    assert f"\n  fix   {hint}" in found


def test_a_secret_that_the_engine_asks_for_is_missed_at_its_own_line(project):
    edit(project, "  folder:", "  password: env:NOBODY_SET_THIS\n  folder:")
    error = project("run", code=2).error
    assert error["message"] == "The environment variable NOBODY_SET_THIS is not set."
    assert error["at"] == "headwater.yaml:5"


def test_without_the_plugin_each_kind_is_named_as_not_installed(project):
    project.env.pop("PYTHONPATH")
    error = project("check", code=2).error
    assert (error["message"], error["at"]) == ("`warehouse.kind` is invalid.", "headwater.yaml:4")
    assert (
        error["fix"] == "this kind of warehouse is not installed; installed: duckdb, files, postgres, redshift, spark"
    )
    edit(project, "  kind: memo\n  folder: .headwater/tables", "  kind: duckdb")
    assert project("check", code=2).error["message"] == "There is no connector `memo`."


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("headwater_memo.engine:Memo", "the plug-in headwater_memo.engine:Memo is not a subclass of"),
        ("headwater_memo.engine:Gone", "the plug-in headwater_memo.engine:Gone cannot be imported: module"),
        ("headwater_memo.gone:Memo", "the plug-in headwater_memo.gone:Memo cannot be imported: No module named"),
    ],
)
def test_a_broken_plugin_says_what_is_wrong_with_it(project, site, value, hint):
    notes = site / "headwater_memo-1.0.dist-info" / "entry_points.txt"
    notes.write_text(ENTRY_POINTS.replace("headwater_memo.settings:MemoWarehouse", value))
    error = project("check", code=2).error
    assert error["message"] == "`warehouse.kind` is invalid."
    assert error["fix"].startswith(hint)
    assert "DuckDBWarehouse" in project("schema").json["project"]["$defs"]


def test_editors_help_pages_and_reports_show_the_plugin(project):
    schema = project("schema").json["project"]["$defs"]
    assert schema["MemoWarehouse"]["properties"]["folder"]["description"] == "The folder of the files."
    assert {"$ref": "#/$defs/MemoWarehouse"} in schema["WarehouseOptions"]["oneOf"]
    assert "memo:FOLDER" in project.start("selftest", "--help").communicate(timeout=60)[0]
    plugins = project("version", "--verbose").json["plugins"]
    assert {one["group"] for one in plugins if one["package"] == "headwater-memo"} == {
        "connectors", "ledgers", "warehouses",
    }  # fmt: skip
    assert "memo" in {one["connector"] for one in project("connector", "list").json["connectors"]}


def test_the_conformance_suite_runs_against_the_engine(project):
    found = project("selftest", "--warehouse", "memo:kept", "--only", "1,12", "--examples", "2", "--seed", "1").json
    assert (found["outcome"], found["tenants"]) == ("passed", [])
    assert found["warehouse"].startswith("kept/selftest-")
    assert not list((project.root / "kept").iterdir())
