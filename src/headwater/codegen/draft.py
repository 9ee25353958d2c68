"""Drafts the manifest of a connector from an OpenAPI description, and marks what a person must decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headwater.codegen.description import Description
from headwater.codegen.listing import Listing
from headwater.codegen.prune import Schema

DECIDE = "# decide:"
"""How a comment begins that asks a person to decide."""

_PAGES = ("page", "pageNumber", "page_number", "pageIndex")
_SIZES = ("pageSize", "page_size", "per_page", "perPage", "limit", "size")
_STAMP = re.compile(r"modif|updat|chang", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The text of a manifest, and the schemas of its contracts."""

    manifest: str
    schemas: tuple[str, ...]

    @property
    def decisions(self) -> int:
        """How many decisions are left to a person."""
        return sum(line.strip().startswith(DECIDE) for line in self.manifest.splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Auth:
    line: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def draft_manifest(
    name: str,
    description: Description,
    listings: Sequence[Listing],
    classes: Mapping[str, str],
    left_out: Sequence[str],
) -> Draft:
    """Draft the manifest of a connector. `classes` has the class of each schema, `left_out` the paths that it cannot read."""
    auth = _draft_auth(description.security)
    secrets = "\n".join(f"  {key}: {json.dumps(text)}" for key, text in auth.secrets.items())
    head = [
        f"# Drafted from {description.where}. `{DECIDE}` marks what the description does not say.",
        "version: 1",
        f"connector: {name}",
        f"title: {name}",
        'base_url: "{base_url}"',
        "settings:",
        f"  base_url: {{description: {json.dumps(_describe_server(description.servers))}}}",
        *([f"secrets:\n{secrets}"] if secrets else []),
        *([f"{DECIDE} {auth.note}"] if auth.note else []),
        f"auth: {auth.line}",
        "resources:",
    ]
    body = [line for listing in listings for line in _draft_resource(listing, description.schemas, classes)]
    tail = [f"# Left out, because a path takes the key of one listed record only: {path}" for path in left_out]
    return Draft(
        manifest="\n".join([*head, *body, *tail]) + "\n", schemas=tuple(dict.fromkeys(one.schema for one in listings))
    )


def _describe_server(servers: Sequence[str]) -> str:
    return f"the URL of the service, e.g. {servers[0]}" if servers else "the URL of the service"


def _draft_auth(schemes: Mapping[str, Mapping[str, Any]]) -> _Auth:
    """The first scheme that a manifest can express."""
    others = ", ".join(schemes) or "none"
    for scheme in schemes.values():
        drafted = _draft_scheme(scheme)
        if drafted is not None:
            note = f"the description also names {others}" if len(schemes) > 1 else drafted.note
            return _Auth(line=drafted.line, secrets=drafted.secrets, note=note)
    note = f"how requests authenticate; the description names {others}"
    return _Auth(line="{kind: DECIDE}", note=note)


def _draft_scheme(scheme: Mapping[str, Any]) -> _Auth | None:
    kind, place = scheme.get("type"), scheme.get("in")
    if kind == "basic" or (kind == "http" and scheme.get("scheme") == "basic"):
        secrets = {"user": "the user name", "password": "the password"}
        return _Auth(line='{kind: basic, user: "{user}", password: "{password}"}', secrets=secrets)
    if kind == "http" and scheme.get("scheme") == "bearer":
        line = '{kind: headers, headers: {Authorization: "Bearer {token}"}}'
        return _Auth(line=line, secrets={"token": "an access token"})
    if kind == "apiKey" and place in ("header", "query"):
        key = json.dumps(scheme["name"])
        line = (
            f'{{kind: headers, headers: {{{key}: "{{api_key}}"}}}}'
            if place == "header"
            else (f'{{kind: query, params: {{{key}: "{{api_key}}"}}}}')
        )
        return _Auth(line=line, secrets={"api_key": "an API key"})
    url = scheme.get("flows", {}).get("clientCredentials", {}).get("tokenUrl") or (
        scheme.get("tokenUrl") if scheme.get("flow") == "application" else None
    )
    if kind != "oauth2" or not url:
        return None
    secrets = {"client_id": "the id of the client", "client_secret": "the secret of the client"}
    line = (
        f"{{kind: oauth2_client_credentials, token_url: {json.dumps(url)}, "
        'client_id: "{client_id}", client_secret: "{client_secret}"}'
    )
    return _Auth(line=line, secrets=secrets, note="the scope, and `hosts:` if the token comes from another host")


def _draft_resource(listing: Listing, schemas: Mapping[str, Schema], classes: Mapping[str, str]) -> Iterator[str]:
    properties = schemas[listing.schema].get("properties", {})
    yield f"  - resource: {listing.resource}"
    yield f"    path: {json.dumps(listing.path)}"
    yield f"    contract: {classes[listing.schema]}"
    if listing.parent:
        yield f"    parent: {{resource: {listing.parent}}}"
    if listing.records:
        yield f"    {DECIDE} whether the records are in `{listing.records}`, or the response is one record"
        yield f"    records: {json.dumps(listing.records)}"
    key = _find_key(listing.schema, properties)
    if key is None:
        yield f"    {DECIDE} the fields that identify a record, among {', '.join(list(properties)[:8])}"
        yield "    key: [DECIDE]"
    else:
        yield f"    key: [{json.dumps(key)}]"
    yield from _draft_paging(listing.params)
    yield from _draft_cursor(listing.params, properties)


def _find_key(schema: str, properties: Mapping[str, Any]) -> str | None:
    wanted = ("id", "Id", "ID", "uuid", "guid", f"{schema}Id", f"{schema}ID", f"{schema}_id")
    lower = {key.lower(): key for key in properties}
    return next((lower[name.lower()] for name in wanted if name.lower() in lower), None)


def _draft_paging(params: Sequence[str]) -> Iterator[str]:
    page, size = (next((name for name in names if name in params), None) for names in (_PAGES, _SIZES))
    if page and size:
        yield f"    {DECIDE} the largest page size that the service allows"
        yield f"    paging: {{kind: page_number, param: {json.dumps(page)}, size_param: {json.dumps(size)}, size: 100}}"
        return
    # A kind that reads one page would lose the other pages without a word.
    known = ", ".join(params[:10]) or "none"
    yield f"    {DECIDE} the paging; the parameters are {known}"
    yield "    paging: {kind: DECIDE}"


def _draft_cursor(params: Sequence[str], properties: Mapping[str, Any]) -> Iterator[str]:
    stamps = [key for key, inner in properties.items() if inner.get("format") == "date-time" and _STAMP.search(key)]
    if stamps:
        known = ", ".join(params[:10]) or "none"
        yield f"    {DECIDE} the filter for changes since an instant by `{min(stamps, key=len)}`; the parameters are {known}"
        yield f'    # cursor: {{kind: changes, field: {json.dumps(min(stamps, key=len))}, params: {{NAME: "{{since}}"}}}}'
    yield "    cursor: {kind: snapshot, every: 1d}"
