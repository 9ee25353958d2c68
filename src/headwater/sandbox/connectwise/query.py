"""A question to a collection: which records, in which order, which fields, which page."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from headwater.sandbox.connectwise.collection import Collection
from headwater.sandbox.connectwise.conditions import ConditionError, parse, reader
from headwater.sandbox.connectwise.records.base import Record, attributes

DEFAULT_SIZE = 25
LARGEST_SIZE = 1000

_UNSIMULATED = ("childConditions", "customFieldConditions")
_ENCODER = msgspec.json.Encoder()


class QueryError(ValueError):
    """A parameter that the service cannot read; `field` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a request asks of a collection."""

    conditions: str = ""
    order_by: str = ""
    fields: str = ""
    page: int = 1
    size: int = DEFAULT_SIZE
    after: int | None = None
    """Forward-only paging: the last id seen (0 at first); None for numbered pages."""
    parent: int | None = None
    """For a collection inside an agreement: which agreement."""


@dataclass(slots=True, kw_only=True)
class Page:
    """What is answered: encoded records, and the parameters of the pages that may be asked next."""

    records: Sequence[Record]
    rows: list[bytes]
    links: dict[str, dict[str, str]]


def read_query(params: dict[str, str], *, forward: bool, parent: int | None) -> Query:
    """The query that the parameters of a request mean; QueryError where they mean none."""
    for name in _UNSIMULATED:
        if params.get(name):
            raise QueryError(name, f"the sandbox does not simulate {name}")
    return Query(
        conditions=params.get("conditions", "").strip(),
        order_by=params.get("orderBy", "").strip(),
        fields=params.get("fields", "").strip(),
        page=_number(params, "page", 1, least=1),
        size=min(_number(params, "pageSize", DEFAULT_SIZE, least=1), LARGEST_SIZE),
        after=_number(params, "pageId", 0, least=0) if forward else None,
        parent=parent,
    )


class Answers:
    """Answers queries; remembers the last matches, so that the next page of the same question costs a slice."""

    def __init__(self, *, keep: int = 16) -> None:
        self._keep = keep
        self._known: OrderedDict[tuple[Any, ...], list[Record]] = OrderedDict()

    def matches(self, collection: Collection[Any], query: Query) -> list[Record]:
        """All records that the conditions admit, in the order asked for (of id, if none or forward-only)."""
        order = "" if query.after is not None else query.order_by
        key = (collection.path, collection.version, query.parent, query.conditions, order)
        if key not in self._known:
            self._known[key] = _ordered(_admitted(collection, query), order, collection.kind)
            if len(self._known) > self._keep:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def page(self, collection: Collection[Any], query: Query) -> Page:
        """One page of the matches."""
        matches = self.matches(collection, query)
        start, links = _numbered(len(matches), query) if query.after is None else _forward(matches, query)
        records = matches[start : start + query.size]
        return Page(records=records, rows=encode(collection, records, query.fields), links=links)


def encode(collection: Collection[Any], records: Sequence[Record], fields: str) -> list[bytes]:
    """Records as JSON, whole or with only the fields that were asked for."""
    if not fields:
        return [collection.encoded(record) for record in records]
    project = projection(fields, collection.kind)
    return [_ENCODER.encode(project(record)) for record in records]


def projection(fields: str, kind: type[Record]) -> Callable[[Record], dict[str, Any]]:
    """What cuts a record down to `id,company/id,...`; names that no record has are passed over, as the service does."""
    whole: list[tuple[str, str]] = []
    partial: dict[str, tuple[str, list[str]]] = {}
    for field in (part.strip() for part in fields.split(",")):
        head, _, rest = field.partition("/")
        attribute = attributes(kind).get(head)
        if attribute and not rest:
            whole.append((head, attribute))
        elif attribute:
            partial.setdefault(head, (attribute, []))[1].append(rest)

    def project(record: Record) -> dict[str, Any]:
        cut = {name: value for name, attribute in whole if (value := getattr(record, attribute)) is not None}
        for name, (attribute, inner) in partial.items():
            value = getattr(record, attribute)
            if name not in cut and value is not None:
                cut[name] = _narrowed(value, inner)
        return cut

    return project


def url_of(base: str, params: dict[str, str]) -> str:
    """An address with its parameters."""
    return f"{base}?{urlencode(params, quote_via=quote, safe='/')}"


def _narrowed(value: Any, inner: list[str]) -> Any:
    built = msgspec.to_builtins(value) if isinstance(value, Struct) else value
    if not isinstance(built, dict):
        return built
    heads = {path.split("/")[0] for path in inner}
    return {name: item for name, item in built.items() if name in heads}


def _admitted(collection: Collection[Any], query: Query) -> list[Record]:
    records: list[Record] = list(collection.rows.values())
    if query.parent is not None:
        records = [record for record in records if getattr(record, "agreement_id", None) == query.parent]
    if not query.conditions:
        return records
    try:
        admits = parse(query.conditions, collection.kind)
    except ConditionError as error:
        raise QueryError("conditions", str(error)) from error
    return [record for record in records if admits(record)]


def _ordered(records: list[Record], order_by: str, kind: type[Record]) -> list[Record]:
    for part in reversed([part.split() for part in order_by.split(",") if part.strip()]):
        if len(part) > 2 or (len(part) == 2 and part[1].lower() not in ("asc", "desc")):
            raise QueryError("orderBy", f"cannot order by '{' '.join(part)}'")
        try:
            read = reader(part[0], kind)
        except ConditionError as error:
            raise QueryError("orderBy", str(error)) from error
        records.sort(key=_sort_key(read), reverse=part[-1].lower() == "desc")
    return records


def _sort_key(read: Callable[[Record], Any]) -> Callable[[Record], tuple[bool, bool, Any]]:
    """Absent values first, then numbers, then text."""

    def key(record: Record) -> tuple[bool, bool, Any]:
        value = read(record)
        simple = value if isinstance(value, (int, float, str)) else str(value)
        return value is not None, isinstance(simple, str), simple

    return key


def _numbered(count: int, query: Query) -> tuple[int, dict[str, dict[str, str]]]:
    last = max(1, -(-count // query.size))
    if query.page >= last:
        return (query.page - 1) * query.size, {}
    links = {rel: {"pageSize": str(query.size), "page": str(page)} for rel, page in
             (("next", query.page + 1), ("last", last))}  # fmt: skip
    return (query.page - 1) * query.size, links


def _forward(matches: list[Record], query: Query) -> tuple[int, dict[str, dict[str, str]]]:
    start = bisect.bisect_right(matches, query.after or 0, key=lambda record: record.id)
    end = start + query.size
    if end >= len(matches):
        return start, {}
    return start, {"next": {"pageSize": str(query.size), "pageId": str(matches[end - 1].id)}}


def _number(params: dict[str, str], name: str, absent: int, *, least: int) -> int:
    text = params.get(name, "")
    if not text:
        return absent
    if not text.isdecimal() or int(text) < least:
        raise QueryError(name, f"{name} must be a whole number of at least {least}")
    return int(text)
