"""A project in Python: the verbs of the command line as methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Required, TypedDict, Unpack, cast, get_args

from headwater.api.relation import Relation
from headwater.api.status_line import show_progress
from headwater.clock import parse_instant, parse_span
from headwater.errors import DeclarationError, HeadwaterError
from headwater.events import Event, EventListener, discard
from headwater.names import did_you_mean
from headwater.run import app
from headwater.run.app import Layer, Plan, RunRequest, TenantWorkspace, Workspace
from headwater.run.results import CheckReport, History, RunReport, Status, TableStatus
from headwater.run.signals import catch_signals, raise_interrupt

_NOTE = "Stopping after the current page; committed data is safe. Interrupt again to stop immediately.\n"

Instant = datetime | str
"""An instant: a `datetime` with a time zone, or text such as `2026-03-01` or `2026-03-01T08:00:00Z` (UTC)."""


class PlanOptions(TypedDict, total=False):
    """The options of `HeadwaterProject.plan`."""

    connection: str
    """Only this connection."""
    resource: str
    """Only this resource."""
    layer: Layer
    """Stop after this layer."""
    since: Instant
    """Only changes from this instant on."""
    until: Instant
    """Only changes before this instant."""


class RunOptions(PlanOptions, total=False):
    """The options of `HeadwaterProject.run`."""

    fresh: bool
    """Drop unfinished reads and restart them."""
    sweep: bool
    """Look for deletes now: read all ids and all snapshots, although not due."""
    allow_drop: bool
    """Apply deletes even if a sweep finds more than `max_drop` allows."""


class BackfillOptions(TypedDict, total=False):
    """The options of `HeadwaterProject.backfill`."""

    since: Required[Instant]
    """The start of the time span."""
    until: Instant
    """The end of the time span (exclusive). Default: now."""
    chunk: timedelta | str
    """The longest window of one read, e.g. `30d`."""
    force: bool
    """Read committed windows again, and restart unfinished reads."""
    connection: str
    """Only this connection."""
    resource: str
    """Only this resource."""


class _AllOptions(RunOptions, total=False):
    chunk: timedelta | str
    force: bool


class RunFailedError(HeadwaterError):
    """A run failed, or parts of it did. `report` has the result of each step; what succeeded is committed."""

    def __init__(self, report: RunReport) -> None:
        failures = [step for step in report.steps if step.state == "failed"]
        first = next((step.error for step in failures if step.error is not None), None)
        count = f"{len(failures)} of {len(report.steps)} steps failed"
        super().__init__(
            first.message if first else f"The run is {report.outcome.value}.",
            where=f"{failures[0].step}: {first.where}" if first else report.tenant,
            details=f"{first.details} ({count})" if first and first.details else count,
            hint=first.hint if first else "see `error.report.findings`",
        )
        self.report = report


class HeadwaterProject(AbstractContextManager["HeadwaterProject"]):
    """An open project. `headwater.open` returns it.

    `tenant` is not needed if the project has one tenant. All errors are `HeadwaterError`, with the four parts `message`, `where`,
    `details` and `hint`. The declarations are those at the time of opening: open the project again after you edit a file.
    """

    def __init__(self, root: Path, *, environment: str = "", progress: bool | None = None) -> None:
        self._progress = progress
        self._listen: EventListener = discard
        self._workspace: Workspace = app.open_project(root, environment=environment, listen=self._on_event)

    def __enter__(self) -> HeadwaterProject:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HeadwaterProject({self.name!r}, root={str(self.root)!r})"

    @property
    def name(self) -> str:
        """The name of the project."""
        return self._workspace.project.name

    @property
    def root(self) -> Path:
        """Its folder."""
        return self._workspace.root

    @property
    def tenants(self) -> tuple[str, ...]:
        """The names of its tenants, sorted."""
        return self._workspace.list_tenants()

    def close(self) -> None:
        """Close the ledger. The project opens it again when it is needed."""
        self._workspace.__exit__(None, None, None)

    def check(self) -> CheckReport:
        """Check the declarations, like `headwater check`. DeclarationErrors with all errors."""
        return app.check_project(self._workspace)

    def plan(self, *, tenant: str | None = None, **options: Unpack[PlanOptions]) -> Plan:
        """Plan a run, like `headwater plan`. Only the time of each service is requested, and nothing is written.

        `print(headwater.render_plan(plan))` shows it as text.
        """
        return app.plan(self._choose(tenant), _build_request(options, PlanOptions))

    def run(
        self, *, tenant: str | None = None, raise_on_failure: bool = True, **options: Unpack[RunOptions]
    ) -> RunReport:
        """Read new data, and update history and star schema, like `headwater run`.

        RunFailedError if a step fails. With `raise_on_failure=False`, check the `outcome` of the report instead. An interrupt
        (Ctrl-C, or the stop button of a notebook) stops after the current page.
        """
        request = _build_request(options, RunOptions)
        return self._run(
            lambda stop: app.run(self._choose(tenant), request, stop=stop), raise_on_failure=raise_on_failure
        )

    def backfill(
        self, *, tenant: str | None = None, raise_on_failure: bool = True, **options: Unpack[BackfillOptions]
    ) -> RunReport:
        """Read a time span of history in chunks, like `headwater backfill`. RunFailedError if a step fails."""
        request = _build_request(options, BackfillOptions)
        return self._run(
            lambda stop: app.run(self._choose(tenant), request, stop=stop), raise_on_failure=raise_on_failure
        )

    def rebuild(
        self, *, entity: str | None = None, tenant: str | None = None, raise_on_failure: bool = True
    ) -> RunReport:
        """Build everything after raw again, like `headwater rebuild`. RunFailedError if a step fails."""
        return self._run(
            lambda stop: app.rebuild(self._choose(tenant), entity=entity, stop=stop),
            raise_on_failure=raise_on_failure,
        )

    def query(self, sql: str, *, tenant: str | None = None) -> Relation:
        """A read-only query in the SQL of the warehouse, like `headwater query`. WarehouseError if the statement could write.

        The statement is executed when you fetch from the relation.
        """
        return Relation(app.build_query(self._choose(tenant), sql))

    def as_of(
        self,
        instant: Instant,
        name: str,
        *,
        where: str = "",
        columns: Sequence[str] = (),
        limit: int | None = None,
        tenant: str | None = None,
    ) -> Relation:
        """The rows of an entity or a dimension that were valid at an instant, like `headwater as-of`."""
        at = _parse_instant("instant", instant)
        assert at is not None
        query = app.build_as_of_query(self._choose(tenant), at, name, where=where, columns=columns, limit=limit)
        return Relation(query)

    def history(self, entity: str, key: str | int, *, raw: bool = False, tenant: str | None = None) -> History:
        """The versions of one record and the changes between them, like `headwater history`."""
        return app.read_history(self._choose(tenant), entity, str(key), raw=raw)

    def status(self, *, tenant: str | None = None) -> Status:
        """The state of all resources and tables, like `headwater status`."""
        return app.read_status(self._choose(tenant))

    def tables(self, *, tenant: str | None = None) -> tuple[TableStatus, ...]:
        """The tables of silver and gold with their numbers of rows. Empty while a run of another process holds the tenant."""
        return self.status(tenant=tenant).tables

    def _choose(self, tenant: str | None) -> TenantWorkspace:
        return app.choose_tenant(self._workspace, tenant)

    def _on_event(self, event: Event) -> None:
        self._listen(event)

    def _run(self, task: Callable[[Callable[[], bool]], RunReport], *, raise_on_failure: bool) -> RunReport:
        with self._show_progress(), catch_signals(_NOTE, leave=raise_interrupt) as stop:
            report = task(stop)
        if raise_on_failure and report.outcome.value in ("failed", "partial"):
            raise RunFailedError(report)
        return report

    @contextmanager
    def _show_progress(self) -> Iterator[None]:
        with show_progress(enabled=self._progress) as listen:
            self._listen = listen
            try:
                yield
            finally:
                self._listen = discard


def open_project(path: str | Path = ".", *, environment: str = "", progress: bool | None = None) -> HeadwaterProject:
    """Open the project in the folder `path`, and check its declarations. DeclarationErrors with all errors.

    `environment` is one of `environments:` in `headwater.yaml`. `progress` shows the progress of runs on one line; by default
    only in a terminal and in a notebook.
    """
    return HeadwaterProject(Path(path), environment=environment, progress=progress)


def _build_request(arguments: Mapping[str, Any], declared: Any) -> RunRequest:
    """The request for `run.app`. `declared` is a TypedDict. TypeError for an unknown option, or if a required one is missing."""
    for name in arguments:
        if name not in declared.__annotations__:
            msg = f"unexpected keyword argument `{name}`; {did_you_mean(name, declared.__annotations__)}"
            raise TypeError(msg)
    for name in declared.__required_keys__ - arguments.keys():
        msg = f"missing keyword argument `{name}`"
        raise TypeError(msg)
    options = cast("_AllOptions", arguments)
    connection, resource = options.get("connection"), options.get("resource")
    return RunRequest(
        connections=frozenset({connection} if connection else ()),
        resources=frozenset({resource} if resource else ()),
        layers=app.list_layers_to(_check_layer(options.get("layer"))),
        since=_parse_instant("since", options.get("since")),
        until=_parse_instant("until", options.get("until")),
        chunk=_parse_chunk(options.get("chunk")),
        force=options.get("force", False),
        fresh=options.get("fresh", False),
        sweep=options.get("sweep", False),
        allow_drop=options.get("allow_drop", False),
    )


def _check_layer(value: Layer | None) -> Layer | None:
    if value is not None and value not in get_args(Layer):
        raise DeclarationError(
            f"There is no layer `{value}`.",
            where="layer",
            details=str(value),
            hint=did_you_mean(value, get_args(Layer)),
        )
    return value


def _parse_chunk(value: timedelta | str | None) -> timedelta | None:
    if not isinstance(value, str):
        return value
    try:
        return parse_span(value)
    except ValueError as error:
        raise DeclarationError("This is not a span of time.", where="chunk", details=value, hint=str(error)) from error


def _parse_instant(argument: str, value: Instant | None) -> datetime | None:
    """DeclarationError if an instant is not valid, or a `datetime` has no time zone."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return parse_instant(value)
    except ValueError as error:
        raise DeclarationError(
            "This is not an instant.", where=argument, details=str(value), hint=f"{error}; use 2026-03-01T08:00:00Z"
        ) from error
    if value.tzinfo is None:
        hint = "add one: `datetime(2026, 3, 1, tzinfo=timezone.utc)`"
        raise DeclarationError("An instant needs a time zone.", where=argument, details=str(value), hint=hint)
    return value
