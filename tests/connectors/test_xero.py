"""Xero: a custom connection, `If-Modified-Since`, numbered pages, `/Date()/`, and deleted documents by status."""

from __future__ import annotations

import re
import time
from base64 import b64decode
from email.utils import parsedate_to_datetime

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity
from tests.e2e.grammar.shop import Service, serve

INVOICES = build_entity(
    "invoice", "xero.invoices",
    {"thing_id": "InvoiceID", "number": "InvoiceNumber", "total": "Total", "item": "item(LineItems, 'ItemCode')"},
    changed_at="from_json_date(UpdatedDateUTC)",
)  # fmt: skip
ACCOUNTS = build_entity("account", "xero.accounts", {"thing_id": "AccountID", "code": "Code"})


class LedgerService(Service):
    """Invoices in pages of three whatever is requested, and accounts in one response."""

    def __init__(self):
        super().__init__()
        self.invoices, self.accounts = [], []
        self.ignored = False

    def build_answer(self, request):
        if request.path == "/connect/token":
            user = b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            is_right = user == f"{SECRET.format('client_id')}:{SECRET.format('client_secret')}"
            return (
                (200, {}, {"access_token": "tok", "expires_in": 1800})
                if is_right
                else (400, {}, {"error": "invalid_client"})
            )
        if request.headers.get("Authorization") != "Bearer tok" or request.headers["Accept"] != "application/json":
            return 401, {}, {"Title": "Unauthorized"}
        if request.path.endswith("/Accounts"):
            return 200, {}, {"Accounts": self.accounts}
        since = request.headers.get("If-Modified-Since")
        bound = parsedate_to_datetime(since).timestamp() if since and not self.ignored else 0
        rows = [one for one in self.invoices if int(re.search(r"\d+", one["UpdatedDateUTC"])[0]) >= bound * 1000]
        size = min(3, int(request.params["pageSize"]))
        start = (int(request.params["page"]) - 1) * int(request.params["pageSize"])
        return 200, {}, {"pagination": {"itemCount": len(rows)}, "Invoices": rows[start : start + size]}


def build_invoice(number, seconds, status="AUTHORISED"):
    return {
        "InvoiceID": f"id-{number:03}", "InvoiceNumber": f"INV-{number}", "Total": 10.5, "Status": status,
        "UpdatedDateUTC": f"/Date({int(seconds) * 1000}+0000)/", "LineItems": [{"ItemCode": "work", "Quantity": 1.0}],
    }  # fmt: skip


@pytest.fixture
def service():
    service = LedgerService()
    start = time.time() - 30 * 86_400
    service.invoices = [build_invoice(number, start + number) for number in range(8)]
    service.accounts = [{"AccountID": f"a{number}", "Code": str(number)} for number in range(4)]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "xero", INVOICES, ACCOUNTS, secrets=("client_id", "client_secret"),
        settings={"base_url": service.url, "login_url": service.url},
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    invoices = [
        (one["InvoiceID"], one["InvoiceNumber"], "work") for one in service.invoices if one["Status"] != "DELETED"
    ]
    assert shop.read("invoice", "thing_id", "number", "item") == sorted(invoices)
    assert shop.read("account", "thing_id", "code") == [(one["AccountID"], one["Code"]) for one in service.accounts]


def test_xero_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["resource"] == "invoices"
    report = shop.run()
    assert not report["findings"]
    check(shop, service)

    now = time.time() - 360
    service.invoices[1] |= {"InvoiceNumber": "INV-1-A", "UpdatedDateUTC": f"/Date({int(now) * 1000}+0000)/"}
    service.invoices[2] = build_invoice(2, now, "DELETED")
    service.invoices.append(build_invoice(50, now))
    del service.accounts[1]
    shop.run("--sweep", "--allow-drop")
    check(shop, service)
    versions = [shop.count_versions(name) for name in ("invoice", "account")]
    assert versions == [10, 4]
    shop.run()
    assert [shop.count_versions(name) for name in ("invoice", "account")] == versions


def test_a_header_that_is_ignored_is_noticed(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    service.ignored = True
    assert "ignored the filter" in str(shop.run(code=None))
