"""Stripe: complete reads by the last id, `created` filters with epochs, a version header, and customers that are gone."""

from __future__ import annotations

import time

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity
from tests.e2e.grammar.paged_services import StripeService
from tests.e2e.grammar.shop import serve

CUSTOMERS = build_entity("customer", "stripe.customers", {"thing_id": "id", "name": "name", "city": "address.city"})
SUBSCRIPTIONS = build_entity("subscription", "stripe.subscriptions", {"thing_id": "id", "status": "status"})
EVENTS = build_entity(
    "event",
    "stripe.events",
    {"thing_id": "id", "type": "type", "object": "data.object.id"},
    changed_at="from_epoch(created)",
)


class PaymentService(StripeService):
    """Collections by path. A deleted customer is still returned by id, and canceled subscriptions only on request."""

    size = 100

    def __init__(self):
        super().__init__()
        self.collections = {"customers": [], "subscriptions": [], "events": []}

    def build_answer(self, request):
        if request.headers.get("Authorization") != f"Bearer {SECRET.format('api_key')}":
            return 401, {}, {"error": {"message": "Invalid API Key provided"}}
        assert request.headers["Stripe-Version"] == "2024-06-20"
        name = request.path.removeprefix("/v1/")
        self.records = self.collections[name]
        if name == "subscriptions" and request.params.get("status") != "all":
            self.records = [one for one in self.records if one["status"] != "canceled"]
        return super().build_answer(request)


def build_customer(number):
    return {
        "id": f"cus_{number:03}", "object": "customer", "name": f"customer {number}", "created": 1_770_000_000 + number,
        "address": {"city": "Reykjavik", "line1": None}, "metadata": {"segment": "a"}, "balance": 0,
    }  # fmt: skip


def build_event(number, created, kind="customer.created"):
    return {"id": f"evt_{number:03}", "type": kind, "created": created, "data": {"object": {"id": f"cus_{number:03}"}}}


@pytest.fixture
def service():
    service = PaymentService()
    now = int(time.time())
    service.collections["customers"] = [build_customer(number) for number in range(230)]
    service.collections["subscriptions"] = [
        {"id": f"sub_{number}", "status": "canceled" if number % 2 else "active"} for number in range(4)
    ]
    service.collections["events"] = [build_event(number, now - 86_400 + number) for number in range(120)]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "stripe", CUSTOMERS, SUBSCRIPTIONS, EVENTS,
        settings={"base_url": service.url}, secrets=("api_key",),
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    customers = service.collections["customers"]
    assert shop.read("customer", "thing_id", "name", "city") == [
        (one["id"], one["name"], one["address"]["city"]) for one in customers
    ]
    assert shop.read("subscription", "thing_id", "status") == [
        (one["id"], one["status"]) for one in service.collections["subscriptions"]
    ]
    assert shop.read("event", "thing_id", "object") == [
        (one["id"], one["data"]["object"]["id"]) for one in service.collections["events"]
    ]


def test_stripe_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["resource"] == "events"
    shop.run()
    check(shop, service)
    assert [request.params.get("starting_after") for request in service.requests if "customers" in request.path] == [
        None, "cus_130", "cus_030",
    ]  # fmt: skip

    service.collections["customers"][7]["name"] = "renamed"
    del service.collections["customers"][9]
    service.collections["subscriptions"][0]["status"] = "canceled"
    service.collections["events"].append(build_event(500, int(time.time()) - 150, "customer.updated"))
    service.requests.clear()
    shop.run("--sweep")
    check(shop, service)
    changed = [request for request in service.requests if request.path == "/v1/events"]
    assert all("created[gte]" in request.params for request in changed)
    versions = [shop.count_versions(name) for name in ("customer", "subscription", "event")]
    assert versions == [231, 5, 121]

    # Complete reads are not due, and the events bring nothing that is not known.
    service.requests.clear()
    shop.run()
    assert {request.path for request in service.requests} == {"/v1/events"}
    assert [shop.count_versions(name) for name in ("customer", "subscription", "event")] == versions
    check(shop, service)


def test_a_wrong_key_is_reported_without_it(tmp_path, service):
    shop = create(tmp_path, service)
    shop.env["API_KEY"] = shop.secrets["api_key"] = "another-key-nobody-may-see"
    error = shop("connection", "test", "it", code=1).error
    assert "401" in error["message"]


def test_a_filter_that_is_ignored_is_noticed(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    answer = service.build_answer
    service.collections["events"][0]["created"] = 1_600_000_000

    def build_answer(request):
        if request.path == "/v1/events":
            return 200, {}, {"data": service.collections["events"][:1], "has_more": False}
        return answer(request)

    service.build_answer = build_answer
    report = shop.run(code=3)
    assert "ignored the filter" in str(report)
