"""What customers agree to, how it changes and how it ends."""

from __future__ import annotations

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.people import caller
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick
from headwater.sandbox.connectwise.clock import stamp
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
    department_ref,
    location_ref,
)
from headwater.sandbox.connectwise.state import HOUSE, Firm, agreement_ref, company_ref, contact_ref

NUMBER_CAPTION = "Samningsnúmer"
"""The caption of the custom field that holds the agreement's number."""

_TURNS = {
    FULL: OPERATIONS,
    OPERATIONS: FULL,
    SERVICE: SOFTWARE,
    SOFTWARE: SERVICE,
    POT: POT_COLON,
    POT_COLON: POT,
    OFFICE: SOFTWARE,
}
"""What an agreement may become. Paid hours never turn prepaid or internal, so that no invoice is ever in doubt."""


def sign_house(firm: Firm) -> None:
    """The agreement under which the company works for itself."""
    _sign(firm, firm.companies.rows[HOUSE], INTERNAL, number=True)


def sign_customer(firm: Firm, company: Company) -> None:
    """What a new customer agrees to: a chain of three, perhaps a pot of hours, perhaps something unheard of."""
    rng = firm.rng
    root = _sign(firm, company, pick(rng, (FULL, OPERATIONS)), number=not chance(rng, 0.06))
    child = _sign(firm, company, pick(rng, (SERVICE, SOFTWARE)), parent=root, number=chance(rng, 0.5))
    _sign(firm, company, OFFICE, parent=child, number=chance(rng, 0.2))
    if company.id % 3:
        _sign(firm, company, POT if company.id % 2 else POT_COLON, parent=root, number=chance(rng, 0.4))
    if company.id % 4 == 0:
        _sign(firm, company, HOSTING, number=chance(rng, 0.7))


def kind_of(firm: Firm, agreement: Agreement | None) -> str:
    """How work under an agreement is paid: operations, billable, prepaid, internal, other, or none."""
    return "none" if agreement is None else firm.desk.kinds[agreement.type.id]


def covering(firm: Firm, company_id: int) -> Agreement | None:
    """An agreement in force under which work for a company may be done; sometimes there is none."""
    covers = firm.desk.covers[company_id]
    if not covers or (company_id != HOUSE and chance(firm.rng, 0.08)):
        return None
    return firm.agreements.rows[pick(firm.rng, covers)]


def change_amount(firm: Firm, agreement_id: int) -> None:
    """An agreement gets dearer, rarely cheaper."""
    agreement = firm.agreements.rows[agreement_id]
    if agreement.bill_amount:
        agreement.bill_amount = round(agreement.bill_amount * (0.97 + firm.rng.random() * 0.12), -2)
        firm.agreements.touch(agreement, firm.changed(agreement, "sala"))


def change_type(firm: Firm, agreement_id: int) -> None:
    """An agreement becomes one of another type."""
    agreement = firm.agreements.rows[agreement_id]
    if agreement.type.id in _TURNS:
        agreement.type = _type_ref(firm, _TURNS[agreement.type.id])
        firm.agreements.touch(agreement, firm.changed(agreement, "sala"))


def cancel(firm: Firm, agreement_id: int) -> None:
    """A customer gives notice."""
    agreement = firm.agreements.rows[agreement_id]
    agreement.cancelled_flag = True
    agreement.date_cancelled = stamp(firm.now)
    agreement.reason_cancelled = pick(firm.rng, ("Uppsögn viðskiptavinar", "Sameining samninga", "Óvirkur rekstur"))
    _close(firm, agreement, "Cancelled")


def end(firm: Firm, agreement_id: int) -> None:
    """An agreement runs out."""
    agreement = firm.agreements.rows[agreement_id]
    agreement.no_ending_date_flag = False
    agreement.end_date = stamp(firm.now)
    _close(firm, agreement, "Expired")


def change_addition(firm: Firm, addition_id: int) -> None:
    """A customer takes more or fewer of a subscription."""
    addition = firm.additions.rows[addition_id]
    if addition.agreement_status == "Active":
        addition.quantity = float(max(1, int(addition.quantity) + between(firm.rng, -2, 4)))
        addition.ext_price = addition.quantity * addition.unit_price
        addition.ext_cost = addition.quantity * addition.unit_cost
        firm.additions.touch(addition, firm.changed(addition, "sala"))


def agreements_in_force(firm: Firm) -> list[int]:
    """The agreements of customers that may change or end."""
    return [ident for company, covers in firm.desk.covers.items() if company != HOUSE for ident in covers]


def _close(firm: Firm, agreement: Agreement, status: str) -> None:
    agreement.agreement_status = status
    firm.agreements.touch(agreement, firm.changed(agreement, "sala"))
    firm.desk.covers[agreement.company.id].remove(agreement.id)
    for addition in list(firm.additions.rows.values()):
        if addition.agreement_id == agreement.id and addition.agreement_status == "Active":
            addition.agreement_status = status
            addition.cancelled_date = stamp(firm.now)
            firm.additions.touch(addition, firm.changed(addition, "sala"))


def _sign(firm: Firm, company: Company, kind: int, *, number: bool, parent: Agreement | None = None) -> Agreement:
    agreement = firm.agreements.add(_agreement(firm, company, kind))
    agreement.parent_agreement = agreement_ref(parent)
    agreement.custom_fields = _custom_fields(agreement.id, number=number)
    firm.desk.covers[company.id].append(agreement.id)
    if firm.desk.kinds[kind] in ("operations", "billable"):
        for sku, name, price, cost in sample_text.SUBSCRIPTIONS[: between(firm.rng, 1, 3)]:
            _add(firm, agreement, Reference(len(sku), identifier=sku), name=name, price=price, cost=cost)
    return firm.agreements.touch(agreement, firm.entered("sala"))


def _agreement(firm: Firm, company: Company, kind: int) -> Agreement:
    name, way, at = firm.agreement_types.rows[kind].name, firm.desk.kinds[kind], stamp(firm.now)
    pot, free = way == "prepaid", way == "internal"
    return Agreement(
        id=firm.agreements.next_id(),
        info=firm.entered("sala"),
        name=f"{name.rstrip(':')} - {company.name}",
        type=_type_ref(firm, kind),
        company=company_ref(company),
        contact=contact_ref(caller(firm, company.id)),
        start_date=at,
        bill_start_date=at,
        no_ending_date_flag=True,
        cancelled_flag=False,
        agreement_status="Active",
        location=location_ref(firm, 1),
        department=department_ref(firm, 2 if way == "operations" else 1),
        application_units="Hours" if pot else "Amount",
        application_limit=float(between(firm.rng, 10, 60)) if pot else None,
        application_cycle="CalendarMonth" if pot else None,
        application_unlimited_flag=not pot,
        one_time_flag=False,
        billing_cycle=Reference(2, "Mánaðarlega"),
        billing_terms=Reference(1, "15 dagar"),
        bill_amount=0.0 if free else float(between(firm.rng, 30, 900) * 1000),
        bill_time=firm.agreement_types.rows[kind].bill_time,
        bill_expenses="DoNotBill" if free else "Billable",
        bill_products="Billable",
        taxable=not free,
        invoicing_cycle="CalendarYear",
        period_type="Current",
        currency=KRONA,
    )


def _custom_fields(ident: int, *, number: bool) -> list[CustomField] | None:
    if not number and ident % 5 == 0:
        return None
    value = f"SA-2025-{ident:04}" if number else None
    bag = [CustomField(id=14, caption=NUMBER_CAPTION, type="Text", entry_method="EntryField",
                       number_of_decimals=0, value=value)]  # fmt: skip
    if ident % 2:
        bag.append(CustomField(id=15, caption="Afsláttur %", type="Number", entry_method="EntryField",
                               number_of_decimals=2, value=ident % 4 * 2.5))  # fmt: skip
    return bag


def _add(firm: Firm, agreement: Agreement, product: Reference, *, name: str, price: float, cost: float) -> None:
    quantity = float(between(firm.rng, 2, 40))
    firm.additions.add(
        Addition(
            id=firm.additions.next_id(),
            info=firm.entered("sala"),
            agreement_id=agreement.id,
            product=product,
            quantity=quantity,
            less_included=0.0,
            unit_price=float(price),
            unit_cost=float(cost),
            ext_price=quantity * price,
            ext_cost=quantity * cost,
            bill_customer="Billable",
            effective_date=stamp(firm.now),
            taxable_flag=True,
            description=name,
            invoice_description=name,
            agreement_status="Active",
        )
    )


def _type_ref(firm: Firm, ident: int) -> Reference:
    return Reference(ident, firm.agreement_types.rows[ident].name)
