"""A service that behaves as a manifest says, over records that are drawn from its contracts."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from headwater.clock import Clock
from headwater.model.connector import Connector
from headwater.model.resource import Resource
from headwater.testing.kit.collection import Collection, SimulatedRecord
from headwater.testing.kit.gate import JSON, Gate
from headwater.testing.kit.http_server import Answer, Call
from headwater.testing.kit.list_request import PAGE, ListRequest, read_list_request, read_text
from headwater.testing.kit.pages import (
    ServedPage,
    Session,
    Sessions,
    build_order,
    build_session_target,
    build_target,
    cut_page,
)
from headwater.testing.kit.sample import JsonObject, dump_json, get_path, set_path
from headwater.testing.kit.weather import Weather
from headwater.wire.cursor import ChangeFilter, DeleteMark, Delta
from headwater.wire.paging.next_url import NextUrl
from headwater.wire.paging.token import Token
from headwater.wire.records import split_path


@dataclass(kw_only=True)
class SimulatedService:
    """One service. It answers from several threads."""

    connector: Connector
    collections: Mapping[str, Collection]
    """By resource."""
    gate: Gate
    clock: Clock
    target: str = ""
    """The resource whose pages the weather spoils."""
    url: str = ""
    """Its address, as soon as it is served."""
    weather: Weather = field(default_factory=Weather)
    sessions: Sessions = field(default_factory=Sessions)
    calls: list[Call] = field(default_factory=list)
    misunderstood: list[str] = field(default_factory=list)
    """Requests that it could not read, with the reason."""
    pages: int = 0
    """The pages of the target that were requested since the weather was set."""
    _last: dict[str | None, Answer] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    def set_weather(self, weather: Weather) -> None:
        """Change the weather, and count pages from 1 again."""
        with self._lock:
            self.weather, self.pages, self._last = weather, 0, {}

    def respond(self, call: Call) -> Answer:
        """The answer to a request."""
        with self._lock:
            self.calls.append(call)
            try:
                answer = self._answer(call)
            except (ValueError, KeyError, TypeError) as error:
                # The manifest sends something that its own templates do not explain.
                self.misunderstood.append(f"{call.method} {call.target[:200]}: {type(error).__name__}: {error}")
                answer = Answer(status=400, headers=JSON, body=b'{"message": "the request cannot be read"}')
        now = self.clock.now() + self.weather.clock_shift
        return replace(answer, headers={"Date": format_datetime(now, usegmt=True), **answer.headers})

    @property
    def base_path(self) -> str:
        """The path of the base URL."""
        return urlsplit(self.connector.base_url).path.rstrip("/")

    def _answer(self, call: Call) -> Answer:
        lookup, clock = self.connector.lookup, self.connector.clock
        if self.gate.login_path and call.path == self.gate.login_path:
            return self.gate.answer_login(call)
        if lookup is not None and call.path == self._join(lookup.path):
            body: JsonObject = {}
            set_path(body, split_path(lookup.field), f"{self.url}{self.base_path}")
            return _to_answer(body)
        if self.weather.expires_at and self.pages + 1 >= self.weather.expires_at:
            self.weather.expires_at = 0
            self.gate.forget()
        if not self.gate.is_admitted(call):
            return Answer(status=401, headers=JSON, body=b'{"message": "who are you?"}')
        if clock is not None and call.path.rstrip("/") == self._join(clock.path).rstrip("/"):
            return _to_answer({})
        return self._answer_resource(call)

    def _answer_resource(self, call: Call) -> Answer:
        for collection in self.collections.values():
            resource = collection.resource
            if resource.count is not None and (parts := self._match(resource.count.path, call)) is not None:
                return self._answer_count(collection, call, parts.get("parent"))
            parts = self._match(resource.path, call)
            if parts is not None and self._is_own(resource, call):
                return self._answer_list(collection, call, parts.get("parent"))
            if (answer := self._answer_verify(collection, call)) is not None:
                return answer
        return Answer(status=404, headers=JSON, body=b'{"message": "no such path"}')

    def _is_own(self, resource: Resource, call: Call) -> bool:
        """Whether a request to a path that several resources share belongs to this one."""
        rivals = [one for one in self.collections.values() if one.resource.path == resource.path]
        if len(rivals) < 2:
            return True
        request = read_list_request(self.connector, resource, call)
        is_like = all(request.params.get(name) == text for name, text in resource.params.items())
        # Where only a query text names the collection, the text tells them apart.
        return is_like and (bool(resource.params) or bool(request.values))

    def _answer_verify(self, collection: Collection, call: Call) -> Answer | None:
        """The answer to a request for single records; None if it is another request."""
        resource = collection.resource
        parts = self._match(resource.verify.path, call) if resource.verify and resource.verify.path else None
        if parts is None or resource.verify is None:
            return None
        if resource.verify.is_grouped:
            return self._answer_ids(collection, call, self._read_ids(collection, call) or set(), parent=None)
        rows = [one for one in collection.list_shown(self.clock.now()) if collection.read_key(one)[0] == parts["id"]]
        if not rows:
            return Answer(status=404, headers=JSON, body=b'{"message": "no such record"}')
        path = resource.records if resource.verify.records is None else resource.verify.records
        body: JsonObject = {}
        if path:
            set_path(body, split_path(path), rows[0].values)
        return _to_answer(body or rows[0].values)

    def _answer_count(self, collection: Collection, call: Call, parent: str | None) -> Answer:
        request = read_list_request(self.connector, collection.resource, call)
        rows = self._select(collection, request, parent, with_hidden=True)
        body: JsonObject = {}
        count = collection.resource.count
        set_path(body, split_path(count.field if count else "count"), len(rows))
        return _to_answer(body)

    def _answer_list(self, collection: Collection, call: Call, parent: str | None) -> Answer:
        ids = self._read_ids(collection, call)
        if ids is not None:
            return self._answer_ids(collection, call, ids, parent)
        is_target = collection.resource.resource == self.target
        self.pages += is_target
        if is_target and (answer := self._spoil(call, parent)) is not None:
            return answer
        request = read_list_request(self.connector, collection.resource, call)
        if request.fault:
            self.misunderstood.append(request.fault)
            return Answer(status=400, headers=JSON, body=dump_json({"message": request.fault}))
        answer = self._answer_page(collection, call, request, parent)
        return self._finish_page(answer, parent) if is_target else answer

    def _answer_ids(self, collection: Collection, call: Call, ids: set[str], parent: str | None) -> Answer:
        rows = [one for one in collection.list_shown(self.clock.now(), parent) if collection.read_key(one)[0] in ids]
        return self._wrap(collection, ServedPage(rows=rows, total=len(rows), has_more=False), call)

    def _finish_page(self, answer: Answer, parent: str | None) -> Answer:
        self._last[parent] = answer
        number = self.pages
        if self.weather.on_page is not None:
            self.weather.on_page(number)
        if (spoiled := self.weather.spoiled.pop(number, None)) is not None:
            return replace(answer, is_cut=spoiled.is_cut, delay=spoiled.delay)
        return answer

    def _spoil(self, call: Call, parent: str | None) -> Answer | None:
        """A wrong answer to the request for a page, if the weather has one."""
        weather = self.weather
        if weather.broken_from and self.pages >= weather.broken_from:
            return Answer(status=503, headers=JSON, body=b'{"message": "out of order"}')
        if self.pages < 2:
            return None
        if weather.redirects_to:
            return Answer(status=302, headers={"Location": f"{weather.redirects_to}{call.target}"})
        if weather.repeats_from and self.pages >= weather.repeats_from:
            return self._last.get(parent)
        return weather.refusals.pop(0) if weather.refusals else None

    def _answer_page(self, collection: Collection, call: Call, request: ListRequest, parent: str | None) -> Answer:
        resource, paging = collection.resource, collection.resource.paging
        token = call.query.get(PAGE) or (request.params.get(paging.param, "") if isinstance(paging, Token) else "")
        session = self.sessions.by_token.get(token)
        if token and session is None:
            return Answer(status=400, headers=JSON, body=b'{"message": "unknown link"}')
        if session is not None and session.is_end and self.weather.expires_links:
            return self._refuse_link()
        if session is None:
            session = Session(request=request, until_revision=collection.revision)
        elif session.is_end:
            session = replace(
                session, since_revision=session.until_revision, until_revision=collection.revision, is_end=False
            )
        if isinstance(resource.cursor, Delta) and session.since_revision is not None:
            rows = self._list_changes(collection, session)
        else:
            rows = self._select(
                collection, replace(request, since=session.request.since, until=session.request.until), parent
            )
        page = cut_page(collection, rows, request, session, cap=self.weather.cap)
        return self._wrap(collection, page, call, session=session, is_slim=request.is_sweep)

    def _refuse_link(self) -> Answer:
        rule = next((one for one in self.connector.errors if one.means == "expired"), None)
        body: JsonObject = {"error": {"code": "resyncRequired", "message": "the link is too old"}}
        if rule is not None and rule.field:
            set_path(body, split_path(rule.field), rule.equals or "expired")
        status = rule.status[0] if rule is not None and rule.status else 200 if rule is not None else 410
        return Answer(status=status, headers=JSON, body=dump_json(body))

    def _select(
        self, collection: Collection, request: ListRequest, parent: str | None, *, with_hidden: bool = False
    ) -> list[SimulatedRecord]:
        """The records that match the filter of a request, in the order of the service."""
        rows = collection.list_shown(self.clock.now(), parent)
        cursor = collection.resource.cursor
        since, until = (None, None) if self.weather.ignores_filter else (request.since, request.until)
        is_exclusive = isinstance(cursor, ChangeFilter) and cursor.exclusive
        matching = [
            record
            for record in rows
            if (since is None or record.changed_at > since or (record.changed_at == since and not is_exclusive))
            and (until is None or record.changed_at < until)
            and (with_hidden or record.number not in self.weather.hidden)
        ]
        return sorted(matching, key=build_order(collection))

    def _list_changes(self, collection: Collection, session: Session) -> list[SimulatedRecord]:
        """The records that changed after the link of a delta was given out, with those that were deleted since."""
        after = session.since_revision or 0
        changed = [one for one in collection.records.values() if after < one.revision <= session.until_revision]
        return sorted(changed, key=lambda record: record.revision)

    def _wrap(
        self,
        collection: Collection,
        page: ServedPage,
        call: Call,
        *,
        session: Session | None = None,
        is_slim: bool = False,
    ) -> Answer:
        """The page as the manifest says that the service sends it."""
        resource, paging = collection.resource, collection.resource.paging
        records = [self._render(collection, record, is_slim=is_slim) for record in page.rows]
        body: JsonObject = {}
        headers = dict(JSON)
        base = self.weather.link_base or self.url
        has_more = page.has_more
        if has_more and page.session is not None:
            token = self.sessions.keep(page.session)
            link = f"{base}{build_session_target(call, token)}"
            if isinstance(paging, NextUrl):
                set_path(body, split_path(paging.field), link)
            elif isinstance(paging, Token):
                set_path(body, split_path(paging.field), token)
            else:
                headers["Link"] = f'<{link}>; rel="next"'
        elif has_more and getattr(paging, "links", False):
            headers["Link"] = f'<{base}{build_target(call, page.params)}>; rel="next"'
        if isinstance(resource.cursor, Delta) and not has_more and session is not None:
            self._add_delta_link(collection, body, call, session, base)
        self._add_flags(paging, body, headers, page)
        if not resource.records:
            return Answer(headers=headers, body=dump_json(records))
        _set_records(resource, body, records)
        return Answer(headers=headers, body=dump_json(body))

    def _add_delta_link(
        self, collection: Collection, body: JsonObject, call: Call, session: Session, base: str
    ) -> None:
        cursor, paging = collection.resource.cursor, collection.resource.paging
        assert isinstance(cursor, Delta)
        token = self.sessions.keep(replace(session, is_end=True, start=0, numbers=None))
        link = token if isinstance(paging, Token) else f"{base}{build_session_target(call, token)}"
        set_path(body, split_path(cursor.field), link)

    def _add_flags(self, paging: Any, body: JsonObject, headers: dict[str, str], page: ServedPage) -> None:
        """The flags and totals that the paging declares."""
        for name, value in (("more", page.has_more), ("last", not page.has_more), ("done", not page.has_more)):
            if path := getattr(paging, name, ""):
                set_path(body, split_path(path), value)
        if path := getattr(paging, "total", ""):
            set_path(body, split_path(path), page.total)
        if header := getattr(paging, "total_header", ""):
            headers[header] = str(page.total)

    def _render(self, collection: Collection, record: SimulatedRecord, *, is_slim: bool) -> JsonObject:
        deletes = collection.resource.deletes
        if record.is_deleted and isinstance(deletes, DeleteMark):
            marked = collection.strip(record.values)
            set_path(marked, split_path(deletes.field), "deleted")
            return marked
        return collection.strip(record.values) if is_slim else record.values

    def _read_ids(self, collection: Collection, call: Call) -> set[str] | None:
        """The ids of a request for a group of records, or None if it is another request."""
        verify = collection.resource.verify
        if verify is None or not verify.is_grouped:
            return None
        for name, text in call.query.items():
            # A keyset adds its order to the filter.
            values = read_text(self.connector, collection.resource, name, text)
            if "{ids}" in verify.params.get(name, "") and "ids" in values:
                return {one.strip(verify.quote or None) for one in values["ids"].split(verify.separator)}
        return None

    def _match(self, path: str, call: Call) -> dict[str, str] | None:
        lookup = self.connector.lookup
        full = self._join(f"{lookup.append.strip('/')}/{path.lstrip('/')}" if lookup and lookup.append else path)
        pattern = re.sub(r"\\\{(parent|id)\\\}", r"(?P<\1>[^/]+)", re.escape(full))
        match = re.fullmatch(pattern, call.path)
        return None if match is None else {name: unquote(value) for name, value in match.groupdict().items()}

    def _join(self, path: str) -> str:
        return f"{self.base_path}/{path.lstrip('/')}".rstrip("/") or "/"


def _set_records(resource: Resource, body: JsonObject, records: list[JsonObject]) -> None:
    path = split_path(resource.records)
    if records or not resource.records_optional:
        set_path(body, path, records)
    elif len(path) > 1 and get_path(body, path[:-1]) is None:
        set_path(body, path[:-1], {})


def _to_answer(body: JsonObject) -> Answer:
    return Answer(headers=JSON, body=dump_json(body))
