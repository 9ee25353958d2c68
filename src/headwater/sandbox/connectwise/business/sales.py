"""Sales: opportunities, and products that are not invoiced yet."""

from __future__ import annotations

from datetime import timedelta

from headwater.sandbox.connectwise.business import sample_text
from headwater.sandbox.connectwise.business.agreements import sign_customer
from headwater.sandbox.connectwise.business.people import choose_caller, create_customer, list_customers
from headwater.sandbox.connectwise.business.random_draw import choose, draw_bool, draw_int
from headwater.sandbox.connectwise.clock import format_timestamp
from headwater.sandbox.connectwise.records.base import Reference
from headwater.sandbox.connectwise.records.customer import Opportunity
from headwater.sandbox.connectwise.records.finance import Product
from headwater.sandbox.connectwise.setup import KRONA
from headwater.sandbox.connectwise.state import PsaState, build_company_ref, build_contact_ref, build_member_ref

_STAGES = tuple(Reference(at, name) for at, name in enumerate(("Fyrirspurn", "Tilboð", "Samningur", "Lokið"), 1))
_OPEN, _WON, _LOST = Reference(1, "Opið"), Reference(2, "Unnið"), Reference(3, "Tapað")


def sell_product(state: PsaState) -> Product:
    """Sell a product to a customer. It is invoiced at the beginning of the next month."""
    rng, company = state.rng, state.companies.rows[choose(state.rng, list_customers(state))]
    sku, name, price, cost, kind = choose(rng, sample_text.GOODS)
    quantity = float(draw_int(rng, 1, 5))
    product = Product(
        id=state.products.issue_id(),
        info=state.build_stamp("sala"),
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
        billable_option="Billable" if draw_bool(rng, 0.93) else choose(rng, ("NoCharge", "DoNotBill")),
        product_class=kind,
        company=build_company_ref(company),
        location_id=1,
        business_unit_id=1,
        taxable_flag=True,
        cancelled_flag=False,
        purchase_date=format_timestamp(state.now),
    )
    state.indexes.unbilled_products[product.id] = None
    return state.products.add(product)


def create_opportunity(state: PsaState) -> Opportunity:
    """Create an opportunity at a customer."""
    rng, company = state.rng, state.companies.rows[choose(state.rng, list_customers(state))]
    opportunity = Opportunity(
        id=state.opportunities.issue_id(),
        info=state.build_stamp("sala"),
        name=f"{choose(rng, sample_text.PROJECTS)} - {company.name}",
        company=build_company_ref(company),
        contact=build_contact_ref(choose_caller(state, company.id)),
        type=Reference(1, "Núverandi viðskiptavinur"),
        stage=_STAGES[0],
        status=_OPEN,
        probability=Reference(2, "25"),
        primary_sales_rep=build_member_ref(choose(rng, list(state.members.rows.values()))),
        expected_close_date=format_timestamp(state.now + timedelta(days=draw_int(rng, 14, 90))),
        notes="Hafa samband aftur í næstu viku.",
        location_id=1,
        business_unit_id=1,
        date_became_lead=format_timestamp(state.now),
        currency=KRONA,
    )
    state.indexes.open_opportunities[opportunity.id] = None
    return state.opportunities.add(opportunity)


def advance_opportunity(state: PsaState, opportunity_id: int) -> None:
    """Move an opportunity to its next stage, or close it as won or lost."""
    opportunity = state.opportunities.rows[opportunity_id]
    if draw_bool(state.rng, 0.2) or opportunity.stage.id >= 3:
        opportunity.status = _WON if draw_bool(state.rng, 0.5) else _LOST
        opportunity.stage, opportunity.closed_date = _STAGES[3], format_timestamp(state.now)
        opportunity.closed_by = opportunity.primary_sales_rep
        del state.indexes.open_opportunities[opportunity_id]
    else:
        opportunity.stage = _STAGES[opportunity.stage.id]
        opportunity.probability = Reference(opportunity.stage.id + 1, str(opportunity.stage.id * 25))
    state.opportunities.touch(opportunity, state.build_change_stamp(opportunity, "sala"))


def win_customer(state: PsaState) -> None:
    """Create a customer with its agreements."""
    sign_customer(state, create_customer(state))
