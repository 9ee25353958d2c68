"""What a manager would want to know at the end, asked of the star with `run.app` like anybody's questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from headwater.cli.demo.project import TENANT
from headwater.cli.demo.queries import question
from headwater.run import app
from headwater.run.results import TableStatus
from headwater.run.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One company as of three days."""

    entity_key: str
    as_of: tuple[tuple[date, Mapping[str, Any]], ...]
    """Each day, and the version that held then."""
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
    paid: tuple[Mapping[str, Any], ...]
    leaked: int
    """Internal or prepaid hours on an invoice."""
    history: History
    quarantine: tuple[Refusal, ...]


def report(opened: Workspace, *, today: date) -> Report:
    """The report, as the star stands now."""
    return Report(
        tables=app.read_status(opened.open_tenant(TENANT)).tables,
        work=_rows(opened, question("work")),
        paid=_rows(opened, question("paid")),
        leaked=app.run_query(opened.open_tenant(TENANT), question("leaked")).rows[0][0],
        history=_history(opened, today),
        quarantine=_quarantine(opened),
    )


def _rows(opened: Workspace, sql: str) -> tuple[Mapping[str, Any], ...]:
    found = app.run_query(opened.open_tenant(TENANT), sql)
    return tuple(dict(zip(found.columns, row, strict=True)) for row in found.rows)


def _history(opened: Workspace, today: date) -> History:
    key = app.run_query(opened.open_tenant(TENANT), question("most_changed")).rows[0][0]
    versions = _rows(opened, question("versions", key=key))
    days = telling_days([row["valid_from"] for row in versions], today=today)
    as_of = tuple((day, next((row for row in reversed(versions) if _begun(row, day)), versions[0])) for day in days)
    return History(entity_key=key, as_of=as_of, versions=len(versions))


def telling_days(beginnings: Sequence[datetime], *, today: date) -> tuple[date, ...]:
    """Three days that show the most: the last one of the first version, the first one of a middle version, and today."""
    if len(beginnings) == 1:
        return (today - timedelta(days=60), today - timedelta(days=30), today)
    return (beginnings[1].date() - timedelta(days=1), beginnings[len(beginnings) // 2].date(), today)


def _begun(version: Mapping[str, Any], day: date) -> bool:
    return bool(version["valid_from"].date() <= day)


def _quarantine(opened: Workspace) -> tuple[Refusal, ...]:
    """Every record that was refused; once, however often the service sent it."""
    found = (
        Refusal(
            resource=row.feed.resource,
            record=row.key or f"line {row.line}",
            state=row.state,
            field=reason["field"],
            value=reason["value"],
            rule=reason["rule"],
        )
        for row in app.list_refused(opened.open_tenant(TENANT), include_closed=True)
        for reason in row.reasons
    )
    return tuple(dict.fromkeys(found))
