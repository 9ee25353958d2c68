"""Microsoft 365: a token of Entra, deltas with removed objects and expired links, members of groups, and logs by filter."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.shop import serve
from tests.e2e.grammar.test_delta import DeltaService

USERS = build_entity("user", "microsoft365.users", {"thing_id": "id", "name": "displayName"})
GROUPS = build_entity("group", "microsoft365.groups", {"thing_id": "id", "name": "displayName"})
MEMBERS = build_entity(
    "member", "microsoft365.group_members", {"group_id": "_parent", "thing_id": "id"}, key=["group_id", "thing_id"]
)
SKUS = build_entity("sku", "microsoft365.subscribed_skus", {"thing_id": "id", "name": "skuPartNumber"})
SIGN_INS = build_entity(
    "sign_in", "microsoft365.sign_ins", {"thing_id": "id", "user_id": "userId"}, changed_at="createdDateTime"
)


class CollectionService(DeltaService):
    """One collection by delta, with the names that Graph has."""

    def __init__(self, path, prefix):
        self.path, self.prefix = path, prefix
        super().__init__(0)

    def put(self, ident, name):
        self.log.append({"id": ident, "displayName": name})

    def build_answer(self, request):
        status, headers, body = super().build_answer(request)
        text = {
            key: value.replace("/users/delta", f"/v1.0/{self.path}/delta")
            for key, value in body.items()
            if isinstance(value, str)
        }
        return status, headers, {**body, **text}


class GraphService(DeltaService):
    """Users and groups by delta, members, licenses, and sign-ins by filter in pages of two."""

    def __init__(self):
        super().__init__(0)
        self.users_log, self.groups_log = CollectionService("users", "u"), CollectionService("groups", "g")
        self.members, self.skus, self.sign_ins = {}, [], []

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
            return 401, {}, {"error": {"code": "InvalidAuthenticationToken"}}
        path = request.path.removeprefix("/v1.0/")
        if path.endswith("/delta"):
            service = self.users_log if path == "users/delta" else self.groups_log
            service.url, service.is_expired, service.code = self.url, self.is_expired, self.code
            return service.build_answer(request)
        if path.startswith("groups/"):
            if path.split("/")[1] not in self.groups_log.users:
                return 404, {}, {"error": {"code": "Request_ResourceNotFound", "message": "does not exist"}}
            return 200, {}, {"value": [{"id": ident} for ident in self.members.get(path.split("/")[1], [])]}
        if path == "users":
            return 200, {}, {"value": list(self.users_log.users.values())}
        if path == "subscribedSkus":
            return 200, {}, {"value": self.skus}
        rows = self.sign_ins
        for operator, bound in re.findall(r"createdDateTime (ge|lt) (\S+)", request.params["$filter"]):
            rows = [one for one in rows if (one["createdDateTime"] >= bound) is (operator == "ge")]
        start = int(request.params.get("$skiptoken", 0))
        body = {"value": rows[start : start + 2]}
        if start + 2 < len(rows):
            query = re.sub(r"&?\$skiptoken=\d+", "", request.target.partition("?")[2])
            body["@odata.nextLink"] = f"{self.url}{request.path}?{query}&$skiptoken={start + 2}"
        return 200, {}, body


def build_sign_in(number, stamp):
    return {"id": f"s{number}", "userId": "u1", "createdDateTime": stamp, "status": {"errorCode": 0}}


@pytest.fixture
def service():
    service = GraphService()
    for number in range(5):
        service.users_log.put(f"u{number}", f"user {number}")
        service.groups_log.put(f"g{number}", f"group {number}")
    service.members = {"g1": ["u1", "u2"], "g2": ["u1"]}
    service.skus = [{"id": "sku1", "skuPartNumber": "E3"}]
    service.sign_ins = [build_sign_in(number, build_stamp(days=2)) for number in range(5)]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "microsoft365", USERS, GROUPS, MEMBERS, SKUS, SIGN_INS, secrets=("client_id", "client_secret"),
        settings={"base_url": service.url, "login_url": service.url, "tenant_id": "my-tenant"},
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    for log, entity in ((service.users_log, "user"), (service.groups_log, "group")):
        assert shop.read(entity, "thing_id", "name") == sorted(
            (key, one["displayName"]) for key, one in log.users.items()
        )
    assert shop.read("sign_in", "thing_id") == sorted((one["id"],) for one in service.sign_ins)


def read_members(service):
    return sorted((group, user) for group, users in service.members.items() for user in users)


def test_microsoft365_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["resource"] == "sign_ins"
    shop.run()
    check(shop, service)
    assert shop.read("member", "group_id", "thing_id") == read_members(service)
    assert (
        "userPrincipalName"
        in service.requests[[one.path for one in service.requests].index("/v1.0/users/delta")].params["$select"]
    )

    service.users_log.put("u1", "renamed")
    service.users_log.remove("u2")
    service.users_log.put("u9", "new")
    service.groups_log.remove("g4")
    service.sign_ins.append(build_sign_in(50, build_stamp(6)))
    service.requests.clear()
    shop.run()
    check(shop, service)
    asked = [one.params for one in service.requests if one.path == "/v1.0/users/delta"]
    assert asked[0]["delta"] == "5"
    versions = [shop.count_versions(name) for name in ("user", "group", "sign_in", "sku")]
    assert versions == [7, 5, 6, 1]
    shop.run()
    assert [shop.count_versions(name) for name in ("user", "group", "sign_in", "sku")] == versions


@pytest.mark.parametrize("code", [410, 400])
def test_an_expired_link_reads_everything_again(tmp_path, service, code):
    shop = create(tmp_path, service)
    shop.run()
    service.users_log.put("u1", "renamed")
    service.users_log.log = [entry for entry in service.users_log.log if entry["id"] != "u2"]
    service.is_expired, service.code = True, code
    shop.run("--allow-drop")
    check(shop, service)


def test_a_member_that_left_a_group_is_gone_after_the_next_complete_read(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    service.members["g1"].remove("u2")
    service.members["g3"] = ["u2"]
    # A group that was removed has no members, and does not stop the read of the others.
    service.groups_log.remove("g2")
    del service.members["g2"]
    shop.run()
    shop.run("--sweep", "--allow-drop")
    assert shop.read("member", "group_id", "thing_id") == read_members(service)


def test_users_by_complete_reads(tmp_path, service):
    listed = build_entity("listed_user", "microsoft365.users_list", {"thing_id": "id", "name": "displayName"})
    shop = ConnectorShop(
        tmp_path / "shop", "microsoft365", listed, secrets=("client_id", "client_secret"), resources=("users_list",),
        settings={"base_url": service.url, "login_url": service.url, "tenant_id": "my-tenant"},
    )  # fmt: skip
    shop.run()
    service.users_log.put("u1", "renamed")
    service.users_log.remove("u2")
    shop.run("--sweep", "--allow-drop")
    expected = sorted((key, one["displayName"]) for key, one in service.users_log.users.items())
    assert shop.read("listed_user", "thing_id", "name") == expected
