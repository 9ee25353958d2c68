"""Checks whether a step can run now: it is not done yet, and its dependencies have succeeded."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.batch import Feed
from headwater.errors import StepNotReady
from headwater.ledger.base import Ledger
from headwater.model.tables import list_dimensions, list_source_entities
from headwater.plan.step import BuildDimension, Conform, Extract, Land, LoadFact, Publish, Step
from headwater.publish.targets import list_tables
from headwater.run.pipeline.sources import Source
from headwater.run.pipeline.step_request import StepRequest
from headwater.run.pipeline.step_run import StepRun
from headwater.run.workspace import TenantWorkspace
from headwater.warehouse.base import Warehouse

_READ = frozenset({"extracted", "transformed", "completed"})
_LANDED = frozenset({"transformed", "completed"})
_SHOWN = 3
"""The maximum number of steps in an error."""


def is_done(ledger: Ledger, request: StepRequest) -> bool:
    """Whether a step is already done. Only a step for one batch can be done.

    A step for a table consumes what is new since its last execution, and costs nothing if nothing is new.
    """
    return _is_batch_done(ledger, request.step.tenant, request.step.id)


def check_newest(ledger: Ledger, request: StepRequest) -> None:
    """Raise StepNotReady if another run began since the plan was made, because the reads of the plan would be out of order."""
    newest = find_newest_run(ledger, request.step.tenant)
    if not request.by_id and newest not in (request.previous, request.run):
        raise StepNotReady(
            "Another run began since the plan was made; nothing was done.",
            where=request.step.id,
            details=f"the plan follows run {request.previous or '(none)'}, the newest is {newest}",
            hint="plan again: `headwater plan --json`",
        )


def find_newest_run(ledger: Ledger, tenant: str) -> str:
    """The id of the newest run; empty if there is none."""
    runs = ledger.list_runs(tenant, limit=1)
    return runs[0].id if runs else ""


def check_dependencies(ledger: Ledger, run: StepRun, request: StepRequest) -> None:
    """Raise StepNotReady unless the dependencies of a step have ended, and enough of them have succeeded."""
    step = request.step
    missing = [
        step_id
        for step_id in step.after
        if step_id not in run.done and not _is_batch_done(ledger, step.tenant, step_id)
    ]
    waiting = [step_id for step_id in missing if not _has_failed(run, step_id)]
    enough = {"all": not missing, "any": not step.after or len(missing) < len(step.after), "none": True}
    if not enough[step.needs] or (step.needs == "any" and waiting):
        missing = waiting or missing
        names = ", ".join(missing[:_SHOWN]) + (f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else "")
        raise StepNotReady(
            "A step that this one depends on has not succeeded; nothing was done.",
            where=step.id,
            details=f"not done: {names}",
            hint="run those steps first. If another run started since, create a new plan: `headwater plan --json`",
        )


def check_tables(workspace: TenantWorkspace, step: Step, warehouse: Warehouse, sources: Mapping[Feed, Source]) -> None:
    """Raise StepNotReady if the inputs of a step that was requested by its id alone do not exist."""
    declared = workspace.declarations
    silver, gold = (frozenset(warehouse.tables(layer)) for layer in ("silver", "gold"))
    missing: list[str] = []
    match step:
        case Conform():
            feeding = [
                feed for feed, source in sources.items() if source.name in declared.entities[step.entity].sources
            ]
            if step.entity not in silver and not any(_has_landed(workspace.ledger, feed) for feed in feeding):
                missing = ["a landed batch of its sources"]
        case BuildDimension():
            missing = [
                f"silver.{name}" for name in list_source_entities(declared.dimensions[step.name]) if name not in silver
            ]
        case LoadFact():
            fact = declared.facts[step.name]
            missing = [f"silver.{name}" for name in list_source_entities(fact) if name not in silver]
            missing += [f"gold.dim_{name}" for name in list_dimensions(fact) if f"dim_{name}" not in gold]
        case Publish():
            publication = next(one for one in workspace.project.publish if one.name == step.name)
            stored = silver if publication.layer == "silver" else gold
            # Readers would lose a table that is missing only for now, e.g. because somebody dropped it.
            names = [name for name in list_tables(publication, declared) if name not in stored]
            missing = [f"{publication.layer}.{name}" for name in names]
        case Extract() | Land():
            pass
    if missing:
        raise StepNotReady(
            "The input of this step does not exist yet; nothing was done.",
            where=step.id,
            details=f"missing: {', '.join(missing[:_SHOWN])}",
            hint="run the earlier steps first: `headwater plan` lists them",
        )


def _is_batch_done(ledger: Ledger, tenant: str, step_id: str) -> bool:
    """Whether a step for one batch is done, according to the ledger."""
    kind, _, name = step_id.partition(":")
    if kind not in ("extract", "land"):
        return False
    row = ledger.find_batch(tenant, name.rpartition(":")[2])
    return row is not None and row.stage in (_READ if kind == "extract" else _LANDED)


def _has_failed(run: StepRun, step_id: str) -> bool:
    """Whether a step ended without success: it failed, or its dependency did."""
    kind, _, name = step_id.partition(":")
    return step_id in run.failed or (kind == "land" and f"extract:{name}" in run.failed)


def _has_landed(ledger: Ledger, feed: Feed) -> bool:
    return any(row.stage in _LANDED for row in ledger.list_batches(feed.tenant, feed=feed))
