"""Zendesk: cursor exports that go on where they ended, a time export, lists by key, and comments of changed tickets."""

from __future__ import annotations

import time
from base64 import b64decode

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.shop import Service, serve

TICKETS = build_entity(
    "ticket", "zendesk.tickets",
    {"thing_id": "id", "subject": "subject", "severity": "item(custom_fields, 'value', 'id', '7')"},
    changed_at="updated_at",
)  # fmt: skip
USERS = build_entity("user", "zendesk.users", {"thing_id": "id", "name": "name"})
ORGANIZATIONS = build_entity("organization", "zendesk.organizations", {"thing_id": "id", "name": "name"})
EVENTS = build_entity(
    "event", "zendesk.ticket_metric_events", {"thing_id": "id", "metric": "metric"}, changed_at="time"
)
COMMENTS = build_entity(
    "comment",
    "zendesk.ticket_comments",
    {"thing_id": "id", "ticket_id": "_parent", "body": "body"},
    changed_at="created_at",
)


class SupportService(Service):
    """Logs of changed tickets and users, organizations by key, metric events by time, and comments."""

    def __init__(self):
        super().__init__()
        self.logs = {"tickets": [], "users": []}
        self.organizations, self.events, self.comments = [], [], {}

    def build_answer(self, request):
        user = b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if user != f"me@example.com/token:{SECRET.format('api_token')}":
            return 401, {}, {"error": "Couldn't authenticate you"}
        path, params = request.path.removeprefix("/api/v2/"), request.params
        if path.endswith("/cursor.json"):
            return self.export(path.split("/")[1], params)
        if path.startswith("incremental/"):
            return self.export_by_time(params)
        if path == "organizations/show_many.json":
            ids = params["ids"].split(",")
            return 200, {}, {"organizations": [one for one in self.organizations if str(one["id"]) in ids]}
        if path == "organizations.json":
            return self.list_organizations(params)
        ident = path.split("/")[1]
        if ident not in self.comments:
            return 404, {}, {"error": "RecordNotFound", "description": "Not found"}
        return 200, {}, {"comments": self.comments[ident], "meta": {"has_more": False}}

    def export(self, name, params):
        if ("cursor" in params) == ("start_time" in params):
            return 422, {}, {"error": "InvalidValue"}
        start = int(params.get("cursor", 0))
        page = self.logs[name][start : start + 3]
        end = start + len(page)
        return (
            200,
            {},
            {
                name: page,
                "after_cursor": str(end),
                "after_url": f"{self.url}/x",
                "end_of_stream": end >= len(self.logs[name]),
            },
        )

    def export_by_time(self, params):
        rows = [one for one in self.events if one["seconds"] >= int(params["start_time"])]
        start = int(params.get("page", 0))
        page = rows[start : start + 3]
        url = f"{self.url}/api/v2/incremental/ticket_metric_events.json?start_time={params['start_time']}&page={start + 3}"
        return 200, {}, {
            "ticket_metric_events": page, "next_page": url, "count": len(page), "end_of_stream": start + 3 >= len(rows),
        }  # fmt: skip

    def list_organizations(self, params):
        assert params["page[size]"] == "100"
        above = int(params.get("page[after]", 0))
        page = [one for one in self.organizations if one["id"] > above][:2]
        more = any(one["id"] > page[-1]["id"] for one in self.organizations) if page else False
        meta = {"has_more": more, "after_cursor": str(page[-1]["id"]) if page else None}
        return 200, {}, {"organizations": page, "meta": meta, "links": {"next": f"{self.url}/x" if page else None}}

    def put(self, name, ident, title, status="open", stamp=None, **more):
        record = {"id": ident, "updated_at": stamp or build_stamp(days=9), **more}
        record |= (
            {"subject": title, "status": status} if name == "tickets" else {"name": title, "active": status == "open"}
        )
        self.logs[name].append(record)


def build_event(ident, seconds):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    return {"id": ident, "ticket_id": 1, "metric": "reply_time", "time": stamp, "seconds": seconds}


def build_comment(ident, body):
    return {"id": ident, "body": body, "created_at": build_stamp(days=8)}


@pytest.fixture
def service():
    service = SupportService()
    for number in range(1, 9):
        service.put(
            "tickets", number, f"ticket {number}", custom_fields=[{"id": 7, "value": "high"}, {"id": 8, "value": None}]
        )
        service.put("users", 100 + number, f"user {number}")
        service.comments[str(number)] = [build_comment(number * 10, "first")]
    service.organizations = [{"id": number, "name": f"organization {number}"} for number in range(1, 6)]
    start = int(time.time()) - 5 * 86_400
    service.events = [build_event(number, start + number) for number in range(1, 8)]
    with serve(service):
        yield service


def create(tmp_path, service, *entities, **more):
    return ConnectorShop(
        tmp_path / "shop", "zendesk", *entities, settings={"base_url": service.url, "email": "me@example.com"},
        secrets=("api_token",), **more,
    )  # fmt: skip


def find_latest(log, is_deleted):
    """The state that a log of changes leads to."""
    state = {str(one["id"]): one for one in log}
    return {ident: one for ident, one in state.items() if not is_deleted(one)}


def check(shop, service):
    """What is there now must be what the service has."""
    tickets = find_latest(service.logs["tickets"], lambda one: one["status"] == "deleted")
    users = find_latest(service.logs["users"], lambda one: not one["active"])
    assert shop.read("ticket", "thing_id", "subject") == sorted((key, one["subject"]) for key, one in tickets.items())
    assert shop.read("user", "thing_id", "name") == sorted((key, one["name"]) for key, one in users.items())
    assert shop.read("organization", "thing_id", "name") == [
        (str(one["id"]), one["name"]) for one in service.organizations
    ]
    assert shop.read("event", "thing_id") == sorted((str(one["id"]),) for one in service.events)


def test_zendesk_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service, TICKETS, USERS, ORGANIZATIONS, EVENTS)
    assert shop.try_connection()["resource"] == "ticket_metric_events"
    shop.run()
    check(shop, service)
    assert shop.query("SELECT DISTINCT severity FROM silver.ticket") == [("high",)]

    now = build_stamp(6)
    service.put("tickets", 3, "renamed", stamp=now)
    service.put("tickets", 4, "ticket 4", "deleted", stamp=now)
    service.put("tickets", 20, "new", stamp=now)
    service.put("users", 105, "user 5", "gone", stamp=now)
    service.events.append(build_event(50, int(time.time()) - 400))
    service.requests.clear()
    shop.run()
    check(shop, service)
    exports = [request.params for request in service.requests if request.path.endswith("cursor.json")]
    assert sorted(one["cursor"] for one in exports) == ["8", "8"]
    del service.organizations[2]
    shop.run("--sweep", "--allow-drop")
    check(shop, service)
    versions = [shop.count_versions(name) for name in ("ticket", "user", "organization", "event")]
    shop.run()
    assert [shop.count_versions(name) for name in ("ticket", "user", "organization", "event")] == versions


def test_only_the_comments_of_changed_tickets_are_requested_again(tmp_path, service):
    shop = create(tmp_path, service, TICKETS, COMMENTS, resources=("tickets", "ticket_comments"))
    shop.run()
    assert len(shop.read("comment", "thing_id")) == 8
    service.comments["3"].append(build_comment(31, "second"))
    service.put("tickets", 3, "answered", stamp=build_stamp(6))
    service.requests.clear()
    shop.run()
    assert [one.path for one in service.requests if "comments" in one.path] == ["/api/v2/tickets/3/comments.json"]
    assert ("31", "3", "second") in shop.read("comment", "thing_id", "ticket_id", "body")
    # The comments of a deleted ticket are not found, which stops nothing.
    service.put("tickets", 4, "ticket 4", "deleted", stamp=build_stamp(6))
    del service.comments["4"]
    shop.run()
    assert len(shop.read("comment", "thing_id")) == 9


def test_an_organization_that_the_list_lacks_is_requested_by_id_before_it_is_deleted(tmp_path, service):
    shop = create(tmp_path, service, ORGANIZATIONS)
    shop.run()
    listed = service.list_organizations

    def list_organizations(params):
        kept, service.organizations = service.organizations, service.organizations[:-1]
        try:
            return listed(params)
        finally:
            service.organizations = kept

    service.list_organizations = list_organizations
    shop.run("--sweep", "--allow-drop")
    assert len(shop.read("organization", "thing_id")) == 5
