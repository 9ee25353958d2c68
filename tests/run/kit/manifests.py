"""Manifests of made-up services: one of each way to page, to ask for changes and to authenticate."""

from __future__ import annotations

import yaml

BASE = {
    "version": 1, "title": "A made-up service", "base_url": "https://api.example.com/v1",
    "auth": {"kind": "headers", "headers": {"Authorization": "Bearer {token}"}}, "secrets": {"token": "an access token"},
    "limits": {"requests_per_minute": 600},
}  # fmt: skip
FIELDS = {"id": "text", "name": "text", "changed": "timestamp"}
CHANGES = {
    "kind": "changes", "field": "changed", "params": {"from": "{since}", "to": "{until}"}, "first": {"from": ""},
}  # fmt: skip
SNAPSHOT = {"kind": "snapshot"}

OAUTH = {
    "auth": {
        "kind": "oauth2_client_credentials", "token_url": "https://login.example.com/{site}/token",
        "client_id": "{client_id}", "client_secret": "{client_secret}",
    },
    "settings": {"site": {"description": "the site"}},
    "secrets": {"client_id": "the id", "client_secret": "the secret"}, "hosts": ["login.example.com"],
}  # fmt: skip
ORDER = "^ORDERBYupdated^ORDERBYid"
ROWS = {"fields": {"id": "text", "name": "text", "updated": "timestamp"}, "records": "result"}
ENCODED = {
    "kind": "changes", "field": "updated", "pattern": "%Y-%m-%d %H:%M:%S",
    "params": {"query": "updated>={since}^updated<{until}"}, "first": {"query": "updated<{until}"},
}  # fmt: skip

MANIFESTS = {
    "page_number": {"paging": {"kind": "page_number", "total": "meta.total"}, "records": "data", "cursor": CHANGES},
    "offset": {
        "paging": {"kind": "offset", "size_param": "limit", "total_header": "X-Total"}, "cursor": CHANGES,
        "deletes": {"kind": "flag", "field": "gone"}, "fields": {**FIELDS, "gone": "boolean"},
    },
    "query text": {
        "records": "answer.things", "records_optional": True,
        "paging": {"kind": "offset", "param": "q", "text": "{filter} START {offset} MAX {size}", "first": 1},
        "cursor": {
            "kind": "changes", "field": "changed", "params": {"q": "where t >= '{since}' and t < '{until}'"},
            "first": {"q": "where t < '{until}'"},
        },
    },
    "link_header": {"paging": {"kind": "link_header"}, "cursor": SNAPSHOT},
    "next_url": {
        "paging": {"kind": "next_url", "field": "@odata\\.nextLink", "stable": True}, "records": "value", "cursor": SNAPSHOT,
    },
    "delta": {
        "paging": {"kind": "next_url", "field": "@odata\\.nextLink", "stable": True}, "records": "value",
        "cursor": {"kind": "delta", "field": "@odata\\.deltaLink"}, "deletes": {"kind": "mark", "field": "@removed.reason"},
        "fields": {"id": "text", "name": "text", "@removed.reason": "text"}, "connector": OAUTH,
    },
    "token": {
        "paging": {"kind": "token", "field": "next", "param": "after", "last": "isLast"}, "records": "items",
        "cursor": {**CHANGES, "pattern": "%Y-%m-%d %H:%M", "zone": "{time_zone}", "grain": "1m"},
        "connector": {"settings": {"time_zone": {"description": "the zone"}}},
    },
    "search": {
        "records": "results",
        "body": {"kind": "json", "content": {
            "filters": [
                {"name": "changed", "op": "GTE", "value": "{from}"}, {"name": "changed", "op": "LT", "value": "{to}"},
                {"name": "id", "op": "GT", "value": "{above}"},
            ],
            "sorts": ["id"], "limit": "{limit:number}", "after": "{after}",
        }},
        "cursor": CHANGES,
        "paging": {
            "kind": "token", "field": "paging.next.after", "param": "after", "size_param": "limit",
            "anchor": {"field": "id", "param": "above", "cap": 10000},
        },
    },
    "forward_only": {
        "paging": {"kind": "forward_only", "param": "starting_after", "size_param": "limit", "more": "has_more"},
        "records": "data", "fields": {"id": "text", "name": "text", "created": "bigint"},
        "cursor": {
            "kind": "changes", "field": "created", "format": "epoch",
            "params": {"created[gte]": "{since}", "created[lt]": "{until}"}, "first": {"created[gte]": ""},
        },
    },
    "keyset": {
        **ROWS, "cursor": ENCODED, "deletes": {"kind": "sweep"}, "verify": {"path": "things/{id}"},
        "paging": {
            "kind": "keyset", "field": "updated", "tie": "id", "param": "query", "first": "{filter}" + ORDER,
            "next": "{filter}^updated>{key}" + ORDER, "ties": "{filter}^updated={key}^id>{tie}" + ORDER,
            "no_filter": "idISNOTEMPTY", "size_param": "limit",
        },
    },
    "unpaged": {
        "fields": {"id": "bigint", "name": "text", "stamp": "text"},
        "cursor": {"kind": "changes", "field": "stamp", "headers": {"If-Modified-Since": "{since}"}, "format": "http"},
    },
    "session": {
        "paging": {"kind": "page_number"}, "records": "Data", "cursor": CHANGES,
        "connector": {
            "auth": {
                "kind": "session", "login_url": "{host}/login", "fields": {"user": "{user}", "password": "{password}"},
                "session": "data.session", "headers": {"X-Session": "{session}"},
            },
            "base_url": "{host}/api", "settings": {"host": {"description": "the host"}, "user": {"description": "the user"}},
            "secrets": {"password": "the password"}, "clock": {"path": "time"},
            "errors": [{"field": "IsSuccess", "equals": "false", "message": "ErrorMessage"}],
        },
    },
    "lookup": {
        "paging": {"kind": "offset", "more": "more"}, "records": "rows", "cursor": SNAPSHOT,
        "connector": {
            "lookup": {
                "path": "zone", "params": {"user": "{user}"}, "field": "url", "append": "v2", "hosts": ["*.example.com"],
            },
            "auth": {"kind": "query", "params": {"key": "{token}"}}, "settings": {"user": {"description": "the user"}},
        },
    },
    "children": {"paging": {"kind": "token", "field": "next", "param": "after"}, "records": "items", "cursor": SNAPSHOT},
}  # fmt: skip
"""By name: one resource, and what its connector declares apart from `BASE`."""


def write_connector(folder, name, **changes):
    """Write the manifest `name` to a new folder, with changes of its resource."""
    resource = {**MANIFESTS[name], **changes}
    connector = {**BASE, **resource.pop("connector", {})}
    resource = {"resource": "things", "path": "things", "key": ["id"], "fields": FIELDS, **resource}
    folder.mkdir(parents=True)
    resources = [resource]
    if name == "children":
        parent = {"resource": "sites", "path": "sites", "key": ["code"], "fields": {"code": "text"}, "records": "items"}
        resources = [
            parent,
            {**resource, "path": "sites/{parent}/things", "parent": {"resource": "sites", "field": "code"}},
        ]
    manifest = {"connector": folder.name, **connector, "resources": resources}
    (folder / "connector.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return folder
