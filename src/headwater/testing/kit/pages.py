"""The pages of a simulated resource: each kind of paging as its manifest declares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from headwater.testing.kit.collection import Collection, SimulatedRecord
from headwater.testing.kit.http_server import Call
from headwater.testing.kit.list_request import PAGE, ListRequest
from headwater.testing.kit.sample import get_path
from headwater.wire.cursor import Delta
from headwater.wire.paging.forward_only import ForwardOnly
from headwater.wire.paging.keyset import Keyset
from headwater.wire.paging.offset import Offset
from headwater.wire.paging.order import parse_key
from headwater.wire.paging.page_number import PageNumber
from headwater.wire.paging.token import Token
from headwater.wire.records import split_path

Rows = Sequence[SimulatedRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A read that the service remembers behind a link or a token."""

    request: ListRequest
    start: int = 0
    numbers: tuple[int, ...] | None = None
    """The records of the result, if the service pages over a snapshot of it."""
    since_revision: int | None = None
    """For a delta: the changes after this one."""
    until_revision: int = 0
    is_end: bool = False
    """Whether it is the link to the next changes."""


@dataclass(kw_only=True)
class Sessions:
    """The links and tokens that a service has given out."""

    by_token: dict[str, Session] = field(default_factory=dict)

    def keep(self, session: Session) -> str:
        """A new token for `session`."""
        token = f"kit{len(self.by_token) + 1:05}"
        self.by_token[token] = session
        return token


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPage:
    """A page: its records, and how the next one is found."""

    rows: Rows
    total: int
    has_more: bool
    session: Session | None = None
    """The session of the next page, for links and tokens."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The parameters of the next page, for a link of another kind of paging."""


def cut_page(collection: Collection, rows: Rows, request: ListRequest, session: Session, *, cap: int) -> ServedPage:
    """The page of `rows` that a request asks for. `cap`: the most records of a page."""
    paging: Any = collection.resource.paging
    size = _read_size(paging, request)
    size = min(size, cap) if cap else size
    if isinstance(paging, PageNumber | Offset):
        return _cut_numbered(paging, rows, request, size)
    if isinstance(paging, ForwardOnly | Keyset):
        return _cut_by_key(paging, rows, request, size)
    if isinstance(paging, Token) and paging.anchor:
        return _cut_anchored(rows, paging, request, session, size)
    if paging.kind == "unpaged":
        return ServedPage(rows=rows, total=len(rows), has_more=False)
    # The rounds of a delta are consistent: what changes in between is in the next one.
    is_snapshot = paging.stable or isinstance(collection.resource.cursor, Delta)
    return _slice_session(rows, session, size, is_snapshot=is_snapshot)


def _cut_numbered(paging: PageNumber | Offset, rows: Rows, request: ListRequest, size: int) -> ServedPage:
    if isinstance(paging, PageNumber):
        number = int(request.params.get(paging.param) or paging.first)
        params = {paging.param: str(number + 1), paging.size_param: str(size)}
        return _slice(rows, (number - paging.first) * size, size, params=params)
    offset = int(request.values.get("offset") or request.params.get(paging.param) or paging.first)
    return _slice(rows, offset - paging.first, size, params={} if paging.text else {paging.param: str(offset + size)})


def _cut_by_key(paging: ForwardOnly | Keyset, rows: Rows, request: ListRequest, size: int) -> ServedPage:
    if isinstance(paging, Keyset):
        return _slice(_select_after(rows, paging, request), 0, size, total=len(rows))
    above = request.params.get(paging.param, "")
    later = _select_above(rows, paging.field, above) if above else rows
    last = later[:size][-1:]
    key = str(get_path(last[0].values, split_path(paging.field))) if last else above
    return _slice(later, 0, size, total=len(rows), params={paging.param: key})


def build_order(collection: Collection) -> Callable[[SimulatedRecord], Any]:
    """The order of the records in a list: by the key that the paging needs, else by the change time."""
    paging: Any = collection.resource.paging
    match paging:
        case ForwardOnly():
            path = split_path(paging.field)
            return lambda record: _to_sortable(get_path(record.values, path))
        case Token() if paging.anchor:
            path = split_path(paging.anchor.field)
            return lambda record: _to_sortable(get_path(record.values, path))
        case Keyset():
            paths = [split_path(one) for one in paging.paths]
            return lambda record: tuple(_to_sortable(get_path(record.values, path)) for path in paths)
        case _:
            return lambda record: (record.changed_at, record.number)


def build_target(call: Call, params: Mapping[str, str]) -> str:
    """The path and query of a link to another page of the same list."""
    return f"{call.path}?{urlencode({**call.query, **params})}"


def build_session_target(call: Call, token: str) -> str:
    """The path and query of a link to a session."""
    return build_target(call, {PAGE: token})


def _read_size(paging: Any, request: ListRequest) -> int:
    name = getattr(paging, "size_param", "")
    text = request.values.get("size") or (request.params.get(name, "") if name else "")
    return int(text) if text.isdigit() and int(text) else getattr(paging, "size", 1000)


def _slice(
    rows: Rows, start: int, size: int, *, total: int | None = None, params: Mapping[str, str] | None = None
) -> ServedPage:
    return ServedPage(
        rows=rows[start : start + size],
        total=len(rows) if total is None else total,
        has_more=start + size < len(rows),
        params=params or {},
    )


def _slice_session(rows: Rows, session: Session, size: int, *, is_snapshot: bool) -> ServedPage:
    numbers = session.numbers
    if is_snapshot and numbers is None:
        numbers = tuple(record.number for record in rows)
    if numbers is not None:
        by_number = {record.number: record for record in rows}
        page = [by_number[number] for number in numbers[session.start : session.start + size] if number in by_number]
        total = len(numbers)
    else:
        page, total = list(rows[session.start : session.start + size]), len(rows)
    following = Session(
        request=session.request,
        start=session.start + size,
        numbers=numbers,
        since_revision=session.since_revision,
        until_revision=session.until_revision,
    )
    return ServedPage(rows=page, total=total, has_more=session.start + size < total, session=following)


def _cut_anchored(rows: Rows, paging: Token, request: ListRequest, session: Session, size: int) -> ServedPage:
    anchor = paging.anchor
    assert anchor is not None
    above = request.params.get(anchor.param, "")
    later = _select_above(rows, anchor.field, above) if above else rows
    size = min(size, max(0, anchor.cap - session.start))
    page = _slice_session(later, session, size, is_snapshot=paging.stable)
    has_more = page.has_more and session.start + size < anchor.cap
    return ServedPage(rows=page.rows, total=len(later), has_more=has_more, session=page.session)


def _select_above(rows: Rows, path: str, above: str) -> Rows:
    steps = split_path(path)
    return [record for record in rows if _to_sortable(get_path(record.values, steps)) > _to_sortable(above)]


def _select_after(rows: Rows, paging: Keyset, request: ListRequest) -> Rows:
    step, key, tie = (request.values.get(name, "") for name in ("step", "key", "tie"))
    if step not in ("next", "ties"):
        return rows
    paths = [split_path(one) for one in paging.paths]
    chosen = []
    for record in rows:
        own_key, own_tie = (_to_sortable(get_path(record.values, path)) for path in paths)
        is_above = own_key > _to_sortable(key)
        is_tie = own_key == _to_sortable(key) and bool(tie) and own_tie > _to_sortable(tie)
        if is_tie if step == "ties" else is_above or is_tie:
            chosen.append(record)
    return chosen


def _to_sortable(value: Any) -> tuple[int, Any]:
    """A value that sorts as a service would sort it: numbers and instants by size, other texts by letters."""
    parsed = parse_key(value)
    if parsed is None:
        return 2, str(value)
    return (0, parsed) if isinstance(parsed, int) else (1, parsed)
