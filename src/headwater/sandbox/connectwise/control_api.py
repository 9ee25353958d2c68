"""The sandbox's own endpoints under `/_sandbox`: time, truth, requests and faults."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec

from headwater.clock import format_instant
from headwater.sandbox.connectwise.api import Interface
from headwater.sandbox.connectwise.clock import START, http_date
from headwater.sandbox.connectwise.data_faults import happen
from headwater.sandbox.connectwise.faults import AT_ONCE, FaultError, read_fault
from headwater.sandbox.connectwise.http import PLAIN_JSON, Answer, Ask, plain

PREFIX = "/_sandbox"
"""Where these endpoints begin; they ask for no keys."""

_ENDPOINTS = (
    "POST advance?days=N&hours=N, GET state, GET records/{collection}, DELETE requests, GET, POST and DELETE faults"
)


def control(interface: Interface, ask: Ask) -> Answer:
    """Answer a request to the sandbox itself."""
    name, _, rest = ask.path.removeprefix(PREFIX).strip("/").partition("/")
    answer = _answer(interface, ask, name, rest)
    answer.headers["Date"] = http_date(interface.simulation.firm.now)
    return answer


def _answer(interface: Interface, ask: Ask, name: str, rest: str) -> Answer:
    match (ask.method, name):
        case ("POST", "advance"):
            return _advance(interface, ask)
        case ("GET", "state"):
            return plain(state(interface))
        case ("GET", "records"):
            return _records(interface, rest)
        case ("DELETE", "requests"):
            interface.requests.clear()
            interface.served.clear()
            return plain({"requests": []})
        case (_, "faults"):
            return _faults(interface, ask)
        case _:
            return plain({"error": f"no such endpoint; there are: {_ENDPOINTS}"}, status=404)


def state(interface: Interface) -> dict[str, Any]:
    """The clock, how many records there are, what was asked, which faults wait."""
    firm = interface.simulation.firm
    return {
        "clock": format_instant(firm.now),
        "started": format_instant(START),
        "seed": firm.seed,
        "counts": {path: len(collection.rows) for path, collection in firm.collections.items()},
        "served": dict(interface.served),
        "requests": list(interface.requests),
        "faults": [dataclasses.asdict(fault) for fault in interface.faults.waiting],
    }


def _advance(interface: Interface, ask: Ask) -> Answer:
    try:
        span = timedelta(days=float(ask.params.get("days", 0)), hours=float(ask.params.get("hours", 0)))
    except (ValueError, OverflowError):
        return plain({"error": "days and hours are numbers"}, status=400)
    if span < timedelta(0):
        return plain({"error": "time does not go back"}, status=400)
    return plain({"clock": format_instant(interface.simulation.advance(span))})


def _records(interface: Interface, path: str) -> Answer:
    collections = interface.simulation.firm.collections
    if path not in collections:
        return plain({"error": f"no such collection; there are: {', '.join(collections)}"}, status=404)
    collection = collections[path]
    return Answer(body=collection.array(collection.rows.values()), content_type=PLAIN_JSON)


def _faults(interface: Interface, ask: Ask) -> Answer:
    if ask.method == "DELETE":
        interface.faults.waiting.clear()
    if ask.method != "POST":
        return plain({"faults": [dataclasses.asdict(fault) for fault in interface.faults.waiting]})
    try:
        body = msgspec.json.decode(ask.body, type=dict[str, Any])
        if body.get("kind") in AT_ONCE:
            return plain({"kind": body["kind"]} | happen(interface.simulation, read_fault(body, 0)), status=201)
        return plain(dataclasses.asdict(interface.faults.add(body)), status=201)
    except (msgspec.DecodeError, FaultError) as error:
        return plain({"error": str(error)}, status=400)
