"""Work records: time entries and expense entries."""

from __future__ import annotations

from headwater.sandbox.connectwise.records.base import Record, Reference, to_wire_name


class Charge(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """Fields that time and expense entries share: member, customer, target of the charge, and billing."""

    member: Reference
    charge_to_type: str
    status: str
    billable_option: str
    location_id: int
    business_unit_id: int
    company: Reference | None = None
    charge_to_id: int | None = None
    agreement: Reference | None = None
    invoice: Reference | None = None
    ticket: Reference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    notes: str | None = None


class TimeEntry(Charge, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A time entry of a member."""

    time_start: str
    time_end: str
    actual_hours: float
    entered_by: str
    date_entered: str
    company_type: str | None = None
    location: Reference | None = None
    department: Reference | None = None
    work_type: Reference | None = None
    work_role: Reference | None = None
    agreement_type: str | None = None
    internal_notes: str | None = None
    hours_deduct: float | None = None
    hours_billed: float | None = None
    invoice_hours: float | None = None
    hourly_cost: str | None = None
    hourly_rate: float | None = None
    overage_rate: float | None = None
    agreement_hours: float | None = None
    agreement_amount: float | None = None
    agreement_adjustment: float | None = None
    adjustment: float | None = None
    invoice_ready: int | None = None
    invoice_flag: bool | None = None
    extended_invoice_amount: float | None = None
    territory: str | None = None
    ticket_board: str | None = None
    ticket_status: str | None = None


class ExpenseEntry(Charge, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """An expense of a member."""

    type: Reference
    amount: float
    date: str
    payment_method: Reference | None = None
    classification: Reference | None = None
    invoice_amount: float | None = None
    agreement_amount: float | None = None
