"""What is sold: opportunities, and products that wait for an invoice."""

from __future__ import annotations

from datetime import timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import sign_customer
from headwater.sandbox.connectwise.business.people import caller, customers, win_customer
from headwater.sandbox.connectwise.business.random_draw import between, chance, pick
from headwater.sandbox.connectwise.clock import stamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.customer import Opportunity
from headwater.sandbox.connectwise.records.finance import Product
from headwater.sandbox.connectwise.setup import KRONA
from headwater.sandbox.connectwise.state import Firm, company_ref, contact_ref, member_ref

_STAGES = tuple(Reference(at, name) for at, name in enumerate(("Fyrirspurn", "Tilboð", "Samningur", "Lokið"), 1))
_OPEN, _WON, _LOST = Reference(1, "Opið"), Reference(2, "Unnið"), Reference(3, "Tapað")


def sell(firm: Firm) -> Product:
    """A customer buys something; it is invoiced at the next turn of the month."""
    rng, company = firm.rng, firm.companies.rows[pick(firm.rng, customers(firm))]
    sku, name, price, cost, kind = pick(rng, sample_text.GOODS)
    quantity = float(between(rng, 1, 5))
    product = Product(
        id=firm.products.next_id(),
        info=firm.entered("sala"),
        catalog_item=Reference(len(sku), name, sku),
        description=name,
        customer_description=name,
        quantity=quantity,
        unit_of_measure=Reference(1, "Stk"),
        price=float(price),
        cost=float(cost),
        ext_price=quantity * price,
        ext_cost=quantity * cost,
        margin=quantity * (price - cost),
        discount=0.0,
        price_method="PricePerUnit",
        billable_option="Billable" if chance(rng, 0.93) else pick(rng, ("NoCharge", "DoNotBill")),
        product_class=kind,
        company=company_ref(company),
        location_id=1,
        business_unit_id=1,
        taxable_flag=True,
        cancelled_flag=False,
        purchase_date=stamp(firm.now),
    )
    firm.desk.unbilled_products[product.id] = None
    return firm.products.add(product)


def offer(firm: Firm) -> Opportunity:
    """A sale that may come about."""
    rng, company = firm.rng, firm.companies.rows[pick(firm.rng, customers(firm))]
    opportunity = Opportunity(
        id=firm.opportunities.next_id(),
        info=firm.entered("sala"),
        name=f"{pick(rng, sample_text.PROJECTS)} - {company.name}",
        company=company_ref(company),
        contact=contact_ref(caller(firm, company.id)),
        type=Reference(1, "Núverandi viðskiptavinur"),
        stage=_STAGES[0],
        status=_OPEN,
        probability=Reference(2, "25"),
        primary_sales_rep=member_ref(pick(rng, list(firm.members.rows.values()))),
        expected_close_date=stamp(firm.now + timedelta(days=between(rng, 14, 90))),
        notes="Hafa samband aftur í næstu viku.",
        location_id=1,
        business_unit_id=1,
        date_became_lead=stamp(firm.now),
        currency=KRONA,
    )
    firm.desk.open_opportunities[opportunity.id] = None
    return firm.opportunities.add(opportunity)


def pursue(firm: Firm, opportunity_id: int) -> None:
    """An opportunity goes one stage on, is won or is lost."""
    opportunity = firm.opportunities.rows[opportunity_id]
    if chance(firm.rng, 0.2) or opportunity.stage.id >= 3:
        opportunity.status = _WON if chance(firm.rng, 0.5) else _LOST
        opportunity.stage, opportunity.closed_date = _STAGES[3], stamp(firm.now)
        opportunity.closed_by = opportunity.primary_sales_rep
        del firm.desk.open_opportunities[opportunity_id]
    else:
        opportunity.stage = _STAGES[opportunity.stage.id]
        opportunity.probability = Reference(opportunity.stage.id + 1, str(opportunity.stage.id * 25))
    firm.opportunities.touch(opportunity, firm.changed(opportunity, "sala"))


def win(firm: Firm) -> None:
    """A new customer comes and signs."""
    sign_customer(firm, win_customer(firm))
