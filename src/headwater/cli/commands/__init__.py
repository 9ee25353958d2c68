"""One module a command, each with a typer application named `commands`; `headwater.cli.main` names them all.

A module here may import `run.app` at its top: it is loaded only when its command is called for. Tests: tests/cli.
"""

from __future__ import annotations
