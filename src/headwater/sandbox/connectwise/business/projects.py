"""Projects: begun, broken into tickets, worked off, finished."""

from __future__ import annotations

from datetime import timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import covering
from headwater.sandbox.connectwise.business.people import caller
from headwater.sandbox.connectwise.business.random_draw import between, pick
from headwater.sandbox.connectwise.business.time_entries import Task, log_time
from headwater.sandbox.connectwise.clock import stamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.service import Project, ProjectTicket
from headwater.sandbox.connectwise.setup import (
    PRIORITIES,
    PROJECT_BOARD,
    STATUSES,
    department_ref,
    location_ref,
)
from headwater.sandbox.connectwise.state import (
    HOUSE,
    Firm,
    agreement_ref,
    board_ref,
    company_ref,
    contact_ref,
    member_ref,
    project_ref,
)

_OPEN, _DONE = Reference(1, "Í gangi"), Reference(3, "Lokið")


def start_project(firm: Firm, company_id: int) -> Project:
    """A project begins, with a ticket or two a phase."""
    project = firm.projects.add(_project(firm, company_id))
    wanted = 0.0
    for phase_id, phase in enumerate(sample_text.PHASES, 1):
        for step in range(between(firm.rng, 1, 2)):
            ticket = _project_ticket(firm, project, Reference(project.id * 10 + phase_id, phase), step=step + 1)
            firm.project_tickets.add(ticket)
            firm.desk.open_project_tickets[ticket.id] = None
            firm.desk.project_tickets[project.id] = firm.desk.project_tickets.get(project.id, 0) + 1
            wanted += ticket.budget_hours or 0.0
    project.estimated_hours = project.budget_hours = wanted
    return firm.projects.touch(project, firm.entered("verkefnastjori"))


def work_project_ticket(firm: Firm, ticket_id: int) -> None:
    """A day's work on a project ticket; done when its budget is used."""
    ticket = firm.project_tickets.rows[ticket_id]
    project = firm.projects.rows[ticket.project.id]
    member = pick(firm.rng, list(firm.members.rows.values()))
    entry = log_time(firm, member, _task(firm, ticket))
    ticket.actual_hours = (ticket.actual_hours or 0.0) + entry.actual_hours
    ticket.status, ticket.owner = STATUSES["Í vinnslu"], member_ref(member)
    ticket.resources = member.identifier
    if ticket.actual_hours >= (ticket.budget_hours or 0.0):
        _finish_ticket(firm, ticket, by=member.identifier)
    firm.project_tickets.touch(ticket, firm.changed(ticket, member.identifier))
    _advance(firm, project, hours=entry.actual_hours, by=member.identifier)


def _finish_ticket(firm: Firm, ticket: ProjectTicket, *, by: str) -> None:
    ticket.status, ticket.closed_flag, ticket.approved = STATUSES["Lokað"], True, True
    ticket.closed_date, ticket.closed_by = stamp(firm.now), by
    del firm.desk.open_project_tickets[ticket.id]
    remaining = firm.desk.project_tickets[ticket.project.id] - 1
    firm.desk.project_tickets[ticket.project.id] = remaining
    if not remaining:
        del firm.desk.project_tickets[ticket.project.id]


def _advance(firm: Firm, project: Project, *, hours: float, by: str) -> None:
    project.actual_hours = (project.actual_hours or 0.0) + hours
    project.percent_complete = min(1.0, round(project.actual_hours / (project.budget_hours or 1.0), 4))
    if project.id not in firm.desk.project_tickets:
        project.status, project.closed_flag, project.percent_complete = _DONE, True, 1.0
        project.actual_end = stamp(firm.now)
    firm.projects.touch(project, firm.changed(project, by))


def _task(firm: Firm, ticket: ProjectTicket) -> Task:
    return Task(
        company=ticket.company.id,
        agreement=firm.agreements.rows[ticket.agreement.id] if ticket.agreement else None,
        charge="ProjectTicket",
        charge_id=ticket.id,
        ticket=Reference(ticket.id, summary=ticket.summary),
        project=ticket.project,
        phase=ticket.phase,
        board=ticket.board.name,
        status=ticket.status.name,
    )


def _project(firm: Firm, company_id: int) -> Project:
    rng, own, company = firm.rng, company_id == HOUSE, firm.companies.rows[company_id]
    agreement, name = (
        covering(firm, company_id),
        pick(rng, sample_text.INTERNAL_PROJECTS if own else sample_text.PROJECTS),
    )
    end = firm.now + timedelta(days=between(rng, 20, 120))
    return Project(
        id=firm.projects.next_id(),
        info=firm.entered("verkefnastjori"),
        name=f"{name} {firm.now.year}-{firm.now.month:02} {company.name}",
        company=company_ref(company),
        contact=contact_ref(caller(firm, company_id)),
        board=board_ref(firm.boards.rows[PROJECT_BOARD]),
        billing_method="ActualRates",
        billing_amount=0.0,
        status=_OPEN,
        type=Reference(2 if own else 1, "Innra verkefni" if own else "Viðskiptavinur"),
        description=f"{name}: {company.name}",
        agreement=agreement_ref(agreement),
        manager=member_ref(pick(rng, list(firm.members.rows.values()))),
        location=location_ref(firm, 1),
        department=department_ref(firm, 5 if own else 4),
        estimated_start=stamp(firm.now),
        estimated_end=stamp(end),
        actual_start=stamp(firm.now),
        actual_hours=0.0,
        percent_complete=0.0,
        bill_time="DoNotBill" if own else "Billable",
        bill_expenses="DoNotBill" if own else "Billable",
        bill_products="Billable",
        closed_flag=False,
    )


def _project_ticket(firm: Firm, project: Project, phase: Reference, *, step: int) -> ProjectTicket:
    agreement = firm.agreements.rows[project.agreement.id] if project.agreement else None
    return ProjectTicket(
        id=firm.project_tickets.next_id(),
        info=firm.entered("verkefnastjori"),
        summary=f"{phase.name} {step}: {project.name}",
        board=project.board,
        status=STATUSES["Nýtt"],
        company=project.company,
        contact=project.contact,
        project=project_ref(project),
        phase=phase,
        wbs_code=f"{phase.id % 10}.{step}",
        is_issue_flag=False,
        priority=PRIORITIES["Venjulegt"][0],
        budget_hours=float(between(firm.rng, 4, 24)),
        actual_hours=0.0,
        agreement=project.agreement,
        agreement_type=agreement.type.name if agreement else None,
        approved=False,
        closed_flag=False,
        bill_time=project.bill_time,
        location=project.location,
        department=project.department,
    )
