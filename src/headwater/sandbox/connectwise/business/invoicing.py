"""The turn of the month: what was done and sold is put on invoices. Prepaid and internal work never is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from headwater.sandbox.connectwise.business.agreements import kind_of
from headwater.sandbox.connectwise.business.random_draw import chance
from headwater.sandbox.connectwise.clock import stamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.finance import Addition, Agreement, Invoice, Product
from headwater.sandbox.connectwise.records.work import Charge, ExpenseEntry, TimeEntry
from headwater.sandbox.connectwise.setup import KRONA, location_ref, unit_ref
from headwater.sandbox.connectwise.state import HOUSE, Firm, agreement_ref, company_ref

_SENT, _PAID = Reference(2, "Sendur"), Reference(3, "Greiddur")
_TAX = 0.24
_CLERK = "bokhald"

Subject = tuple[int, str, int]
"""What an invoice is for: a company, the kind of thing it applies to, and which."""


@dataclass(slots=True, kw_only=True)
class Bill:
    """What comes onto one invoice."""

    times: list[TimeEntry] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    expenses: list[ExpenseEntry] = field(default_factory=list)
    agreement_amount: float = 0.0


def invoice_month(firm: Firm) -> None:
    """Write the invoices of the month that has ended."""
    ended = stamp(firm.now.replace(day=1, hour=0, minute=0, second=0))
    bills: dict[Subject, Bill] = {}
    _gather_agreements(firm, bills)
    _gather_times(firm, bills, before=ended)
    _gather_goods(firm, bills)
    for subject, bill in bills.items():
        _write(firm, subject, bill)


def collect(firm: Firm) -> None:
    """Some invoices that are due are paid."""
    for ident in list(firm.desk.unpaid):
        invoice = firm.invoices.rows[ident]
        if invoice.due_date <= stamp(firm.now) and chance(firm.rng, 0.25):
            invoice.status, invoice.balance, invoice.payments = _PAID, 0.0, invoice.total
            firm.invoices.touch(invoice, firm.changed(invoice, _CLERK))
            del firm.desk.unpaid[ident]


def _gather_agreements(firm: Firm, bills: dict[Subject, Bill]) -> None:
    additions: dict[int, list[Addition]] = {}
    for addition in firm.additions.rows.values():
        if addition.agreement_status == "Active":
            additions.setdefault(addition.agreement_id, []).append(addition)
    for company_id, covers in firm.desk.covers.items():
        for ident in covers if company_id != HOUSE else ():
            agreement = firm.agreements.rows[ident]
            bill = bills.setdefault((company_id, "Agreement", ident), Bill())
            bill.agreement_amount = agreement.bill_amount or 0.0
            bill.products += [_included(firm, agreement, addition) for addition in additions.get(ident, ())]


def _gather_times(firm: Firm, bills: dict[Subject, Bill], *, before: str) -> None:
    for ident in list(firm.desk.ready_times):
        entry = firm.times.rows[ident]
        if entry.time_start >= before:
            continue
        del firm.desk.ready_times[ident]
        kind = kind_of(firm, firm.agreements.rows[entry.agreement.id] if entry.agreement else None)
        if kind in ("billable", "operations", "other", "none") and entry.billable_option == "Billable":
            bills.setdefault(_subject(entry, kind), Bill()).times.append(entry)
        elif kind in ("prepaid", "operations"):
            entry.status = "BilledAgreement"
            firm.times.touch(entry, firm.changed(entry, _CLERK))


def _gather_goods(firm: Firm, bills: dict[Subject, Bill]) -> None:
    for ident in firm.desk.unbilled_products:
        product = firm.products.rows[ident]
        if product.billable_option == "Billable":
            bills.setdefault((product.company.id, "All", 0), Bill()).products.append(product)
    for ident in firm.desk.unbilled_expenses:
        expense = firm.expenses.rows[ident]
        kind = kind_of(firm, firm.agreements.rows[expense.agreement.id] if expense.agreement else None)
        if expense.company and expense.billable_option == "Billable" and kind not in ("prepaid", "internal"):
            bills.setdefault((expense.company.id, "All", 0), Bill()).expenses.append(expense)
    firm.desk.unbilled_products.clear()
    firm.desk.unbilled_expenses.clear()


def _subject(entry: TimeEntry, kind: str) -> Subject:
    company = entry.company.id if entry.company else HOUSE
    if entry.agreement and kind == "billable":
        return company, "Agreement", entry.agreement.id
    if entry.project:
        return company, "Project", entry.project.id
    return company, "All", 0


def _included(firm: Firm, agreement: Agreement, addition: Addition) -> Product:
    """The product line of what an agreement includes, for one month."""
    return firm.products.add(
        Product(
            id=firm.products.next_id(),
            info=firm.entered(_CLERK),
            catalog_item=Reference(addition.product.id, addition.description, addition.product.identifier),
            description=addition.description,
            quantity=addition.quantity,
            price=addition.unit_price,
            cost=addition.unit_cost,
            ext_price=addition.ext_price,
            ext_cost=addition.ext_cost,
            margin=addition.ext_price - addition.ext_cost,
            billable_option="Billable",
            product_class="Agreement",
            company=agreement.company,
            agreement=agreement_ref(agreement),
            agreement_amount=0.0,
            location_id=1,
            business_unit_id=1,
            taxable_flag=True,
            cancelled_flag=False,
            purchase_date=stamp(firm.now),
        )
    )


def _write(firm: Firm, subject: Subject, bill: Bill) -> None:
    services = sum((entry.hours_billed or 0.0) * (entry.hourly_rate or 0.0) for entry in bill.times)
    products = sum(product.ext_price for product in bill.products)
    expenses = sum(expense.amount for expense in bill.expenses)
    subtotal = round(services + products + expenses + bill.agreement_amount, 2)
    if not subtotal:
        return
    invoice = firm.invoices.add(_invoice(firm, subject, subtotal))
    invoice.service_total, invoice.product_total = round(services, 2), round(products, 2)
    invoice.expense_total, invoice.agreement_amount = round(expenses, 2), bill.agreement_amount
    firm.desk.unpaid[invoice.id] = None
    _mark(firm, invoice, bill)


def _invoice(firm: Firm, subject: Subject, subtotal: float) -> Invoice:
    company_id, applies, target = subject
    company, ident = firm.companies.rows[company_id], firm.invoices.next_id()
    agreement = firm.agreements.rows[target] if applies == "Agreement" else None
    total = round(subtotal * (1 + _TAX), 2)
    day = firm.now.replace(hour=0, minute=0, second=0)
    return Invoice(
        id=ident,
        info=firm.entered(_CLERK),
        invoice_number=f"R{firm.now.year}{ident:06}",
        type={"Agreement": "Agreement", "Project": "Progress"}.get(applies, "Standard"),
        status=_SENT,
        company=company_ref(company),
        bill_to_company=company_ref(company),
        account_number=company.account_number,
        apply_to_type=applies,
        apply_to_id=target or None,
        agreement=agreement_ref(agreement),
        date=stamp(day),
        due_date=stamp(day + timedelta(days=15)),
        billing_terms=company.billing_terms,
        reference=agreement.name if agreement else "Þjónusta",
        location=location_ref(firm, 1),
        location_id=1,
        department=unit_ref(firm, 1),
        department_id=1,
        territory=company.territory,
        territory_id=company.territory.id if company.territory else None,
        taxable_flag=True,
        currency=KRONA,
        subtotal=subtotal,
        sales_tax=round(total - subtotal, 2),
        total=total,
        balance=total,
        payments=0.0,
        credits=0.0,
    )


def _mark(firm: Firm, invoice: Invoice, bill: Bill) -> None:
    reference = Reference(invoice.id, identifier=invoice.invoice_number)
    charges: list[Charge] = [*bill.times, *bill.expenses]
    for charge in charges:
        charge.invoice, charge.status = reference, "Billed"
    for entry in bill.times:
        entry.invoice_hours, entry.invoice_flag = entry.hours_billed, True
        entry.extended_invoice_amount = round((entry.hours_billed or 0.0) * (entry.hourly_rate or 0.0), 2)
        firm.times.touch(entry, firm.changed(entry, _CLERK))
    for expense in bill.expenses:
        firm.expenses.touch(expense, firm.changed(expense, _CLERK))
    for product in bill.products:
        product.invoice = reference
        firm.products.touch(product, firm.changed(product, _CLERK))
