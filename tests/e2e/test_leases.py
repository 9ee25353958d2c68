"""Two runs of one tenant take turns; two tenants never meet."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.builders import create_shop


def test_of_two_runs_at_once_one_works_and_the_other_says_who_holds_the_lease(small, service):
    paths = ("company/companies", "company/contacts", "system/members", "time/entries")
    for path in paths:
        service.add_fault("timeout", path=path, seconds=3)
    first = small.start("run", "--json")
    reading = (line for line in first.stderr if " read_started " in line)
    for _ in paths:
        next(reading)
    time.sleep(0.2)
    # All of its readers wait for the service: stopped here, it holds the lease and no lock of the ledger's file.
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        error = small.run(code=1)["error"]
        status = small("status").json
        rebuilt = small("rebuild", code=1).error
    finally:
        os.killpg(first.pid, signal.SIGCONT)
        out, err = first.communicate(timeout=60)
    print(error)
    assert error["kind"] == rebuilt["kind"] == "LeaseHeld"
    assert f"process {first.pid} on " in error["found"]
    assert str(first.pid) in status["running"]
    assert first.returncode == 0, out + err
    assert small.run()["written"] == {}


def test_two_tenants_side_by_side_cannot_see_each_others_rows_files_or_quarantine(tmp_path, start_service):
    services = {"north": start_service(seed=1), "south": start_service(seed=2, companies=4)}
    project = create_shop(tmp_path / "shop", services["north"])
    project.tenants.clear()
    for tenant, service in services.items():
        project.connect(service, tenant=tenant)
    services["south"].add_fault("malformed", path="time/entries", records=1, field="actualHours")
    error = project.run(code=2)["error"]
    assert "north" in error["fix"]
    assert "south" in error["fix"]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda tenant: project.run_in_subprocess("run", "--tenant", tenant).json, services))
    assert [report["outcome"] for report in done] == ["succeeded", "succeeded"]
    for tenant, service in services.items():
        for entity, path in (("company", "company/companies"), ("contact", "company/contacts")):
            keys = {key for (key,) in project.query(f"SELECT {entity}_id FROM silver.{entity}_current", tenant)}
            assert keys == set(service.read_truth(path))
        refused = project("quarantine", "list", "--tenant", tenant).json["quarantined"]
        assert len(refused) == (tenant == "south")
        count = len(service.read_truth("time/entries")) - len(refused)
        assert project.query("SELECT COUNT(*) FROM gold.fact_time_entry", tenant) == [(count,)]
        query = project("query", "SELECT COUNT(*) FROM silver.time_entry_current", "--tenant", tenant)
        assert query.json["rows"] == [[count]]
    other = project("query", "SELECT * FROM read_parquet('.headwater/lake/south/bronze/**/*.parquet')",
                    "--tenant", "north", code=1)  # fmt: skip
    assert other.error["kind"] == "WarehouseError"
    other = project("query", "ATTACH '.headwater/south.duckdb'", "--tenant", "north", code=1)
    assert other.error["kind"] == "WarehouseError"
    ident = project("quarantine", "list", "--tenant", "south").json["quarantined"][0]["id"]
    assert project("quarantine", "show", ident, "--tenant", "north", code=1).error["kind"] == "StateError"
    files = {tenant: {file.name for file in (project.data / "lake" / tenant).rglob("*.parquet")} for tenant in services}
    assert files["north"]
    assert files["south"]
    before = project.read_tables("north"), sorted((project.data / "lake" / "north").rglob("*"))
    services["south"].advance(days=3)
    assert project.run("--tenant", "south")["written"]
    assert (project.read_tables("north"), sorted((project.data / "lake" / "north").rglob("*"))) == before
    assert project.run("--tenant", "north")["written"] == {}
    # Both are declared in the file: a removal is refused there, and takes nothing from either.
    assert (
        "declared in headwater.yaml"
        in project("tenant", "remove", "south", "--yes", "--erase", code=2).error["message"]
    )
    assert project.read_tables("north") == before[0]
