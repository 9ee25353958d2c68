"""Autotask: the zone of a user, filters in JSON, next pages by the last id, and records that are asked for by id."""

from __future__ import annotations

import json

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.shop import Service, serve

STAMP = "%Y-%m-%dT%H:%M:%S.263Z"
TICKETS = build_entity(
    "ticket", "autotask.tickets",
    {"thing_id": "id", "title": "title", "severity": "item(userDefinedFields, 'value', 'name', 'Severity')"},
    changed_at="lastActivityDate",
)  # fmt: skip
RESOURCES = build_entity("resource", "autotask.resources", {"thing_id": "id", "email": "email"})


class ZonedService(Service):
    """A zone, and entities in pages of four, of which the next one is above the last id."""

    def __init__(self):
        super().__init__()
        self.entities = {"Tickets": [], "Resources": []}

    def build_answer(self, request):
        if request.path == "/v1.0/zoneInformation":
            assert request.headers.get("Secret") is None
            return 200, {}, {"zoneName": "EU", "url": f"{self.url}/zone5/", "user": request.params["user"]}
        keys = [request.headers.get(name) for name in ("UserName", "Secret", "ApiIntegrationCode")]
        if keys != ["api@example.com", SECRET.format("secret"), SECRET.format("integration_code")]:
            return 401, {}, {"errors": ["The logged in Resource does not have the adequate permissions"]}
        name, _, what = request.path.removeprefix("/zone5/v1.0/").partition("/")
        rows = self.entities[name]
        if not what.startswith("query"):
            return 200, {}, {"item": next((one for one in rows if str(one["id"]) == what), None)}
        search = json.loads(request.params["search"])
        above = int(request.params.get("paging", -1))
        rows = [one for one in rows if one["id"] > above and all(self.is_match(one, rule) for rule in search["filter"])]
        page, link = rows[:4], None
        if len(rows) > 4:
            query = request.target.partition("search=")[2].partition("&")[0]
            link = f"{self.url}/zone5/v1.0/{name}/query/next?paging={page[-1]['id']}&search={query}"
        names = search.get("IncludeFields")
        shown = [{name: one[name] for name in names} for one in page] if names else page
        return 200, {}, {"items": shown, "pageDetails": {"count": len(page), "nextPageUrl": link}}

    @staticmethod
    def is_match(record, rule):
        value = record.get(rule["field"])
        if rule["op"] == "exist":
            return value is not None
        return value is not None and (value >= rule["value"] if rule["op"] == "gte" else value < rule["value"])


def build_ticket(number, title, stamp):
    fields = [{"name": "Severity", "value": "high"}, {"name": "Area", "value": None}]
    return {
        "id": number,
        "title": title,
        "lastActivityDate": stamp,
        "estimatedHours": 1.25,
        "userDefinedFields": fields,
    }


@pytest.fixture
def service():
    service = ZonedService()
    old = build_stamp(days=50, pattern=STAMP)
    service.entities["Tickets"] = [build_ticket(number, f"ticket {number}", old) for number in range(11)]
    service.entities["Resources"] = [{"id": number, "email": f"r{number}@example.com"} for number in range(6)]
    # The stamp of a ticket that nobody touched since it was imported.
    service.entities["Tickets"][8]["lastActivityDate"] = None
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "autotask", TICKETS, RESOURCES,
        settings={"base_url": service.url, "user": "api@example.com"}, secrets=("secret", "integration_code"),
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    for name, entity, field in (("Tickets", "ticket", "title"), ("Resources", "resource", "email")):
        expected = sorted((str(one["id"]), one[field]) for one in service.entities[name])
        assert shop.read(entity, "thing_id", field) == expected


def test_autotask_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["url"] == f"{service.url}/zone5/v1.0"
    shop.run()
    check(shop, service)
    assert shop.query("SELECT DISTINCT severity FROM silver.ticket") == [("high",)]

    now = build_stamp(6, pattern=STAMP)
    tickets = service.entities["Tickets"]
    tickets[3] |= {"title": "renamed", "lastActivityDate": now}
    tickets.append(build_ticket(90, "new", now))
    del tickets[5]
    del service.entities["Resources"][0]
    shop.run("--sweep")
    check(shop, service)
    versions = [shop.count_versions(name) for name in ("ticket", "resource")]
    assert versions == [13, 6]
    service.requests.clear()
    shop.run()
    assert [shop.count_versions(name) for name in ("ticket", "resource")] == versions
    (search,) = [json.loads(one.params["search"]) for one in service.requests if "Tickets" in one.path]
    assert [rule["op"] for rule in search["filter"]] == ["gte", "lt"]
