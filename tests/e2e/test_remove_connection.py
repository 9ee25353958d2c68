"""`connection remove`: what it shows, what it deletes and what stays."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import RecordShop, Service, record, serve


@pytest.fixture
def shop(tmp_path):
    with serve(Service()) as service:
        shop = RecordShop(tmp_path / "shop", service, things={})
        shop.entity("thing", ["things"])
        shop.declare(tenants={"acme": {}})
        shop("connection", "add", "psa", "--connector", "shelf", "--set", f"base_url={service.url}")
        shop.on(5, things=[record(1), record(2)])
        yield shop


def test_a_removal_needs_a_confirmation_and_a_dry_run_changes_nothing(shop):
    error = shop("connection", "remove", "psa", code=2).error
    assert "--yes" in error["fix"]
    assert shop("connection", "remove", "psa", "--dry-run").json["removed"] is False
    assert len(shop("connection", "list").json["connections"]) == 1


def test_the_records_stay_until_a_rebuild_and_the_same_name_continues(shop):
    removal = shop("connection", "remove", "psa", "--yes").json
    assert removal["removed"] is True
    assert removal["batches"] == 1
    assert shop("connection", "list").json["connections"] == []
    assert len(shop.lives()) == 2
    shop("connection", "add", "psa", "--connector", "shelf", "--set", f"base_url={shop.service.url}")
    assert shop.run()["rows"] == 0
    shop("connection", "remove", "psa", "--yes")
    shop("rebuild", code=None)
    assert shop.lives() == []


def test_an_unknown_name_and_one_of_the_project_file_are_refused(shop):
    assert shop("connection", "remove", "ps", "--yes", code=2).error["fix"] == "did you mean `psa`?"
    declared = {"connector": "shelf", "settings": {"base_url": shop.service.url}}
    shop.declare(tenants={"acme": {"connections": {"own": declared}}})
    assert shop("connection", "remove", "own", "--yes", code=2).error["at"].startswith("headwater.yaml:")
