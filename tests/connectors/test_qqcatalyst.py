"""QQCatalyst: a password grant, days as bounds, errors inside of 200, flags of deleted records, and spellings of stamps."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.shop import Service, serve

STAMP = "%Y-%m-%dT%H:%M:%S.1234567+00:00"
POLICIES = build_entity(
    "policy", "qqcatalyst.policies", {"thing_id": "PolicyId", "number": "PolicyNumber", "premium": "TotalPremium"},
    changed_at="LastModifiedDate",
)  # fmt: skip
CONTACTS = build_entity(
    "contact", "qqcatalyst.contacts", {"thing_id": "EntityID", "name": "DisplayName"}, changed_at="LastModifiedDate"
)


class AgencyService(Service):
    """Lists by day, in pages of three whatever is requested."""

    def __init__(self):
        super().__init__()
        self.lists = {"Policies": [], "Contacts": []}
        self.error = None

    def build_answer(self, request):
        if request.path == "/oauth/token":
            asked = dict(parse_qsl(request.body.decode()))
            expected = {"grant_type": "password", "username": "me", "password": SECRET.format("password")}
            expected |= {name: SECRET.format(name) for name in ("client_id", "client_secret")}
            return (200, {}, {"access_token": "tok"}) if asked == expected else (400, {}, {"error": "invalid_grant"})
        if request.headers.get("Authorization") != "Bearer tok":
            return 401, {}, {}
        if self.error:
            return 200, {}, {"Data": None, "IsSuccess": False, "ErrorMessage": self.error}
        params = request.params
        rows = [
            one
            for one in self.lists[request.path.split("/")[2]]
            if params["startDate"] <= one["LastModifiedDate"][:10] <= params["endDate"]
        ]
        start = (int(params["pageNumber"]) - 1) * int(params["pageSize"])
        page = rows[start : start + min(3, int(params["pageSize"]))]
        return 200, {}, {
            "Data": page, "PageNumber": int(params["pageNumber"]), "TotalItems": len(rows), "IsSuccess": True,
            "ErrorMessage": None,
        }  # fmt: skip


def build_policy(number, stamp, **more):
    return {
        "PolicyId": number, "PolicyNumber": f"P-{number}", "TotalPremium": 1200.5, "IsDeleted": False, "LastModifiedDate": stamp,
        **more,
    }  # fmt: skip


@pytest.fixture
def service():
    service = AgencyService()
    old = build_stamp(days=100, pattern=STAMP)
    service.lists["Policies"] = [build_policy(number, old) for number in range(1, 9)]
    service.lists["Contacts"] = [
        {"EntityID": number, "DisplayName": f"contact {number}", "Status": "A", "LastModifiedDate": old}
        for number in range(1, 3)
    ]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "qqcatalyst", POLICIES, CONTACTS, secrets=("client_id", "client_secret", "password"),
        settings={"base_url": service.url, "login_url": service.url, "user": "me"},
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    policies = [
        (str(one["PolicyId"]), one["PolicyNumber"]) for one in service.lists["Policies"] if not one["IsDeleted"]
    ]
    contacts = [(str(one["EntityID"]), one["DisplayName"]) for one in service.lists["Contacts"] if one["Status"] != "D"]
    assert shop.read("policy", "thing_id", "number") == sorted(policies)
    assert shop.read("contact", "thing_id", "name") == sorted(contacts)


def test_qqcatalyst_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["records"] == 0
    report = shop.run()
    assert not report["findings"]
    check(shop, service)

    now = build_stamp(6, pattern=STAMP)
    service.lists["Policies"][0] |= {"PolicyNumber": "P-1-A", "LastModifiedDate": now}
    service.lists["Policies"][1] |= {"IsDeleted": True, "LastModifiedDate": now}
    service.lists["Policies"].append(build_policy(20, now))
    service.lists["Contacts"][0] |= {"Status": "D", "LastModifiedDate": now}
    shop.run()
    check(shop, service)
    versions = [shop.count_versions(name) for name in ("policy", "contact")]
    assert versions == [10, 2]
    # The days are read again in each run, and change nothing.
    shop.run()
    assert [shop.count_versions(name) for name in ("policy", "contact")] == versions


def test_an_error_inside_of_200_stops_the_read_and_deletes_nothing(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    service.error = "User cannot be identified."
    report = shop.run(code=1)
    assert "User cannot be identified." in str(report)
    check(shop, service)
