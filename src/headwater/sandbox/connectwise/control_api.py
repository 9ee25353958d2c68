"""The sandbox's own endpoints under `/_sandbox`: clock, records, requests and faults."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec

from headwater.clock import format_instant
from headwater.sandbox.connectwise.api import Api
from headwater.sandbox.connectwise.clock import START, format_http_date
from headwater.sandbox.connectwise.data_faults import apply_fault
from headwater.sandbox.connectwise.faults import IMMEDIATE_KINDS, FaultError, read_fault
from headwater.sandbox.connectwise.http import PLAIN_JSON, Request, Response, build_json_response

PREFIX = "/_sandbox"
"""Path prefix of these endpoints. They need no authentication."""

_ENDPOINTS = (
    "POST advance?days=N&hours=N, GET state, GET records/{collection}, DELETE requests, GET, POST and DELETE faults"
)


def respond_to_control(api: Api, request: Request) -> Response:
    """Respond to a request to the sandbox's own endpoints."""
    name, _, rest = request.path.removeprefix(PREFIX).strip("/").partition("/")
    response = _build_response(api, request, name, rest)
    response.headers["Date"] = format_http_date(api.simulation.state.now)
    return response


def _build_response(api: Api, request: Request, name: str, rest: str) -> Response:
    match (request.method, name):
        case ("POST", "advance"):
            return _advance_clock(api, request)
        case ("GET", "state"):
            return build_json_response(describe_state(api))
        case ("GET", "records"):
            return _list_records(api, rest)
        case ("DELETE", "requests"):
            api.requests.clear()
            api.served.clear()
            return build_json_response({"requests": []})
        case (_, "faults"):
            return _edit_faults(api, request)
        case _:
            return build_json_response({"error": f"no such endpoint; there are: {_ENDPOINTS}"}, status=404)


def describe_state(api: Api) -> dict[str, Any]:
    """Return the clock, the record counts, the requests so far and the pending faults."""
    state = api.simulation.state
    return {
        "clock": format_instant(state.now),
        "started": format_instant(START),
        "seed": state.seed,
        "counts": {path: len(collection.rows) for path, collection in state.collections.items()},
        "served": dict(api.served),
        "requests": list(api.requests),
        "faults": [dataclasses.asdict(fault) for fault in api.faults.pending],
    }


def _advance_clock(api: Api, request: Request) -> Response:
    try:
        span = timedelta(days=float(request.params.get("days", 0)), hours=float(request.params.get("hours", 0)))
    except (ValueError, OverflowError):
        return build_json_response({"error": "days and hours are numbers"}, status=400)
    if span < timedelta(0):
        return build_json_response({"error": "time does not go back"}, status=400)
    return build_json_response({"clock": format_instant(api.simulation.advance(span))})


def _list_records(api: Api, path: str) -> Response:
    collections = api.simulation.state.collections
    if path not in collections:
        return build_json_response({"error": f"no such collection; there are: {', '.join(collections)}"}, status=404)
    collection = collections[path]
    return Response(body=collection.encode_array(collection.rows.values()), content_type=PLAIN_JSON)


def _edit_faults(api: Api, request: Request) -> Response:
    if request.method == "DELETE":
        api.faults.pending.clear()
    if request.method != "POST":
        return build_json_response({"faults": [dataclasses.asdict(fault) for fault in api.faults.pending]})
    try:
        body = msgspec.json.decode(request.body, type=dict[str, Any])
        if body.get("kind") in IMMEDIATE_KINDS:
            return build_json_response(
                {"kind": body["kind"]} | apply_fault(api.simulation, read_fault(body, 0)), status=201
            )
        return build_json_response(dataclasses.asdict(api.faults.add(body)), status=201)
    except (msgspec.DecodeError, FaultError) as error:
        return build_json_response({"error": str(error)}, status=400)
