"""Requests as services want them: bodies, query languages, headers, instants in a format and a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.grammar.paged_services import SNAPSHOT
from tests.e2e.grammar.shop import GrammarShop, Service, list_ids, read_json, serve

NOW = datetime.now(UTC).replace(microsecond=0)


def build_recent(count, *, ago=timedelta(days=2), step=timedelta(seconds=20)):
    """Things that changed lately, and when."""
    return [
        {"id": f"id{number:03}", "name": f"thing {number}", "changed": NOW - ago + number * step}
        for number in range(count)
    ]


def format_iso(record):
    return {**record, "changed": f"{record['changed']:%Y-%m-%dT%H:%M:%SZ}"}


class JqlService(Service):
    """A search that compares minutes, in the zone of the user, as Jira's."""

    zone = "America/New_York"

    def build_answer(self, request):
        bounds = re.findall(r'updated (>=|<) "([^"]+)"', request.params["jql"])
        rows = self.records
        for operator, text in bounds:
            bound = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(self.zone))
            rows = [row for row in rows if (row["changed"] >= bound if operator == ">=" else row["changed"] < bound)]
        start = int(request.params.get("nextPageToken", "0"))
        page, is_last = rows[start : start + 3], start + 3 >= len(rows)
        local = [{**row, "changed": row["changed"].astimezone(ZoneInfo(self.zone)).isoformat()} for row in page]
        return 200, {}, {"issues": local, "isLast": is_last, **({} if is_last else {"nextPageToken": str(start + 3)})}


JQL = {
    "path": "search/jql", "records": "issues", "params": {"fields": "*all"},
    "paging": {"kind": "token", "field": "nextPageToken", "param": "nextPageToken", "last": "isLast", "stable": True},
    "cursor": {
        "kind": "changes", "field": "changed", "pattern": "%Y-%m-%d %H:%M", "zone": "{time_zone}", "grain": "1m",
        "params": {"jql": 'updated >= "{since}" AND updated < "{until}" ORDER BY updated'},
        "first": {"jql": 'updated < "{until}" ORDER BY updated'},
    },
}  # fmt: skip


def test_jira_asks_by_the_minute_in_the_zone_of_the_user(tmp_path):
    with serve(JqlService(build_recent(10))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=JQL, settings={"time_zone": "America/New_York"})
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        # Another record of the minute in which the first run ended, and one a moment ago.
        service.records[0] |= {"name": "again", "changed": datetime.now(UTC)}
        service.records.append({"id": "new", "name": "new", "changed": datetime.now(UTC)})
        shop.run()
        shop.run()
        assert shop.read_names()["id000"] == "again"
        assert "new" in shop.read_ids()
        assert shop.count_versions()["new"] == 1


def test_a_zone_that_does_not_exist_is_refused(tmp_path):
    with serve(JqlService()) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=JQL, settings={"time_zone": "Mars/Base"})
        error = shop("run", code=2).error
        assert (error["message"], error["found"]) == ("The time zone of a connection is not known.", "Mars/Base")
        assert service.requests == []


class ModifiedSinceService(Service):
    """Records changed since the header, with `/Date(ms)/`, as Xero's. 304 if there are none."""

    says_304 = True

    def build_answer(self, request):
        since = request.headers.get("If-Modified-Since")
        rows = [one for one in self.records if since is None or one["changed"] >= parsedate_to_datetime(since)]
        if not rows and since and self.says_304:
            return 304, {}, b""
        shown = [{**one, "changed": f"/Date({int(one['changed'].timestamp() * 1000)}+0000)/"} for one in rows]
        return 200, {}, {"Items": shown}


MODIFIED_SINCE = {
    "records": "Items", "fields": {"id": "text", "name": "text", "changed": "text"},
    "cursor": {
        "kind": "changes", "field": "changed", "format": "http", "headers": {"If-Modified-Since": "{since}"},
        "first": {"If-Modified-Since": ""},
    },
}  # fmt: skip
DATE_CALL = "from_json_date(changed)"


@pytest.mark.parametrize("says_304", [True, False])
def test_xero_asks_by_if_modified_since_and_stamps_with_date_calls(tmp_path, says_304):
    with serve(ModifiedSinceService(build_recent(5))) as service:
        service.says_304 = says_304
        shop = GrammarShop(tmp_path / "shop", service, resource=MODIFIED_SINCE, source={"changed_at": DATE_CALL})
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        assert service.requests[0].headers["If-Modified-Since"] is None
        (earliest,) = shop.query("SELECT min(valid_from) FROM silver.thing")[0]
        assert earliest.replace(tzinfo=UTC) == service.records[0]["changed"]
        assert shop.run()["outcome"] == "succeeded"
        service.records[1] |= {"name": "later", "changed": datetime.now(UTC).replace(microsecond=0)}
        shop.run()
        assert shop.read_names()["id001"] == "later"
        assert shop.count_versions() == {one["id"]: 1 + (one["id"] == "id001") for one in service.records}


def test_a_header_that_is_ignored_is_noticed_by_date_calls_too(tmp_path):
    with serve(ModifiedSinceService(build_recent(5))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=MODIFIED_SINCE, source={"changed_at": DATE_CALL})
        shop.run()
        service.build_answer = lambda request: (
            200, {}, {"Items": [{"id": "id000", "name": "x", "changed": "/Date(1573755038314)/"}]},
        )  # fmt: skip
        assert "ignored the filter" in shop.fail()["message"]


def test_304_without_a_condition_is_an_error(tmp_path):
    with serve(Service()) as service:
        service.build_answer = lambda request: (304, {}, b"")
        shop = GrammarShop(tmp_path / "shop", service, resource={"cursor": SNAPSHOT})
        assert "304" in shop.fail()["message"]


class ExclusiveService(Service):
    """A filter `>` over seconds, which leaves out what changed exactly then."""

    def build_answer(self, request):
        since = request.params.get("after")
        rows = [one for one in map(format_iso, self.records) if since is None or one["changed"] > since]
        return 200, {}, rows


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_bound_that_is_exclusive_is_asked_for_one_grain_earlier(tmp_path, exclusive):
    with serve(ExclusiveService(build_recent(3))) as service:
        cursor = {"kind": "changes", "field": "changed", "params": {"after": "{since}"}, "first": {"after": ""}}
        shop = GrammarShop(tmp_path / "shop", service, resource={"cursor": {**cursor, "exclusive": exclusive}})
        shop.run()
        # It changes in the second in which the next window begins, after the first read.
        begins = shop.read_end_of_windows().replace(microsecond=0)
        service.records.append({"id": "tie", "name": "x", "changed": begins})
        shop.run()
        assert ("tie" in shop.read_ids()) is exclusive


class FormService(Service):
    """Asked by a form, or by a query in JSON."""

    def build_answer(self, request):
        assert request.method == "POST"
        is_form = request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        values = dict(parse_qsl(request.body.decode())) if is_form else read_json(request)
        start = int(values.get("offset", request.params.get("offset", 0)))
        size = int(values.get("limit", request.params.get("limit", 2)))
        assert "select" in values["q"].lower()
        return (
            200,
            {},
            {
                "items": list(map(format_iso, self.records))[start : start + size],
                "hasMore": start + size < len(self.records),
            },
        )


@pytest.mark.parametrize("kind", ["form", "json"])
def test_queries_are_sent_in_a_form_or_in_json(tmp_path, kind):
    body = {
        "form": {"kind": "form", "fields": {"q": "{q}", "offset": "{offset}", "limit": "{limit}"}},
        "json": {"kind": "json", "content": {"q": "{q}"}},
    }[kind]
    resource = {
        "path": "suiteql", "records": "items", "body": body,
        "params": {"q": "SELECT * FROM thing"}, "headers": {"Prefer": "transient"},
        "paging": {"kind": "offset", "size_param": "limit", "size": 2, "more": "hasMore"},
        "cursor": SNAPSHOT, "deletes": {"kind": "none"},
    }  # fmt: skip
    with serve(FormService(build_recent(7))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=resource)
        shop.run()
        assert shop.read_ids() == list_ids(service.records)
        first = service.requests[0]
        assert first.headers["Prefer"] == "transient"
        assert ("q" in first.params) is False
        assert ("offset" in first.params) is (kind == "json")


class AnnotatedService(Service):
    """Records with dots in the names of fields, filtered by OData."""

    def build_answer(self, request):
        rows = list(map(format_iso, self.records))
        match = re.search(r"changed ge (\S+)", request.params.get("$filter", ""))
        shown = [{**one, "@odata.type": "#thing"} for one in rows if not match or one["changed"] >= match[1]]
        return 200, {}, {"value": shown}


def test_a_field_may_have_a_dot_in_its_name(tmp_path):
    resource = {
        "records": "value", "fields": {"id": "text", "name": "text", "changed": "timestamp", "@odata\\.type": "text"},
        "cursor": {"kind": "changes", "field": "changed", "params": {"$filter": "changed ge {since}"}, "first": {"$filter": ""}},
    }  # fmt: skip
    source = {"map": {"thing_id": "id", "name": '"@odata.type"'}}
    with serve(AnnotatedService(build_recent(3))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=resource, source=source)
        shop.run()
        assert set(shop.read_names().values()) == {"#thing"}
        shop.run()
        assert re.fullmatch(r"changed ge \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", service.requests[-1].params["$filter"])


class EnvelopeService(Service):
    """Answers 200 with an error inside, as QQCatalyst does."""

    error = None

    def build_answer(self, request):
        if self.error:
            return 200, {}, {"Data": None, "IsSuccess": False, "ErrorMessage": self.error}
        return 200, {}, {"Data": list(map(format_iso, self.records)), "IsSuccess": True, "ErrorMessage": ""}


ENVELOPE = {"records": "Data", "cursor": {**SNAPSHOT}}
RULE = {"field": "IsSuccess", "equals": "false", "message": "ErrorMessage"}


def test_qqcatalyst_answers_200_with_an_error_inside_and_nothing_counts_as_deleted(tmp_path):
    with serve(EnvelopeService(build_recent(4))) as service:
        shop = GrammarShop(tmp_path / "shop", service, resource=ENVELOPE, connector={"errors": [RULE]})
        shop.run()
        service.error = "the index is being rebuilt"
        error = shop.fail()
        assert (error["message"], error["found"]) == ("the service answered 200 OK with an error", service.error)
        assert shop.read_ids() == list_ids(service.records)
        service.error = None
        shop.run()
        assert set(shop.count_versions().values()) == {1}


def test_an_error_inside_can_mean_to_try_again(tmp_path):
    with serve(EnvelopeService(build_recent(4))) as service:
        rules = [{**RULE, "means": "retry"}]
        shop = GrammarShop(
            tmp_path / "shop", service, resource=ENVELOPE, connector={"errors": rules, "limits": {"tries": 3}}
        )
        answers = iter(["busy", None])
        build_answer = service.build_answer

        def build_next_answer(request):
            service.error = next(answers, None)
            return build_answer(request)

        service.build_answer = build_next_answer
        shop.run()
        assert shop.read_ids() == list_ids(service.records)


def test_a_status_can_mean_that_there_are_no_records(tmp_path):
    with serve(Service()) as service:
        service.build_answer = lambda request: (400, {}, {"code": "NO_RECORDS"})
        rules = [{"status": [400], "field": "code", "equals": "no_records", "means": "empty"}]
        shop = GrammarShop(tmp_path / "shop", service, resource={"cursor": SNAPSHOT}, connector={"errors": rules})
        assert shop.run()["outcome"] == "succeeded"
        service.build_answer = lambda request: (400, {}, {"code": "OTHER"})
        assert "400" in shop.fail()["message"]
