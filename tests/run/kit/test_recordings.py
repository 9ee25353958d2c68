"""Pages are recorded without secrets and personal data, and show the mistakes of a manifest that its own server cannot show."""

from __future__ import annotations

import json

import pytest
import yaml

from headwater.testing import check_connector
from tests.e2e.builders import Shop
from tests.e2e.http_server import serve_http

TOKEN, KEY = "the-token-of-the-desk", "key/with signs+and=more"
CAP = 4
TICKETS = [
    {
        "no": number, "title": f"Ticket {number}", "kind": "incident" if number % 2 else "request", "done": number == 3,
        "changed": f"2026-05-01T08:{number:02}:00Z", "epoch": 1_777_622_400 + 60 * number,
        "local": f"/Date({1_777_622_400_000 + number})/",
        "caller": {"name": f"Anna Example {number}", "phone": "555-0100", "mail": f"anna{number}@customer.com"},
        "remarks": f"call anna{number}@customer.com, password is {KEY}", "pin": 4711, "debug": {"api_key": "hunter2"},
    }
    for number in range(1, 11)
]  # fmt: skip
MANIFEST = {
    "version": 1, "connector": "desk", "base_url": "{base_url}", "settings": {"base_url": {"description": "the URL"}},
    "secrets": {"token": "a token", "key": "a key"}, "hold_back": "5m",
    "auth": {"kind": "headers", "headers": {"Authorization": "Bearer {token}", "X-Key": "{key}"}},
}  # fmt: skip
RESOURCE = {
    "resource": "tickets", "path": "tickets", "records": "data.tickets", "key": ["no"],
    "fields": {"no": "bigint", "title": "text", "kind": "text", "changed": "timestamp", "epoch": "bigint", "local": "text"},
    "paging": {"kind": "page_number", "param": "page", "size_param": "per_page", "size": 100},
    "cursor": {"kind": "changes", "field": "changed", "params": {"since": "{since}", "until": "{until}"}, "first": {"since": ""}},
    "personal": ["caller.name", "caller.phone", "pin"],
}  # fmt: skip


def answer(request):
    """Numbered pages of at most four tickets, without any sign that others follow. Its links repeat the token."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return 401, {}, {"message": "who are you?"}
    page, size = int(request.params["page"]), min(CAP, int(request.params["per_page"]))
    rows = TICKETS[(page - 1) * size : page * size]
    return 200, {"X-Trace": TOKEN}, {"data": {"tickets": rows}, "access_token": TOKEN, "self": f"/tickets?key={TOKEN}"}


@pytest.fixture
def shop(tmp_path):
    """A project whose connection reads the tickets."""
    shop = Shop(tmp_path / "shop")
    shop.root.mkdir()
    shop.env |= {"DESK_TOKEN": TOKEN, "DESK_KEY": KEY}
    with serve_http(answer) as url:
        connection = {
            "connector": "desk", "settings": {"base_url": url}, "resources": ["tickets"],
            "secrets": {"token": "env:DESK_TOKEN", "key": "env:DESK_KEY"},
        }  # fmt: skip
        project = {"version": 1, "name": "desk", "tenants": {"acme": {"connections": {"desk": connection}}}}
        (shop.root / "headwater.yaml").write_text(yaml.safe_dump(project))
        write_manifest(shop)
        yield shop


def write_manifest(shop, connector=None, **changes):
    """Write the manifest, with changes of its resource."""
    folder = shop.root / "connectors" / "desk"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {**MANIFEST, **(connector or {}), "resources": [{**RESOURCE, **changes}]}
    (folder / "connector.yaml").write_text(yaml.safe_dump(manifest))
    return folder


def record(shop, *words, code=0):
    """Record the pages of the connection."""
    return shop("connector", "record", "desk", "--connection", "desk", *words, code=code).json


def replay(folder):
    """The failures of the recorded pages."""
    names = ("recorded-list", "recorded-pages", "recorded-keys", "recorded-stamps", "recorded-contract")
    return check_connector(folder, only=names)


def test_recorded_pages_have_no_secret_and_no_personal_value(shop):
    report = record(shop, "--pages", "2")
    assert [(one["resource"], one["pages"], one["records"]) for one in report["recorded"]] == [("tickets", 2, 8)]
    text = (shop.root / "connectors/desk/recordings/tickets.json").read_text()
    for secret in (TOKEN, KEY, "hunter2", "Anna Example", "555-0100", "customer.com", "4711", "127.0.0.1"):
        assert secret not in text, secret
    document = json.loads(text)
    assert document["pages"][0]["params"]["page"] == "1"
    first = document["pages"][0]["body"]["data"]["tickets"][0]
    assert first["title"] == "Ticket 1"
    assert first["caller"]["name"].startswith("p-")
    assert isinstance(first["pin"], int)
    assert "password is ***" in first["remarks"]


def test_the_right_manifest_takes_its_pages(shop):
    record(shop, "--pages", "5")
    report = replay(shop.root / "connectors/desk")
    assert report.counts == {"passed": 5}
    by_name = shop("connector", "test", "desk", "--only", "recorded-list").json
    assert [one["outcome"] for one in by_name["results"]] == ["passed"]


MODIFIED = {**RESOURCE["cursor"], "field": "modified"}
MILLISECONDS = {**RESOURCE["cursor"], "field": "epoch", "format": "epoch_ms"}
MISTAKES = {
    "wrong list path": ({"records": "data.items"}, "recorded-list", "`records:`"),
    "the container of the list": ({"records": "data"}, "recorded-list", "`records:`"),
    "wrong cursor field": ({"cursor": MODIFIED}, "recorded-stamps", "no record has a value at `modified`"),
    "seconds read as milliseconds": ({"cursor": MILLISECONDS}, "recorded-stamps", "would be in the year 1970"),
    "a key that is not unique": ({"key": ["kind"]}, "recorded-keys", "2 values of `kind` are those of several records"),
    "a key that is missing": (
        {"key": ["id"], "fields": {**RESOURCE["fields"], "id": "text"}}, "recorded-keys", "8 of 8 records have no `id`",
    ),
    "a wrong type": ({"fields": {**RESOURCE["fields"], "local": "timestamp"}}, "recorded-contract", "`local`"),
    "a short page taken for the last one": (
        {"paging": {**RESOURCE["paging"], "links": True}}, "recorded-pages",
        "4 records of 100 that were requested, but the service has more: 5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_what_to_mend(shop, name):
    record(shop)
    changes, scenario, text = MISTAKES[name]
    folder = write_manifest(shop, **changes)
    with pytest.raises(AssertionError) as caught:
        replay(folder)
    message = str(caught.value)
    assert f"{scenario} of tickets" in message
    assert text in message
    assert "fix    look at" in message


def test_a_mistake_that_was_there_when_the_pages_were_recorded_is_found_too(shop):
    """The read ends after the first page. The recording asks for one more."""
    folder = write_manifest(shop, paging={**RESOURCE["paging"], "links": True})
    assert record(shop)["recorded"][0]["pages"] == 2
    with pytest.raises(AssertionError, match=r"recorded-pages(.|\n)*the service has more: 5"):
        replay(folder)


def test_stamps_of_another_zone_are_later_than_their_answer(shop):
    """A service that writes its local time without an offset, east of Greenwich."""
    record(shop)
    file = shop.root / "connectors/desk/recordings/tickets.json"
    document = json.loads(file.read_text())
    document["recorded_at"] = "2026-05-01T06:30:00Z"
    file.write_text(json.dumps(document))
    with pytest.raises(AssertionError, match=r"recorded-stamps(.|\n)*after it was read(.|\n)*`zone`"):
        replay(file.parents[1])


def test_a_service_that_refuses_is_an_error_and_a_damaged_file_is_none_of_ours(shop):
    shop.env["DESK_TOKEN"] = "another"
    report = record(shop, code=1)
    assert "rejected the credentials" in report["recorded"][0]["error"]
    folder = shop.root / "connectors/desk/recordings"
    folder.mkdir()
    (folder / "tickets.json").write_text("[]")
    error = shop("connector", "test", "desk", "--only", "recorded-list", code=2).error
    assert error["message"] == "This file is no recording."


def test_unknown_names_are_refused(shop):
    assert (
        "no resource `ticket`"
        in shop("connector", "record", "desk", "--connection", "desk", "--resource", "ticket", code=2).error["message"]
    )
    assert (
        "no connection `dask`" in shop("connector", "record", "desk", "--connection", "dask", code=2).error["message"]
    )
    assert (
        "another connector"
        in shop("connector", "record", "connectwise", "--connection", "desk", code=2).error["message"]
    )
