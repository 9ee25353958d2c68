"""The simulated REST API: takes a request, returns a response."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from datetime import timedelta
from typing import Any

import msgspec

from headwater.sandbox.connectwise.auth import Credentials, RateLimiter
from headwater.sandbox.connectwise.clock import format_http_date
from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.data_faults import change_records
from headwater.sandbox.connectwise.faults import FaultQueue, corrupt_row, corrupt_rows
from headwater.sandbox.connectwise.http import Request, Response, build_error_response
from headwater.sandbox.connectwise.query import (
    Page,
    Query,
    QueryCache,
    QueryError,
    build_url,
    encode_records,
    read_query,
)
from headwater.sandbox.connectwise.route import BASE, Route, find_route
from headwater.sandbox.connectwise.simulation import Simulation

MAX_REQUESTS = 20_000
"""How many requests the log keeps."""

_PAGING_PARAMS = ("page", "pageSize", "pageId")


class Api:
    """The vendor's API for a simulated company, with a log of requests."""

    def __init__(self, simulation: Simulation, credentials: Credentials) -> None:
        self.simulation = simulation
        self.credentials = credentials
        self.faults = FaultQueue()
        self.served: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=MAX_REQUESTS)
        self._rate_limiter = RateLimiter(credentials.requests_per_minute)
        self._queries = QueryCache()

    def respond(self, request: Request) -> Response:
        """Respond to a request and log it."""
        route = find_route(self.simulation.state, request.path)
        response = (
            self._check_request(request) or self._build_fault_response(route) or self._build_response(request, route)
        )
        self._break_response(response, route)
        response.headers["Date"] = format_http_date(self.simulation.state.now)
        response.headers["X-Simulated-Calendar"] = "yes"
        target = build_url(request.path, request.params) if request.params else request.path
        self.requests.append(
            {"method": request.method, "path": target, "status": 0 if response.reset else response.status}
        )
        self.served[route.pattern] += 1
        return response

    def _check_request(self, request: Request) -> Response | None:
        """Check authentication and rate limit. Return an error response, or None."""
        if reason := self.credentials.find_rejection(request.headers):
            return build_error_response(401, "Unauthorized", reason)
        if wait := self._rate_limiter.acquire():
            return _build_rate_limit_response(str(wait))
        return None

    def _build_fault_response(self, route: Route) -> Response | None:
        if self.faults.take("reset", route.fault_path):
            return Response(status=500, reset=True)
        if fault := self.faults.take("error", route.fault_path):
            return build_error_response(int(fault.settings.get("status", 500)), "ServerError", "An error was requested")
        if fault := self.faults.take("rate_limit", route.fault_path):
            seconds = float(fault.settings.get("retry_after", 2))
            if fault.settings.get("as") == "date":
                return _build_rate_limit_response(
                    format_http_date(self.simulation.state.now + timedelta(seconds=seconds))
                )
            return _build_rate_limit_response(f"{seconds:g}")
        return None

    def _break_response(self, response: Response, route: Route) -> None:
        if response.reset or response.status != 200:
            return
        if fault := self.faults.take("timeout", route.fault_path):
            response.delay = float(fault.settings.get("seconds", 30))
        response.cut = self.faults.take("truncated", route.fault_path) is not None

    def _build_response(self, request: Request, route: Route) -> Response:
        if request.method != "GET":
            return build_error_response(405, "MethodNotAllowed", f"{request.method} is not simulated")
        if route.is_system_info:
            return Response(body=b'{"version":"v2026.4.1","isCloud":true,"serverTimeZone":"Greenwich Standard Time"}')
        if route.collection is None:
            return build_error_response(404, "NotFound", f"{request.path} not found")
        try:
            if route.ident is not None:
                return self._read_record(request, route, route.collection)
            return self._read_collection(request, route, route.collection)
        except QueryError as error:
            reasons = [
                {"code": "InvalidParameter", "message": str(error), "resource": route.pattern, "field": error.field}
            ]
            return build_error_response(400, "InvalidObject", f"{error.field} is invalid", errors=reasons)

    def _read_record(self, request: Request, route: Route, collection: Collection[Any]) -> Response:
        record = collection.rows.get(route.ident or 0)
        if record is None:
            return build_error_response(404, "NotFound", f"{collection.kind.__name__} {route.ident} not found")
        fields = request.params.get("fields", "")
        page = Page(records=[record], rows=encode_records(collection, [record], fields), links={})
        self._corrupt_records(page, route, fields)
        return Response(body=page.rows[0])

    def _read_collection(self, request: Request, route: Route, collection: Collection[Any]) -> Response:
        is_forward = request.headers.get("pagination-type", "").lower() == "forward-only"
        query = read_query(request.params, is_forward=is_forward, parent=route.parent)
        if query.conditions and self.faults.take("ignored_filter", route.fault_path):
            query = dataclasses.replace(query, conditions="")
        if route.is_count:
            count = len(self._queries.find_matches(collection, query))
            return Response(body=msgspec.json.encode({"count": count}))
        page = self._read_page(collection, query, route)
        self._corrupt_links(page, request, route)
        response = Response(body=b"[" + b",".join(page.rows) + b"]")
        if page.links:
            response.headers["Link"] = _build_link_header(page, request)
        if "next" in page.links and (fault := self.faults.take("mutate_while_paging", route.fault_path)):
            change_records(self.simulation, collection, page.records, count=int(fault.settings.get("records", 1)))
        return response

    def _read_page(self, collection: Collection[Any], query: Query, route: Route) -> Page:
        page = self._queries.read_page(collection, query)
        is_later = query.page > 1 or bool(query.after)
        if is_later and self.faults.take("repeated_page", route.fault_path):
            before = dataclasses.replace(query, page=max(1, query.page - 1), after=None if query.after is None else 0)
            page = dataclasses.replace(self._queries.read_page(collection, before), links=page.links)
        if page.rows and (fault := self.faults.take("malformed", route.fault_path)):
            page.rows = corrupt_rows(page.rows, fault.settings, fields=query.fields)
        self._corrupt_records(page, route, query.fields)
        return page

    def _corrupt_records(self, page: Page, route: Route, fields: str) -> None:
        """Corrupt the records of pending `malformed_record` faults."""
        for fault in self.faults.pending:
            if fault.kind == "malformed_record" and fault.path == route.fault_path:
                for at, record in enumerate(page.records):
                    if record.id == fault.settings["id"]:
                        page.rows[at] = corrupt_row(page.rows[at], fault.settings, fields=fields)

    def _corrupt_links(self, page: Page, request: Request, route: Route) -> None:
        if self.faults.take("repeated_link", route.fault_path):
            page.links["next"] = {name: request.params[name] for name in _PAGING_PARAMS if name in request.params}
        if fault := self.faults.take("foreign_next", route.fault_path):
            url = fault.settings.get("url", f"http://evil.example{BASE}/{route.pattern}?page=2")
            page.links["next"] = {"": str(url)}


def _build_link_header(page: Page, request: Request) -> str:
    params = {name: value for name, value in request.params.items() if name not in _PAGING_PARAMS}
    urls = {
        rel: link.get("") or build_url(request.origin + request.path, params | link) for rel, link in page.links.items()
    }
    return ", ".join(f'<{url}>; rel="{rel}"' for rel, url in urls.items())


def _build_rate_limit_response(retry_after: str) -> Response:
    response = build_error_response(429, "TooManyRequests", "Too many requests, try again later")
    response.headers["Retry-After"] = retry_after
    return response
