"""A fingerprint of the requests of a read. A read resumes only under the declaration with which it started."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from headwater.extract.request_params import ReadRequest, build_fields_param
from headwater.model.connector import Connector
from headwater.wire.cursor import IdSweep
from headwater.wire.template import fill, fill_all, fill_headers


def build_fingerprint(connector: Connector, settings: Mapping[str, str], request: ReadRequest, purpose: str) -> str:
    """Hash everything that determines the requests of a read, except secrets and the host.

    It includes how history is split into windows: a window that failed because it is too long is planned again when the
    declaration allows shorter ones.
    """
    resource, where = request.resource, f"connector {connector.connector}"
    # The host of the account, which a token answer says, is no part of it.
    hosts = dict.fromkeys(connector.list_answer_names(), "https://account.example")
    shape: dict[str, Any] = {
        "base": urlsplit(fill(connector.base_url, {**settings, **hosts}, where=where)).path,
        "headers": fill_headers(connector.headers, settings, where=where),
        "params": {**fill_all(connector.params, settings, where=where), **resource.params},
        "path": resource.path,
        "records": resource.records,
        "parent": resource.parent.model_dump(exclude={"every"}) if resource.parent else None,
        "paging": request.paging.model_dump(),
    }
    if resource.headers or resource.body is not None:
        shape["asked"] = [resource.headers, resource.body.model_dump() if resource.body else None]
    if purpose == "sweep":
        shape["ids"] = resource.deletes.params if isinstance(resource.deletes, IdSweep) else {}
    else:
        shape["fields"] = build_fields_param(request)
    if purpose == "changes" and resource.cursor is not None:
        shape["cursor"] = resource.cursor.model_dump()
        shape["windows"] = [resource.overlap, resource.chunk, resource.look_back]
    text = json.dumps(shape, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
