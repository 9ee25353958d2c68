"""Executes a plan: independent reads run in parallel, a failed step fails alone, and dependent steps are skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import assert_never

from headwater.errors import Cancelled, HeadwaterError
from headwater.events import EventListener, StepFailed, StepSkipped
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Plan, Publish, Step
from headwater.run.results import STOPPED, StepResult

RunStep = Callable[[Step], str]
"""Executes one step, and returns a summary."""

READERS = 4
"""The number of parallel reads."""


def execute(plan: Plan, run_step: RunStep, listen: EventListener) -> tuple[StepResult, ...]:
    """Execute all steps of `plan`, and return their results. Reads run in threads; steps that write the warehouse in this one."""
    results: dict[str, StepResult] = {}
    left = list(plan.steps)
    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="read") as pool:
        running: dict[Future[StepResult], Step] = {}
        while left or running:
            for step in [step for step in left if all(other in results for other in step.after)]:
                left.remove(step)
                if waits_for := _find_unmet(step, results):
                    results[step.id] = _report_skip(plan, step, _describe_unmet(waits_for), listen, waits_for)
                elif _is_threaded(step):
                    running[pool.submit(_run, plan, step, run_step, listen)] = step
                else:
                    results[step.id] = _run(plan, step, run_step, listen)
                    break  # reads that have ended meanwhile may have made other steps ready
            else:
                _gather(running, results)
    return tuple(results[step.id] for step in plan.steps)


def _gather(running: dict[Future[StepResult], Step], results: dict[str, StepResult]) -> None:
    if running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            results[running.pop(future).id] = future.result()


def _is_threaded(step: Step) -> bool:
    match step:
        case Extract() | Land():
            return True
        case Conform() | BuildDimension() | LoadFact() | Publish():
            return False
        case _:
            assert_never(step)


def _run(plan: Plan, step: Step, run_step: RunStep, listen: EventListener) -> StepResult:
    try:
        return StepResult(step=step.id, state="succeeded", detail=run_step(step))
    except Cancelled:
        return _report_skip(plan, step, STOPPED, listen)
    except HeadwaterError as error:
        return _report_failure(plan, step, error, listen)
    except Exception as error:  # noqa: BLE001 - a bug in one step must not stop the others
        defect = HeadwaterError(
            "internal error: unexpected exception in a step",
            where=step.id,
            details=f"{type(error).__name__}: {error}",
            hint="please report this bug; committed data is safe, and the next run resumes from it",
        )
        defect.__cause__ = error
        return _report_failure(plan, step, defect, listen)


def _report_failure(plan: Plan, step: Step, error: HeadwaterError, listen: EventListener) -> StepResult:
    listen(StepFailed(tenant=plan.tenant, step=step.id, error=str(error)))
    return StepResult(step=step.id, state="failed", detail=error.message, error=error)


def _report_skip(
    plan: Plan, step: Step, reason: str, listen: EventListener, waits_for: tuple[str, ...] = ()
) -> StepResult:
    listen(StepSkipped(tenant=plan.tenant, step=step.id, because=reason))
    return StepResult(step=step.id, state="skipped", detail=reason, waits_for=waits_for)


def _find_unmet(step: Step, results: Mapping[str, StepResult]) -> tuple[str, ...]:
    """The steps that a step needs and that ended without success; empty if it can run."""
    unsuccessful = tuple(other for other in step.after if results[other].state != "succeeded")
    enough = {"all": not unsuccessful, "any": not step.after or len(unsuccessful) < len(step.after), "none": True}
    return () if enough[step.needs] else unsuccessful


def _describe_unmet(steps: Sequence[str]) -> str:
    names = steps[0] if len(steps) == 1 else f"{steps[0]} and {len(steps) - 1} more"
    return f"{names} did not succeed"
