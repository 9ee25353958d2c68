"""Customer records: companies, contacts and opportunities."""

from __future__ import annotations

from typing import Any

from headwater.sandbox.connectwise.records.base import CustomField, Record, Reference, to_wire_name


class Company(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A customer. Id 1 is the simulated company itself."""

    identifier: str
    name: str
    status: Reference
    types: list[Reference]
    address_line1: str | None = None
    city: str | None = None
    zip: str | None = None
    country: Reference | None = None
    phone_number: str | None = None
    fax_number: str | None = None
    website: str | None = None
    territory: Reference | None = None
    market: Reference | None = None
    account_number: str | None = None
    default_contact: Reference | None = None
    date_acquired: str | None = None
    annual_revenue: float | None = None
    number_of_employees: int | None = None
    ownership_type: Reference | None = None
    time_zone_setup: Reference | None = None
    lead_source: str | None = None
    lead_flag: bool | None = None
    unsubscribe_flag: bool | None = None
    tax_identifier: str | None = None
    tax_code: Reference | None = None
    billing_contact: Reference | None = None
    billing_terms: Reference | None = None
    bill_to_company: Reference | None = None
    invoice_to_email_address: str | None = None
    currency: Reference | None = None
    territory_manager: Reference | None = None
    deleted_flag: bool | None = None
    custom_fields: list[CustomField] | None = None


class Contact(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A person at a customer."""

    first_name: str
    last_name: str
    company: Reference
    inactive_flag: bool
    address_line1: str | None = None
    city: str | None = None
    zip: str | None = None
    country: Reference | None = None
    relationship: Reference | None = None
    department: Reference | None = None
    manager_contact: Reference | None = None
    title: str | None = None
    disable_portal_login_flag: bool | None = None
    unsubscribe_flag: bool | None = None
    default_phone_type: str | None = None
    default_phone_nbr: str | None = None
    default_flag: bool | None = None
    default_billing_flag: bool | None = None
    communication_items: list[dict[str, Any]] | None = None
    types: list[Reference] | None = None


class Opportunity(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A possible sale."""

    name: str
    company: Reference
    contact: Reference
    type: Reference
    stage: Reference
    status: Reference
    primary_sales_rep: Reference
    expected_close_date: str
    probability: Reference | None = None
    notes: str | None = None
    location_id: int | None = None
    business_unit_id: int | None = None
    date_became_lead: str | None = None
    closed_date: str | None = None
    closed_by: Reference | None = None
    currency: Reference | None = None
