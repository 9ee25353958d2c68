"""The manifest under test, with the addresses of a simulated service and small pages. No request can reach the real one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from headwater.clock import parse_span
from headwater.model.connector import Connector
from headwater.model.resource import Resource
from headwater.wire.cursor import ChangeFilter
from headwater.wire.paging.token import Token
from headwater.wire.template import fill, find_placeholders

PAGE_SIZE = 5
"""The page size of a test, so that a few records fill several pages."""

CAP = 12
"""The cap of a query of a test, if the manifest declares one."""

_REQUESTS = 6000
"""The least number of requests a minute in a test."""

_UNKNOWN_HOST = "https://kit.invalid"
_ZONE = "Europe/Vienna"
_OF_THE_APP = ("token_url", "client_id", "client_secret", "send", "params", "scheme")
"""The keys of an auth kind with a login that credentials of the app have, too."""

Json = dict[str, Any]


def build_settings(connector: Connector) -> dict[str, str]:
    """A value for each setting: its default, or one that the test makes up."""
    zones = {name for cursor in _list_cursors(connector) for name in find_placeholders(cursor.zone)}
    addresses = {
        name
        for text in _list_addresses(connector)
        for name in find_placeholders(text)
        if text.startswith(f"{{{name}}}")
    }
    values: dict[str, str] = {}
    for name, setting in connector.settings.items():
        made_up = _UNKNOWN_HOST if name in addresses else _ZONE if name in zones else f"kit-{name.replace('_', '-')}"
        values[name] = made_up if setting.default is None else setting.default
    return values


def build_secrets(connector: Connector) -> dict[str, str]:
    """A value for each secret, long enough to be found wherever it should not be."""
    return {name: f"kit-secret-{name.replace('_', '-')}-5f2c91" for name in connector.secrets}


def relocate(connector: Connector, url: str, resources: tuple[Resource, ...], *, timeout: str = "") -> Json:
    """The manifest as a JSON object, for a service at `url`, with only `resources`.

    Changed are the addresses, the page sizes, `look_back`, so that a history is one window, and the number of requests a minute,
    because the run that is killed has no other clock.
    """
    settings = build_settings(connector)
    manifest: Json = connector.model_dump(mode="json", exclude_unset=True)
    manifest["base_url"] = _move(connector.base_url, settings, url)
    manifest["auth"] = _replace_login(
        {"kind": connector.auth.kind, **connector.auth.model_dump(mode="json", exclude_unset=True)}
    )
    for name in [name for name in manifest["auth"] if name.endswith("url")]:
        manifest["auth"][name] = _move(str(manifest["auth"][name]), settings, url)
    manifest.pop("hosts", None)
    if connector.lookup is not None:
        manifest["lookup"]["hosts"] = [urlsplit(url).netloc]
    manifest["look_back"] = "0d"
    limits = {"requests_per_minute": max(connector.limits.requests_per_minute, _REQUESTS)}
    manifest["limits"] = {**manifest.get("limits", {}), **limits, **({"timeout": timeout} if timeout else {})}
    manifest["paging"] = _shrink(connector.paging)
    manifest["resources"] = [_shrink_resource(resource) for resource in resources]
    return manifest


def _replace_login(auth: Json) -> Json:
    """Credentials of the app instead of the login of a person, whom no test can ask. Requests carry the same kind of token."""
    if auth["kind"] != "oauth2_refresh":
        return auth
    kept = {name: auth[name] for name in _OF_THE_APP if name in auth}
    return {**kept, "kind": "oauth2_client_credentials"}


def list_with_parents(connector: Connector, resource: Resource) -> tuple[Resource, ...]:
    """A resource and its parents, parents first."""
    chain = [resource]
    while (parent := chain[0].parent) is not None and (found := connector.find_resource(parent.resource)) is not None:
        chain.insert(0, found)
    return tuple(chain)


def list_spans(connector: Connector, resource: Resource) -> Iterator[str]:
    """After how long a resource is due again, whatever is read of it."""
    full = connector.with_defaults(resource)
    yield from (resource.every, connector.hold_back, full.overlap or "0s")
    yield from (getattr(part, "every", "0s") for part in (full.cursor, full.deletes, full.parent) if part is not None)


def find_longest_span(connector: Connector, resources: tuple[Resource, ...]) -> float:
    """Seconds after which all `resources` are due again."""
    spans = [span for resource in resources for span in list_spans(connector, resource)]
    return max(parse_span(span).total_seconds() for span in spans)


def _move(text: str, settings: Mapping[str, str], url: str) -> str:
    """An address with the same path at `url`."""
    known = {name: settings.get(name, f"{{{name}}}") for name in find_placeholders(text)}
    parts = urlsplit(fill(text, known, where="kit"))
    return f"{url}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _shrink_resource(resource: Resource) -> Json:
    data: Json = resource.model_dump(mode="json", exclude_unset=True)
    data.pop("look_back", None)
    if resource.paging is not None:
        data["paging"] = _shrink(resource.paging)
    return data


def _shrink(paging: Any) -> Json:
    data: Json = {"kind": paging.kind, **paging.model_dump(mode="json", exclude_unset=True)}
    if hasattr(paging, "size"):
        data["size"] = min(paging.size, PAGE_SIZE)
    if isinstance(paging, Token) and paging.anchor is not None:
        data["anchor"] = {**data["anchor"], "cap": min(paging.anchor.cap, CAP)}
    return data


def _list_cursors(connector: Connector) -> Iterator[ChangeFilter]:
    cursors = (connector.cursor, *(resource.cursor for resource in connector.resources))
    return (cursor for cursor in cursors if isinstance(cursor, ChangeFilter))


def _list_addresses(connector: Connector) -> Iterator[str]:
    yield connector.base_url
    yield from (text for name, text in connector.auth.texts.items() if name.endswith("url"))
