"""Jira: JQL with the grain of a minute in the zone of the user, tokens, issues that are gone, and comments of changed issues."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.connectors.shop import SECRET, ConnectorShop, build_entity, build_stamp
from tests.e2e.grammar.shop import Service, serve

ZONE = "America/New_York"
STAMP = "%Y-%m-%dT%H:%M:%S.250+0000"
ISSUES = build_entity(
    "issue", "jira.issues", {"thing_id": "id", "title": "fields.summary", "status": "fields.status.name"},
    changed_at="fields.updated",
)  # fmt: skip
COMMENTS = build_entity(
    "comment", "jira.issue_comments", {"thing_id": "id", "issue_id": "_parent"}, changed_at="updated"
)
PROJECTS = build_entity("project", "jira.projects", {"thing_id": "id", "name": "name"})
SPRINTS = build_entity("sprint", "jira.sprints", {"thing_id": "id", "name": "name"})


class SiteService(Service):
    """Issues by JQL in pages of four, comments, projects in pages of two, and boards, of which one has no sprints."""

    def __init__(self):
        super().__init__()
        self.issues, self.projects, self.comments, self.jql = [], [], {}, []

    def build_answer(self, request):
        user = b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if user != f"me@example.com:{SECRET.format('api_token')}":
            return 401, {}, {"errorMessages": ["Client must be authenticated to access this resource."]}
        path, params = request.path, request.params
        if path == "/rest/api/3/search/jql":
            return self.search(params)
        if path == "/rest/api/3/project/search":
            start = int(params["startAt"])
            return 200, {}, {"values": self.projects[start : start + 2], "total": len(self.projects), "isLast": False}
        if path.startswith("/rest/agile"):
            return self.list_agile(path)
        ident, _, child = path.removeprefix("/rest/api/3/issue/").partition("/")
        issue = next((one for one in self.issues if one["id"] == ident), None)
        if issue is None:
            return (
                404,
                {},
                {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}},
            )
        if child:
            comments = self.comments.get(ident, [])[int(params["startAt"]) :]
            return 200, {}, {"comments": comments, "total": len(self.comments.get(ident, []))}
        shown = {"id": ident} if params.get("fields") == "id" else issue
        return 200, {}, shown

    def search(self, params):
        self.jql.append(params["jql"])
        match = re.fullmatch(r"(.+) ORDER BY key ASC", params["jql"])
        rows = [one for one in self.issues if all(self.is_match(one, part) for part in match[1].split(" AND "))]
        start = int(params.get("nextPageToken", "page-0").removeprefix("page-"))
        page, is_last = rows[start : start + 4], start + 4 >= len(rows)
        if params["fields"] == "id":
            page = [{"id": one["id"]} for one in page]
        return (
            200,
            {},
            {"issues": page, "isLast": is_last, **({} if is_last else {"nextPageToken": f"page-{start + 4}"})},
        )

    @staticmethod
    def is_match(issue, condition):
        operator, text = re.fullmatch(r'updated (>=|<) "([\d :-]+)"', condition).groups()
        bound = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))
        stamp = datetime.strptime(issue["fields"]["updated"], "%Y-%m-%dT%H:%M:%S.%f%z")
        return stamp >= bound if operator == ">=" else stamp < bound

    def list_agile(self, path):
        if path.endswith("/board"):
            return 200, {}, {"values": [{"id": 1, "name": "scrum"}, {"id": 2, "name": "kanban"}], "total": 2}
        if path.endswith("/2/sprint"):
            return 400, {}, {"errorMessages": ["The board does not support sprints"], "errors": {}}
        return 200, {}, {"values": [{"id": 11, "name": "first"}], "total": 1}


def build_issue(number, title, stamp, status="Open"):
    return {
        "id": str(10_000 + number), "key": f"ABC-{number}",
        "fields": {
            "summary": title, "status": {"name": status}, "updated": stamp, "labels": ["a"], "customfield_10010": {"x": 1},
            "description": {"type": "doc"}, "duedate": "2026-12-24",
        },
    }  # fmt: skip


@pytest.fixture
def service():
    service = SiteService()
    service.issues = [
        build_issue(number, f"issue {number}", build_stamp(days=40, pattern=STAMP)) for number in range(10, 20)
    ]
    service.projects = [{"id": str(number), "name": f"project {number}"} for number in range(5)]
    service.comments = {"10012": [{"id": "1", "updated": build_stamp(days=40, pattern=STAMP)}]}
    with serve(service):
        yield service


def create(tmp_path, service, *entities, **more):
    return ConnectorShop(
        tmp_path / "shop", "jira", *entities, secrets=("api_token",),
        settings={"base_url": service.url, "email": "me@example.com", "time_zone": ZONE}, **more,
    )  # fmt: skip


def check(shop, service):
    """What is there now must be what the service has."""
    expected = sorted((one["id"], one["fields"]["summary"], one["fields"]["status"]["name"]) for one in service.issues)
    assert shop.read("issue", "thing_id", "title", "status") == expected


def test_jira_from_the_first_load_to_a_run_without_news(tmp_path, service):
    shop = create(tmp_path, service, ISSUES, PROJECTS)
    assert shop.try_connection()["resource"] == "issues"
    report = shop.run()
    assert not report["findings"]
    check(shop, service)
    assert shop.read("project", "thing_id") == [(str(number),) for number in range(5)]

    now = build_stamp(6, pattern=STAMP)
    service.issues[2]["fields"] |= {"summary": "renamed", "status": {"name": "Done"}, "updated": now}
    service.issues.append(build_issue(99, "new", now))
    del service.issues[4]
    service.jql.clear()
    shop.run("--sweep")
    check(shop, service)
    # The bounds are local times of the user, rounded outwards to minutes.
    since = re.search(r'updated >= "(2026-\d\d-\d\d \d\d:\d\d)"', service.jql[0])[1]
    local = datetime.fromisoformat(since).replace(tzinfo=ZoneInfo(ZONE))
    age = (datetime.now(ZoneInfo("UTC")) - local).total_seconds() / 3600
    assert 12 < age < 12.5
    versions = shop.count_versions("issue")
    assert versions == 12
    shop.run()
    assert shop.count_versions("issue") == versions


def test_comments_of_changed_issues_and_boards_without_sprints(tmp_path, service):
    shop = create(
        tmp_path, service, ISSUES, COMMENTS, SPRINTS, resources=("issues", "issue_comments", "boards", "sprints")
    )
    shop.run()
    assert shop.read("comment", "thing_id", "issue_id") == [("1", "10012")]
    assert shop.read("sprint", "thing_id", "name") == [("11", "first")]
    service.comments["10013"] = [{"id": "2", "updated": build_stamp(6, pattern=STAMP)}]
    service.issues[3]["fields"]["updated"] = build_stamp(6, pattern=STAMP)
    service.requests.clear()
    shop.run()
    asked = {one.path for one in service.requests if one.path.endswith("/comment")}
    assert asked == {"/rest/api/3/issue/10013/comment"}
    assert ("2", "10013") in shop.read("comment", "thing_id", "issue_id")
    # An issue that changed and was deleted before its comments were requested.
    service.issues[5]["fields"]["updated"] = build_stamp(6, pattern=STAMP)
    search = service.search

    def search_and_delete(params):
        answer = search(params)
        service.issues = [one for one in service.issues if one["id"] != "10015"]
        return answer

    service.search = search_and_delete
    shop.run()
    assert len(shop.read("comment", "thing_id")) == 2


def test_a_zone_that_does_not_exist_is_refused(tmp_path, service):
    shop = create(tmp_path, service, ISSUES)
    shop.declare(tenants={"acme": {"connections": {"it": {
        "connector": "jira", "settings": {"base_url": service.url, "email": "me@example.com", "time_zone": "Mars/Base"},
        "secrets": {"api_token": "env:API_TOKEN"},
    }}}})  # fmt: skip
    assert "Mars/Base" in str(shop.run(code=None))
