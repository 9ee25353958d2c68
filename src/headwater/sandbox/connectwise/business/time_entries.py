"""Time and expense entries: how they are created and approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import choose_agreement, find_billing_kind
from headwater.sandbox.connectwise.business.people import list_customers
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_int
from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.finance import Agreement
from headwater.sandbox.connectwise.records.setup import Member
from headwater.sandbox.connectwise.records.work import ExpenseEntry, TimeEntry
from headwater.sandbox.connectwise.setup import (
    CALL_OUT,
    DAYTIME,
    DRIVING,
    INTERNAL_WORK,
    OVERTIME,
    REMOTE,
    WARRANTY,
    WORK_TYPES,
    build_department_ref,
    build_location_ref,
    build_unit_ref,
)
from headwater.sandbox.connectwise.state import (
    OWN_COMPANY,
    PsaState,
    build_agreement_ref,
    build_company_ref,
    build_member_ref,
)

_NEXT_STATUSES = {
    "Open": (("PendingApproval", 1.0),),
    "PendingApproval": (("ApprovedByTierOne", 0.90), ("Rejected", 0.94), ("PendingProjectApproval", 1.0)),
    "PendingProjectApproval": (("ApprovedByTierOne", 1.0),),
    "Rejected": (("ErrorsCorrected", 1.0),),
    "ErrorsCorrected": (("ApprovedByTierOne", 1.0),),
    "ApprovedByTierOne": (("ApprovedByTierTwo", 0.97), ("RejectBySecondTier", 1.0)),
    "RejectBySecondTier": (("ErrorsCorrected", 1.0),),
    "ApprovedByTierTwo": (("ReadyToBill", 0.985), ("WrittenOff", 1.0)),
}
"""The possible next statuses of a status, with cumulative probabilities."""

_SLOW_STATUSES = ("Rejected", "RejectBySecondTier", "PendingProjectApproval", "ErrorsCorrected")
"""Statuses that an entry keeps for days."""

_EXPENSES = (("Akstur", 4_200), ("Gisting", 28_900), ("Fæði", 6_900), ("Bílastæði", 1_250), ("Flug", 39_800))

_BILLABLE_OPTIONS = {
    "internal": (("DoNotBill", 0.9), ("NoCharge", 1.0)),
    "operations": (("NoCharge", 0.7), ("DoNotBill", 0.85), ("Billable", 1.0)),
    "prepaid": (("Billable", 0.95), ("NoCharge", 1.0)),
}
_DEFAULT_OPTIONS = (("Billable", 0.84), ("NoCharge", 0.92), ("DoNotBill", 0.97), ("NoDefault", 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a time entry is charged to."""

    company: int
    agreement: Agreement | None
    charge: str
    charge_id: int
    ticket: Reference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    board: str | None = None
    status: str | None = None


def log_time(state: PsaState, member: Member, task: Task) -> TimeEntry:
    """Add a time entry of a member, in quarter hours. It ends now, or for a late entry some days ago."""
    rng = state.rng
    hours = draw_int(rng, 1, 18) * 0.25
    late = timedelta(days=draw_int(rng, 1, 6)) if draw_bool(rng, 0.04) else timedelta()
    entry = _build_entry(state, member, task, until=state.now - late, hours=hours)
    state.indexes.unapproved_entries[entry.id] = None
    return state.time_entries.add(entry)


def log_internal_time(state: PsaState) -> None:
    """Add a time entry on a charge code: meetings, courses, holidays."""
    code = draw_int(state.rng, 1, len(sample_text.CHARGE_CODES))
    agreement = choose_agreement(state, OWN_COMPANY) if code not in (3, 4) else None
    task = Task(company=OWN_COMPANY, agreement=agreement, charge="ChargeCode", charge_id=code)
    log_time(state, choose(state.rng, list(state.members.rows.values())), task)


def log_company_time(state: PsaState) -> None:
    """Add a time entry on a customer, without a ticket."""
    company = choose(state.rng, list_customers(state))
    task = Task(company=company, agreement=choose_agreement(state, company), charge="Company", charge_id=company)
    log_time(state, choose(state.rng, list(state.members.rows.values())), task)


def approve_entries(state: PsaState) -> None:
    """Move most unapproved entries to their next status."""
    for ident in list(state.indexes.unapproved_entries):
        entry = state.time_entries.rows[ident]
        if draw_bool(state.rng, 0.2 if entry.status in _SLOW_STATUSES else 0.62):
            _advance_status(state, entry)


def add_expense(state: PsaState) -> None:
    """Add an expense entry for a customer."""
    rng, company = state.rng, choose(state.rng, list_customers(state))
    member, agreement = choose(rng, list(state.members.rows.values())), choose_agreement(state, company)
    number = draw_int(rng, 1, len(_EXPENSES))
    name, price = _EXPENSES[number - 1]
    amount = float(price * draw_int(rng, 1, 4))
    option = _draw_billable_option(state, find_billing_kind(state, agreement))
    expense = state.expenses.add(
        ExpenseEntry(
            id=state.expenses.issue_id(),
            info=state.build_stamp(member.identifier),
            company=build_company_ref(state.companies.rows[company]),
            charge_to_id=company,
            charge_to_type="Company",
            type=Reference(number, name),
            member=build_member_ref(member),
            payment_method=Reference(1, "Fyrirtækjakort"),
            classification=Reference(1, "Kostnaður"),
            amount=amount,
            invoice_amount=amount if option == "Billable" else 0.0,
            billable_option=option,
            date=format_timestamp(state.now),
            location_id=1,
            business_unit_id=1,
            notes=f"{name} vegna {state.companies.rows[company].name}",
            agreement=build_agreement_ref(agreement),
            status="Open",
        )
    )
    state.indexes.unbilled_expenses[expense.id] = None


def _advance_status(state: PsaState, entry: TimeEntry) -> None:
    draw = state.rng.random()
    entry.status = next(status for status, up_to in _NEXT_STATUSES[entry.status] if draw <= up_to)
    if entry.status in ("ReadyToBill", "WrittenOff"):
        del state.indexes.unapproved_entries[entry.id]
    if entry.status == "ReadyToBill":
        state.indexes.ready_to_bill[entry.id] = None
        entry.invoice_ready = 1
    state.time_entries.touch(entry, state.build_change_stamp(entry, "samthykkt"))


def _build_entry(state: PsaState, member: Member, task: Task, *, until: datetime, hours: float) -> TimeEntry:
    company, kind = state.companies.rows[task.company], _find_kind(state, task)
    work_type, option = _draw_work_type(state, kind), _draw_billable_option(state, kind)
    deduction = 0.25 if hours > 3 and draw_bool(state.rng, 0.15) else None
    actual = hours - (deduction or 0.0)
    rate = round((member.hourly_rate or 0.0) * WORK_TYPES[work_type - 1][2], 2)
    home = member.default_location or build_location_ref(state, 1)
    unit = member.default_department or build_department_ref(state, 1)
    return TimeEntry(
        id=state.time_entries.issue_id(),
        info=state.build_stamp(member.identifier),
        company=build_company_ref(company),
        company_type=company.types[0].name,
        charge_to_id=task.charge_id,
        charge_to_type=task.charge,
        member=build_member_ref(member),
        location_id=home.id,
        business_unit_id=unit.id,
        location=home,
        department=build_unit_ref(state, unit.id),
        work_type=Reference(work_type, WORK_TYPES[work_type - 1][0]),
        work_role=member.work_role,
        agreement=build_agreement_ref(task.agreement),
        agreement_type=task.agreement.type.name if task.agreement else None,
        time_start=format_timestamp(until - timedelta(hours=hours)),
        time_end=format_timestamp(until),
        hours_deduct=deduction,
        actual_hours=actual,
        hours_billed=actual if option == "Billable" and kind != "prepaid" else 0.0,
        agreement_hours=actual if kind in ("prepaid", "operations") and option != "DoNotBill" else 0.0,
        agreement_amount=round(actual * rate, 2) if kind == "prepaid" else 0.0,
        agreement_adjustment=0.0,
        adjustment=0.0,
        billable_option=option,
        notes=choose(state.rng, sample_text.WORK_NOTES),
        internal_notes="Athuga með framhald." if draw_bool(state.rng, 0.1) else None,
        hourly_cost=_draw_cost(state, member),
        hourly_rate=rate,
        entered_by=member.identifier,
        date_entered=format_timestamp(state.now),
        invoice_ready=0,
        invoice_flag=False,
        status="Open",
        ticket=task.ticket,
        project=task.project,
        phase=task.phase,
        ticket_board=task.board,
        ticket_status=task.status,
        territory=company.territory.name if company.territory else None,
    )


def _find_kind(state: PsaState, task: Task) -> str:
    return "internal" if task.company == OWN_COMPANY else find_billing_kind(state, task.agreement)


def _draw_cost(state: PsaState, member: Member) -> str | None:
    """Return the hourly cost of an entry as text, as the service sends it. Some entries have none."""
    if member.hourly_cost is not None:
        return f"{member.hourly_cost:.2f}"
    return "7900.00" if draw_bool(state.rng, 0.5) else None


def _draw_work_type(state: PsaState, kind: str) -> int:
    if kind == "internal":
        return INTERNAL_WORK
    draw = state.rng.random()
    shares = ((DAYTIME, 0.6), (REMOTE, 0.85), (OVERTIME, 0.91), (CALL_OUT, 0.95), (DRIVING, 0.98), (WARRANTY, 1.0))
    return next(work_type for work_type, up_to in shares if draw <= up_to)


def _draw_billable_option(state: PsaState, kind: str) -> str:
    draw = state.rng.random()
    return next(option for option, up_to in _BILLABLE_OPTIONS.get(kind, _DEFAULT_OPTIONS) if draw <= up_to)
