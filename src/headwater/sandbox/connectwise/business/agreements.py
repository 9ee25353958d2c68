"""Agreements: how customers sign, change and end them."""

from __future__ import annotations

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.people import choose_caller
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_int
from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.records.base import CustomField, Reference
from headwater.sandbox.connectwise.records.customer import Company
from headwater.sandbox.connectwise.records.finance import Addition, Agreement
from headwater.sandbox.connectwise.setup import (
    FULL,
    HOSTING,
    INTERNAL,
    KRONA,
    OFFICE,
    OPERATIONS,
    POT,
    POT_COLON,
    SERVICE,
    SOFTWARE,
    build_department_ref,
    build_location_ref,
)
from headwater.sandbox.connectwise.state import (
    OWN_COMPANY,
    PsaState,
    build_agreement_ref,
    build_company_ref,
    build_contact_ref,
)

NUMBER_CAPTION = "Samningsnúmer"
"""Caption of the custom field with the number of the agreement."""

_TYPE_CHANGES = {
    FULL: OPERATIONS,
    OPERATIONS: FULL,
    SERVICE: SOFTWARE,
    SOFTWARE: SERVICE,
    POT: POT_COLON,
    POT_COLON: POT,
    OFFICE: SOFTWARE,
}
"""The new type of an agreement whose type changes.

Billable agreements never become prepaid or internal, so that invoices that exist stay correct.
"""


def sign_own_agreement(state: PsaState) -> None:
    """Add the agreement for the internal work of the simulated company."""
    _sign_agreement(state, state.companies.rows[OWN_COMPANY], INTERNAL, number=True)


def sign_customer(state: PsaState, company: Company) -> None:
    """Add the agreements of a new customer: a chain of three, and for some prepaid hours and hosting."""
    rng = state.rng
    root = _sign_agreement(state, company, choose(rng, (FULL, OPERATIONS)), number=not draw_bool(rng, 0.06))
    child = _sign_agreement(state, company, choose(rng, (SERVICE, SOFTWARE)), parent=root, number=draw_bool(rng, 0.5))
    _sign_agreement(state, company, OFFICE, parent=child, number=draw_bool(rng, 0.2))
    if company.id % 3:
        _sign_agreement(state, company, POT if company.id % 2 else POT_COLON, parent=root, number=draw_bool(rng, 0.4))
    if company.id % 4 == 0:
        _sign_agreement(state, company, HOSTING, number=draw_bool(rng, 0.7))


def find_billing_kind(state: PsaState, agreement: Agreement | None) -> str:
    """Return how work under an agreement is billed: operations, billable, prepaid, internal, other, or none."""
    return "none" if agreement is None else state.indexes.billing_kinds[agreement.type.id]


def choose_agreement(state: PsaState, company_id: int) -> Agreement | None:
    """Choose an active agreement of a company for some work. Some work has none."""
    agreement_ids = state.indexes.agreements_by_company[company_id]
    if not agreement_ids or (company_id != OWN_COMPANY and draw_bool(state.rng, 0.08)):
        return None
    return state.agreements.rows[choose(state.rng, agreement_ids)]


def change_amount(state: PsaState, agreement_id: int) -> None:
    """Change the amount of an agreement, usually upwards."""
    agreement = state.agreements.rows[agreement_id]
    if agreement.bill_amount:
        agreement.bill_amount = round(agreement.bill_amount * (0.97 + state.rng.random() * 0.12), -2)
        state.agreements.touch(agreement, state.build_change_stamp(agreement, "sala"))


def change_type(state: PsaState, agreement_id: int) -> None:
    """Change the type of an agreement."""
    agreement = state.agreements.rows[agreement_id]
    if agreement.type.id in _TYPE_CHANGES:
        agreement.type = _build_type_ref(state, _TYPE_CHANGES[agreement.type.id])
        state.agreements.touch(agreement, state.build_change_stamp(agreement, "sala"))


def cancel_agreement(state: PsaState, agreement_id: int) -> None:
    """Cancel an agreement."""
    agreement = state.agreements.rows[agreement_id]
    agreement.cancelled_flag = True
    agreement.date_cancelled = format_timestamp(state.now)
    agreement.reason_cancelled = choose(state.rng, ("Uppsögn viðskiptavinar", "Sameining samninga", "Óvirkur rekstur"))
    _close_agreement(state, agreement, "Cancelled")


def expire_agreement(state: PsaState, agreement_id: int) -> None:
    """End an agreement today."""
    agreement = state.agreements.rows[agreement_id]
    agreement.no_ending_date_flag = False
    agreement.end_date = format_timestamp(state.now)
    _close_agreement(state, agreement, "Expired")


def change_addition(state: PsaState, addition_id: int) -> None:
    """Change the quantity of an addition."""
    addition = state.additions.rows[addition_id]
    if addition.agreement_status == "Active":
        addition.quantity = float(max(1, int(addition.quantity) + draw_int(state.rng, -2, 4)))
        addition.ext_price = addition.quantity * addition.unit_price
        addition.ext_cost = addition.quantity * addition.unit_cost
        state.additions.touch(addition, state.build_change_stamp(addition, "sala"))


def list_active_agreements(state: PsaState) -> list[int]:
    """Return the ids of the active agreements of all customers."""
    return [
        ident
        for company, agreement_ids in state.indexes.agreements_by_company.items()
        if company != OWN_COMPANY
        for ident in agreement_ids
    ]


def _close_agreement(state: PsaState, agreement: Agreement, status: str) -> None:
    agreement.agreement_status = status
    state.agreements.touch(agreement, state.build_change_stamp(agreement, "sala"))
    state.indexes.agreements_by_company[agreement.company.id].remove(agreement.id)
    for addition in list(state.additions.rows.values()):
        if addition.agreement_id == agreement.id and addition.agreement_status == "Active":
            addition.agreement_status = status
            addition.cancelled_date = format_timestamp(state.now)
            state.additions.touch(addition, state.build_change_stamp(addition, "sala"))


def _sign_agreement(
    state: PsaState, company: Company, type_id: int, *, number: bool, parent: Agreement | None = None
) -> Agreement:
    agreement = state.agreements.add(_build_agreement(state, company, type_id))
    agreement.parent_agreement = build_agreement_ref(parent)
    agreement.custom_fields = _build_custom_fields(agreement.id, number=number)
    state.indexes.agreements_by_company[company.id].append(agreement.id)
    if state.indexes.billing_kinds[type_id] in ("operations", "billable"):
        for sku, name, price, cost in sample_text.SUBSCRIPTIONS[: draw_int(state.rng, 1, 3)]:
            _add_addition(state, agreement, Reference(len(sku), identifier=sku), name=name, price=price, cost=cost)
    return state.agreements.touch(agreement, state.build_stamp("sala"))


def _build_agreement(state: PsaState, company: Company, type_id: int) -> Agreement:
    name, billing_kind, at = (
        state.agreement_types.rows[type_id].name,
        state.indexes.billing_kinds[type_id],
        format_timestamp(state.now),
    )
    pot, free = billing_kind == "prepaid", billing_kind == "internal"
    return Agreement(
        id=state.agreements.issue_id(),
        info=state.build_stamp("sala"),
        name=f"{name.rstrip(':')} - {company.name}",
        type=_build_type_ref(state, type_id),
        company=build_company_ref(company),
        contact=build_contact_ref(choose_caller(state, company.id)),
        start_date=at,
        bill_start_date=at,
        no_ending_date_flag=True,
        cancelled_flag=False,
        agreement_status="Active",
        location=build_location_ref(state, 1),
        department=build_department_ref(state, 2 if billing_kind == "operations" else 1),
        application_units="Hours" if pot else "Amount",
        application_limit=float(draw_int(state.rng, 10, 60)) if pot else None,
        application_cycle="CalendarMonth" if pot else None,
        application_unlimited_flag=not pot,
        one_time_flag=False,
        billing_cycle=Reference(2, "Mánaðarlega"),
        billing_terms=Reference(1, "15 dagar"),
        bill_amount=0.0 if free else float(draw_int(state.rng, 30, 900) * 1000),
        bill_time=state.agreement_types.rows[type_id].bill_time,
        bill_expenses="DoNotBill" if free else "Billable",
        bill_products="Billable",
        taxable=not free,
        invoicing_cycle="CalendarYear",
        period_type="Current",
        currency=KRONA,
    )


def _build_custom_fields(ident: int, *, number: bool) -> list[CustomField] | None:
    if not number and ident % 5 == 0:
        return None
    value = f"SA-2025-{ident:04}" if number else None
    fields = [CustomField(id=14, caption=NUMBER_CAPTION, type="Text", entry_method="EntryField",
                       number_of_decimals=0, value=value)]  # fmt: skip
    if ident % 2:
        fields.append(CustomField(id=15, caption="Afsláttur %", type="Number", entry_method="EntryField",
                               number_of_decimals=2, value=ident % 4 * 2.5))  # fmt: skip
    return fields


def _add_addition(
    state: PsaState, agreement: Agreement, product: Reference, *, name: str, price: float, cost: float
) -> None:
    quantity = float(draw_int(state.rng, 2, 40))
    state.additions.add(
        Addition(
            id=state.additions.issue_id(),
            info=state.build_stamp("sala"),
            agreement_id=agreement.id,
            product=product,
            quantity=quantity,
            less_included=0.0,
            unit_price=float(price),
            unit_cost=float(cost),
            ext_price=quantity * price,
            ext_cost=quantity * cost,
            bill_customer="Billable",
            effective_date=format_timestamp(state.now),
            taxable_flag=True,
            description=name,
            invoice_description=name,
            agreement_status="Active",
        )
    )


def _build_type_ref(state: PsaState, ident: int) -> Reference:
    return Reference(ident, state.agreement_types.rows[ident].name)
