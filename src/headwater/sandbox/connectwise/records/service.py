"""Service records: boards, tickets, projects, project tickets and schedule entries."""

from __future__ import annotations

from headwater.sandbox.connectwise.records.base import CustomField, Record, Reference, to_wire_name


class Board(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A service board: a queue of tickets."""

    name: str
    location: Reference
    department: Reference
    inactive_flag: bool
    project_flag: bool
    bill_time: str
    work_role: Reference | None = None
    work_type: Reference | None = None


class TicketFields(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """Fields that service and project tickets share."""

    summary: str
    board: Reference
    status: Reference
    company: Reference
    site_name: str | None = None
    address_line1: str | None = None
    city: str | None = None
    zip: str | None = None
    contact: Reference | None = None
    contact_name: str | None = None
    contact_phone_number: str | None = None
    contact_email_address: str | None = None
    type: Reference | None = None
    sub_type: Reference | None = None
    item: Reference | None = None
    owner: Reference | None = None
    priority: Reference | None = None
    source: Reference | None = None
    required_date: str | None = None
    budget_hours: float | None = None
    actual_hours: float | None = None
    agreement: Reference | None = None
    agreement_type: str | None = None
    initial_description: str | None = None
    resources: str | None = None
    approved: bool | None = None
    closed_flag: bool | None = None
    closed_date: str | None = None
    closed_by: str | None = None
    bill_time: str | None = None
    bill_expenses: str | None = None
    bill_products: str | None = None
    location: Reference | None = None
    department: Reference | None = None
    customer_updated_flag: bool | None = None
    custom_fields: list[CustomField] | None = None


class Ticket(TicketFields, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A service ticket."""

    record_type: str
    team: Reference | None = None
    severity: str | None = None
    impact: str | None = None
    sla: Reference | None = None
    sla_status: str | None = None
    is_in_sla: bool | None = None
    date_responded: str | None = None
    date_resplan: str | None = None
    date_resolved: str | None = None
    respond_minutes: int | None = None
    res_plan_minutes: int | None = None
    resolve_minutes: int | None = None
    respond_by_goal_utc: str | None = None
    resolution_goal_utc: str | None = None


class ProjectTicket(TicketFields, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A ticket of a project. Its id is from the same sequence as those of service tickets."""

    project: Reference
    phase: Reference
    is_issue_flag: bool
    wbs_code: str | None = None


class Project(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A project for a customer, or an internal one."""

    name: str
    company: Reference
    board: Reference
    billing_method: str
    status: Reference
    estimated_start: str
    estimated_end: str
    description: str | None = None
    contact: Reference | None = None
    agreement: Reference | None = None
    manager: Reference | None = None
    type: Reference | None = None
    location: Reference | None = None
    department: Reference | None = None
    actual_start: str | None = None
    actual_end: str | None = None
    actual_hours: float | None = None
    estimated_hours: float | None = None
    budget_hours: float | None = None
    percent_complete: float | None = None
    billing_amount: float | None = None
    bill_time: str | None = None
    bill_expenses: str | None = None
    bill_products: str | None = None
    closed_flag: bool | None = None


class ScheduleEntry(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """Scheduled hours of a member for a ticket."""

    object_id: int
    name: str
    member: Reference
    type: Reference
    status: Reference
    date_start: str
    date_end: str
    hours: float
    done_flag: bool
    acknowledged_flag: bool
    owner_flag: bool
