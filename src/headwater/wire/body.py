"""Bodies of requests. A body is a template over the parameters of the request: what it uses is not sent in the query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from pydantic import Field

from headwater.declared import Declared
from headwater.wire.message import Request

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][^{}:]*)(:number)?\}")
_MISSING = object()


class JsonBody(Declared):
    """A POST request with JSON.

    `{name}` in a text is the parameter `name` of the request, which the resource, its cursor or its paging sets. A text
    that is only `{name:number}` is a number. A text whose parameter is missing is left out: the entry of an object, or the
    whole element of a list that contains it, e.g. a filter for a first page.
    """

    kind: Literal["json"] = "json"
    content: dict[str, Any]
    """The object to send, e.g. `limit: "{limit:number}"`."""

    def apply(self, request: Request) -> Request:
        """`request` as a POST request with this body, without the parameters that the body contains."""
        content = _fill(self.content, request.params)
        body = msgspec.json.encode({} if content is _MISSING else content)
        return _to_post(request, body, "application/json", _find_names(self.content))


class FormBody(Declared):
    """A POST request with a form. `{name}` is the parameter `name` of the request. A field without its parameter is left out."""

    kind: Literal["form"] = "form"
    fields: dict[str, str]
    """The fields of the form, e.g. `query: "{query}"`."""

    def apply(self, request: Request) -> Request:
        """`request` as a POST request with this body, without the parameters that the body contains."""
        filled = _fill(self.fields, request.params)
        body = urlencode({} if filled is _MISSING else filled).encode()
        return _to_post(request, body, "application/x-www-form-urlencoded", _find_names(self.fields))


Body = Annotated[JsonBody | FormBody, Field(discriminator="kind")]
"""All kinds of bodies."""


def find_body_names(body: JsonBody | FormBody) -> frozenset[str]:
    """The names of the parameters that a body uses."""
    return _find_names(body.content if isinstance(body, JsonBody) else body.fields)


def _to_post(request: Request, body: bytes, content_type: str, names: frozenset[str]) -> Request:
    params = {name: value for name, value in request.params.items() if name not in names}
    headers = {**request.headers, "Content-Type": content_type}
    return replace(request, method="POST", params=params, headers=headers, body=body)


def _find_names(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(match[1] for match in _PLACEHOLDER.finditer(value))
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return frozenset().union(*map(_find_names, items))


def _fill(value: Any, params: Mapping[str, str], *, in_list: bool = False) -> Any:
    """`value` with its placeholders filled, or `_MISSING` if it has one without a value."""
    if isinstance(value, str):
        return _fill_text(value, params)
    if isinstance(value, list):
        filled = [_fill(item, params, in_list=True) for item in value]
        return [item for item in filled if item is not _MISSING]
    if isinstance(value, dict):
        entries = {key: _fill(item, params) for key, item in value.items()}
        if in_list and _MISSING in entries.values():
            return _MISSING
        return {key: item for key, item in entries.items() if item is not _MISSING}
    return value


def _fill_text(text: str, params: Mapping[str, str]) -> Any:
    matches = list(_PLACEHOLDER.finditer(text))
    if any(match[1] not in params for match in matches):
        return _MISSING
    if len(matches) == 1 and matches[0][0] == text and matches[0][2]:
        return msgspec.Raw(_check_number(params[matches[0][1]]).encode())
    return _PLACEHOLDER.sub(lambda match: params[match[1]], text)


def _check_number(text: str) -> str:
    """`text` if it is a number in JSON. Raise ValueError otherwise."""
    msgspec.json.decode(text.encode(), type=int | float)
    return text
