"""A base URL that the service tells first, and collections of each parent."""

from __future__ import annotations

import json
import re
import uuid

import pytest

from tests.e2e.grammar.paged_services import SNAPSHOT
from tests.e2e.grammar.shop import GrammarShop, Service, build_things, list_ids, serve

SECRET = "secret-of-the-integration"


class ZoneService(Service):
    """Tells the zone of a user, without credentials, as Autotask does."""

    zone = ""

    def build_answer(self, request):
        assert request.path == "/rest/v1.0/zoneInformation"
        return 200, {}, {"zoneName": "z", "url": f"{self.zone}/rest/", "user": request.params["user"]}


class QueryService(Service):
    """A query as JSON in a parameter, and the URL of the next page in the body."""

    def build_answer(self, request):
        if request.headers.get("Secret") != SECRET:
            return 401, {}, {}
        search, start = json.loads(request.params["search"]), int(request.params.get("start", 0))
        condition = search["filter"][0]
        assert condition["op"] in ("gte", "exist")
        rows = [one for one in self.records if condition["op"] == "exist" or one["changed"] >= condition["value"]]
        details = {"nextPageUrl": None}
        if start + 4 < len(rows):
            query = request.target.partition("?")[2].partition("&start=")[0]
            details["nextPageUrl"] = f"{self.url}{request.path}?{query}&start={start + 4}"
        return 200, {}, {"items": rows[start : start + 4], "pageDetails": details}


AUTOTASK = {
    "path": "Things/query", "records": "items", "params": {},
    "paging": {"kind": "next_url", "field": "pageDetails.nextPageUrl", "stable": True},
    "cursor": {
        "kind": "changes", "field": "changed",
        "params": {"search": '{"MaxRecords":500,"filter":[{"op":"gte","field":"changed","value":"{since}"}]}'},
        "first": {"search": '{"MaxRecords":500,"filter":[{"op":"exist","field":"id"}]}'},
    },
}  # fmt: skip


def create_zoned_shop(tmp_path, zones, *hosts):
    connector = {
        "base_url": "{base_url}/rest", "auth": {"kind": "headers", "headers": {"Secret": "{secret_key}", "UserName": "{user}"}},
        "lookup": {"path": "v1.0/zoneInformation", "params": {"user": "{user}"}, "field": "url", "append": "v1.0",
                   "hosts": hosts},
    }  # fmt: skip
    return GrammarShop(
        tmp_path / "shop", zones, resource=AUTOTASK, connector=connector, settings={"user": "api@example.com"},
        secrets={"secret_key": SECRET},
    )  # fmt: skip


def test_autotask_asks_for_the_zone_first_and_follows_next_page_url(tmp_path):
    with serve(ZoneService()) as zones, serve(QueryService(build_things(10))) as service:
        zones.zone = service.url
        shop = create_zoned_shop(tmp_path, zones, service.url.removeprefix("http://"))
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert {request.path for request in service.requests} == {"/rest/v1.0/Things/query"}
        assert [request.headers.get("Secret") for request in zones.requests] == [None]
        assert zones.requests[0].params == {"user": "api@example.com"}
        service.requests.clear()
        shop.run()
        assert json.loads(service.requests[0].params["search"])["filter"][0]["op"] == "gte"


def test_a_zone_may_be_on_the_host_of_the_base_url(tmp_path):
    class ZonedService(QueryService):
        def build_answer(self, request):
            if request.path.endswith("zoneInformation"):
                return 200, {}, {"url": f"{self.url}/zone5/"}
            return super().build_answer(request)

    with serve(ZonedService(build_things(10))) as service:
        shop = create_zoned_shop(tmp_path, service, "*.example.com")
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert {request.path for request in service.requests[1:]} == {"/zone5/v1.0/Things/query"}


def test_a_zone_that_is_not_declared_gets_no_credentials(tmp_path):
    with serve(ZoneService()) as zones, serve(QueryService(build_things(10))) as stranger:
        zones.zone = stranger.url
        shop = create_zoned_shop(tmp_path, zones, "*.example.com")
        assert "a base URL that the connector does not allow" in shop.run(code=None)["steps"][0]["error"]["message"]
        assert stranger.requests == []


@pytest.mark.parametrize("url", ["http://zone.example.com", "ftp://x", "", None, 7])
def test_a_zone_that_is_no_safe_url_is_refused(tmp_path, url):
    with serve(ZoneService()) as zones:
        zones.build_answer = lambda request: (200, {}, {"url": url})
        assert "base URL" in create_zoned_shop(tmp_path, zones, "*.example.com").fail()["message"]


class CompaniesService(Service):
    """Companies with GUIDs, and the items of each, in pages of two, as Business Central's."""

    def __init__(self):
        super().__init__()
        self.items = {
            str(uuid.UUID(int=company)): [{"id": f"{company}-{number}", "name": "x"} for number in range(size)]
            for company, size in ((1, 5), (2, 0), (3, 2))
        }

    def build_answer(self, request):
        if request.path == "/companies":
            return 200, {}, {"value": [{"id": ident} for ident in self.items]}
        company = re.fullmatch(r"/companies\(([0-9a-f-]{36})\)/items", request.path)[1]
        start = int(request.params.get("$skiptoken", 0))
        rows = self.items[company]
        body = {"value": rows[start : start + 2]}
        if start + 2 < len(rows):
            body["@odata.nextLink"] = f"{self.url}{request.path}?$skiptoken={start + 2}"
        return 200, {}, body


def create_companies_shop(tmp_path, service):
    paging = {"kind": "next_url", "field": "@odata\\.nextLink", "stable": True}
    items = {
        "path": "companies({parent})/items", "records": "value", "fields": {"id": "text", "name": "text"},
        "parent": {"resource": "companies", "field": "id"}, "cursor": SNAPSHOT,
    }  # fmt: skip
    entity = {
        "key": ["company", "thing_id"], "columns": {"company": "text", "thing_id": "text", "name": "text"},
        "sources": {"grammar.things": {"map": {"company": "_parent", "thing_id": "id", "name": "name"}}},
    }  # fmt: skip
    shop = GrammarShop(tmp_path / "shop", service, resource=items, entity=entity, connector={"paging": paging})
    companies = {
        "resource": "companies",
        "path": "companies",
        "records": "value",
        "fields": {"id": "text"},
        "cursor": SNAPSHOT,
    }
    shop.write("connectors/grammar/connector.yaml", {**shop.connector, "resources": [companies, shop.resource]})
    return shop


def test_business_central_reads_the_items_of_each_company(tmp_path):
    with serve(CompaniesService()) as service:
        shop = create_companies_shop(tmp_path, service)
        shop.run()
        expected = sorted((company, item["id"]) for company, items in service.items.items() for item in items)
        asked = "SELECT company, thing_id FROM silver.thing WHERE is_current ORDER BY ALL"
        assert shop.query(asked) == expected
        # An item that is gone from one company, and the same id in another.
        service.items[str(uuid.UUID(int=1))].pop()
        service.items[str(uuid.UUID(int=2))].append({"id": "1-0", "name": "the id of another company"})
        shop.run()
        expected = sorted((company, item["id"]) for company, items in service.items.items() for item in items)
        assert shop.query(asked) == expected
