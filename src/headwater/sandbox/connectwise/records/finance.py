"""Finance records: agreements, additions, invoices and products."""

from __future__ import annotations

from headwater.sandbox.connectwise.records.base import CustomField, Record, Reference, to_wire_name


class AgreementType(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A type of agreement."""

    name: str
    default_flag: bool
    inactive_flag: bool
    pre_payment_flag: bool
    employee_comp_rate: str
    employee_comp_not_exceed: str
    invoicing_cycle: str
    bill_time: str
    bill_expenses: str
    bill_products: str
    application_units: str | None = None
    application_unlimited_flag: bool | None = None


class Agreement(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """An agreement with a customer."""

    name: str
    type: Reference
    company: Reference
    contact: Reference
    start_date: str
    no_ending_date_flag: bool
    cancelled_flag: bool
    agreement_status: str
    end_date: str | None = None
    parent_agreement: Reference | None = None
    location: Reference | None = None
    department: Reference | None = None
    date_cancelled: str | None = None
    reason_cancelled: str | None = None
    application_units: str | None = None
    application_limit: float | None = None
    application_cycle: str | None = None
    application_unlimited_flag: bool | None = None
    one_time_flag: bool | None = None
    billing_cycle: Reference | None = None
    billing_terms: Reference | None = None
    bill_amount: float | None = None
    bill_start_date: str | None = None
    bill_time: str | None = None
    bill_expenses: str | None = None
    bill_products: str | None = None
    taxable: bool | None = None
    invoicing_cycle: str | None = None
    period_type: str | None = None
    next_invoice_date: str | None = None
    comp_hourly_rate: float | None = None
    currency: Reference | None = None
    custom_fields: list[CustomField] | None = None


class Addition(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A product that an agreement adds every month."""

    agreement_id: int
    product: Reference
    quantity: float
    unit_price: float
    unit_cost: float
    bill_customer: str
    effective_date: str
    description: str
    agreement_status: str
    ext_price: float
    ext_cost: float
    less_included: float | None = None
    cancelled_date: str | None = None
    invoice_description: str | None = None
    taxable_flag: bool | None = None


class Invoice(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """An invoice."""

    invoice_number: str
    type: str
    status: Reference
    company: Reference
    date: str
    due_date: str
    total: float
    balance: float
    bill_to_company: Reference | None = None
    account_number: str | None = None
    apply_to_type: str | None = None
    apply_to_id: int | None = None
    agreement: Reference | None = None
    billing_terms: Reference | None = None
    reference: str | None = None
    location: Reference | None = None
    location_id: int | None = None
    department: Reference | None = None
    department_id: int | None = None
    territory: Reference | None = None
    territory_id: int | None = None
    taxable_flag: bool | None = None
    currency: Reference | None = None
    service_total: float | None = None
    expense_total: float | None = None
    product_total: float | None = None
    agreement_amount: float | None = None
    subtotal: float | None = None
    sales_tax: float | None = None
    payments: float | None = None
    credits: float | None = None


class Product(Record, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """A product line, invoiced or not."""

    catalog_item: Reference
    description: str
    quantity: float
    price: float
    cost: float
    billable_option: str
    product_class: str
    ext_price: float
    ext_cost: float
    margin: float
    company: Reference
    discount: float | None = None
    price_method: str | None = None
    agreement: Reference | None = None
    agreement_amount: float | None = None
    ticket: Reference | None = None
    project: Reference | None = None
    invoice: Reference | None = None
    location_id: int | None = None
    business_unit_id: int | None = None
    taxable_flag: bool | None = None
    cancelled_flag: bool | None = None
    customer_description: str | None = None
    unit_of_measure: Reference | None = None
    purchase_date: str | None = None
