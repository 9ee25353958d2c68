"""What a manager would want to know at the end, asked of the star with `run.app` like anybody's questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from headwater.cli.demo.project import TENANT
from headwater.run import app
from headwater.run.opened import Opened
from headwater.run.result import TableStatus

WORK = """
SELECT
  agreement.class AS class,
  count(*) AS entries,
  sum(work.hours) AS hours,
  sum(work.potential_revenue) AS revenue,
  sum(work.actual_cost) AS cost,
  sum(work.margin) AS margin
FROM gold.fact_time_entry AS work
JOIN gold.dim_agreement AS agreement ON agreement.agreement_key = work.agreement_key
GROUP BY 1 ORDER BY hours DESC
"""
"""Hours and money by class of agreement; all work, whoever pays for it."""

PAID = """
SELECT effective_billing_status AS status, sum(hours) AS hours, sum(potential_revenue) AS revenue
FROM gold.fact_time_entry GROUP BY 1 ORDER BY hours DESC
"""
"""The same work by how it is paid."""

LEAKED = """
SELECT count(*) FROM gold.fact_invoice_line AS line
JOIN gold.dim_agreement AS agreement ON agreement.agreement_key = line.agreement_key
WHERE line.line_type = 'SERVICE' AND agreement.class IN ('internal_project', 'prepaid_hours')
"""
"""Hours that are internal or prepaid and yet on an invoice: there must be none."""

_CHANGED = """
SELECT entity_key FROM gold.dim_company WHERE entity_key IS NOT NULL AND NOT is_inferred
GROUP BY entity_key ORDER BY count(DISTINCT name) DESC, count(*) DESC, entity_key LIMIT 1
"""
"""The company with the most to tell."""

_VERSIONS = """
SELECT
  company.name, company.status, company.territory, company.valid_from, company.valid_to,
  coalesce(sum(work.hours), 0) AS hours
FROM gold.dim_company AS company
LEFT JOIN gold.fact_time_entry AS work ON work.company_key = company.company_key
WHERE company.entity_key = '{key}'
GROUP BY ALL ORDER BY company.valid_from
"""
"""A company's versions, each with the hours that were worked while it was so."""


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


def report(opened: Opened, *, today: date) -> Report:
    """The report, as the star stands now."""
    return Report(
        tables=app.status(opened, TENANT).tables,
        work=_rows(opened, WORK),
        paid=_rows(opened, PAID),
        leaked=app.query(opened, TENANT, LEAKED).rows[0][0],
        history=_history(opened, today),
        quarantine=_quarantine(opened),
    )


def _rows(opened: Opened, sql: str) -> tuple[Mapping[str, Any], ...]:
    found = app.query(opened, TENANT, sql)
    return tuple(dict(zip(found.columns, row, strict=True)) for row in found.rows)


def _history(opened: Opened, today: date) -> History:
    key = app.query(opened, TENANT, _CHANGED).rows[0][0]
    versions = _rows(opened, _VERSIONS.format(key=key))
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


def _quarantine(opened: Opened) -> tuple[Refusal, ...]:
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
        for row in app.refused(opened, TENANT, everything=True)
        for reason in row.reasons
    )
    return tuple(dict.fromkeys(found))
