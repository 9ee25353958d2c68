"""Services with each kind of paging, and the manifests that read them."""

from __future__ import annotations

import json
import re

from tests.e2e.grammar.shop import Service, build_things, read_json

SNAPSHOT = {"kind": "snapshot", "every": "0s"}


class ODataService(Service):
    """Pages of three, with the next URL in the body."""

    size = 3
    next_host = None

    def build_answer(self, request):
        start = int(request.params.get("$skiptoken", 0))
        body = {"@odata.context": "x", "value": self.records[start : start + self.size]}
        if start + self.size < len(self.records):
            url = self.next_host or self.url
            body["@odata.nextLink"] = (
                f"{url}/things?$filter={request.params.get('$filter', '')}&$skiptoken={start + self.size}"
            )
        return 200, {}, body


ODATA = {
    "records": "value",
    "cursor": SNAPSHOT,
    "paging": {"kind": "next_url", "field": "@odata\\.nextLink", "stable": True},
}


class TimeExportService(Service):
    """Pages from a time on. Each has the URL of the next one, also the last, which only a flag shows."""

    size = 3
    flag = "end_of_stream"

    def build_answer(self, request):
        rows = [record for record in self.records if record["changed"] >= request.params["start_time"]]
        start = int(request.params.get("page", 0))
        page, is_last = rows[start : start + self.size], start + self.size >= len(rows)
        url = f"{self.url}/things?start_time={request.params['start_time']}&page={start + self.size}"
        return 200, {}, {"things": page, "next_page": url, self.flag: is_last}


TIME_EXPORT = {
    "records": "things", "paging": {"kind": "next_url", "field": "next_page", "last": "end_of_stream", "stable": True},
    "cursor": {
        "kind": "changes", "field": "changed", "params": {"start_time": "{since}"}, "first": {"start_time": "0"},
    },
}  # fmt: skip


class LocatorService(Service):
    """Answers of 2,000 records, with `done` and a path without host, as Salesforce does."""

    size = 2000

    def build_answer(self, request):
        start = int(request.path.rpartition("-")[2]) if "-" in request.path else 0
        rows = self.records[start : start + self.size]
        done = start + self.size >= len(self.records)
        body = {"totalSize": len(self.records), "done": done, "records": rows}
        if not done:
            body["nextRecordsUrl"] = f"/services/query/01g-{start + self.size}"
        return 200, {}, body


SOQL = {
    "path": "services/query", "records": "records",
    "paging": {"kind": "next_url", "field": "nextRecordsUrl", "done": "done", "total": "totalSize", "stable": True},
    "cursor": {
        "kind": "changes", "field": "changed",
        "params": {"q": "SELECT Id FROM Thing WHERE changed >= {since} AND changed < {until}"},
        "first": {"q": "SELECT Id FROM Thing WHERE changed < {until}"},
    },
}  # fmt: skip


class TokenService(Service):
    """An opaque token; the last page says so, and may have a token all the same."""

    size = 4
    last_has_token = False
    repeats = False

    def build_answer(self, request):
        token = request.params.get("nextPageToken", "")
        # Tokens are opaque: they may look like the path of a page.
        start = int(token.removeprefix("/+tok=")) if token else 0
        is_last = start + self.size >= len(self.records)
        body = {"issues": self.records[start : start + self.size], "isLast": is_last}
        if not is_last or self.last_has_token:
            body["nextPageToken"] = token if self.repeats and token else f"/+tok={start + self.size}"
        return 200, {}, body


TOKEN = {
    "records": "issues", "cursor": SNAPSHOT,
    "paging": {"kind": "token", "field": "nextPageToken", "param": "nextPageToken", "last": "isLast", "stable": True},
}  # fmt: skip


class SearchService(Service):
    """A search by POST that refuses to go on after `cap` records, as HubSpot's does."""

    cap, size = 10, 4

    def build_answer(self, request):
        assert request.method == "POST"
        body = read_json(request)
        filters = [one for group in body.get("filterGroups", []) for one in group["filters"]]
        rows = [record for record in self.records if all(self.is_match(record, one) for one in filters)]
        rows.sort(key=lambda record: record["id"])
        start, limit = int(body.get("after", 0)), min(self.size, body["limit"])
        if start + limit > self.cap:
            limit = self.cap - start
        if start >= self.cap:
            return 400, {}, {"message": "the cap of the search is reached"}
        answer = {"total": len(rows), "results": rows[start : start + limit]}
        if start + limit < len(rows):
            answer["paging"] = {"next": {"after": str(start + limit)}}
        return 200, {}, answer

    @staticmethod
    def is_match(record, one):
        value = record["id"] if one["propertyName"] == "id" else record["changed"]
        return {"GT": value > one["value"], "GTE": value >= one["value"], "LT": value < one["value"]}[one["operator"]]


SEARCHED = {
    "kind": "changes", "field": "changed", "params": {"since": "{since}", "until": "{until}"}, "first": {"since": ""},
}  # fmt: skip
SEARCH = {
    "path": "search", "records": "results", "cursor": SEARCHED,
    "body": {"kind": "json", "content": {
        "filterGroups": [{"filters": [
            {"propertyName": "changed", "operator": "GTE", "value": "{since}"},
            {"propertyName": "changed", "operator": "LT", "value": "{until}"},
            {"propertyName": "id", "operator": "GT", "value": "{above}"},
        ]}],
        "sorts": ["id"], "limit": "{limit:number}", "after": "{after}",
    }},
    "paging": {
        "kind": "token", "field": "paging.next.after", "param": "after", "size_param": "limit", "size": 4,
        "anchor": {"field": "id", "param": "above", "cap": 10}, "stable": True,
    },
}  # fmt: skip


class StripeService(Service):
    """The newest first, after the id of the last record, with `has_more`."""

    size = 4

    def build_answer(self, request):
        params = request.params
        low, high = params.get("created[gte]"), params.get("created[lt]")
        rows = [
            record
            for record in reversed(self.records)
            if (low is None or record["created"] >= int(low)) and (high is None or record["created"] < int(high))
        ]
        after = params.get("starting_after")
        start = 0 if after is None else 1 + [record["id"] for record in rows].index(after)
        size = min(self.size, int(params["limit"]))
        return 200, {}, {"object": "list", "data": rows[start : start + size], "has_more": start + size < len(rows)}


STRIPE = {
    "records": "data", "fields": {"id": "text", "name": "text", "created": "bigint"},
    "paging": {"kind": "forward_only", "param": "starting_after", "size_param": "limit", "size": 4, "more": "has_more"},
    "cursor": {
        "kind": "changes", "field": "created", "format": "epoch",
        "params": {"created[gte]": "{since}", "created[lt]": "{until}"}, "first": {"created[gte]": ""},
    },
}  # fmt: skip


class EncodedQueryService(Service):
    """Encoded queries over `sys_updated_on` and `sys_id`, as ServiceNow's. A condition on an unknown field is ignored."""

    cap = 4
    hidden = frozenset()

    def build_answer(self, request):
        query = request.params["sysparm_query"]
        groups = [group.split("^") for group in query.split("^NQ")]
        order = [part.removeprefix("ORDERBY") for group in groups for part in group if part.startswith("ORDERBY")]
        rows = [record for record in self.records if any(self.is_match(record, group) for group in groups)]
        for field in reversed(order):
            rows.sort(key=lambda record: record[field])
        start = int(request.params.get("sysparm_offset", 0))
        size = min(self.cap, int(request.params["sysparm_limit"]))
        page = [record for record in rows[start : start + size] if record["sys_id"] not in self.hidden]
        return 200, {"X-Total-Count": str(len(rows))}, {"result": page}

    def is_match(self, record, group):
        for condition in group:
            match = re.fullmatch(r"(sys_\w+)(>=|<|>|=)(.+)", condition)
            if match:
                value, operator, bound = record[match[1]], match[2], match[3]
                if not {">=": value >= bound, "<": value < bound, ">": value > bound, "=": value == bound}[operator]:
                    return False
        return True


def build_rows(count, ties):
    """Rows of which each `ties` in a row share the second in which they were changed."""
    return [
        {
            "sys_id": f"{(number * 7919) % 1000:04}",
            "name": f"row {number}",
            "sys_updated_on": f"2026-05-01 08:00:{number // ties:02}",
        }
        for number in range(count)
    ]


ORDER = "^ORDERBYsys_updated_on^ORDERBYsys_id"
TABLE = {
    "records": "result", "key": ["sys_id"], "fields": {"sys_id": "text", "name": "text", "sys_updated_on": "timestamp"},
    "cursor": {
        "kind": "changes", "field": "sys_updated_on", "pattern": "%Y-%m-%d %H:%M:%S",
        "params": {"sysparm_query": "sys_updated_on>={since}^sys_updated_on<{until}"},
        "first": {"sysparm_query": "sys_updated_on<{until}"},
    },
}  # fmt: skip
DRAINED = TABLE | {"paging": {
    "kind": "keyset", "field": "sys_updated_on", "tie": "sys_id", "param": "sysparm_query",
    "first": "{filter}" + ORDER, "next": "{filter}^sys_updated_on>{key}" + ORDER,
    "ties": "{filter}^sys_updated_on={key}^sys_id>{tie}" + ORDER, "size_param": "sysparm_limit", "size": 5,
}}  # fmt: skip
JOINED = TABLE | {"paging": {
    "kind": "keyset", "field": "sys_updated_on", "tie": "sys_id", "param": "sysparm_query", "first": "{filter}" + ORDER,
    "next": "{filter}^sys_updated_on={key}^sys_id>{tie}^NQ{filter}^sys_updated_on>{key}" + ORDER,
    "size_param": "sysparm_limit", "size": 5,
}}  # fmt: skip
BY_OFFSET = TABLE | {"paging": {
    "kind": "offset", "param": "sysparm_offset", "size_param": "sysparm_limit", "size": 5, "total_header": "X-Total-Count",
}}  # fmt: skip
TABLE_SOURCE = {"changed_at": "sys_updated_on", "map": {"thing_id": "sys_id", "name": "name"}}


class QueryTextService(Service):
    """Positions inside of a query text. An answer without records has an empty `QueryResponse`, as QuickBooks'."""

    cap = 1000

    def build_answer(self, request):
        query = request.params["query"]
        match = re.fullmatch(r"select \* from Thing where (.*?)orderby Id STARTPOSITION (\d+) MAXRESULTS (\d+)", query)
        assert match, query
        rows = self.records
        for operator, bound in re.findall(r"Changed (>=|<) '([^']+)'", match[1]):
            rows = [row for row in rows if (row["changed"] >= bound if operator == ">=" else row["changed"] < bound)]
        start, size = int(match[2]) - 1, min(self.cap, int(match[3]))
        page = rows[start : start + size]
        return 200, {}, {"QueryResponse": {"Thing": page, "startPosition": start + 1} if page else {}, "time": "now"}


QUERY_TEXT = {
    "path": "query", "records": "QueryResponse.Thing", "records_optional": True,
    "paging": {
        "kind": "offset", "param": "query", "text": "{filter} STARTPOSITION {offset} MAXRESULTS {size}", "first": 1, "size": 5,
    },
    "cursor": {
        "kind": "changes", "field": "changed",
        "params": {"query": "select * from Thing where Changed >= '{since}' and Changed < '{until}' orderby Id"},
        "first": {"query": "select * from Thing where Changed < '{until}' orderby Id"},
    },
}  # fmt: skip

KINDS = {
    "time export": (lambda: TimeExportService(build_things(14)), TIME_EXPORT, {}),
    "next_url": (lambda: ODataService(build_things(14)), ODATA, {}),
    "token": (lambda: TokenService(build_things(18)), TOKEN, {}),
    "search": (lambda: SearchService(build_things(23)), SEARCH, {}),
    "keyset": (lambda: EncodedQueryService(build_rows(19, 3)), DRAINED, TABLE_SOURCE),
    "joined keyset": (lambda: EncodedQueryService(build_rows(19, 3)), JOINED, TABLE_SOURCE),
    "offset": (lambda: EncodedQueryService(build_rows(19, 3)), BY_OFFSET, TABLE_SOURCE),
    "query text": (lambda: QueryTextService(build_things(17)), QUERY_TEXT, {}),
}
"""A service, its resource and its source, by the kind of paging."""


def get_id(record):
    """The id of a record of any of the services."""
    return record.get("sys_id") or record["id"]


def describe_request(request):
    """What identifies a page."""
    return request.method, request.target, json.dumps(request.body.decode())
