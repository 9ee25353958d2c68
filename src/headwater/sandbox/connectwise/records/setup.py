"""Setup records: locations, departments, work roles, work types and members."""

from __future__ import annotations

from headwater.sandbox.connectwise.records.base import Record, Reference, to_wire_name


class Location(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """An office, or a sales territory."""

    name: str
    structure_level: Reference
    location_flag: bool
    client_flag: bool
    override_city: str | None = None
    override_zip: str | None = None


class Department(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A business unit."""

    identifier: str
    name: str


class WorkRole(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A role of members, with its hourly rate."""

    name: str
    hourly_rate: float
    inactive_flag: bool
    location_ids: list[int]


class WorkType(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A type of work, such as daytime, overtime or call-out."""

    name: str
    bill_time: str
    rate_type: str
    rate: float
    inactive_flag: bool
    overall_default_flag: bool
    utilization_flag: bool
    cost_multiplier: float


class Member(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """An employee."""

    identifier: str
    first_name: str
    last_name: str
    title: str
    license_class: str
    hire_date: str
    inactive_flag: bool
    office_email: str
    default_email: str
    default_phone: str
    office_phone: str | None = None
    default_location: Reference | None = None
    default_department: Reference | None = None
    work_role: Reference | None = None
    work_type: Reference | None = None
    reports_to: Reference | None = None
    daily_capacity: float | None = None
    hourly_cost: float | None = None
    hourly_rate: float | None = None
    billable_forecast: float | None = None
    include_in_utilization_reporting_flag: bool | None = None
