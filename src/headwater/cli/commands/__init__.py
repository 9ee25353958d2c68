"""One module for each command, with the typer application `commands` and the renderer of its result.

`cli.lazy_command` finds the modules in this folder. The first line of a module's docstring is the line of help of the
command. A module may import `run.app` at its top: it is imported only when its command is called. Tests: tests/cli.
"""

from __future__ import annotations
