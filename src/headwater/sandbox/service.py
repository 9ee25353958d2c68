"""Which services are simulated, and how one of them is served. They are found by the entry point group `headwater.sandboxes`."""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points
from typing import Protocol

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.sandbox.server import Application, bound, run

GROUP = "headwater.sandboxes"
"""The entry point group of simulated services: the name is the service, the value a class with the methods of `Sandbox`."""


class Sandbox(Protocol):
    """A simulated service."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of this service to those of every service (`--port`, `--host`)."""
        ...

    def build_app(self, options: argparse.Namespace) -> Application:
        """The service as an ASGI application."""
        ...


def sandbox_names() -> tuple[str, ...]:
    """The simulated services that are installed, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load_sandbox(name: str) -> Sandbox:
    """The simulated service `name`; DeclarationError where there is none."""
    point = next(iter(entry_points(group=GROUP, name=name)), None)
    if point is None:
        names = sandbox_names()
        hint = did_you_mean(name, names) or f"installed: {', '.join(names)}"
        raise DeclarationError(f"`{name}` is not simulated", where="sandbox SERVICE", details=name, hint=hint)
    sandbox: Sandbox = point.load()()
    return sandbox


def serve(sandbox: Sandbox, options: argparse.Namespace) -> None:
    """Serve a simulated service until interrupted; prints one line, its URL, once it listens."""
    with bound(options.host, options.port) as listener:
        run(sandbox.build_app(options), listener)
