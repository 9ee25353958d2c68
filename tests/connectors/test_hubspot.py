"""HubSpot: searches by POST over the cap, bounds in milliseconds, a sweep of ids, and lists by token."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.paged_services import SearchService
from tests.e2e.grammar.shop import read_json, serve

COMPANIES = build_entity(
    "company", "hubspot.companies", {"thing_id": "id", "name": "properties.name", "revenue": "properties.annualrevenue"},
    changed_at="properties.hs_lastmodifieddate",
)  # fmt: skip
PRODUCTS = build_entity("product", "hubspot.products", {"thing_id": "id", "name": "properties.name"})
OWNERS = build_entity("owner", "hubspot.owners", {"thing_id": "id", "email": "email"})


class CrmService(SearchService):
    """Searches of companies and products, products by id, and a list of owners in pages of two."""

    cap, size = 10_000, 200

    def __init__(self):
        super().__init__()
        self.collections = {"companies": [], "products": []}
        self.owners = [{"id": str(number), "email": f"o{number}@example.com"} for number in range(5)]
        self.bodies = []

    def build_answer(self, request):
        if request.headers.get("Authorization") != f"Bearer {SECRET.format('access_token')}":
            return 401, {}, {"status": "error", "category": "INVALID_AUTHENTICATION"}
        steps = request.path.strip("/").split("/")
        if steps[-1] == "owners":
            start = int(request.params.get("after", 0))
            paging = {"paging": {"next": {"after": str(start + 2)}}} if start + 2 < len(self.owners) else {}
            return 200, {}, {"results": self.owners[start : start + 2], **paging}
        self.records = self.collections[steps[3]]
        if steps[-1] != "search":
            record = next((one for one in self.records if one["id"] == steps[-1]), None)
            if record is None:
                return 404, {}, {"category": "OBJECT_NOT_FOUND"}
            return 200, {}, self.show(record, request.params.get("properties", "createdate").split(","))
        body = read_json(request)
        self.bodies.append((steps[3], body))
        if any(not group["filters"] for group in body["filterGroups"]):
            return 400, {}, {"message": "a filter group needs at least one filter"}
        status, headers, answer = super().build_answer(request)
        shown = [self.show(one, body["properties"]) for one in answer.get("results", [])]
        return status, headers, {**answer, "results": shown}

    @staticmethod
    def show(record, names):
        """The record with the properties that were requested, and no others."""
        return {**record, "properties": {name: record["properties"].get(name) for name in names}}

    @staticmethod
    def is_match(record, one):
        name, operator = one["propertyName"], one["operator"]
        if operator == "HAS_PROPERTY":
            return True
        if name == "hs_object_id":
            return int(record["id"]) > int(one["value"])
        stamp = datetime.fromisoformat(record["properties"][name]).timestamp() * 1000
        return {"GTE": stamp >= int(one["value"]), "LT": stamp < int(one["value"])}[operator]


def build_object(number, name, stamp, **properties):
    return {
        "id": str(1_000_000 + number), "archived": False, "createdAt": stamp, "updatedAt": stamp,
        "properties": {"name": name, "hs_lastmodifieddate": stamp, "createdate": stamp, **properties},
    }  # fmt: skip


@pytest.fixture
def service():
    service = CrmService()
    old = build_stamp(days=20, pattern="%Y-%m-%dT%H:%M:%S.123Z")
    service.collections["companies"] = [
        build_object(number, f"company {number}", old, annualrevenue=f"{number}.50") for number in range(450)
    ]
    service.collections["products"] = [build_object(number, f"product {number}", old) for number in range(3)]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "hubspot", COMPANIES, PRODUCTS, OWNERS,
        settings={"base_url": service.url}, secrets=("access_token",),
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    for name, entity in (("companies", "company"), ("products", "product")):
        expected = [(one["id"], one["properties"]["name"]) for one in service.collections[name]]
        assert shop.read(entity, "thing_id", "name") == sorted(expected)


def test_hubspot_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["resource"] in ("companies", "products")
    shop.run()
    check(shop, service)
    assert shop.query("SELECT CAST(revenue AS double) FROM silver.company WHERE thing_id = '1000007'") == [(7.5,)]
    assert shop.read("owner", "thing_id", "email") == [(one["id"], one["email"]) for one in service.owners]

    now = build_stamp(6, pattern="%Y-%m-%dT%H:%M:%S.987Z")
    service.collections["companies"][3]["properties"] |= {"name": "renamed", "hs_lastmodifieddate": now}
    service.collections["companies"].append(build_object(900, "new", now))
    del service.collections["companies"][5]
    del service.collections["products"][1]
    service.bodies.clear()
    shop.run("--sweep", "--allow-drop")
    check(shop, service)
    # The changes were requested with both bounds, the ids without them.
    operators = [
        tuple(one["operator"] for one in body["filterGroups"][0]["filters"])
        for name, body in service.bodies if name == "companies"
    ]  # fmt: skip
    assert ("HAS_PROPERTY", "GTE", "LT") in operators
    assert ("HAS_PROPERTY",) in operators
    versions = [shop.count_versions(name) for name in ("company", "product", "owner")]
    assert versions == [452, 3, 5]
    shop.run()
    assert [shop.count_versions(name) for name in ("company", "product", "owner")] == versions
    check(shop, service)


def test_a_property_that_was_cleared_is_an_empty_text(tmp_path, service):
    service.collections["companies"][1]["properties"]["annualrevenue"] = ""
    service.collections["companies"][2]["properties"]["annualrevenue"] = None
    shop = create(tmp_path, service)
    report = shop.run()
    assert report["quarantined"] == 0
    check(shop, service)


@pytest.mark.slow
def test_a_collection_above_the_cap_of_a_search_is_read_whole(tmp_path, service):
    stamp = build_stamp(days=3)
    service.collections["companies"] = [build_object(number, "x", stamp) for number in range(10_100)]
    shop = create(tmp_path, service)
    shop.run()
    assert len(shop.read("company", "thing_id")) == 10_100
    above = [one["filterGroups"][0]["filters"][-1] for name, one in service.bodies if name == "companies"]
    assert {"propertyName": "hs_object_id", "operator": "GT", "value": "1009999"} in above
