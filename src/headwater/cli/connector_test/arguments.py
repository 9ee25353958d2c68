"""The arguments of `connector test`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from headwater.run import app


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorTestArguments:
    """What is tested of a connector."""

    resource: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Test this resource. You can repeat this option. Default: one of each way in which resources are read.",
        ),
    ] = ()  # type: ignore[assignment] # typer reads the type, and an empty default must not be shared
    only: Annotated[
        list[str], typer.Option(metavar="A,B", help="Play only these scenarios. You can repeat this option.")
    ] = ()  # type: ignore[assignment]
    seed: Annotated[int, typer.Option(metavar="N", help="The random seed of records and faults.")] = 1
    lives: Annotated[
        int, typer.Option(metavar="N", min=0, help="The number of random sequences of changes and faults.")
    ] = 1

    def build_options(self, recordings: Path | None, stop: Callable[[], bool]) -> app.ConnectorTestOptions:
        """The options for `run.app`."""
        only = tuple(part.strip() for text in self.only for part in text.split(",") if part.strip())
        return app.ConnectorTestOptions(
            resources=tuple(self.resource),
            only=only,
            seed=self.seed,
            lives=self.lives,
            recordings=recordings,
            stop=stop,
        )
