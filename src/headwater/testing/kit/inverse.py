"""Reads requests back: which values a client filled into the templates of a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from headwater.clock import from_micros, parse_instant
from headwater.testing.kit.http_server import Call
from headwater.wire.body import FormBody, JsonBody
from headwater.wire.cursor import ChangeFilter
from headwater.wire.retry_after import parse_http_date

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][^{}:]*)(?::number)?\}")


def match_template(template: str, text: str) -> dict[str, str] | None:
    """The values of the placeholders of `template` in `text`, or None if the text cannot come from it."""
    match = _compile(template).fullmatch(text)
    return None if match is None else {name: value for name, value in match.groupdict().items() if value is not None}


@lru_cache(maxsize=512)
def _compile(template: str) -> re.Pattern[str]:
    pattern, seen, at = "", set[str](), 0
    for found in _PLACEHOLDER.finditer(template):
        name = re.sub(r"\W", "_", found[1])
        pattern += re.escape(template[at : found.start()])
        pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.*?)"
        seen.add(name)
        at = found.end()
    return re.compile(pattern + re.escape(template[at:]), re.DOTALL)


def read_body_params(body: JsonBody | FormBody | None, call: Call) -> dict[str, str]:
    """The parameters of a request that are in its body. Empty if it has none."""
    values: dict[str, str] = {}
    if isinstance(body, FormBody):
        fields = dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
        _unify(body.fields, fields, values)
    elif isinstance(body, JsonBody) and call.body:
        try:
            _unify(body.content, msgspec.json.decode(call.body), values)
        except msgspec.DecodeError:
            return {}
    return values


def _unify(template: Any, actual: Any, values: dict[str, str]) -> bool:
    """Whether `actual` may come from `template`. Its placeholders go to `values`."""
    if isinstance(template, str):
        return _unify_text(template, actual, values)
    if isinstance(template, dict):
        if not isinstance(actual, dict) or not actual.keys() <= template.keys():
            return False
        return all(_unify(template[key], item, values) for key, item in actual.items())
    if isinstance(template, list):
        return isinstance(actual, list) and _unify_lists(template, actual, values)
    return bool(template == actual)


def _unify_text(template: str, actual: Any, values: dict[str, str]) -> bool:
    if not isinstance(actual, str | int | float) or isinstance(actual, bool):
        return False
    found = match_template(template, str(actual))
    if found is None:
        return False
    values.update(found)
    return True


def _unify_lists(template: list[Any], actual: list[Any], values: dict[str, str]) -> bool:
    """An element whose parameter is missing is left out, so each element belongs to one of the next elements of the template."""
    rest = iter(template)
    return all(any(_try(item, element, values) for item in rest) for element in actual)


def _try(template: Any, actual: Any, values: dict[str, str]) -> bool:
    own: dict[str, str] = {}
    is_match = _unify(template, actual, own)
    values.update(own if is_match else {})
    return is_match


def match_any(templates: Iterable[str], text: str) -> dict[str, str] | None:
    """The values of the first template that matches, those with the most placeholders first."""
    ordered = sorted(templates, key=lambda template: len(_PLACEHOLDER.findall(template)), reverse=True)
    matches = (match_template(template, text) for template in ordered)
    return next((found for found in matches if found is not None), None)


def parse_bound(cursor: ChangeFilter, text: str) -> datetime | None:
    """The instant that a bound of a window means to the service, or None if it is not in the declared format."""
    try:
        if cursor.pattern:
            moment = datetime.strptime(text, cursor.pattern)  # noqa: DTZ007 - the zone follows
            zone = ZoneInfo(cursor.zone) if cursor.zone != "UTC" and moment.year > 1 else UTC
            return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC)
        if cursor.format in ("epoch", "epoch_ms"):
            return from_micros(int(text) * (1000 if cursor.format == "epoch_ms" else 1_000_000))
        return parse_http_date(text) if cursor.format == "http" else parse_instant(text)
    except (ValueError, OverflowError):
        return None


def merge_params(*groups: Mapping[str, str]) -> dict[str, str]:
    """All parameters of a request."""
    return {name: value for group in groups for name, value in group.items()}
