"""Service tickets: opened, worked on, resolved, closed, sometimes reopened."""

from __future__ import annotations

from datetime import datetime, timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import choose_agreement
from headwater.sandbox.connectwise.business.people import choose_caller
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_int
from headwater.sandbox.connectwise.business.time_entries import Task, log_time
from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.service import ScheduleEntry, Ticket
from headwater.sandbox.connectwise.setup import (
    ALERT_BOARD,
    HELP_DESK,
    INTERNAL_BOARD,
    OPERATIONS_BOARD,
    PRIORITIES,
    STATUSES,
    build_department_ref,
)
from headwater.sandbox.connectwise.state import (
    OWN_COMPANY,
    PsaState,
    build_agreement_ref,
    build_board_ref,
    build_company_ref,
    build_contact_ref,
    build_member_ref,
)

_TYPES = tuple(Reference(at, name) for at, name in enumerate(("Atvik", "Beiðni", "Breyting", "Viðvörun"), 1))
_SUBTYPES = tuple(Reference(at, name) for at, name in enumerate(("Vélbúnaður", "Hugbúnaður", "Net", "Aðgangur"), 1))
_ITEMS = tuple(Reference(at, name) for at, name in enumerate(("Greining", "Lagfæring", "Uppsetning"), 1))
_SOURCES = tuple(Reference(at, name) for at, name in enumerate(("Tölvupóstur", "Sími", "Gátt", "Vöktun"), 1))
_TEAM = Reference(25, "Þjónustuteymi")
_SLA = Reference(1, "Þjónustuviðmið")


def open_ticket(state: PsaState, company_id: int) -> Ticket:
    """Open a ticket for a company."""
    priority = choose(state.rng, ("Brýnt", "Hátt", "Venjulegt", "Venjulegt", "Venjulegt", "Lágt"))
    board = _choose_board(state, company_id)
    ticket = state.tickets.add(_build_ticket(state, company_id, board, priority=priority))
    state.indexes.open_tickets[ticket.id] = None
    if draw_bool(state.rng, 0.2):
        _schedule_work(state, ticket)
    return ticket


def advance_ticket(state: PsaState, ticket_id: int) -> None:
    """Log a day's work on an open ticket. The ticket may get a new status."""
    ticket = state.tickets.rows[ticket_id]
    member = (
        state.members.rows[ticket.owner.id] if ticket.owner else choose(state.rng, list(state.members.rows.values()))
    )
    entry = log_time(state, member, _build_task(state, ticket))
    ticket.actual_hours = (ticket.actual_hours or 0.0) + entry.actual_hours
    _record_response(state, ticket, by=member.identifier)
    draw = state.rng.random()
    if draw < 0.55:
        _resolve(state, ticket)
    else:
        ticket.status = STATUSES["Bíður" if draw < 0.7 else "Í vinnslu"]
    ticket.customer_updated_flag = False
    state.tickets.touch(ticket, state.build_change_stamp(ticket, member.identifier))


def close_or_reopen_ticket(state: PsaState, ticket_id: int) -> None:
    """Close a resolved ticket, or rarely reopen it."""
    ticket = state.tickets.rows[ticket_id]
    del state.indexes.resolved_tickets[ticket_id]
    if draw_bool(state.rng, 0.04):
        ticket.status, ticket.date_resolved, ticket.resolve_minutes = STATUSES["Í vinnslu"], None, None
        ticket.customer_updated_flag = True
        state.indexes.open_tickets[ticket_id] = None
    else:
        ticket.status, ticket.closed_flag, ticket.approved = STATUSES["Lokað"], True, True
        ticket.closed_date, ticket.closed_by = format_timestamp(state.now), _read_owner(ticket)
    state.tickets.touch(ticket, state.build_change_stamp(ticket, _read_owner(ticket)))


def _build_task(state: PsaState, ticket: Ticket) -> Task:
    return Task(
        company=ticket.company.id,
        agreement=state.agreements.rows[ticket.agreement.id] if ticket.agreement else None,
        charge="ServiceTicket",
        charge_id=ticket.id,
        ticket=Reference(ticket.id, summary=ticket.summary),
        board=ticket.board.name,
        status=ticket.status.name,
    )


def _record_response(state: PsaState, ticket: Ticket, *, by: str) -> None:
    if ticket.date_responded is None:
        ticket.date_responded = ticket.date_resplan = format_timestamp(state.now)
        ticket.respond_minutes = ticket.res_plan_minutes = _count_minutes(state, ticket)
        ticket.resources = by


def _resolve(state: PsaState, ticket: Ticket) -> None:
    ticket.status = STATUSES["Leyst"]
    ticket.date_resolved = format_timestamp(state.now)
    ticket.resolve_minutes = _count_minutes(state, ticket)
    ticket.is_in_sla = ticket.date_resolved <= (ticket.resolution_goal_utc or "")
    ticket.sla_status = "Leyst innan marka" if ticket.is_in_sla else "Leyst utan marka"
    del state.indexes.open_tickets[ticket.id]
    state.indexes.resolved_tickets[ticket.id] = None


def _count_minutes(state: PsaState, ticket: Ticket) -> int:
    entered = datetime.fromisoformat(ticket.info.date_entered or format_timestamp(state.now))
    return int((state.now - entered).total_seconds() // 60)


def _read_owner(ticket: Ticket) -> str:
    return (ticket.owner.identifier if ticket.owner else None) or "kerfi"


def _choose_board(state: PsaState, company_id: int) -> int:
    if company_id == OWN_COMPANY:
        return INTERNAL_BOARD
    return choose(state.rng, (HELP_DESK, HELP_DESK, HELP_DESK, ALERT_BOARD, OPERATIONS_BOARD))


def _build_ticket(state: PsaState, company_id: int, board_id: int, *, priority: str) -> Ticket:
    rng, company, contact = state.rng, state.companies.rows[company_id], choose_caller(state, company_id)
    agreement, board, alert = choose_agreement(state, company_id), state.boards.rows[board_id], board_id == ALERT_BOARD
    urgency, respond, resolve = PRIORITIES[priority]
    problem = choose(rng, sample_text.ALERTS if alert else sample_text.TROUBLES)
    name, entered_by = f"{contact.first_name} {contact.last_name}", "voktun" if alert else "gatt"
    return Ticket(
        id=state.tickets.issue_id(),
        info=state.build_stamp(entered_by),
        summary=problem,
        record_type="ServiceTicket",
        board=build_board_ref(board),
        status=STATUSES["Nýtt"],
        company=build_company_ref(company),
        site_name="Aðalskrifstofa",
        address_line1=company.address_line1,
        city=company.city,
        zip=company.zip,
        contact=None if alert else build_contact_ref(contact),
        contact_name=None if alert else name,
        contact_phone_number=None if alert else contact.default_phone_nbr,
        type=_TYPES[3] if alert else choose(rng, _TYPES[:3]),
        sub_type=choose(rng, _SUBTYPES),
        item=choose(rng, _ITEMS),
        team=_TEAM,
        owner=build_member_ref(choose(rng, list(state.members.rows.values()))) if draw_bool(rng, 0.9) else None,
        priority=urgency,
        source=_SOURCES[3] if alert else choose(rng, _SOURCES[:3]),
        severity="High" if priority == "Brýnt" else choose(rng, ("Low", "Medium")),
        impact=choose(rng, ("Low", "Medium", "High")),
        required_date=format_timestamp(state.now + timedelta(days=draw_int(rng, 1, 10)))
        if draw_bool(rng, 0.3)
        else None,
        budget_hours=float(draw_int(rng, 1, 8)) if draw_bool(rng, 0.5) else None,
        actual_hours=0.0,
        agreement=build_agreement_ref(agreement),
        agreement_type=agreement.type.name if agreement else None,
        initial_description=f"{problem}.\nKveðja,\n{name}",
        approved=False,
        closed_flag=False,
        bill_time="DoNotBill" if company_id == OWN_COMPANY else "NoDefault",
        bill_expenses="NoDefault",
        bill_products="NoDefault",
        location=board.location,
        department=build_department_ref(state, board.department.id),
        customer_updated_flag=False,
        sla=_SLA,
        is_in_sla=True,
        sla_status="Bíður viðbragðs",
        respond_by_goal_utc=format_timestamp(state.now + timedelta(minutes=respond)),
        resolution_goal_utc=format_timestamp(state.now + timedelta(minutes=resolve)),
    )


def _schedule_work(state: PsaState, ticket: Ticket) -> None:
    if ticket.owner is None:
        return
    start = state.now.replace(minute=0, second=0) + timedelta(hours=draw_int(state.rng, 1, 30))
    hours = draw_int(state.rng, 1, 4)
    state.schedule.add(
        ScheduleEntry(
            id=state.schedule.issue_id(),
            info=state.build_stamp(_read_owner(ticket)),
            object_id=ticket.id,
            name=f"{ticket.company.name} / {ticket.summary}",
            member=ticket.owner,
            type=Reference(4, identifier="S"),
            status=Reference(2, "Staðfest"),
            date_start=format_timestamp(start),
            date_end=format_timestamp(start + timedelta(hours=hours)),
            hours=float(hours),
            done_flag=False,
            acknowledged_flag=draw_bool(state.rng, 0.5),
            owner_flag=True,
        )
    )
