"""Runs one tenant of a fleet. Whatever happens to it becomes its result."""

from __future__ import annotations

from collections.abc import Callable

from headwater.errors import Cancelled, HeadwaterError, LeaseHeld
from headwater.plan.state import RunRequest
from headwater.run.fleet.report import TenantOutcome, TenantResult, build_tenant_result, describe_error
from headwater.run.pipeline.run import run
from headwater.run.workspace import Workspace


def run_tenant(workspace: Workspace, tenant: str, request: RunRequest, *, stop: Callable[[], bool]) -> TenantResult:
    """Run one tenant, and return its result. Raises nothing that another tenant could suffer from."""
    started = workspace.clock.monotonic()

    def fail(outcome: TenantOutcome, *errors: HeadwaterError) -> TenantResult:
        seconds = round(workspace.clock.monotonic() - started, 3)
        return TenantResult(
            tenant=tenant, outcome=outcome, seconds=seconds, errors=tuple(describe_error(error) for error in errors)
        )

    try:
        return build_tenant_result(run(workspace.open_tenant(tenant), request, stop=stop))
    except Cancelled:
        return fail("cancelled")
    except LeaseHeld as error:
        return fail("leased", error)
    except HeadwaterError as error:
        return fail("failed", error)
    except Exception as error:  # noqa: BLE001 - a bug that one tenant meets must not stop the others
        # The text of the error is left out, because it may contain an unredacted URL or record.
        defect = HeadwaterError(
            "internal error: unexpected exception in a run",
            where=tenant,
            details=type(error).__name__,
            hint=f"please report this bug with the output of `headwater run --tenant {tenant} --debug`",
        )
        return fail("failed", defect)
