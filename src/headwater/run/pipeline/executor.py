"""Carries out a plan: what waits for nothing side by side, what failed alone, what depends on it skipped and said so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import assert_never

from headwater.errors import Cancelled, HeadwaterError
from headwater.events import EventListener, StepFailed, StepSkipped
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Plan, Publish, Step
from headwater.run.results import STOPPED, StepResult

Carry = Callable[[Step], str]
"""Does one step; a few words of what it did."""

READERS = 4
"""Resources that are read side by side."""


def execute(plan: Plan, carry: Carry, listen: EventListener) -> tuple[StepResult, ...]:
    """Every step of `plan`, succeeded, failed or skipped; reads in threads, all that writes the warehouse in this one."""
    ended: dict[str, StepResult] = {}
    left = list(plan.steps)
    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="read") as pool:
        running: dict[Future[StepResult], Step] = {}
        while left or running:
            for step in [step for step in left if all(other in ended for other in step.after)]:
                left.remove(step)
                if because := _why_not(step, ended):
                    ended[step.id] = _skipped(plan, step, because, listen)
                elif _in_threads(step):
                    running[pool.submit(_done, plan, step, carry, listen)] = step
                else:
                    ended[step.id] = _done(plan, step, carry, listen)
                    break  # reads that have ended meanwhile may have made others ready
            else:
                _gather(running, ended)
    return tuple(ended[step.id] for step in plan.steps)


def _gather(running: dict[Future[StepResult], Step], ended: dict[str, StepResult]) -> None:
    if running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            ended[running.pop(future).id] = future.result()


def _in_threads(step: Step) -> bool:
    match step:
        case Extract() | Land():
            return True
        case Conform() | BuildDimension() | LoadFact() | Publish():
            return False
        case _:
            assert_never(step)


def _done(plan: Plan, step: Step, carry: Carry, listen: EventListener) -> StepResult:
    try:
        return StepResult(step=step.id, state="succeeded", detail=carry(step))
    except Cancelled:
        return _skipped(plan, step, STOPPED, listen)
    except HeadwaterError as error:
        return _failed(plan, step, error, listen)
    except Exception as error:  # noqa: BLE001 - a defect in one step may not take the others with it
        defect = HeadwaterError(
            "internal error: unexpected exception in a step",
            where=step.id,
            details=f"{type(error).__name__}: {error}",
            hint="please report this bug; committed data is safe, and the next run resumes from it",
        )
        defect.__cause__ = error
        return _failed(plan, step, defect, listen)


def _failed(plan: Plan, step: Step, error: HeadwaterError, listen: EventListener) -> StepResult:
    listen(StepFailed(tenant=plan.tenant, step=step.id, error=str(error)))
    return StepResult(step=step.id, state="failed", detail=error.message, error=error)


def _skipped(plan: Plan, step: Step, because: str, listen: EventListener) -> StepResult:
    listen(StepSkipped(tenant=plan.tenant, step=step.id, because=because))
    return StepResult(step=step.id, state="skipped", detail=because)


def _why_not(step: Step, ended: Mapping[str, StepResult]) -> str:
    """Why a step whose predecessors have ended is not done; empty when it is."""
    bad = [other for other in step.after if ended[other].state != "succeeded"]
    enough = {"all": not bad, "any": not step.after or len(bad) < len(step.after), "none": True}
    return "" if enough[step.needs] else f"{_named(bad)} did not succeed"


def _named(steps: Iterable[str]) -> str:
    names = list(steps)
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
