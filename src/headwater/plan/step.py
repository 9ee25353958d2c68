"""The steps of a plan. Each is self-contained and idempotent: a worker can execute it once or several times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from headwater.batch import Batch, Feed, Window
from headwater.clock import format_instant, parse_instant
from headwater.errors import DeclarationError

Needs = Literal["all", "any", "none"]
"""How many of the steps in `after` must succeed before this one can run: `all`, `any` or `none`. Otherwise it is skipped.

All of them must have ended in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Read a batch into raw.

    A step is `open` if it reads a child resource whose parents are known only after their batches have landed. Then its
    batch describes the request, and `reads.expand_step` returns the reads when the step runs.
    """

    kind: ClassVar[str] = "extract"
    batch: Batch
    resume: bool = False
    """Whether the batch has begun earlier."""
    parent: str = ""
    """The parent resource, if any."""
    parents: tuple[str, ...] = ()
    """The keys of the parents to read; empty while the step is `open`."""
    again: bool = False
    """Whether an open step also reads committed windows."""
    unchanged_by: datetime | None = None
    """An open step reads an unchanged parent only if its committed windows end by then. None: it reads all."""
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its id within a plan."""
        return f"extract:{_render_feed(self.batch.feed)}:{self.batch.id}"

    @property
    def tenant(self) -> str:
        """The tenant."""
        return self.batch.feed.tenant

    @property
    def open(self) -> bool:
        """Whether the parents, and so the windows, are not known yet."""
        return bool(self.parent) and not self.parents


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Load a batch from raw into bronze. Without a batch: every batch of the feed that is extracted when the step runs."""

    kind: ClassVar[str] = "land"
    feed: Feed
    batch: Batch | None = None
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its id within a plan."""
        return f"land:{_render_feed(self.feed)}:{self.batch.id if self.batch else 'all'}"

    @property
    def tenant(self) -> str:
        """The tenant."""
        return self.feed.tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Conform:
    """Merge the landed batches of an entity's sources into its history."""

    kind: ClassVar[str] = "conform"
    tenant: str
    entity: str
    rebuild_reason: str = ""
    """Why its history is rebuilt from all landed batches. Empty: its history continues."""
    after: tuple[str, ...] = ()
    needs: Needs = "any"

    @property
    def id(self) -> str:
        """Its id within a plan."""
        return f"conform:{self.entity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildDimension:
    """Update a dimension."""

    kind: ClassVar[str] = "dimension"
    tenant: str
    name: str
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its id within a plan."""
        return f"dimension:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFact:
    """Update a fact."""

    kind: ClassVar[str] = "fact"
    tenant: str
    name: str
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its id within a plan."""
        return f"fact:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Publish tables outside the warehouse, for readers that must never block a run."""

    kind: ClassVar[str] = "publish"
    tenant: str
    name: str
    after: tuple[str, ...] = ()
    needs: Needs = "all"

    @property
    def id(self) -> str:
        """Its id within a plan."""
        return f"publish:{self.name}"


Step = Extract | Land | Conform | BuildDimension | LoadFact | Publish
"""Every kind of step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps for a tenant, in an order in which they can run."""

    tenant: str
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    """Requested parts that are not in the plan, with reasons."""
    by_id: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id: dict[str, Step] = {}
        for step in self.steps:
            if step.id in by_id or not set(step.after) <= by_id.keys():
                msg = f"step {step.id} appears twice, or before a step that it depends on: {step.after}"
                raise ValueError(msg)
            by_id[step.id] = step
        object.__setattr__(self, "by_id", by_id)


def as_dict(step: Step) -> dict[str, Any]:
    """A step as a JSON object, self-contained for a worker on another machine."""
    identity: dict[str, Any] = {"id": step.id, "kind": step.kind, "tenant": step.tenant}
    return {**identity, "inputs": _list_inputs(step), "depends_on": list(step.after), "needs": step.needs}


def _list_inputs(step: Step) -> dict[str, Any]:
    """The inputs of a step, without its dependencies."""
    match step:
        case Extract():
            before = step.unchanged_by and format_instant(step.unchanged_by)
            parents = {"parent": step.parent, "parents": list(step.parents), "unchanged_by": before}
            return {"batch": _dump_batch(step.batch), "resume": step.resume, "again": step.again, **parents}
        case Land():
            return {"feed": _dump_feed(step.feed), "batch": step.batch and _dump_batch(step.batch)}
        case Conform():
            return {"entity": step.entity, "rebuild_reason": step.rebuild_reason}
        case BuildDimension() | LoadFact() | Publish():
            return {"name": step.name}


def load_step(written: Mapping[str, Any]) -> Step:
    """Load a step from the output of `as_dict`. DeclarationError if it is invalid."""
    try:
        return _check_tenant(_load_step(written), str(written["tenant"]))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise DeclarationError(
            "This is not a step of a plan.",
            where=str(written.get("id", "the step")),
            details=f"{reason}, in {dict(written)!r:.200}",
            hint="pass a step as `headwater plan --json` prints it",
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
                unchanged_by=parse_instant(before) if (before := inputs.get("unchanged_by")) else None,
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
