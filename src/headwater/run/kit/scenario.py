"""A scenario: what a service does wrong, to which manifests it applies, and what a failure says about the manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from headwater.model.connector import Connector
from headwater.model.resource import Resource
from headwater.run.kit.scenario_run import ScenarioRun

Outcome = Literal["passed", "reported", "failed", "not_applicable"]
"""`reported`: history is not complete, and a run said so with a finding, and an exit code that is not 0."""


Aspect = Literal["paging", "cursor", "deletes", "parent"]
"""A part of a shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A way in which resources of a connector are read, and a resource that is read so."""

    connector: Connector
    resource: Resource
    """With the defaults of the connector."""
    others: tuple[str, ...] = ()
    """The other resources that are read in the same way."""

    @property
    def paging(self) -> Any:
        """The paging of the resource."""
        return self.resource.paging

    @property
    def cursor(self) -> Any:
        """The cursor of the resource."""
        return self.resource.cursor

    @property
    def label(self) -> str:
        """The shape in words."""
        deletes = self.resource.deletes.kind if self.resource.deletes is not None else "default"
        below = " below a parent" if self.resource.parent is not None else ""
        posted = " by POST" if self.resource.body is not None else ""
        return f"{self.paging.kind}, {self.cursor.kind}, deletes {deletes}{below}{posted}"

    def get_aspect(self, aspect: Aspect) -> str:
        """A part of the shape, to compare it with other shapes."""
        if aspect == "parent":
            return str(self.resource.parent is not None)
        if aspect == "paging":
            return f"{self.paging.kind} {getattr(self.resource.body, 'kind', '')} {getattr(self.paging, 'stable', '')}"
        return str(getattr(getattr(self.resource, aspect), "kind", ""))

    @property
    def is_paged(self) -> bool:
        """Whether a read has several pages."""
        return bool(self.paging.kind != "unpaged")


def find_no_obstacle(shape: Shape) -> str:
    """Nothing: the scenario applies to every shape."""
    del shape
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario."""

    name: str
    promise: str
    """What must hold, in a sentence."""
    play: Callable[[ScenarioRun], None]
    look_at: str
    """What to look at in the manifest if it fails."""
    find_obstacle: Callable[[Shape], str] = find_no_obstacle
    """Why it does not apply to a shape; empty if it does."""
    aspects: tuple[Aspect, ...] = ("paging", "cursor", "deletes", "parent")
    """The parts of a shape that matter. It is played for one resource of each combination; none: for one resource."""
    timeout: str = ""
    """`timeout` of the limits, if the scenario must run into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """How a scenario ended for one resource."""

    scenario: str
    resource: str
    outcome: Outcome
    promise: str = ""
    detail: str = ""
    """The difference, what the run said, or why the scenario does not apply."""
    look_at: str = ""
    seconds: float = 0.0


def evaluate(trial: ScenarioRun, scenario: Scenario, *, seconds: float) -> ScenarioResult:
    """The result of a scenario that was played."""
    complaints = [*trial.complaints, *_list_problems(trial)]
    differences = trial.list_differences()
    reports = [message for sync in trial.syncs for message in sync.announced]
    outcome: Outcome = "failed"
    if not complaints:
        outcome = "passed" if not differences else "reported" if reports else "failed"
    details = [*complaints, *differences]
    if outcome == "reported":
        details += [f"the run said: {reports[0]}"]
    return ScenarioResult(
        scenario=scenario.name,
        resource=trial.resource.resource,
        outcome=outcome,
        promise=scenario.promise,
        detail="; ".join(details),
        look_at=scenario.look_at if outcome == "failed" else "",
        seconds=round(seconds, 3),
    )


def _list_problems(trial: ScenarioRun) -> list[str]:
    """What is wrong whatever the scenario was."""
    complaints = []
    if trial.stranger.calls:
        call = trial.stranger.calls[0]
        complaints.append(
            f"{len(trial.stranger.calls)} requests were sent to a host that is not declared: {call.target[:80]}"
        )
    if trial.service.misunderstood:
        complaints.append(f"the service cannot read a request: {trial.service.misunderstood[0]}")
    last = trial.syncs[-1] if trial.syncs else None
    if last is not None and last.exit_code != 0:
        message = last.messages[0] if last.messages else "nothing"
        complaints.append(f"a run without faults ended with exit code {last.exit_code}: {message}")
    if leak := trial.find_secret():
        complaints.append(f"the secret `{leak[0]}` is in {leak[1]}")
    return complaints
