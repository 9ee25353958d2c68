"""Projects and their tickets: started, worked on, finished."""

from __future__ import annotations

from datetime import timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import choose_agreement
from headwater.sandbox.connectwise.business.people import choose_caller
from headwater.sandbox.connectwise.business.random_draw import choose, draw_int
from headwater.sandbox.connectwise.business.time_entries import Task, log_time
from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.service import Project, ProjectTicket
from headwater.sandbox.connectwise.setup import (
    PRIORITIES,
    PROJECT_BOARD,
    STATUSES,
    build_department_ref,
    build_location_ref,
)
from headwater.sandbox.connectwise.state import (
    OWN_COMPANY,
    PsaState,
    build_agreement_ref,
    build_board_ref,
    build_company_ref,
    build_contact_ref,
    build_member_ref,
    build_project_ref,
)

_OPEN, _DONE = Reference(1, "Í gangi"), Reference(3, "Lokið")


def start_project(state: PsaState, company_id: int) -> Project:
    """Start a project with one or two tickets per phase."""
    project = state.projects.add(_build_project(state, company_id))
    budget = 0.0
    for phase_id, phase in enumerate(sample_text.PHASES, 1):
        for step in range(draw_int(state.rng, 1, 2)):
            ticket = _build_project_ticket(state, project, Reference(project.id * 10 + phase_id, phase), step=step + 1)
            state.project_tickets.add(ticket)
            state.indexes.open_project_tickets[ticket.id] = None
            state.indexes.open_tickets_by_project[project.id] = (
                state.indexes.open_tickets_by_project.get(project.id, 0) + 1
            )
            budget += ticket.budget_hours or 0.0
    project.estimated_hours = project.budget_hours = budget
    return state.projects.touch(project, state.build_stamp("verkefnastjori"))


def advance_project_ticket(state: PsaState, ticket_id: int) -> None:
    """Log a day's work on a project ticket. Close it when its budget is used."""
    ticket = state.project_tickets.rows[ticket_id]
    project = state.projects.rows[ticket.project.id]
    member = choose(state.rng, list(state.members.rows.values()))
    entry = log_time(state, member, _build_task(state, ticket))
    ticket.actual_hours = (ticket.actual_hours or 0.0) + entry.actual_hours
    ticket.status, ticket.owner = STATUSES["Í vinnslu"], build_member_ref(member)
    ticket.resources = member.identifier
    if ticket.actual_hours >= (ticket.budget_hours or 0.0):
        _finish_ticket(state, ticket, by=member.identifier)
    state.project_tickets.touch(ticket, state.build_change_stamp(ticket, member.identifier))
    _advance_project(state, project, hours=entry.actual_hours, by=member.identifier)


def _finish_ticket(state: PsaState, ticket: ProjectTicket, *, by: str) -> None:
    ticket.status, ticket.closed_flag, ticket.approved = STATUSES["Lokað"], True, True
    ticket.closed_date, ticket.closed_by = format_timestamp(state.now), by
    del state.indexes.open_project_tickets[ticket.id]
    remaining = state.indexes.open_tickets_by_project[ticket.project.id] - 1
    state.indexes.open_tickets_by_project[ticket.project.id] = remaining
    if not remaining:
        del state.indexes.open_tickets_by_project[ticket.project.id]


def _advance_project(state: PsaState, project: Project, *, hours: float, by: str) -> None:
    project.actual_hours = (project.actual_hours or 0.0) + hours
    project.percent_complete = min(1.0, round(project.actual_hours / (project.budget_hours or 1.0), 4))
    if project.id not in state.indexes.open_tickets_by_project:
        project.status, project.closed_flag, project.percent_complete = _DONE, True, 1.0
        project.actual_end = format_timestamp(state.now)
    state.projects.touch(project, state.build_change_stamp(project, by))


def _build_task(state: PsaState, ticket: ProjectTicket) -> Task:
    return Task(
        company=ticket.company.id,
        agreement=state.agreements.rows[ticket.agreement.id] if ticket.agreement else None,
        charge="ProjectTicket",
        charge_id=ticket.id,
        ticket=Reference(ticket.id, summary=ticket.summary),
        project=ticket.project,
        phase=ticket.phase,
        board=ticket.board.name,
        status=ticket.status.name,
    )


def _build_project(state: PsaState, company_id: int) -> Project:
    rng, is_own, company = state.rng, company_id == OWN_COMPANY, state.companies.rows[company_id]
    agreement, name = (
        choose_agreement(state, company_id),
        choose(rng, sample_text.INTERNAL_PROJECTS if is_own else sample_text.PROJECTS),
    )
    end = state.now + timedelta(days=draw_int(rng, 20, 120))
    return Project(
        id=state.projects.issue_id(),
        info=state.build_stamp("verkefnastjori"),
        name=f"{name} {state.now.year}-{state.now.month:02} {company.name}",
        company=build_company_ref(company),
        contact=build_contact_ref(choose_caller(state, company_id)),
        board=build_board_ref(state.boards.rows[PROJECT_BOARD]),
        billing_method="ActualRates",
        billing_amount=0.0,
        status=_OPEN,
        type=Reference(2 if is_own else 1, "Innra verkefni" if is_own else "Viðskiptavinur"),
        description=f"{name}: {company.name}",
        agreement=build_agreement_ref(agreement),
        manager=build_member_ref(choose(rng, list(state.members.rows.values()))),
        location=build_location_ref(state, 1),
        department=build_department_ref(state, 5 if is_own else 4),
        estimated_start=format_timestamp(state.now),
        estimated_end=format_timestamp(end),
        actual_start=format_timestamp(state.now),
        actual_hours=0.0,
        percent_complete=0.0,
        bill_time="DoNotBill" if is_own else "Billable",
        bill_expenses="DoNotBill" if is_own else "Billable",
        bill_products="Billable",
        closed_flag=False,
    )


def _build_project_ticket(state: PsaState, project: Project, phase: Reference, *, step: int) -> ProjectTicket:
    agreement = state.agreements.rows[project.agreement.id] if project.agreement else None
    return ProjectTicket(
        id=state.project_tickets.issue_id(),
        info=state.build_stamp("verkefnastjori"),
        summary=f"{phase.name} {step}: {project.name}",
        board=project.board,
        status=STATUSES["Nýtt"],
        company=project.company,
        contact=project.contact,
        project=build_project_ref(project),
        phase=phase,
        wbs_code=f"{phase.id % 10}.{step}",
        is_issue_flag=False,
        priority=PRIORITIES["Venjulegt"][0],
        budget_hours=float(draw_int(state.rng, 4, 24)),
        actual_hours=0.0,
        agreement=project.agreement,
        agreement_type=agreement.type.name if agreement else None,
        approved=False,
        closed_flag=False,
        bill_time=project.bill_time,
        location=project.location,
        department=project.department,
    )
