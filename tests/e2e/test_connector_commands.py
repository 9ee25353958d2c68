"""`connector list|show|new`, with a connector of the project that is broken, shipped or new; and a sweep on request."""

from __future__ import annotations

import pytest

from tests.e2e.record_service import CHANGES, SWEEP, RecordShop, Service, record, serve


@pytest.fixture
def shop(tmp_path):
    with serve(Service()) as service:
        shop = RecordShop(tmp_path / "shop", service, things={"cursor": CHANGES, "deletes": SWEEP})
        shop.entity("thing", ["things"])
        yield shop


def test_a_broken_connector_does_not_hide_the_others(shop):
    folder = shop.root / "connectors" / "broken"
    folder.mkdir()
    (folder / "connector.yaml").write_text("connector: broken\nbase_url: [1\n")
    rows = {row["connector"]: row for row in shop("connector", "list").json["connectors"]}
    assert {"broken", "connectwise", "shelf"} <= rows.keys()
    assert "connector.yaml" in rows["broken"]["broken"]
    assert rows["shelf"]["from"] == "project"
    assert rows["connectwise"]["from"] == "installed"
    shop.run()


THINGS = "resources: [{resource: a, path: a, fields: {id: text, at: text}, "
CHANGES_IN_ZONE = 'cursor: {kind: changes, params: {a: "{since}"}, pattern: "%Y", zone: "{time_zone}", field: at}}]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base_url: [1", "YAML"),
        (f"base_url: https://x.example\n{THINGS} key: [nope]}}]", "nope"),
        (
            f"base_url: https://x.example\n{THINGS}{CHANGES_IN_ZONE}",
            "`zone` uses `{time_zone}`, which is not a setting.",
        ),
    ],
)
def test_a_connector_that_no_connection_uses_yet_is_checked(shop, text, message):
    folder = shop.root / "connectors" / "draft"
    folder.mkdir()
    (folder / "connector.yaml").write_text(f"connector: draft\n{text}\n")
    assert message in str(shop("check", code=2).error)
    shop.run()


def test_the_name_of_an_installed_connector_is_refused(shop):
    error = shop("connector", "new", "connectwise", code=2).error
    assert "installed" in error["message"]
    assert not (shop.root / "connectors" / "connectwise").exists()


def test_the_fields_of_a_resource_are_listed(shop):
    fields = shop("connector", "show", "connectwise", "--resource", "tickets").json["fields"]
    types = {field["field"]: field["type"] for field in fields}
    assert types["id"] == "bigint"
    assert types["_info.lastUpdated"] == "timestamp"
    assert shop("connector", "show", "shelf").json["fields_by_resource"]["things"][0]["field"] == "id"


def test_the_confidence_of_a_resource_is_shown_with_its_cursor_and_deletes(shop):
    facts = shop("connector", "show", "connectwise", "--resource", "expense_entries").json["facts"]
    assert facts["confidence"] == "recalled"
    reads = {row["resource"]: row for row in shop("connector", "show", "connectwise").json["reads"]}
    assert reads["expense_entries"] == facts
    assert (reads["tickets"]["confidence"], reads["tickets"]["deletes"]) == ("verified", "sweep every 1d, verified")
    assert reads["boards"]["deletes"] == "not detected"
    # A resource without its own has that of the connector.
    shelf = shop("connector", "show", "shelf").json["reads"][0]
    assert (shelf["cursor"], shelf["confidence"]) == ("changes by changed", "recalled")
    assert "confidence  recalled" in shop.run_in_process("connector", "show", "shelf", "--resource", "things").out


def test_a_confidence_is_one_of_a_closed_list(shop):
    path = shop.root / "connectors" / "shelf" / "connector.yaml"
    path.write_text(path.read_text().replace("path: things", "path: things\n  confidence: certain", 1))
    error = shop("connector", "show", "shelf", code=2).error
    assert "verified" in error["fix"]


def test_an_unknown_resource_has_a_near_name(shop):
    assert (
        shop("connector", "show", "connectwise", "--resource", "tikets", code=2).error["fix"]
        == "did you mean `tickets`?"
    )


def test_a_sweep_on_request_finds_a_delete_before_it_is_due(shop):
    shop.on(5, things=[record(1), record(2)])
    service_has_one = [record(1)]
    shop.service.collections["things"] = service_has_one
    assert [row[0] for row in shop.lives() if row[3] is None] == ["psa:1", "psa:2"]
    shop.run()
    assert [row[0] for row in shop.lives() if row[3] is None] == ["psa:1", "psa:2"]
    shop.run("--sweep", "--allow-drop")
    assert [row[0] for row in shop.lives() if row[3] is None] == ["psa:1"]


def test_a_sweep_has_no_time_span(shop):
    assert shop("run", "--sweep", "--since", "2026-01-01", code=2).error["at"] == "--sweep"
