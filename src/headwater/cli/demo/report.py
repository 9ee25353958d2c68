"""The report at the end of the demo, queried from the star schema with `run.app`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from headwater.cli.demo.project import TENANT
from headwater.cli.demo.queries import read_query
from headwater.run import app
from headwater.run.results import TableStatus
from headwater.run.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One company as of three days."""

    entity_key: str
    as_of: tuple[tuple[date, Mapping[str, Any]], ...]
    """Each day, and the version that was valid on it."""
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a record is or was in quarantine."""

    resource: str
    record: str
    state: str
    field: str
    value: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole report."""

    tables: tuple[TableStatus, ...]
    work: tuple[Mapping[str, Any], ...]
    """Hours and amounts by class of agreement."""
    paid: tuple[Mapping[str, Any], ...]
    """Hours and revenue by billing status."""
    leaked: int
    """The number of invoice lines with internal or prepaid hours."""
    history: History
    quarantine: tuple[Refusal, ...]


def build_report(workspace: Workspace, *, today: date) -> Report:
    """Build the report from the current tables."""
    return Report(
        tables=app.read_status(workspace.open_tenant(TENANT)).tables,
        work=_read_rows(workspace, read_query("work")),
        paid=_read_rows(workspace, read_query("paid")),
        leaked=app.run_query(workspace.open_tenant(TENANT), read_query("leaked")).rows[0][0],
        history=_build_history(workspace, today),
        quarantine=_list_refusals(workspace),
    )


def _read_rows(workspace: Workspace, sql: str) -> tuple[Mapping[str, Any], ...]:
    result = app.run_query(workspace.open_tenant(TENANT), sql)
    return tuple(dict(zip(result.columns, row, strict=True)) for row in result.rows)


def _build_history(workspace: Workspace, today: date) -> History:
    key = app.run_query(workspace.open_tenant(TENANT), read_query("most_changed")).rows[0][0]
    versions = _read_rows(workspace, read_query("versions", key=key))
    days = choose_days([row["valid_from"] for row in versions], today=today)
    as_of = tuple((day, _find_version(versions, day)) for day in days)
    return History(entity_key=key, as_of=as_of, versions=len(versions))


def choose_days(starts: Sequence[datetime], *, today: date) -> tuple[date, ...]:
    """Choose three days for the versions that begin at `starts`.

    These are the last day of the first version, the first day of a middle version, and today.
    """
    if len(starts) == 1:
        return (today - timedelta(days=60), today - timedelta(days=30), today)
    return (starts[1].date() - timedelta(days=1), starts[len(starts) // 2].date(), today)


def _find_version(versions: Sequence[Mapping[str, Any]], day: date) -> Mapping[str, Any]:
    return next((version for version in reversed(versions) if version["valid_from"].date() <= day), versions[0])


def _list_refusals(workspace: Workspace) -> tuple[Refusal, ...]:
    """List every refused record once, even if the service sent it several times."""
    refusals = (
        Refusal(
            resource=row.feed.resource,
            record=row.key or f"line {row.line}",
            state=row.state,
            field=reason["field"],
            value=reason["value"],
            rule=reason["rule"],
        )
        for row in app.list_refused(workspace.open_tenant(TENANT), include_closed=True)
        for reason in row.reasons
    )
    return tuple(dict.fromkeys(refusals))
