"""`publish`: writes publications now, from the tables that the warehouse has."""

from __future__ import annotations

from collections.abc import Callable

from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.run.pipeline.single_step import StepOptions
from headwater.run.results import RunReport
from headwater.run.step import run_step
from headwater.run.workspace import TenantWorkspace


def publish_tables(
    workspace: TenantWorkspace, name: str | None = None, *, stop: Callable[[], bool]
) -> tuple[RunReport, ...]:
    """Write the publication `name`, or all of the project, and return a report for each. It reads from no service."""
    names = [publication.name for publication in workspace.project.publish]
    if not names:
        raise DeclarationError(
            "The project declares no publication.",
            where=workspace.project.origin.find_location("publish"),
            details="publish: []",
            hint="declare one under `publish:`",
        )
    if name is not None and name not in names:
        raise DeclarationError(
            f"There is no publication `{name}`.",
            where="headwater publish",
            details=name,
            hint=did_you_mean(name, names),
        )
    return tuple(
        run_step(workspace.parent, workspace.tenant, f"publish:{one}", options=StepOptions(stop=stop))
        for one in ([name] if name else names)
    )
