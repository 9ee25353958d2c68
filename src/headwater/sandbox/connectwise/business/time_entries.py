"""Hours and expenses: how they are entered, and how they are approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import covering, kind_of
from headwater.sandbox.connectwise.business.people import customers
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick
from headwater.sandbox.connectwise.clock import stamp
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
    department_ref,
    location_ref,
    unit_ref,
)
from headwater.sandbox.connectwise.state import HOUSE, Firm, agreement_ref, company_ref, member_ref

_STEPS = {
    "Open": (("PendingApproval", 1.0),),
    "PendingApproval": (("ApprovedByTierOne", 0.90), ("Rejected", 0.94), ("PendingProjectApproval", 1.0)),
    "PendingProjectApproval": (("ApprovedByTierOne", 1.0),),
    "Rejected": (("ErrorsCorrected", 1.0),),
    "ErrorsCorrected": (("ApprovedByTierOne", 1.0),),
    "ApprovedByTierOne": (("ApprovedByTierTwo", 0.97), ("RejectBySecondTier", 1.0)),
    "RejectBySecondTier": (("ErrorsCorrected", 1.0),),
    "ApprovedByTierTwo": (("ReadyToBill", 0.985), ("WrittenOff", 1.0)),
}
"""What a status may become, with cumulative probabilities."""

_SLOW = ("Rejected", "RejectBySecondTier", "PendingProjectApproval", "ErrorsCorrected")
"""Where an entry stays for days."""

_OUTLAYS = (("Akstur", 4_200), ("Gisting", 28_900), ("Fæði", 6_900), ("Bílastæði", 1_250), ("Flug", 39_800))

_OPTIONS = {
    "internal": (("DoNotBill", 0.9), ("NoCharge", 1.0)),
    "operations": (("NoCharge", 0.7), ("DoNotBill", 0.85), ("Billable", 1.0)),
    "prepaid": (("Billable", 0.95), ("NoCharge", 1.0)),
}
_USUAL = (("Billable", 0.84), ("NoCharge", 0.92), ("DoNotBill", 0.97), ("NoDefault", 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What some hours are for."""

    company: int
    agreement: Agreement | None
    charge: str
    charge_id: int
    ticket: Reference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    board: str | None = None
    status: str | None = None


def log_time(firm: Firm, member: Member, task: Task) -> TimeEntry:
    """Enter a member's hours on a task, rounded to quarters; they end when they are entered, or some days before."""
    rng = firm.rng
    hours = between(rng, 1, 18) * 0.25
    late = timedelta(days=between(rng, 1, 6)) if chance(rng, 0.04) else timedelta()
    entry = _entry(firm, member, task, until=firm.now - late, hours=hours)
    firm.desk.unapproved[entry.id] = None
    return firm.times.add(entry)


def log_internal(firm: Firm) -> None:
    """Somebody's hours on a charge code: meetings, courses, holidays."""
    code = between(firm.rng, 1, len(sample_text.CHARGE_CODES))
    agreement = covering(firm, HOUSE) if code not in (3, 4) else None
    task = Task(company=HOUSE, agreement=agreement, charge="ChargeCode", charge_id=code)
    log_time(firm, pick(firm.rng, list(firm.members.rows.values())), task)


def log_company(firm: Firm) -> None:
    """Somebody's hours on a customer, without a ticket."""
    company = pick(firm.rng, customers(firm))
    task = Task(company=company, agreement=covering(firm, company), charge="Company", charge_id=company)
    log_time(firm, pick(firm.rng, list(firm.members.rows.values())), task)


def approve(firm: Firm) -> None:
    """The evening's approvals: most entries that wait move one step."""
    for ident in list(firm.desk.unapproved):
        entry = firm.times.rows[ident]
        if chance(firm.rng, 0.2 if entry.status in _SLOW else 0.62):
            _step(firm, entry)


def spend(firm: Firm) -> None:
    """Somebody spends money on a customer."""
    rng, company = firm.rng, pick(firm.rng, customers(firm))
    member, agreement = pick(rng, list(firm.members.rows.values())), covering(firm, company)
    number = between(rng, 1, len(_OUTLAYS))
    name, price = _OUTLAYS[number - 1]
    amount = float(price * between(rng, 1, 4))
    option = _option(firm, kind_of(firm, agreement))
    expense = firm.expenses.add(
        ExpenseEntry(
            id=firm.expenses.next_id(),
            info=firm.entered(member.identifier),
            company=company_ref(firm.companies.rows[company]),
            charge_to_id=company,
            charge_to_type="Company",
            type=Reference(number, name),
            member=member_ref(member),
            payment_method=Reference(1, "Fyrirtækjakort"),
            classification=Reference(1, "Kostnaður"),
            amount=amount,
            invoice_amount=amount if option == "Billable" else 0.0,
            billable_option=option,
            date=stamp(firm.now),
            location_id=1,
            business_unit_id=1,
            notes=f"{name} vegna {firm.companies.rows[company].name}",
            agreement=agreement_ref(agreement),
            status="Open",
        )
    )
    firm.desk.unbilled_expenses[expense.id] = None


def _step(firm: Firm, entry: TimeEntry) -> None:
    dice = firm.rng.random()
    entry.status = next(status for status, up_to in _STEPS[entry.status] if dice <= up_to)
    if entry.status in ("ReadyToBill", "WrittenOff"):
        del firm.desk.unapproved[entry.id]
    if entry.status == "ReadyToBill":
        firm.desk.ready_times[entry.id] = None
        entry.invoice_ready = 1
    firm.times.touch(entry, firm.changed(entry, "samthykkt"))


def _entry(firm: Firm, member: Member, task: Task, *, until: datetime, hours: float) -> TimeEntry:
    company, kind = firm.companies.rows[task.company], _kind(firm, task)
    work_type, option = _work_type(firm, kind), _option(firm, kind)
    deducted = 0.25 if hours > 3 and chance(firm.rng, 0.15) else None
    actual = hours - (deducted or 0.0)
    rate = round((member.hourly_rate or 0.0) * WORK_TYPES[work_type - 1][2], 2)
    home = member.default_location or location_ref(firm, 1)
    unit = member.default_department or department_ref(firm, 1)
    return TimeEntry(
        id=firm.times.next_id(),
        info=firm.entered(member.identifier),
        company=company_ref(company),
        company_type=company.types[0].name,
        charge_to_id=task.charge_id,
        charge_to_type=task.charge,
        member=member_ref(member),
        location_id=home.id,
        business_unit_id=unit.id,
        location=home,
        department=unit_ref(firm, unit.id),
        work_type=Reference(work_type, WORK_TYPES[work_type - 1][0]),
        work_role=member.work_role,
        agreement=agreement_ref(task.agreement),
        agreement_type=task.agreement.type.name if task.agreement else None,
        time_start=stamp(until - timedelta(hours=hours)),
        time_end=stamp(until),
        hours_deduct=deducted,
        actual_hours=actual,
        hours_billed=actual if option == "Billable" and kind != "prepaid" else 0.0,
        agreement_hours=actual if kind in ("prepaid", "operations") and option != "DoNotBill" else 0.0,
        agreement_amount=round(actual * rate, 2) if kind == "prepaid" else 0.0,
        agreement_adjustment=0.0,
        adjustment=0.0,
        billable_option=option,
        notes=pick(firm.rng, sample_text.WORK_NOTES),
        internal_notes="Athuga með framhald." if chance(firm.rng, 0.1) else None,
        hourly_cost=_cost(firm, member),
        hourly_rate=rate,
        entered_by=member.identifier,
        date_entered=stamp(firm.now),
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


def _kind(firm: Firm, task: Task) -> str:
    return "internal" if task.company == HOUSE else kind_of(firm, task.agreement)


def _cost(firm: Firm, member: Member) -> str | None:
    """What the entry itself says an hour cost: text, as the service has it; sometimes nothing."""
    if member.hourly_cost is not None:
        return f"{member.hourly_cost:.2f}"
    return "7900.00" if chance(firm.rng, 0.5) else None


def _work_type(firm: Firm, kind: str) -> int:
    if kind == "internal":
        return INTERNAL_WORK
    dice = firm.rng.random()
    shares = ((DAYTIME, 0.6), (REMOTE, 0.85), (OVERTIME, 0.91), (CALL_OUT, 0.95), (DRIVING, 0.98), (WARRANTY, 1.0))
    return next(work_type for work_type, up_to in shares if dice <= up_to)


def _option(firm: Firm, kind: str) -> str:
    dice = firm.rng.random()
    return next(option for option, up_to in _OPTIONS.get(kind, _USUAL) if dice <= up_to)
