"""The steps of a plan: what a worker is told, complete in itself, to be done once or more often with the same result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from headwater.batch import Batch, Feed, Window
from headwater.clock import format_instant, parse_instant
from headwater.errors import StateError

Needs = Literal["all", "any", "none"]
"""What must have become of the steps in `after`, once they have all ended, for this one to be done: `all` of them
succeeded, `any` of them did, or `none` need have. Otherwise it is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Read a batch into raw.

    `open`: a resource that hangs below another one, whose parents are known only when their batches have landed.
    Its batch says what was asked; `reads.spread` tells the reads it stands for, when its turn has come.
    """

    kind: ClassVar[str] = "extract"
    batch: Batch
    resume: bool = False
    """Whether the batch was begun before."""
    parent: str = ""
    """The resource that this one hangs below."""
    parents: tuple[str, ...] = ()
    """The parents' keys that are read; none yet while it is `open`."""
    again: bool = False
    """Whether an open step reads what was committed before, too."""
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its name within a plan."""
        return f"extract:{_render_feed(self.batch.feed)}:{self.batch.id}"

    @property
    def tenant(self) -> str:
        """Whose step this is."""
        return self.batch.feed.tenant

    @property
    def open(self) -> bool:
        """Whether it is known only later which parents, and so which windows, are read."""
        return bool(self.parent) and not self.parents


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Bring a batch from raw into bronze; without one, every batch of the feed that is extracted by then."""

    kind: ClassVar[str] = "land"
    feed: Feed
    batch: Batch | None = None
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its name within a plan."""
        return f"land:{_render_feed(self.feed)}:{self.batch.id if self.batch else 'all'}"

    @property
    def tenant(self) -> str:
        """Whose step this is."""
        return self.feed.tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Conform:
    """Merge the landed batches of an entity's sources into its history."""

    kind: ClassVar[str] = "conform"
    tenant: str
    entity: str
    rebuild_reason: str = ""
    """Why its history is made anew, from all that ever landed; it goes on where this is empty."""
    after: tuple[str, ...] = ()
    needs: Needs = "any"

    @property
    def id(self) -> str:
        """Its name within a plan."""
        return f"conform:{self.entity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildDimension:
    """Bring a dimension up to date."""

    kind: ClassVar[str] = "dimension"
    tenant: str
    name: str
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its name within a plan."""
        return f"dimension:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFact:
    """Bring a fact up to date."""

    kind: ClassVar[str] = "fact"
    tenant: str
    name: str
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its name within a plan."""
        return f"fact:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Write tables to a place outside, for readers that must never block a run."""

    kind: ClassVar[str] = "publish"
    tenant: str
    name: str
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its name within a plan."""
        return f"publish:{self.name}"


Step = Extract | Land | Conform | BuildDimension | LoadFact | Publish
"""Every kind of step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done for a tenant, in an order in which it can be done."""

    tenant: str
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    """What was asked and is not in the plan, and why."""
    by_id: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known: dict[str, Step] = {}
        for step in self.steps:
            if step.id in known or not set(step.after) <= known.keys():
                msg = f"step {step.id} appears twice, or before a step that it depends on: {step.after}"
                raise ValueError(msg)
            known[step.id] = step
        object.__setattr__(self, "by_id", known)


def as_dict(step: Step) -> dict[str, Any]:
    """A step as JSON can hold it: enough for a worker elsewhere."""
    identity: dict[str, Any] = {"id": step.id, "kind": step.kind, "tenant": step.tenant}
    return {**identity, "inputs": _list_inputs(step), "depends_on": list(step.after), "needs": step.needs}


def _list_inputs(step: Step) -> dict[str, Any]:
    """What a step is about, beside its order."""
    match step:
        case Extract():
            parents = {"parent": step.parent, "parents": list(step.parents)}
            return {"batch": _dump_batch(step.batch), "resume": step.resume, "again": step.again, **parents}
        case Land():
            return {"feed": _dump_feed(step.feed), "batch": step.batch and _dump_batch(step.batch)}
        case Conform():
            return {"entity": step.entity, "rebuild_reason": step.rebuild_reason}
        case BuildDimension() | LoadFact() | Publish():
            return {"name": step.name}


def load_step(written: Mapping[str, Any]) -> Step:
    """The step that `as_dict` wrote; StateError when it is none."""
    try:
        return _check_tenant(_load_step(written), str(written["tenant"]))
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(
            "this is not a step of a plan.",
            details=f"{written!r:.200}: {error!r}",
            hint="create a new plan: headwater plan --json",
        ) from error


def _check_tenant(step: Step, tenant: str) -> Step:
    if step.tenant != tenant:
        msg = f"its inputs belong to tenant {step.tenant}"
        raise ValueError(msg)
    return step


def _load_step(written: Mapping[str, Any]) -> Step:
    order: dict[str, Any] = {"after": tuple(written["depends_on"]), "needs": written["needs"]}
    tenant, inputs = written["tenant"], written["inputs"]
    match kind := written["kind"]:
        case "extract":
            return Extract(
                batch=_load_batch(inputs["batch"]),
                resume=inputs["resume"],
                again=inputs["again"],
                parent=inputs["parent"],
                parents=tuple(inputs["parents"]),
                **order,
            )
        case "land":
            batch = None if inputs["batch"] is None else _load_batch(inputs["batch"])
            return Land(feed=Feed(**inputs["feed"]), batch=batch, **order)
        case "conform":
            return Conform(tenant=tenant, entity=inputs["entity"], rebuild_reason=inputs["rebuild_reason"], **order)
        case "dimension":
            return BuildDimension(tenant=tenant, name=inputs["name"], **order)
        case "fact":
            return LoadFact(tenant=tenant, name=inputs["name"], **order)
        case "publish":
            return Publish(tenant=tenant, name=inputs["name"], **order)
    msg = f"no kind of step: {kind}"
    raise ValueError(msg)


def _render_feed(feed: Feed) -> str:
    return f"{feed.connection}/{feed.resource}"


def _dump_feed(feed: Feed) -> dict[str, str]:
    return {"tenant": feed.tenant, "connection": feed.connection, "resource": feed.resource}


def _dump_batch(batch: Batch) -> dict[str, Any]:
    window = {"since": format_instant(batch.window.since), "until": format_instant(batch.window.until)}
    return {"id": batch.id, **_dump_feed(batch.feed), **window, "purpose": batch.purpose, "attempt": batch.attempt}


def _load_batch(written: Mapping[str, Any]) -> Batch:
    return Batch(
        id=written["id"],
        feed=Feed(tenant=written["tenant"], connection=written["connection"], resource=written["resource"]),
        window=Window(since=parse_instant(written["since"]), until=parse_instant(written["until"])),
        purpose=written["purpose"],
        attempt=written["attempt"],
    )
