"""What a request for a page asks for: the window of its filter, and its place in the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headwater.model.connector import Connector
from headwater.model.resource import Resource
from headwater.testing.kit.http_server import Call
from headwater.testing.kit.inverse import match_any, match_template, merge_params, parse_bound, read_body_params
from headwater.wire.cursor import ChangeFilter, IdSweep
from headwater.wire.paging.keyset import Keyset
from headwater.wire.paging.offset import Offset

PAGE = "kit_page"
"""The parameter with which the simulated service marks its own links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """A request for a page, read back."""

    params: Mapping[str, str]
    """The parameters of the query and of the body."""
    values: Mapping[str, str]
    """What the templates of the cursor and of the paging were filled with: `since`, `until`, `key`, `tie`, `offset`, `size`."""
    since: datetime | None = None
    until: datetime | None = None
    is_sweep: bool = False
    """Whether only ids are requested."""
    fault: str = ""
    """Why the service cannot understand the request."""


def read_list_request(connector: Connector, resource: Resource, call: Call) -> ListRequest:
    """Read a request for a page of `resource`, which has the defaults of the connector."""
    params = merge_params(call.query, read_body_params(resource.body, call))
    values: dict[str, str] = {}
    for name, text in {**call.headers, **params}.items():
        values.update(read_text(connector, resource, name, text))
    cursor, bounds = resource.cursor, dict[str, datetime | None]()
    fault = ""
    for name in ("since", "until") if isinstance(cursor, ChangeFilter) else ():
        if name in values and isinstance(cursor, ChangeFilter):
            bounds[name] = parse_bound(cursor, values[name])
            if bounds[name] is None:
                fault = f"`{values[name][:80]}` is no {name} in the format of the cursor"
    return ListRequest(
        params=params,
        values=values,
        since=bounds.get("since"),
        until=bounds.get("until"),
        is_sweep=_is_sweep(resource, params),
        fault=fault,
    )


def _is_sweep(resource: Resource, params: Mapping[str, str]) -> bool:
    deletes = resource.deletes
    wanted = deletes.params if isinstance(deletes, IdSweep) else {}
    return bool(wanted) and all(params.get(name) == text for name, text in wanted.items())


def read_text(connector: Connector, resource: Resource, name: str, text: str) -> dict[str, str]:
    """The values of the placeholders in one parameter or header, e.g. `since` and the key of a keyset."""
    filters = list(_list_filters(connector, resource, name))
    paging = resource.paging
    if isinstance(paging, Keyset) and name == paging.param:
        return _read_keyset(paging, [*filters, paging.no_filter, ""], text)
    if isinstance(paging, Offset) and paging.text and name == paging.param:
        return match_any([paging.text.replace("{filter}", one) for one in [*filters, ""]], text) or {}
    return match_any(filters, text) or {}


def _read_keyset(paging: Keyset, filters: list[str], text: str) -> dict[str, str]:
    for step in ("ties", "next", "first"):
        template: str = getattr(paging, step)
        if not template:
            continue
        for one in sorted(filters, key=len, reverse=True):
            found = match_template(template.replace("{filter}", one), text)
            if found is not None:
                return {**found, "step": step}
    return {}


def _list_filters(connector: Connector, resource: Resource, name: str) -> Iterator[str]:
    """The templates that a parameter or a header may be filled from, apart from those of the paging."""
    cursor: Any = resource.cursor
    if isinstance(cursor, ChangeFilter):
        for texts in (cursor.params, cursor.first, cursor.headers):
            yield from (text for key, text in texts.items() if key == name or key.lower() == name)
    ids = resource.deletes.params if isinstance(resource.deletes, IdSweep) else {}
    for texts in (resource.verify.params if resource.verify else {}, ids, resource.params, connector.params):
        yield from (text for key, text in texts.items() if key == name)
