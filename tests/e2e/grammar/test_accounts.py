"""A connection that reads another account than before is refused; one that selects other records is a finding."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.e2e.grammar.shop import GrammarShop, Service, build_things, list_ids, serve

THINGS = {
    "records": "things", "key": ["id"], "cursor": {"kind": "changes", "field": "changed", "params": {"since": "{since}"}},
}  # fmt: skip


class Accounts(Service):
    """A service with several accounts. The path begins with the name of one, and the token belongs to one."""

    def __init__(self):
        super().__init__()
        self.accounts = {"acme": build_things(3), "other": build_things(4, first=100)}
        self.ids = {"acme": 17, "other": 18}
        self.of_token = {}

    def build_answer(self, request):
        name = self.of_token.get(request.headers.get("Authorization")) or request.path.split("/")[1]
        if request.path.endswith("me"):
            return 200, {}, {"account": {"id": self.ids[name]}}
        since = request.params.get("since", "")
        return 200, {}, {"things": [one for one in self.accounts[name] if one["changed"] >= since]}


@pytest.fixture
def service():
    with serve(Accounts()) as service:
        yield service


def create(tmp_path, service, *, settings=None, connector=None, **more):
    settings = {"company": "acme"} if settings is None else settings
    base = {"base_url": "{base_url}/{company}"} if settings else {}
    return GrammarShop(
        tmp_path / "shop", service, resource=THINGS, settings=settings, connector={**base, **(connector or {})}, **more
    )


def build_new_thing():
    return {"id": "new", "name": "new", "changed": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}


def edit(shop, before, after):
    path = shop.root / "headwater.yaml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def test_another_account_is_refused_and_nothing_is_read_or_deleted(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    edit(shop, "company: acme", "company: other")
    service.requests.clear()
    error = shop("run", code=2).error
    assert error["message"] == "The connection `it` read another account before."
    assert "/acme before, now 127.0.0.1/other" in error["found"]
    assert error["at"].endswith("headwater.yaml:6")
    assert service.requests == []
    assert shop.read_ids() == list_ids(service.accounts["acme"])
    edit(shop, "company: other", "company: acme")
    service.accounts["acme"].append(build_new_thing())
    shop.run()
    assert shop.read_ids() == list_ids(service.accounts["acme"])


def test_an_account_with_a_new_name_is_accepted(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    edit(shop, "company: acme", "company: renamed")
    service.accounts["renamed"] = [*service.accounts.pop("acme"), build_new_thing()]
    shop("run", code=2)
    assert shop("connection", "accept", "it", code=2).error["fix"].startswith("pass `--yes`")
    plan = shop("connection", "accept", "it", "--dry-run").json
    assert plan["accepted"] is False
    assert "now 127.0.0.1/renamed" in plan["differences"]
    shop("run", code=2)
    assert shop("connection", "accept", "it", "--yes").json["accepted"] is True
    shop.run()
    assert shop.read_ids() == list_ids(service.accounts["renamed"])
    again = shop("connection", "accept", "it", "--yes").json
    assert (again["accepted"], again["differences"]) == (False, "")
    assert "no connection `itt`" in shop("connection", "accept", "itt", code=2).error["message"]


def test_a_token_of_another_account_is_refused_where_the_service_names_its_account(tmp_path, service):
    service.of_token = {"Bearer one": "acme", "Bearer two": "acme", "Bearer three": "other"}
    more = {
        "auth": {"kind": "headers", "headers": {"Authorization": "Bearer {token}"}},
        "clock": {"path": "me", "account": "account.id"},
    }
    shop = create(tmp_path, service, settings={}, connector=more, secrets={"token": "one"})
    shop.run()
    shop.env["TOKEN"] = "two"
    shop.run()
    shop.env["TOKEN"] = "three"
    assert "id: 17 before, now 18" in shop("run", code=2).error["found"]
    assert shop.read_ids() == list_ids(service.accounts["acme"])


def test_a_response_that_does_not_name_the_account_is_an_error(tmp_path, service):
    shop = create(tmp_path, service, connector={"clock": {"path": "me", "account": "account.uuid"}})
    assert "does not identify the account" in shop("run", code=1).error["message"]
    assert shop.list_reads() == []


def test_a_wrong_account_can_be_corrected_before_the_first_read(tmp_path, service):
    answer = service.build_answer
    service.build_answer = lambda request: (401, {}, {}) if "/wrong/" in request.path else answer(request)
    shop = create(tmp_path, service, settings={"company": "wrong"})
    assert shop.run(code=None)["outcome"] == "failed"
    edit(shop, "company: wrong", "company: acme")
    shop.run()
    assert shop.read_ids() == list_ids(service.accounts["acme"])


def test_settings_that_choose_no_account_may_change(tmp_path, service):
    headers = {"headers": {"X-Version": "{version}"}}
    shop = create(tmp_path, service, settings={"company": "acme", "version": "1"}, connector=headers)
    shop.run()
    edit(shop, "version: '1'", "version: '2'")
    edit(shop, service.url, f"{service.url}/")
    shop.run()


def test_a_connection_that_is_added_again_must_read_the_same_account(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    edit(shop, "it:", "another:")
    declared = ["--connector", "grammar", "--set", f"base_url={service.url}", "--set"]
    shop("connection", "add", "it", *declared, "company=acme")
    shop.run()
    shop("connection", "remove", "it", "--yes")
    shop("connection", "add", "it", *declared, "company=other")
    report = shop.run(code=3)
    assert [step["step"] for step in report["steps"] if step["error"]] == ["connect:it"]


class Filtered(Service):
    """A service whose parameter `only` leaves out records."""

    def build_answer(self, request):
        since, only = request.params.get("since", ""), request.params.get("only", "")
        return 200, {}, {"things": [one for one in self.records if one["changed"] >= since and only in one["id"]]}


@pytest.fixture
def collection():
    with serve(Filtered(build_things(12))) as service:
        yield service


def filter_things(tmp_path, service, *, connector=None, **more):
    resource = THINGS | {"params": {"only": "1"}} | more
    return GrammarShop(tmp_path / "shop", service, resource=resource, connector=connector)


def find_selection(report):
    return [one["table"] for one in report["findings"] if one["finding"] == "selection_changed"]


def test_a_wider_filter_is_a_finding_until_the_windows_are_read_again(tmp_path, collection):
    shop = filter_things(tmp_path, collection)
    shop.run()
    assert shop.read_ids() == ["id0001", "id0010", "id0011", "id0012"]
    shop.write_connector(params={})
    report = shop.run(code=3)
    assert (report["outcome"], find_selection(report)) == ("partial", ["it/things"])
    # A part of the windows is not enough, and neither is a read that fails.
    shop.run("--resource", "things", code=3)
    shop("backfill", "--since", "2026-05-02", "--force", code=3)
    collection.broken_from = 1
    shop("backfill", "--since", "1970-01-01", "--force", code=1)
    collection.broken_from = None
    detail = next(one["detail"] for one in shop.run(code=3)["findings"])
    words = detail.split("`")[1].removeprefix("headwater ").split()
    assert find_selection(shop(*words, code=None).json) == ["it/things"]
    assert shop.read_ids() == list_ids(collection.records)
    assert find_selection(shop.run()) == []


def test_a_filter_that_selects_the_same_is_accepted(tmp_path, collection):
    shop = filter_things(tmp_path, collection)
    shop.run()
    shop.write_connector(params={"only": "1", "order": "id"})
    shop.run(code=3)
    assert shop("connection", "accept", "it", "--dry-run").json["selections"] == ["things: params"]
    assert shop("connection", "accept", "it", "--yes").json["accepted"] is True
    assert find_selection(shop.run()) == []


def test_a_corrected_time_zone_is_a_finding(tmp_path, collection):
    cursor = THINGS["cursor"] | {"pattern": "%Y-%m-%d %H:%M", "zone": "{zone}"}
    shop = GrammarShop(
        tmp_path / "shop", collection, resource=THINGS | {"cursor": cursor}, settings={"zone": "Asia/Tokyo"}
    )
    shop.run()
    edit(shop, "Asia/Tokyo", "America/New_York")
    assert find_selection(shop.run(code=3)) == ["it/things"]


@pytest.mark.parametrize(
    "more", [{"cursor": {"kind": "snapshot"}}, {"deletes": {"kind": "sweep", "every": "1s"}}, {"chunk": "7d"}]
)
def test_what_a_next_read_finds_by_itself_is_no_finding(tmp_path, collection, more):
    shop = filter_things(tmp_path, collection, **more)
    shop.run()
    shop.write_connector(params={} if "chunk" not in more else shop.resource["params"], chunk="5d")
    assert find_selection(shop.run(code=None)) == []


def test_a_forced_read_of_a_service_that_does_not_answer_settles_nothing(tmp_path, collection):
    shop = filter_things(tmp_path, collection, connector={"clock": {"path": "time"}})
    shop.run()
    shop.write_connector(params={})
    collection.requests.clear()
    collection.broken_from = 1
    shop("backfill", "--since", "1970-01-01", "--force", code=1)
    collection.broken_from = None
    assert find_selection(shop.run(code=3)) == ["it/things"]


class Families(Service):
    """Parents, and their children with a parameter that leaves out some."""

    def build_answer(self, request):
        if request.path == "/families":
            return 200, {}, {"things": [{"id": "f1", "changed": "2026-05-01T00:00:00Z"}]}
        since, only = request.params.get("since", ""), request.params.get("only", "")
        rows = [one for one in self.records if one["changed"] >= since and only in one["id"]]
        return 200, {}, {"things": rows}


def test_records_below_a_parent_are_compared_too(tmp_path):
    with serve(Families(build_things(12))) as service:
        child = THINGS | {"params": {"only": "1"}, "path": "families/{parent}/things"}
        shop = GrammarShop(
            tmp_path / "shop", service, resource=child | {"parent": {"resource": "families", "field": "id"}}
        )
        parent = {"resource": "families", "path": "families", "records": "things", "fields": {"id": "text"}}

        def declare(**more):
            shop.resource |= more
            shop.write("connectors/grammar/connector.yaml", {**shop.connector, "resources": [parent, shop.resource]})

        declare()
        shop.run()
        declare(params={})
        detail = shop.run(code=3)["findings"][0]["detail"]
        shop(*detail.split("`")[1].removeprefix("headwater ").split(), code=None)
        assert shop.read_ids() == list_ids(service.records)
        assert find_selection(shop.run()) == []


def test_a_step_alone_reports_it_too(tmp_path, collection):
    shop = filter_things(tmp_path, collection)
    shop.run()
    shop.write_connector(params={})
    step = next(one for one in shop("plan").json["steps"] if one["kind"] == "extract")
    assert find_selection(shop("step", json.dumps(step), code=3).json) == ["it/things"]


def test_a_step_of_another_account_is_refused(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    step = next(one for one in shop("plan").json["steps"] if one["kind"] == "extract")
    edit(shop, "company: acme", "company: other")
    service.requests.clear()
    assert "read another account before" in str(shop("step", json.dumps(step), code=2).json)
    assert service.requests == []
