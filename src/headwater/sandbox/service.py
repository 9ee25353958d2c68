"""Finds and serves simulated services. They are registered in the entry point group `headwater.sandboxes`."""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points
from typing import Protocol

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.sandbox.server import Application, open_listener, run

GROUP = "headwater.sandboxes"
"""Entry point group of simulated services. The name is the service; the value is a class with the methods of `Sandbox`."""


class Sandbox(Protocol):
    """A simulated service."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of this service to the common options (`--port`, `--host`)."""
        ...

    def build_app(self, options: argparse.Namespace) -> Application:
        """Build the service as an ASGI application."""
        ...


def list_sandboxes() -> tuple[str, ...]:
    """Return the names of the installed simulated services, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load_sandbox(name: str) -> Sandbox:
    """Load the simulated service `name`. Raises DeclarationError if it is not installed."""
    point = next(iter(entry_points(group=GROUP, name=name)), None)
    if point is None:
        names = list_sandboxes()
        hint = did_you_mean(name, names) or f"installed: {', '.join(names)}"
        raise DeclarationError(f"`{name}` is not simulated", where="sandbox SERVICE", details=name, hint=hint)
    sandbox: Sandbox = point.load()()
    return sandbox


def serve(sandbox: Sandbox, options: argparse.Namespace) -> None:
    """Serve a simulated service until interrupted. Print its URL on one line when it listens."""
    with open_listener(options.host, options.port) as listener:
        run(sandbox.build_app(options), listener)
