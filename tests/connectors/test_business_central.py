"""Business Central: a token of Entra, companies as parents, OData filters and links, and lines inside of documents."""

from __future__ import annotations

import re
import uuid
from urllib.parse import parse_qsl, quote

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.shop import Service, serve

CUSTOMERS = build_entity(
    "customer", "business_central.customers", {"company": "_parent", "thing_id": "id", "name": "displayName"},
    key=["company", "thing_id"], changed_at="lastModifiedDateTime",
)  # fmt: skip
INVOICES = build_entity(
    "invoice", "business_central.sales_invoices",
    {"company": "_parent", "thing_id": "id", "number": "number", "first": "item(salesInvoiceLines, 'description')"},
    key=["company", "thing_id"], changed_at="lastModifiedDateTime",
)  # fmt: skip
BASE = "/v2.0/my-tenant/production/api/v2.0"
COMPANIES = [str(uuid.UUID(int=number)) for number in (1, 2)]


class ErpService(Service):
    """Tokens, and the collections of two companies in pages of three."""

    def __init__(self):
        super().__init__()
        self.collections = {(company, name): [] for company in COMPANIES for name in ("customers", "salesInvoices")}
        self.ignored = False

    def build_answer(self, request):
        if request.path == "/my-tenant/oauth2/v2.0/token":
            asked = dict(parse_qsl(request.body.decode()))
            is_right = asked["client_secret"] == SECRET.format("client_secret") and asked["scope"].endswith("/.default")
            return (
                (200, {}, {"access_token": "tok", "expires_in": 3599})
                if is_right
                else (401, {}, {"error": "invalid_client"})
            )
        if request.headers.get("Authorization") != "Bearer tok":
            return 401, {}, {"error": {"code": "Unauthorized"}}
        assert request.headers["Data-Access-Intent"] == "ReadOnly"
        assert request.headers["Prefer"] == "odata.maxpagesize=5000"
        path, params = request.path.removeprefix(BASE), request.params
        if path == "/companies":
            return 200, {}, {"value": [{"id": company, "name": "x"} for company in COMPANIES]}
        company, name = re.fullmatch(r"/companies\(([0-9a-f-]{36})\)/(\w+)", path).groups()
        rows = sorted(self.collections[company, name], key=lambda one: one["id"])
        for operator, bound in re.findall(r"lastModifiedDateTime (ge|lt) (\S+)", params.get("$filter", "")):
            if not self.ignored:
                rows = [one for one in rows if (one["lastModifiedDateTime"] >= bound) is (operator == "ge")]
        rows = [one for one in rows if one["id"] > params.get("$skiptoken", "")]
        body = {"value": [self.show(one, params) for one in rows[:3]]}
        if len(rows) > 3:
            kept = "".join(f"&{key}={quote(value)}" for key, value in params.items() if key != "$skiptoken")
            body["@odata.nextLink"] = f"{self.url}{request.path}?$skiptoken={rows[2]['id']}{kept}"
        return 200, {}, body

    @staticmethod
    def show(record, params):
        if params.get("$select") == "id":
            return {"id": record["id"]}
        return {
            key: value for key, value in record.items() if key != "salesInvoiceLines" or params.get("$expand") == key
        }


def build_record(ident, title, stamp, **more):
    return {"id": str(uuid.UUID(int=1000 + ident)), "displayName": title, "lastModifiedDateTime": stamp, **more}


@pytest.fixture
def service():
    service = ErpService()
    old = build_stamp(days=30, pattern="%Y-%m-%dT%H:%M:%S.123Z")
    for company, count in zip(COMPANIES, (7, 2), strict=True):
        service.collections[company, "customers"] = [
            build_record(number, f"customer {number}", old, balanceDue=10.25) for number in range(count)
        ]
        service.collections[company, "salesInvoices"] = [
            build_record(
                number, "", old, number=f"S-{number}", salesInvoiceLines=[{"description": "work", "unitPrice": 3.5}]
            )
            for number in range(count)
        ]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "business_central", CUSTOMERS, INVOICES, secrets=("client_id", "client_secret"),
        settings={"base_url": service.url, "login_url": service.url, "tenant_id": "my-tenant"},
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    for name, entity, column, field in (
        ("customers", "customer", "name", "displayName"), ("salesInvoices", "invoice", "number", "number"),
    ):  # fmt: skip
        expected = [
            (company, one["id"], one[field]) for company in COMPANIES for one in service.collections[company, name]
        ]
        assert shop.read(entity, "company", "thing_id", column) == sorted(expected)


def test_business_central_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["resource"] == "companies"
    shop.run()
    check(shop, service)
    assert shop.query("SELECT DISTINCT first FROM silver.invoice") == [("work",)]

    now = build_stamp(6)
    customers = service.collections[COMPANIES[0], "customers"]
    customers[3] |= {"displayName": "renamed", "lastModifiedDateTime": now}
    customers.append(build_record(90, "new", now))
    # The same customer stays in the other company.
    del customers[1]
    shop.run("--sweep", "--allow-drop")
    check(shop, service)
    versions = [shop.count_versions(name) for name in ("customer", "invoice")]
    assert versions == [11, 9]
    shop.run()
    assert [shop.count_versions(name) for name in ("customer", "invoice")] == versions


def test_a_filter_that_is_ignored_is_noticed(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    service.ignored = True
    assert "ignored the filter" in str(shop.run(code=None))
