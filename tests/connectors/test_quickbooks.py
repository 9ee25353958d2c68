"""QuickBooks Online: a login whose tokens rotate, queries by text, inactive names, and transactions that were deleted."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.login_service import CLIENT_SECRET, KEY, LoginService, log_in
from tests.e2e.grammar.shop import serve

STAMP = "%Y-%m-%dT%H:%M:%S-00:00"
CUSTOMERS = build_entity(
    "customer", "quickbooks.customers", {"thing_id": "Id", "name": "DisplayName"}, changed_at="MetaData.LastUpdatedTime"
)
INVOICES = build_entity(
    "invoice", "quickbooks.invoices", {"thing_id": "Id", "number": "DocNumber", "customer": "CustomerRef.value"},
    changed_at="MetaData.LastUpdatedTime",
)  # fmt: skip


class CompanyService(LoginService):
    """The names and transactions of one company, in pages of three. A query without `Active` leaves inactive names out."""

    def __init__(self):
        super().__init__()
        self.entities = {"Customer": [], "Invoice": []}
        self.queries = []

    def give_token(self, values, request):
        user = b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if user != f"{SECRET.format('client_id')}:{SECRET.format('client_secret')}":
            return 401, {}, {"error": "invalid_client"}
        return super().give_token({**values, "client_id": "app", "client_secret": CLIENT_SECRET}, request)

    def build_answer(self, request):
        if request.path in ("/authorize", "/token"):
            return super().build_answer(request)
        if not self.access.get(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return 401, {}, {"fault": {"type": "AUTHENTICATION"}}
        assert request.path == "/v3/company/4620/query"
        query = request.params["query"]
        self.queries.append(query)
        match = re.fullmatch(
            r"SELECT \* FROM (\w+)(?: WHERE (.*))? ORDERBY Id STARTPOSITION (\d+) MAXRESULTS (\d+)", query
        )
        rows = self.entities.get(match[1], [])
        if match[1] == "Customer" and "Active IN (true, false)" not in query:
            rows = [row for row in rows if row["Active"]]
        for operator, bound in re.findall(r"LastUpdatedTime (>=|<) '([^']+)'", match[2] or ""):
            rows = [row for row in rows if is_match(row, operator, bound)]
        start = int(match[3]) - 1
        page = rows[start : start + min(3, int(match[4]))]
        answer = {match[1]: page, "startPosition": start + 1, "maxResults": len(page)} if page else {}
        return 200, {}, {"QueryResponse": answer, "time": "now"}


def is_match(row, operator, bound):
    stamp, bound = row["MetaData"]["LastUpdatedTime"][:19], bound[:19]
    return stamp >= bound if operator == ">=" else stamp < bound


def build_record(number, stamp, **more):
    return {"Id": str(number), "SyncToken": "0", "MetaData": {"CreateTime": stamp, "LastUpdatedTime": stamp}, **more}


@pytest.fixture
def service():
    service, old = CompanyService(), build_stamp(days=30, pattern=STAMP)
    service.entities["Customer"] = [
        build_record(n, old, DisplayName=f"customer {n}", Active=n != 2, Balance=10.25) for n in range(1, 8)
    ]
    service.entities["Invoice"] = [
        build_record(n, old, DocNumber=f"INV-{n}", TotalAmt=99.99, CustomerRef={"value": "1", "name": "customer 1"})
        for n in range(100, 105)
    ]
    with serve(service):
        yield service


@pytest.fixture
def shop(tmp_path, service):
    shop = ConnectorShop(
        tmp_path / "shop", "quickbooks", CUSTOMERS, INVOICES, secrets=("client_id", "client_secret"),
        settings={
            "base_url": service.url, "token_url": f"{service.url}/token", "authorize_url": f"{service.url}/authorize",
            "realm_id": "4620",
        },
    )  # fmt: skip
    shop.env["HEADWATER_TOKEN_KEY"] = KEY
    return shop


def check(shop, service):
    """What is there now must be what the service has."""
    customers = [(one["Id"], one["DisplayName"]) for one in service.entities["Customer"]]
    assert shop.read("customer", "thing_id", "name") == sorted(customers)
    invoices = [(one["Id"], one["DocNumber"], "1") for one in service.entities["Invoice"]]
    assert shop.read("invoice", "thing_id", "number", "customer") == sorted(invoices)


def test_quickbooks_from_a_login_to_a_run_without_news(shop, service):
    assert shop("run", code=1).error["kind"] == "LoginRequired"
    code, _, err = log_in(shop, "--port", "0")
    assert code == 0, err
    assert shop("connection", "test", "it").json["records"] >= 0
    report = shop.run()
    assert not report["findings"]
    check(shop, service)

    now = build_stamp(4, pattern=STAMP)
    service.entities["Customer"][4] |= {
        "DisplayName": "renamed",
        "MetaData": {"CreateTime": now, "LastUpdatedTime": now},
    }
    service.entities["Invoice"].append(build_record(200, now, DocNumber="new", CustomerRef={"value": "1"}))
    del service.entities["Invoice"][1]
    service.access.clear()
    shop.run("--sweep", "--allow-drop")
    check(shop, service)
    versions = [shop.count_versions(name) for name in ("customer", "invoice")]
    assert versions == [8, 6]
    shop.run()
    assert [shop.count_versions(name) for name in ("customer", "invoice")] == versions
    assert all("Active IN (true, false)" in query for query in service.queries if "FROM Customer" in query)
