"""Queries of a collection: conditions, order, fields and page."""

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
from headwater.sandbox.connectwise.conditions import ConditionError, build_reader, parse_conditions
from headwater.sandbox.connectwise.records.base import Record, map_wire_names

DEFAULT_SIZE = 25
LARGEST_SIZE = 1000

_UNSIMULATED = ("childConditions", "customFieldConditions")
_ENCODER = msgspec.json.Encoder()


class QueryError(ValueError):
    """A query parameter is invalid. `field` is its name."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The query parameters of a request to a collection."""

    conditions: str = ""
    order_by: str = ""
    fields: str = ""
    page: int = 1
    size: int = DEFAULT_SIZE
    after: int | None = None
    """Forward-only paging: the last id seen (0 at first); None for numbered pages."""
    parent: int | None = None
    """For a collection of an agreement: id of the agreement."""


@dataclass(slots=True, kw_only=True)
class Page:
    """A page of encoded records, and the parameters of the linked pages by `rel`."""

    records: Sequence[Record]
    rows: list[bytes]
    links: dict[str, dict[str, str]]


def read_query(params: dict[str, str], *, is_forward: bool, parent: int | None) -> Query:
    """Read a query from the parameters of a request. Raises QueryError for invalid parameters."""
    for name in _UNSIMULATED:
        if params.get(name):
            raise QueryError(name, f"the sandbox does not simulate {name}")
    return Query(
        conditions=params.get("conditions", "").strip(),
        order_by=params.get("orderBy", "").strip(),
        fields=params.get("fields", "").strip(),
        page=_read_number(params, "page", 1, minimum=1),
        size=min(_read_number(params, "pageSize", DEFAULT_SIZE, minimum=1), LARGEST_SIZE),
        after=_read_number(params, "pageId", 0, minimum=0) if is_forward else None,
        parent=parent,
    )


class QueryCache:
    """Runs queries and caches the last `size` results, so that the next page of a query is only a slice."""

    def __init__(self, *, size: int = 16) -> None:
        self._size = size
        self._matches: OrderedDict[tuple[Any, ...], list[Record]] = OrderedDict()

    def find_matches(self, collection: Collection[Any], query: Query) -> list[Record]:
        """Return all records that match the conditions, in `orderBy` order, or by id if it is empty or paging is forward-only."""
        order = "" if query.after is not None else query.order_by
        key = (collection.path, collection.version, query.parent, query.conditions, order)
        if key not in self._matches:
            self._matches[key] = _sort_records(_filter_records(collection, query), order, collection.kind)
            if len(self._matches) > self._size:
                self._matches.popitem(last=False)
        self._matches.move_to_end(key)
        return self._matches[key]

    def read_page(self, collection: Collection[Any], query: Query) -> Page:
        """Return one page of the matching records."""
        matches = self.find_matches(collection, query)
        start, links = (
            _locate_numbered_page(len(matches), query) if query.after is None else _locate_forward_page(matches, query)
        )
        records = matches[start : start + query.size]
        return Page(records=records, rows=encode_records(collection, records, query.fields), links=links)


def encode_records(collection: Collection[Any], records: Sequence[Record], fields: str) -> list[bytes]:
    """Encode records as JSON, with all fields or only with `fields`."""
    if not fields:
        return [collection.encode(record) for record in records]
    project_record = build_projection(fields, collection.kind)
    return [_ENCODER.encode(project_record(record)) for record in records]


def build_projection(fields: str, kind: type[Record]) -> Callable[[Record], dict[str, Any]]:
    """Build a function that reduces a record to `fields` (`id,company/id,...`). Ignore unknown names, as the service does."""
    top_level: list[tuple[str, str]] = []
    nested: dict[str, tuple[str, list[str]]] = {}
    for field in (part.strip() for part in fields.split(",")):
        head, _, rest = field.partition("/")
        attribute = map_wire_names(kind).get(head)
        if attribute and not rest:
            top_level.append((head, attribute))
        elif attribute:
            nested.setdefault(head, (attribute, []))[1].append(rest)

    def project_record(record: Record) -> dict[str, Any]:
        values = {name: value for name, attribute in top_level if (value := getattr(record, attribute)) is not None}
        for name, (attribute, paths) in nested.items():
            value = getattr(record, attribute)
            if name not in values and value is not None:
                values[name] = _filter_keys(value, paths)
        return values

    return project_record


def build_url(base: str, params: dict[str, str]) -> str:
    """Return a URL with its parameters."""
    return f"{base}?{urlencode(params, quote_via=quote, safe='/')}"


def _filter_keys(value: Any, paths: list[str]) -> Any:
    fields = msgspec.to_builtins(value) if isinstance(value, Struct) else value
    if not isinstance(fields, dict):
        return fields
    heads = {path.split("/")[0] for path in paths}
    return {name: item for name, item in fields.items() if name in heads}


def _filter_records(collection: Collection[Any], query: Query) -> list[Record]:
    records: list[Record] = list(collection.rows.values())
    if query.parent is not None:
        records = [record for record in records if getattr(record, "agreement_id", None) == query.parent]
    if not query.conditions:
        return records
    try:
        is_match = parse_conditions(query.conditions, collection.kind)
    except ConditionError as error:
        raise QueryError("conditions", str(error)) from error
    return [record for record in records if is_match(record)]


def _sort_records(records: list[Record], order_by: str, kind: type[Record]) -> list[Record]:
    for part in reversed([part.split() for part in order_by.split(",") if part.strip()]):
        if len(part) > 2 or (len(part) == 2 and part[1].lower() not in ("asc", "desc")):
            raise QueryError("orderBy", f"cannot order by '{' '.join(part)}'")
        try:
            read = build_reader(part[0], kind)
        except ConditionError as error:
            raise QueryError("orderBy", str(error)) from error
        records.sort(key=_build_sort_key(read), reverse=part[-1].lower() == "desc")
    return records


def _build_sort_key(read: Callable[[Record], Any]) -> Callable[[Record], tuple[bool, bool, Any]]:
    """Build a sort key: missing values first, then numbers, then text."""

    def build_key(record: Record) -> tuple[bool, bool, Any]:
        value = read(record)
        comparable = value if isinstance(value, (int, float, str)) else str(value)
        return value is not None, isinstance(comparable, str), comparable

    return build_key


def _locate_numbered_page(count: int, query: Query) -> tuple[int, dict[str, dict[str, str]]]:
    last = max(1, -(-count // query.size))
    if query.page >= last:
        return (query.page - 1) * query.size, {}
    links = {rel: {"pageSize": str(query.size), "page": str(page)} for rel, page in
             (("next", query.page + 1), ("last", last))}  # fmt: skip
    return (query.page - 1) * query.size, links


def _locate_forward_page(matches: list[Record], query: Query) -> tuple[int, dict[str, dict[str, str]]]:
    start = bisect.bisect_right(matches, query.after or 0, key=lambda record: record.id)
    end = start + query.size
    if end >= len(matches):
        return start, {}
    return start, {"next": {"pageSize": str(query.size), "pageId": str(matches[end - 1].id)}}


def _read_number(params: dict[str, str], name: str, default: int, *, minimum: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < minimum:
        raise QueryError(name, f"{name} must be a whole number of at least {minimum}")
    return int(text)
