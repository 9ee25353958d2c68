"""Service tickets: opened, worked on, resolved, closed, sometimes opened again."""

from __future__ import annotations

from datetime import datetime, timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import covering
from headwater.sandbox.connectwise.business.people import caller
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick
from headwater.sandbox.connectwise.business.time_entries import Task, log_time
from headwater.sandbox.connectwise.clock import stamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.service import ScheduleEntry, Ticket
from headwater.sandbox.connectwise.setup import (
    ALERT_BOARD,
    HELP_DESK,
    INTERNAL_BOARD,
    OPERATIONS_BOARD,
    PRIORITIES,
    STATUSES,
    department_ref,
)
from headwater.sandbox.connectwise.state import (
    HOUSE,
    Firm,
    agreement_ref,
    board_ref,
    company_ref,
    contact_ref,
    member_ref,
)

_TYPES = tuple(Reference(at, name) for at, name in enumerate(("Atvik", "Beiðni", "Breyting", "Viðvörun"), 1))
_SUBTYPES = tuple(Reference(at, name) for at, name in enumerate(("Vélbúnaður", "Hugbúnaður", "Net", "Aðgangur"), 1))
_ITEMS = tuple(Reference(at, name) for at, name in enumerate(("Greining", "Lagfæring", "Uppsetning"), 1))
_SOURCES = tuple(Reference(at, name) for at, name in enumerate(("Tölvupóstur", "Sími", "Gátt", "Vöktun"), 1))
_TEAM = Reference(25, "Þjónustuteymi")
_SLA = Reference(1, "Þjónustuviðmið")


def open_ticket(firm: Firm, company_id: int) -> Ticket:
    """Somebody at a company asks for help."""
    priority = pick(firm.rng, ("Brýnt", "Hátt", "Venjulegt", "Venjulegt", "Venjulegt", "Lágt"))
    board = _board(firm, company_id)
    ticket = firm.tickets.add(_ticket(firm, company_id, board, priority=priority))
    firm.desk.open_tickets[ticket.id] = None
    if chance(firm.rng, 0.2):
        _book(firm, ticket)
    return ticket


def work_ticket(firm: Firm, ticket_id: int) -> None:
    """A day's work on an open ticket: hours, and perhaps a step on its way."""
    ticket = firm.tickets.rows[ticket_id]
    member = firm.members.rows[ticket.owner.id] if ticket.owner else pick(firm.rng, list(firm.members.rows.values()))
    entry = log_time(firm, member, _task(firm, ticket))
    ticket.actual_hours = (ticket.actual_hours or 0.0) + entry.actual_hours
    _respond(firm, ticket, by=member.identifier)
    dice = firm.rng.random()
    if dice < 0.55:
        _resolve(firm, ticket)
    else:
        ticket.status = STATUSES["Bíður" if dice < 0.7 else "Í vinnslu"]
    ticket.customer_updated_flag = False
    firm.tickets.touch(ticket, firm.changed(ticket, member.identifier))


def settle_ticket(firm: Firm, ticket_id: int) -> None:
    """A resolved ticket is closed, or the customer says that it is not."""
    ticket = firm.tickets.rows[ticket_id]
    del firm.desk.resolved[ticket_id]
    if chance(firm.rng, 0.04):
        ticket.status, ticket.date_resolved, ticket.resolve_minutes = STATUSES["Í vinnslu"], None, None
        ticket.customer_updated_flag = True
        firm.desk.open_tickets[ticket_id] = None
    else:
        ticket.status, ticket.closed_flag, ticket.approved = STATUSES["Lokað"], True, True
        ticket.closed_date, ticket.closed_by = stamp(firm.now), _owner(ticket)
    firm.tickets.touch(ticket, firm.changed(ticket, _owner(ticket)))


def _task(firm: Firm, ticket: Ticket) -> Task:
    return Task(
        company=ticket.company.id,
        agreement=firm.agreements.rows[ticket.agreement.id] if ticket.agreement else None,
        charge="ServiceTicket",
        charge_id=ticket.id,
        ticket=Reference(ticket.id, summary=ticket.summary),
        board=ticket.board.name,
        status=ticket.status.name,
    )


def _respond(firm: Firm, ticket: Ticket, *, by: str) -> None:
    if ticket.date_responded is None:
        ticket.date_responded = ticket.date_resplan = stamp(firm.now)
        ticket.respond_minutes = ticket.res_plan_minutes = _minutes_since(firm, ticket)
        ticket.resources = by


def _resolve(firm: Firm, ticket: Ticket) -> None:
    ticket.status = STATUSES["Leyst"]
    ticket.date_resolved = stamp(firm.now)
    ticket.resolve_minutes = _minutes_since(firm, ticket)
    ticket.is_in_sla = ticket.date_resolved <= (ticket.resolution_goal_utc or "")
    ticket.sla_status = "Leyst innan marka" if ticket.is_in_sla else "Leyst utan marka"
    del firm.desk.open_tickets[ticket.id]
    firm.desk.resolved[ticket.id] = None


def _minutes_since(firm: Firm, ticket: Ticket) -> int:
    entered = datetime.fromisoformat(ticket.info.date_entered or stamp(firm.now))
    return int((firm.now - entered).total_seconds() // 60)


def _owner(ticket: Ticket) -> str:
    return (ticket.owner.identifier if ticket.owner else None) or "kerfi"


def _board(firm: Firm, company_id: int) -> int:
    if company_id == HOUSE:
        return INTERNAL_BOARD
    return pick(firm.rng, (HELP_DESK, HELP_DESK, HELP_DESK, ALERT_BOARD, OPERATIONS_BOARD))


def _ticket(firm: Firm, company_id: int, board_id: int, *, priority: str) -> Ticket:
    rng, company, contact = firm.rng, firm.companies.rows[company_id], caller(firm, company_id)
    agreement, board, alert = covering(firm, company_id), firm.boards.rows[board_id], board_id == ALERT_BOARD
    urgency, respond, resolve = PRIORITIES[priority]
    trouble = pick(rng, sample_text.ALERTS if alert else sample_text.TROUBLES)
    name, entered_by = f"{contact.first_name} {contact.last_name}", "voktun" if alert else "gatt"
    return Ticket(
        id=firm.tickets.next_id(),
        info=firm.entered(entered_by),
        summary=trouble,
        record_type="ServiceTicket",
        board=board_ref(board),
        status=STATUSES["Nýtt"],
        company=company_ref(company),
        site_name="Aðalskrifstofa",
        address_line1=company.address_line1,
        city=company.city,
        zip=company.zip,
        contact=None if alert else contact_ref(contact),
        contact_name=None if alert else name,
        contact_phone_number=None if alert else contact.default_phone_nbr,
        type=_TYPES[3] if alert else pick(rng, _TYPES[:3]),
        sub_type=pick(rng, _SUBTYPES),
        item=pick(rng, _ITEMS),
        team=_TEAM,
        owner=member_ref(pick(rng, list(firm.members.rows.values()))) if chance(rng, 0.9) else None,
        priority=urgency,
        source=_SOURCES[3] if alert else pick(rng, _SOURCES[:3]),
        severity="High" if priority == "Brýnt" else pick(rng, ("Low", "Medium")),
        impact=pick(rng, ("Low", "Medium", "High")),
        required_date=stamp(firm.now + timedelta(days=between(rng, 1, 10))) if chance(rng, 0.3) else None,
        budget_hours=float(between(rng, 1, 8)) if chance(rng, 0.5) else None,
        actual_hours=0.0,
        agreement=agreement_ref(agreement),
        agreement_type=agreement.type.name if agreement else None,
        initial_description=f"{trouble}.\nKveðja,\n{name}",
        approved=False,
        closed_flag=False,
        bill_time="DoNotBill" if company_id == HOUSE else "NoDefault",
        bill_expenses="NoDefault",
        bill_products="NoDefault",
        location=board.location,
        department=department_ref(firm, board.department.id),
        customer_updated_flag=False,
        sla=_SLA,
        is_in_sla=True,
        sla_status="Bíður viðbragðs",
        respond_by_goal_utc=stamp(firm.now + timedelta(minutes=respond)),
        resolution_goal_utc=stamp(firm.now + timedelta(minutes=resolve)),
    )


def _book(firm: Firm, ticket: Ticket) -> None:
    if ticket.owner is None:
        return
    start = firm.now.replace(minute=0, second=0) + timedelta(hours=between(firm.rng, 1, 30))
    hours = between(firm.rng, 1, 4)
    firm.schedule.add(
        ScheduleEntry(
            id=firm.schedule.next_id(),
            info=firm.entered(_owner(ticket)),
            object_id=ticket.id,
            name=f"{ticket.company.name} / {ticket.summary}",
            member=ticket.owner,
            type=Reference(4, identifier="S"),
            status=Reference(2, "Staðfest"),
            date_start=stamp(start),
            date_end=stamp(start + timedelta(hours=hours)),
            hours=float(hours),
            done_flag=False,
            acknowledged_flag=chance(firm.rng, 0.5),
            owner_flag=True,
        )
    )
