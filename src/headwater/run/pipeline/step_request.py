"""Parses the request for one step: a complete step in JSON, its id in a plan, or its id alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.batch import Feed
from headwater.errors import DeclarationError
from headwater.names import did_you_mean
from headwater.plan.step import (
    BuildDimension,
    Conform,
    Extract,
    Land,
    LoadFact,
    Plan,
    Publish,
    Step,
    as_dict,
    load_step,
)
from headwater.run.workspace import TenantWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """A step, and the run that it belongs to."""

    step: Step
    run: str
    """The id of the run. Each dump of a plan is a new run."""
    total: int
    """The number of steps in the plan."""
    previous: str = ""
    """The newest run when the plan was made; empty if there was none."""
    by_id: bool = False
    """Whether it was requested by its id alone, and belongs to no plan."""


def describe_plan(plan: Plan, *, previous: str) -> dict[str, Any]:
    """A plan as a JSON object, for a new run after the run `previous`. Each of its steps is self-contained."""
    run = {"id": uuid.uuid4().hex[:12], "steps": len(plan.steps), "previous": previous}
    steps = [{**as_dict(step), "run": run} for step in plan.steps]
    return {"tenant": plan.tenant, "run": run, "notes": list(plan.notes), "steps": steps}


def load_request(value: Mapping[str, Any]) -> StepRequest:
    """Load a step from the output of `describe_plan`. DeclarationError if it is invalid."""
    step = load_step(value)
    try:
        run = value["run"]
        return StepRequest(step=step, run=str(run["id"]), total=int(run["steps"]), previous=str(run["previous"]))
    except (KeyError, TypeError, ValueError) as error:
        hint = "pass the step as `headwater plan --json` prints it"
        raise DeclarationError("The step has no run.", where=step.id, details=f"{error!r}", hint=hint) from error


def find_request(plan: Mapping[str, Any], step_id: str) -> StepRequest:
    """Find the step with this id in a plan. DeclarationError if there is none."""
    steps = plan.get("steps")
    ids = {str(step["id"]): step for step in steps} if isinstance(steps, list) else {}
    if step_id not in ids:
        hint = did_you_mean(step_id, ids) or "`headwater plan --json` prints the steps of a plan"
        raise DeclarationError("The plan has no such step.", where="--plan", details=step_id, hint=hint)
    return load_request(ids[step_id])


def parse_step_id(workspace: TenantWorkspace, step_id: str) -> StepRequest | None:
    """Build the step for an id. None for a read that has not begun, which needs a plan.

    DeclarationError if it is not the id of a step.
    """
    kind, _, name = step_id.partition(":")
    place, _, batch_id = name.rpartition(":")
    tenant = workspace.tenant
    step: Step | None
    match kind:
        case "conform":
            step = Conform(tenant=tenant, entity=name)
        case "dimension":
            step = BuildDimension(tenant=tenant, name=name)
        case "fact":
            step = LoadFact(tenant=tenant, name=name)
        case "publish":
            step = Publish(tenant=tenant, name=name)
        case "extract" | "land" if place.count("/") == 1:
            step = _find_batch_step(workspace, kind, place, batch_id)
        case _:
            hint = "pass a step as `headwater plan --json` prints it, or its id, e.g. `conform:ticket`"
            raise DeclarationError(
                "This is not a step of a plan.", where="headwater step", details=step_id[:200], hint=hint
            )
    run = uuid.uuid4().hex[:12]
    return None if step is None else StepRequest(step=step, run=run, total=1, by_id=True)


def _find_batch_step(workspace: TenantWorkspace, kind: str, place: str, batch_id: str) -> Step | None:
    connection, _, resource = place.partition("/")
    feed = Feed(tenant=workspace.tenant, connection=connection, resource=resource)
    if kind == "land" and batch_id == "all":
        return Land(feed=feed)
    row = workspace.ledger.find_batch(workspace.tenant, batch_id)
    if row is None or row.batch.feed != feed:
        return None
    return Land(feed=feed, batch=row.batch) if kind == "land" else Extract(batch=row.batch, resume=True)


def check_declared(workspace: TenantWorkspace, feeds: Iterable[Feed], step: Step) -> None:
    """Raise DeclarationError if the project does not declare the object of the step."""
    declared = workspace.declarations
    known: Iterable[str]
    match step:
        case Extract() | Land():
            feed = step.batch.feed if isinstance(step, Extract) else step.feed
            name, known = f"{feed.connection}/{feed.resource}", [f"{item.connection}/{item.resource}" for item in feeds]
        case Conform():
            name, known = step.entity, declared.entities
        case BuildDimension():
            name, known = step.name, declared.dimensions
        case LoadFact():
            name, known = step.name, declared.facts
        case Publish():
            name, known = step.name, [publication.name for publication in workspace.project.publish]
    if step.tenant != workspace.tenant:
        hint = f"pass `--tenant {step.tenant}`"
        raise DeclarationError("The step belongs to another tenant.", where=step.id, details=step.tenant, hint=hint)
    if name not in known:
        hint = did_you_mean(name, known) or "create a new plan: the declarations have changed"
        raise DeclarationError(
            "The project no longer declares the object of this step.", where=step.id, details=name, hint=hint
        )
