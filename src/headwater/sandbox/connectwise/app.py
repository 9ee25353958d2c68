"""The ASGI application: turns what a server hands over into a request, and an answer into what it wants back."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from headwater.sandbox.connectwise.api import Interface
from headwater.sandbox.connectwise.auth import Access
from headwater.sandbox.connectwise.control_api import PREFIX, control
from headwater.sandbox.connectwise.http import Answer, Ask
from headwater.sandbox.connectwise.simulation import Simulation, live

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_RESET = struct.pack("ii", 1, 0)
"""The linger option with which closing a socket resets the connection."""


class App:
    """A simulated ConnectWise as an ASGI application."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live_with_server(receive, send)
            return
        ask = await _read(scope, receive)
        answer = control(self.interface, ask) if ask.path.startswith(PREFIX) else self.interface.respond(ask)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.reset:
            await _hang_up(scope, receive, linger=_RESET)
            return
        await _send(answer, send)
        if answer.cut:
            await _hang_up(scope, receive)


def connectwise(
    *,
    seed: int = 7,
    companies: int = 12,
    months: int = 6,
    access: Access | None = None,
    company: Simulation | None = None,
) -> App:
    """A simulated ConnectWise: of a company given, or of one that lives now."""
    simulation = company or live(seed=seed, companies=companies, months=months)
    return App(Interface(simulation, access or Access()))


async def _read(scope: Message, receive: Receive) -> Ask:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Ask(
        method=scope["method"],
        path=scope["path"],
        params=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        origin=f"{scope['scheme']}://{headers.get('host', 'localhost')}",
        body=body,
    )


async def _send(answer: Answer, send: Send) -> None:
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": answer.cut})


async def _hang_up(scope: Message, receive: Receive, *, linger: bytes | None = None) -> None:
    """Close the connection under the client's feet; the server of this room lends its transport for that."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if linger is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _live_with_server(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
