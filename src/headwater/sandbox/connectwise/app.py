"""The ASGI application: converts ASGI messages to requests, and responses to ASGI messages."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from headwater.sandbox.connectwise.api import Api
from headwater.sandbox.connectwise.auth import Credentials
from headwater.sandbox.connectwise.control_api import PREFIX, respond_to_control
from headwater.sandbox.connectwise.http import Request, Response
from headwater.sandbox.connectwise.simulation import Simulation, build_simulation

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_RESET = struct.pack("ii", 1, 0)
"""Linger option that resets the connection when the socket is closed."""


class App:
    """A simulated ConnectWise as an ASGI application."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _run_lifespan(receive, send)
            return
        request = await _read_request(scope, receive)
        response = (
            respond_to_control(self.api, request) if request.path.startswith(PREFIX) else self.api.respond(request)
        )
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.reset:
            await _close_connection(scope, receive, linger=_RESET)
            return
        await _send_response(response, send)
        if response.cut:
            await _close_connection(scope, receive)


def build_connectwise_app(
    *,
    seed: int = 7,
    companies: int = 12,
    months: int = 6,
    credentials: Credentials | None = None,
    simulation: Simulation | None = None,
) -> App:
    """Build the application for `simulation`, or for a new simulation with `seed`, `companies` and `months`."""
    simulation = simulation or build_simulation(seed=seed, companies=companies, months=months)
    return App(Api(simulation, credentials or Credentials()))


async def _read_request(scope: Message, receive: Receive) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        params=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        origin=f"{scope['scheme']}://{headers.get('host', 'localhost')}",
        body=body,
    )


async def _send_response(response: Response, send: Send) -> None:
    headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body)), **response.headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    body = response.body[: len(response.body) // 2] if response.cut else response.body
    await send({"type": "http.response.body", "body": body, "more_body": response.cut})


async def _close_connection(scope: Message, receive: Receive, *, linger: bytes | None = None) -> None:
    """Close the connection, or reset it with `linger`. The server passes its transport in `scope["state"]`."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if linger is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _run_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
