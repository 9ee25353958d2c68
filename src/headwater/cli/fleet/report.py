"""The report of a fleet run, rendered for a terminal: the counts, and only the unusual tenants."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from headwater.cli.render import format_count, render_table
from headwater.run.app import FleetReport, QueueReport, TenantResult

_MOST_FINDINGS = 3


def render_fleet(report: FleetReport) -> list[RenderableType]:
    """Render the report of a fleet run."""
    parts: list[RenderableType] = [Text(_render_headline(report))]
    unusual = sorted((result for result in report.tenants if result.is_unusual), key=lambda result: result.tenant)
    if unusual:
        rows = [(result.tenant, result.outcome, _explain(result)) for result in unusual]
        parts.append(render_table(("tenant", "outcome", "why"), rows, title="Unusual"))
        parts.append(Text("headwater status --tenant NAME shows more", style="dim"))
    return parts


def render_queued(report: QueueReport) -> list[RenderableType]:
    """Render what a command put into the queue."""
    if not report.queued and not report.waiting:
        return [Text("No tenant is due.")]
    parts: list[RenderableType] = [Text(f"{format_count(len(report.queued), 'tenant')} queued.")]
    if report.waiting:
        waiting = format_count(len(report.waiting), "tenant")
        parts.append(Text(f"{waiting} left out, because the same job still waits for a worker."))
    parts.append(Text("headwater queue status shows more", style="dim"))
    return parts


def _render_headline(report: FleetReport) -> str:
    if not report.tenants:
        return "No tenant is due."
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.outcomes.items()))
    rows = sum(result.rows for result in report.tenants)
    requests = sum(result.requests for result in report.tenants)
    read = f"{format_count(rows, 'record')} read in {format_count(requests, 'request')}"
    return f"{format_count(len(report.tenants), 'tenant')}, {report.seconds:.1f} s: {counts}. {read}."


def _explain(result: TenantResult) -> str:
    """The first error with its location, or the findings, in one line."""
    if result.errors:
        first, others = result.errors[0], len(result.errors) - 1
        more = f" (and {format_count(others, 'other error')})" if others else ""
        return f"{first['message']} {first['found']}".strip().replace("\n", " ") + more
    parts = [f"{item.table}: {item.finding} ({item.count:,})" for item in result.findings[:_MOST_FINDINGS]]
    if len(result.findings) > _MOST_FINDINGS:
        parts.append(f"{len(result.findings) - _MOST_FINDINGS} more")
    if result.quarantined:
        parts.append(f"{result.quarantined:,} quarantined")
    return "; ".join(parts)
