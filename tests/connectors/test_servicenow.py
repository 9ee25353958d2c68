"""ServiceNow: encoded queries over two keys with ties, texts for every value, and a sweep that asks again by id."""

from __future__ import annotations

from base64 import b64decode

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.paged_services import EncodedQueryService
from tests.e2e.grammar.shop import serve

STAMP = "%Y-%m-%d %H:%M:%S"
INCIDENTS = build_entity(
    "incident", "servicenow.incident",
    {"thing_id": "sys_id", "title": "short_description", "resolved": "TRY_CAST(nullif(resolved_at, '') AS timestamp)"},
    changed_at="sys_updated_on",
)  # fmt: skip
USERS = build_entity("user", "servicenow.sys_user", {"thing_id": "sys_id", "name": "name"}, changed_at="sys_updated_on")


class InstanceService(EncodedQueryService):
    """Tables by name, with the pages of an instance, and only the fields that are requested."""

    cap = 40

    def __init__(self):
        super().__init__()
        self.tables = {"incident": [], "sys_user": []}
        self.ignored = False
        """Whether a condition is ignored without a word, as one with an unknown field is."""

    def build_answer(self, request):
        user = b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if user != f"reader:{SECRET.format('password')}":
            return 401, {}, {"error": {"message": "User Not Authenticated"}}
        assert request.params["sysparm_exclude_reference_link"] == "true"
        self.records = self.tables[request.path.removeprefix("/api/now/table/")]
        status, headers, answer = super().build_answer(request)
        names = request.params.get("sysparm_fields")
        if names:
            answer = {"result": [{name: one.get(name, "") for name in names.split(",")} for one in answer["result"]]}
        return status, headers, answer

    def is_match(self, record, group):
        ids = [condition.removeprefix("sys_idIN") for condition in group if condition.startswith("sys_idIN")]
        if ids and record["sys_id"] not in ids[0].split(","):
            return False
        return super().is_match(record, [condition for condition in group if not self.ignored or ">=" not in condition])


def build_record(number, title, stamp, **more):
    return {
        "sys_id": f"{number * 7919 % 10_000:032}", "sys_updated_on": stamp, "sys_created_on": stamp, "short_description": title,
        "name": title, "resolved_at": "", "user_password": "hash-nobody-may-see", **more,
    }  # fmt: skip


@pytest.fixture
def service():
    service = InstanceService()
    # Thirty records share a second, across the end of a page.
    service.tables["incident"] = [
        build_record(number, f"incident {number}", build_stamp(number // 30, days=3, pattern=STAMP))
        for number in range(130)
    ]
    service.tables["sys_user"] = [
        build_record(number, f"user {number}", build_stamp(days=3, pattern=STAMP)) for number in range(5)
    ]
    with serve(service):
        yield service


def create(tmp_path, service):
    return ConnectorShop(
        tmp_path / "shop", "servicenow", INCIDENTS, USERS, settings={"base_url": service.url, "user": "reader"},
        secrets=("password",),
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    for table, entity, column in (("incident", "incident", "title"), ("sys_user", "user", "name")):
        expected = sorted((one["sys_id"], one["short_description"]) for one in service.tables[table])
        assert shop.read(entity, "thing_id", column) == expected


def test_servicenow_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service)
    assert shop.try_connection()["records"] == 0
    report = shop.run()
    assert not report["findings"]
    check(shop, service)

    now = build_stamp(6, pattern=STAMP)
    incidents = service.tables["incident"]
    incidents[3] |= {"short_description": "resolved", "sys_updated_on": now, "resolved_at": now}
    incidents.append(build_record(900, "new", now))
    del incidents[5]
    del service.tables["sys_user"][2]
    shop.run("--sweep", "--allow-drop")
    check(shop, service)
    assert shop.query("SELECT count(*) FROM silver.incident WHERE resolved IS NOT NULL AND is_current") == [(1,)]
    versions = [shop.count_versions(name) for name in ("incident", "user")]
    assert versions == [132, 5]
    shop.run()
    assert [shop.count_versions(name) for name in ("incident", "user")] == versions


def test_the_hash_of_a_password_is_never_requested(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    asked = [request.params["sysparm_fields"] for request in service.requests if "sys_user" in request.path]
    assert asked
    assert not any("password" in names for names in asked)


def test_a_record_that_a_list_hides_but_that_is_there_is_not_deleted(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    hidden = service.tables["incident"][7]["sys_id"]
    answer = service.build_answer

    def build_answer(request):
        service.hidden = frozenset() if "sys_idIN" in request.params["sysparm_query"] else frozenset({hidden})
        return answer(request)

    service.build_answer = build_answer
    shop.run("--sweep")
    check(shop, service)


def test_a_condition_that_is_ignored_is_noticed(tmp_path, service):
    shop = create(tmp_path, service)
    shop.run()
    service.ignored = True
    assert "ignored the filter" in str(shop.run(code=1))
