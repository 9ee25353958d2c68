"""Salesforce: client credentials on My Domain, SOQL with both bounds, locators of 2,000 records, and deleted records by flag."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.paged_services import LocatorService
from tests.e2e.grammar.shop import serve

STAMP = "%Y-%m-%dT%H:%M:%S.000+0000"
ACCOUNTS = build_entity(
    "account",
    "salesforce.accounts",
    {"thing_id": "Id", "name": "Name", "revenue": "AnnualRevenue"},
    changed_at="SystemModstamp",
)
USERS = build_entity("user", "salesforce.users", {"thing_id": "Id", "name": "Name"}, changed_at="SystemModstamp")


class OrganizationService(LocatorService):
    """Objects by SOQL. A query returns the fields that it names, and a locator continues it."""

    def __init__(self):
        super().__init__()
        self.objects = {"Account": [], "User": []}
        self.queries, self.results = [], []

    def build_answer(self, request):
        if request.path == "/services/oauth2/token":
            asked = dict(parse_qsl(request.body.decode()))
            if (asked["grant_type"], asked["client_secret"]) != ("client_credentials", SECRET.format("client_secret")):
                return 400, {}, {"error": "invalid_client"}
            return 200, {}, {"access_token": "tok", "instance_url": self.url, "token_type": "Bearer"}
        if request.headers.get("Authorization") != "Bearer tok":
            return 401, {}, [{"errorCode": "INVALID_SESSION_ID"}]
        if request.path == "/services/data/v62.0/queryAll":
            self.results.append(self.select(request.params["q"]))
            number = len(self.results) - 1
        else:
            number = int(re.fullmatch(r"/services/data/v62.0/query/01g(\d+)-\d+", request.path)[1])
        self.records = self.results[number]
        status, headers, body = super().build_answer(request)
        if "nextRecordsUrl" in body:
            body["nextRecordsUrl"] = body["nextRecordsUrl"].replace(
                "/services/query/01g", f"/services/data/v62.0/query/01g{number}"
            )
        return status, headers, body

    def select(self, query):
        self.queries.append(query)
        names, table, where = re.fullmatch(r"SELECT (.+) FROM (\w+) WHERE (.+)", query).groups()
        rows = self.objects[table]
        for operator, bound in re.findall(r"SystemModstamp (>=|<) (\S+)", where):
            rows = [one for one in rows if (one["SystemModstamp"][:19] >= bound[:19]) is (operator == ">=")]
        shown = names.split(", ")
        if table == "User" and "IsDeleted" in shown:
            raise AssertionError("No such column 'IsDeleted' on entity 'User'")
        return [{"attributes": {"type": table}, **{name: one.get(name) for name in shown}} for one in rows]


def build_record(number, name, stamp, **more):
    return {
        "Id": f"001{number:015}",
        "Name": name,
        "SystemModstamp": stamp,
        "CreatedDate": stamp,
        "IsDeleted": False,
        **more,
    }


@pytest.fixture
def service():
    service = OrganizationService()
    old = build_stamp(days=20, pattern=STAMP)
    service.objects["Account"] = [
        build_record(number, f"account {number}", old, AnnualRevenue=1.25) for number in range(4100)
    ]
    service.objects["User"] = [build_record(number, f"user {number}", old) for number in range(3)]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "salesforce", ACCOUNTS, USERS, secrets=("client_id", "client_secret"),
        settings={"base_url": service.url},
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    for table, entity in (("Account", "account"), ("User", "user")):
        expected = sorted((one["Id"], one["Name"]) for one in service.objects[table] if not one["IsDeleted"])
        assert shop.read(entity, "thing_id", "name") == expected


def test_salesforce_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["records"] == 0
    shop.run()
    check(shop, service)
    assert any(one.path.endswith("-4000") for one in service.requests)

    now = build_stamp(6, pattern=STAMP)
    accounts = service.objects["Account"]
    accounts[3] |= {"Name": "renamed", "SystemModstamp": now}
    accounts[5] |= {"IsDeleted": True, "SystemModstamp": now}
    accounts.append(build_record(9000, "new", now))
    service.queries.clear()
    shop.run()
    check(shop, service)
    assert all("SystemModstamp >= 20" in query and "SystemModstamp < 20" in query for query in service.queries)
    versions = [shop.count_versions(name) for name in ("account", "user")]
    assert versions == [4102, 3]
    shop.run()
    assert [shop.count_versions(name) for name in ("account", "user")] == versions
