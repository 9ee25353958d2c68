"""Raw and bronze in a bucket: the same rows as from a folder, whatever is killed, refused or out of reach meanwhile."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from headwater.storage.url import open_store
from tests.e2e.builders import create_shop, kill
from tests.storage.bucket import run_gate


@pytest.fixture
def both(object_url, tmp_path, service):
    """Two projects that read one service: one with a folder, one with a bucket."""
    folder, other = (create_shop(tmp_path / name, service) for name in ("folder", "bucket"))
    other.declare(lake={"url": f"{object_url}/some/lake"})
    return folder, other


@pytest.fixture
def finished_and_other(object_url, tmp_path, service, shop_after_run):
    """A project with a folder after its first run, and a new one with a bucket that reads the same service."""
    other = create_shop(tmp_path / "bucket", service)
    other.declare(lake={"url": f"{object_url}/some/lake"})
    return shop_after_run, other


def files(object_url):
    """What is in the bucket."""
    with closing(open_store(f"{object_url}/some/lake")) as store:
        return [entry.path for entry in store.list("")]


def local_files(project):
    """What is in the folder."""
    lake = project.data / "lake"
    return sorted(path.relative_to(lake).as_posix() for path in lake.rglob("*") if path.is_file())


def test_a_bucket_holds_the_same_files_and_gives_the_same_rows(both, object_url, service, tmp_path, monkeypatch):
    folder, other = both
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    for _ in range(2):
        for project in both:
            service.add_fault("malformed", path="time/entries", records=1, field="actualHours")
            assert project.run()["quarantined"] == 1
            service.clear_faults()
        service.advance(days=3)
    assert files(object_url) == local_files(folder)
    assert other.read_tables() == folder.read_tables()
    assert not (other.data / "lake").exists()
    refused = other("quarantine", "list").json["quarantined"]
    assert len(refused) == 2
    shown = [project("quarantine", "show", refused[0]["id"]).json["record"] for project in both]
    assert shown[0] == shown[1]
    key = other.query("SELECT entity_key FROM silver.company_current LIMIT 1")[0][0]
    pictures = [project("history", "company", key, "--raw").json for project in both]
    assert pictures[0]["moments"][0]["records"][0]["record"] == pictures[1]["moments"][0]["records"][0]["record"]
    kept = other.read_tables()
    other("rebuild")
    assert other.read_tables() == kept
    assert not list(scratch.glob("headwater-*"))


def test_two_tenants_in_one_bucket_and_one_is_erased(object_url, tmp_path, start_service):
    services = {"north": start_service(seed=1), "south": start_service(seed=2)}
    project = create_shop(tmp_path / "shop", services["north"])
    project.declare(lake={"url": f"{object_url}/some/lake"})
    project.tenants.clear()
    for tenant, service in services.items():
        project.connect(service, tenant=tenant)
        project.run("--tenant", tenant)
    both = files(object_url)
    assert {path.partition("/")[0] for path in both} == set(services)
    del project.tenants["south"]
    project.declare(tenants=project.tenants)
    project("tenant", "remove", "south", "--erase", "--yes")
    assert files(object_url) == [path for path in both if path.startswith("north/")]


def test_a_run_that_is_killed_at_any_moment_ends_where_another_one_does(finished_and_other, object_url, service):
    folder, other = finished_and_other
    for delay in (1.5, 2.0, 2.6):
        process = other.start("run")
        time.sleep(delay)
        kill(process)
        process.stdout.close()
        process.stderr.close()
    other.run()
    assert other.read_tables() == folder.read_tables()
    assert files(object_url) == local_files(folder)
    assert other.run()["written"] == {}


def test_steps_in_processes_of_their_own_share_a_bucket(finished_and_other, object_url):
    folder, other = finished_and_other
    for step in other("plan").json["steps"]:
        assert other("step", json.dumps(step)).json["outcome"] == "succeeded"
    assert other.read_tables() == folder.read_tables()


def test_a_bucket_that_is_not_there_is_said_before_a_service_is_asked_and_the_next_run_goes_on(
    finished_and_other, object_url, service
):
    folder, other = finished_and_other
    service.list_requests(clear=True)
    missing = object_url.replace("lakehouse", "nowhere") + "/lake"
    other.declare(lake={"url": missing})
    error = other.run(code=1)["error"]
    assert error["kind"] == "LakeError"
    assert error["at"].startswith(f"{missing}/acme/")
    assert "create the bucket" in error["fix"]
    assert service.list_requests() == []
    other.declare(lake={"url": f"{object_url}/some/lake"})
    other.run()
    assert other.read_tables() == folder.read_tables()


def test_access_that_is_withdrawn_in_the_middle_fails_the_run_and_the_next_one_goes_on(
    finished_and_other, object_url, request
):
    folder, other = finished_and_other
    name, store = (
        ("AWS_ENDPOINT_URL", "object_store") if object_url.startswith("s3:") else ("AZURE_STORAGE_ENDPOINT", "azurite")
    )
    endpoint = request.getfixturevalue(store)
    with run_gate(endpoint) as shut:
        other.env[name] = shut.url + urlsplit(endpoint).path
        for writes in (0, 4, 9, 30):
            shut.writes_left, shut.open = writes, True
            ended = other("run", code=None)
            assert ended.code in ((1, 3) if writes < 30 else (0, 1, 3))
            errors = [step["error"] for step in ended.json.get("steps", []) if step["state"] == "failed"]
            for error in errors or [ended.error]:
                assert error["kind"] == "LakeError"
                assert error["at"].startswith(object_url)
                assert "to read, write, list and delete" in error["fix"]
    other.env[name] = endpoint
    other.run()
    assert other.read_tables() == folder.read_tables()
    assert files(object_url) == local_files(folder)
