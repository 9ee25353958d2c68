"""Monthly invoices for work and products. Prepaid and internal work is never invoiced."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from headwater.sandbox.connectwise.business.agreements import find_billing_kind
from headwater.sandbox.connectwise.business.random_draw import draw_bool
from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.finance import Addition, Agreement, Invoice, Product
from headwater.sandbox.connectwise.records.work import Charge, ExpenseEntry, TimeEntry
from headwater.sandbox.connectwise.setup import KRONA, build_location_ref, build_unit_ref
from headwater.sandbox.connectwise.state import OWN_COMPANY, PsaState, build_agreement_ref, build_company_ref

_SENT, _PAID = Reference(2, "Sendur"), Reference(3, "Greiddur")
_TAX = 0.24
_BILLING_USER = "bokhald"

InvoiceTarget = tuple[int, str, int]
"""What an invoice is for: company id, `applyToType`, `applyToId` (0: none)."""


@dataclass(slots=True, kw_only=True)
class InvoiceLines:
    """The lines of one invoice."""

    times: list[TimeEntry] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    expenses: list[ExpenseEntry] = field(default_factory=list)
    agreement_amount: float = 0.0


def create_monthly_invoices(state: PsaState) -> None:
    """Create the invoices of the last month."""
    month_end = format_timestamp(state.now.replace(day=1, hour=0, minute=0, second=0))
    drafts: dict[InvoiceTarget, InvoiceLines] = {}
    _gather_agreements(state, drafts)
    _gather_times(state, drafts, before=month_end)
    _gather_goods(state, drafts)
    for target, lines in drafts.items():
        _write_invoice(state, target, lines)


def collect_payments(state: PsaState) -> None:
    """Mark some invoices that are due as paid."""
    for ident in list(state.indexes.unpaid_invoices):
        invoice = state.invoices.rows[ident]
        if invoice.due_date <= format_timestamp(state.now) and draw_bool(state.rng, 0.25):
            invoice.status, invoice.balance, invoice.payments = _PAID, 0.0, invoice.total
            state.invoices.touch(invoice, state.build_change_stamp(invoice, _BILLING_USER))
            del state.indexes.unpaid_invoices[ident]


def _gather_agreements(state: PsaState, drafts: dict[InvoiceTarget, InvoiceLines]) -> None:
    additions: dict[int, list[Addition]] = {}
    for addition in state.additions.rows.values():
        if addition.agreement_status == "Active":
            additions.setdefault(addition.agreement_id, []).append(addition)
    for company_id, agreement_ids in state.indexes.agreements_by_company.items():
        for ident in agreement_ids if company_id != OWN_COMPANY else ():
            agreement = state.agreements.rows[ident]
            lines = drafts.setdefault((company_id, "Agreement", ident), InvoiceLines())
            lines.agreement_amount = agreement.bill_amount or 0.0
            lines.products += [
                _add_included_product(state, agreement, addition) for addition in additions.get(ident, ())
            ]


def _gather_times(state: PsaState, drafts: dict[InvoiceTarget, InvoiceLines], *, before: str) -> None:
    for ident in list(state.indexes.ready_to_bill):
        entry = state.time_entries.rows[ident]
        if entry.time_start >= before:
            continue
        del state.indexes.ready_to_bill[ident]
        kind = find_billing_kind(state, state.agreements.rows[entry.agreement.id] if entry.agreement else None)
        if kind in ("billable", "operations", "other", "none") and entry.billable_option == "Billable":
            drafts.setdefault(_find_target(entry, kind), InvoiceLines()).times.append(entry)
        elif kind in ("prepaid", "operations"):
            entry.status = "BilledAgreement"
            state.time_entries.touch(entry, state.build_change_stamp(entry, _BILLING_USER))


def _gather_goods(state: PsaState, drafts: dict[InvoiceTarget, InvoiceLines]) -> None:
    for ident in state.indexes.unbilled_products:
        product = state.products.rows[ident]
        if product.billable_option == "Billable":
            drafts.setdefault((product.company.id, "All", 0), InvoiceLines()).products.append(product)
    for ident in state.indexes.unbilled_expenses:
        expense = state.expenses.rows[ident]
        kind = find_billing_kind(state, state.agreements.rows[expense.agreement.id] if expense.agreement else None)
        if expense.company and expense.billable_option == "Billable" and kind not in ("prepaid", "internal"):
            drafts.setdefault((expense.company.id, "All", 0), InvoiceLines()).expenses.append(expense)
    state.indexes.unbilled_products.clear()
    state.indexes.unbilled_expenses.clear()


def _find_target(entry: TimeEntry, kind: str) -> InvoiceTarget:
    company = entry.company.id if entry.company else OWN_COMPANY
    if entry.agreement and kind == "billable":
        return company, "Agreement", entry.agreement.id
    if entry.project:
        return company, "Project", entry.project.id
    return company, "All", 0


def _add_included_product(state: PsaState, agreement: Agreement, addition: Addition) -> Product:
    """Add the product line for an addition of an agreement, for one month."""
    return state.products.add(
        Product(
            id=state.products.issue_id(),
            info=state.build_stamp(_BILLING_USER),
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
            agreement=build_agreement_ref(agreement),
            agreement_amount=0.0,
            location_id=1,
            business_unit_id=1,
            taxable_flag=True,
            cancelled_flag=False,
            purchase_date=format_timestamp(state.now),
        )
    )


def _write_invoice(state: PsaState, target: InvoiceTarget, lines: InvoiceLines) -> None:
    services = sum((entry.hours_billed or 0.0) * (entry.hourly_rate or 0.0) for entry in lines.times)
    products = sum(product.ext_price for product in lines.products)
    expenses = sum(expense.amount for expense in lines.expenses)
    subtotal = round(services + products + expenses + lines.agreement_amount, 2)
    if not subtotal:
        return
    invoice = state.invoices.add(_build_invoice(state, target, subtotal))
    invoice.service_total, invoice.product_total = round(services, 2), round(products, 2)
    invoice.expense_total, invoice.agreement_amount = round(expenses, 2), lines.agreement_amount
    state.indexes.unpaid_invoices[invoice.id] = None
    _mark_invoiced(state, invoice, lines)


def _build_invoice(state: PsaState, target: InvoiceTarget, subtotal: float) -> Invoice:
    company_id, apply_to_type, apply_to_id = target
    company, ident = state.companies.rows[company_id], state.invoices.issue_id()
    agreement = state.agreements.rows[apply_to_id] if apply_to_type == "Agreement" else None
    total = round(subtotal * (1 + _TAX), 2)
    day = state.now.replace(hour=0, minute=0, second=0)
    return Invoice(
        id=ident,
        info=state.build_stamp(_BILLING_USER),
        invoice_number=f"R{state.now.year}{ident:06}",
        type={"Agreement": "Agreement", "Project": "Progress"}.get(apply_to_type, "Standard"),
        status=_SENT,
        company=build_company_ref(company),
        bill_to_company=build_company_ref(company),
        account_number=company.account_number,
        apply_to_type=apply_to_type,
        apply_to_id=apply_to_id or None,
        agreement=build_agreement_ref(agreement),
        date=format_timestamp(day),
        due_date=format_timestamp(day + timedelta(days=15)),
        billing_terms=company.billing_terms,
        reference=agreement.name if agreement else "Þjónusta",
        location=build_location_ref(state, 1),
        location_id=1,
        department=build_unit_ref(state, 1),
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


def _mark_invoiced(state: PsaState, invoice: Invoice, lines: InvoiceLines) -> None:
    reference = Reference(invoice.id, identifier=invoice.invoice_number)
    charges: list[Charge] = [*lines.times, *lines.expenses]
    for charge in charges:
        charge.invoice, charge.status = reference, "Billed"
    for entry in lines.times:
        entry.invoice_hours, entry.invoice_flag = entry.hours_billed, True
        entry.extended_invoice_amount = round((entry.hours_billed or 0.0) * (entry.hourly_rate or 0.0), 2)
        state.time_entries.touch(entry, state.build_change_stamp(entry, _BILLING_USER))
    for expense in lines.expenses:
        state.expenses.touch(expense, state.build_change_stamp(expense, _BILLING_USER))
    for product in lines.products:
        product.invoice = reference
        state.products.touch(product, state.build_change_stamp(product, _BILLING_USER))
