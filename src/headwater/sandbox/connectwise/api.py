"""The simulated REST API: a request in, an answer out."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from datetime import timedelta
from typing import Any

import msgspec

from headwater.sandbox.connectwise.auth import Access, Budget
from headwater.sandbox.connectwise.clock import http_date
from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.data_faults import mutate
from headwater.sandbox.connectwise.faults import Faults, malformed, malformed_rows
from headwater.sandbox.connectwise.http import Answer, Ask, refused
from headwater.sandbox.connectwise.query import Answers, Page, Query, QueryError, encode, read_query, url_of
from headwater.sandbox.connectwise.route import BASE, Route, find_route
from headwater.sandbox.connectwise.simulation import Simulation

RECENT = 20_000
"""How many request lines are remembered."""

_PAGING = ("page", "pageSize", "pageId")


class Interface:
    """A company behind the vendor's interface, and what was asked of it."""

    def __init__(self, simulation: Simulation, access: Access) -> None:
        self.simulation = simulation
        self.access = access
        self.faults = Faults()
        self.served: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=RECENT)
        self._budget = Budget(access.requests_per_minute)
        self._answers = Answers()

    def respond(self, ask: Ask) -> Answer:
        """Answer a request to the vendor's interface, and remember it."""
        route = find_route(self.simulation.firm, ask.path)
        answer = self._gate(ask) or self._spoiled(route) or self._answer(ask, route)
        self._delay_or_cut(answer, route)
        answer.headers["Date"] = http_date(self.simulation.firm.now)
        answer.headers["X-Simulated-Calendar"] = "yes"
        target = url_of(ask.path, ask.params) if ask.params else ask.path
        self.requests.append({"method": ask.method, "path": target, "status": 0 if answer.reset else answer.status})
        self.served[route.pattern] += 1
        return answer

    def _gate(self, ask: Ask) -> Answer | None:
        """Keys and budget."""
        if why := self.access.refusal(ask.headers):
            return refused(401, "Unauthorized", why)
        if wait := self._budget.wait():
            return _too_many(str(wait))
        return None

    def _spoiled(self, route: Route) -> Answer | None:
        if self.faults.take("reset", route.fault_path):
            return Answer(status=500, reset=True)
        if fault := self.faults.take("error", route.fault_path):
            return refused(int(fault.settings.get("status", 500)), "ServerError", "An error was requested")
        if fault := self.faults.take("rate_limit", route.fault_path):
            seconds = float(fault.settings.get("retry_after", 2))
            if fault.settings.get("as") == "date":
                return _too_many(http_date(self.simulation.firm.now + timedelta(seconds=seconds)))
            return _too_many(f"{seconds:g}")
        return None

    def _delay_or_cut(self, answer: Answer, route: Route) -> None:
        if answer.reset or answer.status != 200:
            return
        if fault := self.faults.take("timeout", route.fault_path):
            answer.delay = float(fault.settings.get("seconds", 30))
        answer.cut = self.faults.take("truncated", route.fault_path) is not None

    def _answer(self, ask: Ask, route: Route) -> Answer:
        if ask.method != "GET":
            return refused(405, "MethodNotAllowed", f"{ask.method} is not simulated")
        if route.system_info:
            return Answer(body=b'{"version":"v2026.4.1","isCloud":true,"serverTimeZone":"Greenwich Standard Time"}')
        if route.collection is None:
            return refused(404, "NotFound", f"{ask.path} not found")
        try:
            if route.ident is not None:
                return self._one(ask, route, route.collection)
            return self._many(ask, route, route.collection)
        except QueryError as error:
            reasons = [
                {"code": "InvalidParameter", "message": str(error), "resource": route.pattern, "field": error.field}
            ]
            return refused(400, "InvalidObject", f"{error.field} is invalid", errors=reasons)

    def _one(self, ask: Ask, route: Route, collection: Collection[Any]) -> Answer:
        record = collection.rows.get(route.ident or 0)
        if record is None:
            return refused(404, "NotFound", f"{collection.kind.__name__} {route.ident} not found")
        fields = ask.params.get("fields", "")
        page = Page(records=[record], rows=encode(collection, [record], fields), links={})
        self._spoil_records(page, route, fields)
        return Answer(body=page.rows[0])

    def _many(self, ask: Ask, route: Route, collection: Collection[Any]) -> Answer:
        forward = ask.headers.get("pagination-type", "").lower() == "forward-only"
        query = read_query(ask.params, forward=forward, parent=route.parent)
        if query.conditions and self.faults.take("ignored_filter", route.fault_path):
            query = dataclasses.replace(query, conditions="")
        if route.counted:
            count = len(self._answers.matches(collection, query))
            return Answer(body=msgspec.json.encode({"count": count}))
        page = self._page(collection, query, route)
        self._spoil_links(page, ask, route)
        answer = Answer(body=b"[" + b",".join(page.rows) + b"]")
        if page.links:
            answer.headers["Link"] = _link_header(page, ask)
        if "next" in page.links and (fault := self.faults.take("mutate_while_paging", route.fault_path)):
            mutate(self.simulation, collection, page.records, count=int(fault.settings.get("records", 1)))
        return answer

    def _page(self, collection: Collection[Any], query: Query, route: Route) -> Page:
        page = self._answers.page(collection, query)
        later = query.page > 1 or bool(query.after)
        if later and self.faults.take("repeated_page", route.fault_path):
            before = dataclasses.replace(query, page=max(1, query.page - 1), after=None if query.after is None else 0)
            page = dataclasses.replace(self._answers.page(collection, before), links=page.links)
        if page.rows and (fault := self.faults.take("malformed", route.fault_path)):
            page.rows = malformed_rows(page.rows, fault.settings, fields=query.fields)
        self._spoil_records(page, route, query.fields)
        return page

    def _spoil_records(self, page: Page, route: Route, fields: str) -> None:
        """Records that are served malformed until somebody clears the fault."""
        for fault in self.faults.waiting:
            if fault.kind == "malformed_record" and fault.path == route.fault_path:
                for at, record in enumerate(page.records):
                    if record.id == fault.settings["id"]:
                        page.rows[at] = malformed(page.rows[at], fault.settings, fields=fields)

    def _spoil_links(self, page: Page, ask: Ask, route: Route) -> None:
        if self.faults.take("repeated_link", route.fault_path):
            page.links["next"] = {name: ask.params[name] for name in _PAGING if name in ask.params}
        if fault := self.faults.take("foreign_next", route.fault_path):
            url = fault.settings.get("url", f"http://evil.example{BASE}/{route.pattern}?page=2")
            page.links["next"] = {"": str(url)}


def _link_header(page: Page, ask: Ask) -> str:
    kept = {name: value for name, value in ask.params.items() if name not in _PAGING}
    urls = {rel: link.get("") or url_of(ask.origin + ask.path, kept | link) for rel, link in page.links.items()}
    return ", ".join(f'<{url}>; rel="{rel}"' for rel, url in urls.items())


def _too_many(retry_after: str) -> Answer:
    answer = refused(429, "TooManyRequests", "Too many requests, try again later")
    answer.headers["Retry-After"] = retry_after
    return answer
