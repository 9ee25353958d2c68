"""Serve a simulated service on this machine."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from headwater.cli.extras import require_extra

commands = typer.Typer(rich_markup_mode=None, add_completion=False)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(
    context: typer.Context,
    *,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service to simulate.")],
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="The port on loopback. Default: a free port.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="The random seed. The same seed creates the same company.")
    ] = None,
    companies: Annotated[int | None, typer.Option(metavar="N", help="The number of customers of the company.")] = None,
    months: Annotated[int | None, typer.Option(metavar="N", help="Months of simulated history.")] = None,
) -> None:
    """Serve a simulated service on this machine.

    It listens only on loopback. To stop it, press Ctrl-C. Other options depend on the service.
    """
    require_extra("sandbox", "uvicorn")
    values = {"port": port, "seed": seed, "companies": companies, "months": months}
    options = [word for name, value in values.items() if value is not None for word in (f"--{name}", str(value))]
    # The command line does not import the sandbox: it replaces this process with it.
    words = [sys.executable, "-m", "headwater.sandbox", service, *options, *context.args]
    sys.stdout.flush()
    os.execv(sys.executable, words)
