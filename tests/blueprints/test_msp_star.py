"""The star of the blueprint, built by gold from told things: the figures and rules that the business asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headwater.model.dimension import DateDimension
from headwater.model.entity import Rule, Rules
from headwater.model.project import Declarations
from tests.blueprints.builders import MSP, Firm

ALL_FACTS = tuple(MSP.facts)


def entry(ident: int, **values: Any) -> dict[str, Any]:
    usual = {
        "time_entry_id": ident, "member_id": 1, "company_id": 2, "agreement_id": 11, "actual_hours": 2, "billed_hours": 2,
        "hourly_rate": 20000, "hourly_cost": 7000, "billable_option": "Billable", "status": "Open",
        "charge_to_type": "Company", "charge_to_id": 2, "started_at": "2026-01-10 09:00:00", "work_date": "2026-01-10",
        "work_type_id": 1, "work_role_id": 1, "department_id": 1, "location_id": 1,
    }  # fmt: skip
    return usual | values


INTERNAL, PREPAID, SERVICE, OPERATIONS, HOSTING = 13, 12, 11, 10, 14
ENTRIES = (
    entry(1, invoice_id=100),
    entry(2, agreement_id=INTERNAL),
    entry(3, agreement_id=PREPAID),
    entry(4),
    entry(5, billable_option="NoCharge"),
    entry(6, billable_option="DoNotBill"),
    entry(7, agreement_id=OPERATIONS),
    entry(8, agreement_id=None),
    entry(9, billable_option="NoDefault", agreement_id=HOSTING),
    entry(10, agreement_id=PREPAID, invoice_id=100),
    entry(11, agreement_id=INTERNAL, invoice_id=100),
    entry(12, started_at="2026-03-10 09:00:00", work_date="2026-03-10"),
    entry(13, member_id=2),
    entry(14, member_id=2, hourly_cost=None, hourly_rate=0),
    entry(15, member_id=None, actual_hours=None, hourly_rate=None, hourly_cost=None, agreement_id=None),
    entry(16, invoice_id=101),
)


def agreement(ident: int, kind: str, **values: Any) -> dict[str, Any]:
    usual = {
        "agreement_id": ident, "name": kind, "agreement_type": kind, "company_id": 2, "status": "Active",
        "start_date": "2026-01-15", "bill_amount": 50000, "billing_cycle": "Monthly", "is_cancelled": "false",
    }  # fmt: skip
    return usual | values


def tell_all(firm: Firm) -> None:
    firm.merge_records("company", {"company_id": 1, "name": "House"}, {"company_id": 2, "name": "Vélsmiðjan Brú"})
    firm.merge_records(
        "member",
        {"member_id": 1, "first_name": "Jón", "last_name": "Árnason", "hourly_cost": 5000},
        {"member_id": 2, "first_name": "Æsa", "daily_capacity": 6},
    )
    firm.merge_records(
        "member", {"member_id": 1, "first_name": "Jón", "last_name": "Árnason", "hourly_cost": 6000}, at="2026-02-15"
    )
    firm.merge_records(
        "agreement",
        agreement(OPERATIONS, "Alrekstur", number="SA-1"),
        agreement(SERVICE, "yÞjónusta", parent_agreement_id=OPERATIONS),
        agreement(PREPAID, "Tímapottur:", parent_agreement_id=SERVICE, application_units="Hours", application_limit=40),
        agreement(INTERNAL, "Innri verkefni", bill_amount=0, is_cancelled="true", cancelled_date="2026-02-10"),
        agreement(HOSTING, "Vefhýsing", number="SA-5", end_date="2026-02-28"),
    )
    for name in ("work_type", "work_role", "department", "location", "board"):
        firm.merge_records(name, {f"{name}_id": 1, "name": name})
    firm.merge_records(
        "invoice",
        {"invoice_id": 100, "number": "R-100", "invoice_type": "Standard", "company_id": 2, "invoice_date": "2026-02-01"},
        {
            "invoice_id": 101, "number": "R-101", "invoice_type": "Agreement", "company_id": 2, "invoice_date": "2026-02-01",
            "apply_to_type": "Agreement", "apply_to_id": SERVICE, "agreement_id": SERVICE, "agreement_amount": 50000,
            "due_date": "2026-02-15", "status": "Sent",
        },
    )  # fmt: skip
    firm.merge_records("time_entry", *ENTRIES)
    firm.merge_records(
        "expense_entry", {"expense_entry_id": 1, "member_id": 1, "amount": 4200, "billable_option": "Billable"}
    )
    firm.merge_records(
        "product",
        {"product_id": 1, "invoice_id": 100, "quantity": 3, "price": 1000, "cost": 600, "product_class": "Inventory"},
        {"product_id": 2, "quantity": 1, "price": 10, "cost": 6, "product_class": "Inventory"},
    )
    firm.merge_records(
        "ticket",
        {
            "ticket_id": 7, "number": "7", "record_type": "ServiceTicket", "company_id": 2, "board_id": 1, "owner_id": 1,
            "created_at": "2026-01-10 08:00:00", "responded_at": "2026-01-10 08:20:00", "resolved_at": "2026-01-10 10:00:00",
            "respond_by": "2026-01-10 08:30:00", "respond_minutes": 20,
        },
    )  # fmt: skip
    firm.merge_records(
        "opportunity", {"opportunity_id": 1, "name": "Skýið", "company_id": 2, "probability_percent": 50}
    )
    firm.merge_records(
        "schedule_entry", {"schedule_entry_id": 1, "object_id": 7, "schedule_type": "S", "hours": 2, "member_id": 1}
    )


def create_star(path: Path, declarations: Declarations = MSP) -> Firm:
    short = DateDimension(dimension="date", first=date(2025, 1, 1), last=date(2027, 12, 31))
    firm = Firm(path, declarations.merge(Declarations(dimensions={"date": short})))
    tell_all(firm)
    firm.build()
    return firm


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    firm = create_star(tmp_path_factory.mktemp("msp") / "acme.duckdb")
    yield firm
    firm.warehouse.close()


def of_entry(firm: Firm, columns: str, ident: int) -> tuple[Any, ...]:
    return firm.ask(f"SELECT {columns} FROM gold.fact_time_entry WHERE time_entry_id = {ident}")[0]


def test_every_time_entry_is_a_fact(firm: Firm):
    assert firm.ask("SELECT count(*) FROM gold.fact_time_entry") == [(len(ENTRIES),)]


@pytest.mark.parametrize(
    ("ident", "status", "utilization"),
    [
        (1, "Invoiced", "Billable"),
        (2, "Internal", "Internal"),
        (3, "Prepaid", "Billable"),
        (4, "Billable", "Billable"),
        (5, "NoCharge", "No Charge"),
        (6, "DoNotBill", "Non-Billable"),
        (7, "DoNotBill", "Billable"),
        (8, "DoNotBill", "Billable"),
        (9, "DoNotBill", "No Charge"),
        (10, "Invoiced", "Billable"),
        (11, "Invoiced", "Internal"),
    ],
)
def test_the_first_billing_status_that_holds_is_the_effective_one(
    firm: Firm, ident: int, status: str, utilization: str
):
    assert of_entry(firm, "effective_billing_status, utilization_type", ident) == (status, utilization)


def test_past_work_keeps_the_cost_of_its_day(firm: Firm):
    assert of_entry(firm, "effective_hourly_cost", 4) == (Decimal(5000),)
    assert of_entry(firm, "effective_hourly_cost", 12) == (Decimal(6000),)


def test_without_a_cost_of_the_member_the_entrys_counts_and_then_nothing(firm: Firm):
    assert of_entry(firm, "effective_hourly_cost, daily_capacity", 13) == (Decimal(7000), Decimal(6))
    assert of_entry(firm, "effective_hourly_cost", 14) == (Decimal(0),)


def test_margins_follow_from_hours_rate_and_cost(firm: Firm):
    columns = "hours, potential_revenue, actual_cost, margin, margin_percent, billable_hours, non_billable_hours"
    assert of_entry(firm, columns, 4) == (2, 40000, 10000, 30000, 75.0, 2, 0)
    assert of_entry(firm, columns, 6)[-2:] == (0, 2)


def test_the_margin_percent_is_zero_where_there_is_no_revenue(firm: Firm):
    assert of_entry(firm, "potential_revenue, margin_percent", 14) == (0, 0.0)
    assert of_entry(firm, "hours, potential_revenue, margin, margin_percent, daily_capacity", 15) == (0, 0, 0, 0.0, 8)


def test_a_pot_of_hours_is_marked(firm: Firm):
    assert firm.ask("SELECT time_entry_id FROM gold.fact_time_entry WHERE is_timapottur ORDER BY 1") == [(3,), (10,)]


def test_prepaid_and_internal_work_is_on_no_invoice_line(firm: Firm):
    lines = firm.ask("SELECT invoice_line_id FROM gold.fact_invoice_line ORDER BY 1")
    assert lines == [("agreement:101",), ("product:1",), ("time:1",), ("time:16",)]


def test_a_line_has_quantity_price_cost_amount_and_margin(firm: Firm):
    columns = "line_type, quantity, price, cost, line_amount, line_cost, margin"
    lines = {row[0]: row[1:] for row in firm.ask(f"SELECT invoice_line_id, {columns} FROM gold.fact_invoice_line")}
    assert lines["time:1"] == ("SERVICE", 2, 20000, 5000, 40000, 10000, 30000)
    assert lines["product:1"] == ("PRODUCT", 3, 1000, 600, 3000, 1800, 1200)
    assert lines["agreement:101"] == ("AGREEMENT", 1, 50000, 0, 50000, 0, 50000)


def test_a_line_shows_the_header_of_its_invoice(firm: Firm):
    columns = "invoice_number, apply_to, agreement_type, invoice_company, invoice_date_key, due_date_key"
    lines = {row[0]: row[1:] for row in firm.ask(f"SELECT invoice_line_id, {columns} FROM gold.fact_invoice_line")}
    assert lines["time:1"] == ("R-100", "Services", "yÞjónusta", None, 20260201, -1)
    assert lines["time:16"] == ("R-101", "Agreement", "Agr - yÞjónusta", None, 20260201, 20260215)
    assert lines["agreement:101"][2] == "Agr - yÞjónusta"
    assert lines["product:1"][1:3] == ("Services", None)


def test_work_that_waits_for_an_invoice_is_unbilled(firm: Firm):
    found = firm.ask("SELECT time_entry_id, billing FROM gold.fact_unbilled_work ORDER BY 1")
    assert found == [
        (4, "billable"), (7, "operations"), (8, "no agreement"), (12, "billable"), (13, "billable"), (14, "billable"),
        (15, "no agreement"),
    ]  # fmt: skip


def test_an_agreement_without_a_number_has_that_of_its_nearest_ancestor(firm: Firm):
    found = firm.ask("SELECT agreement_id, number FROM gold.dim_agreement WHERE agreement_id IS NOT NULL ORDER BY 1")
    assert found == [(10, "SA-1"), (11, "SA-1"), (12, "SA-1"), (13, None), (14, "SA-5")]


def test_an_agreement_has_a_row_for_each_month_it_runs(firm: Firm):
    rows = firm.ask(
        "SELECT agreement_id, period_start, amount, hours, duration_days, is_active FROM gold.fact_agreement_period "
        "WHERE agreement_id IN (12, 13, 14) ORDER BY 1, 2"
    )
    january, february, march, april = (date(2026, month, 1) for month in (1, 2, 3, 4))
    assert rows == [
        (12, january, 50000, 40, 17, True),
        (12, february, 50000, 40, 28, True),
        (12, march, 50000, 40, 31, True),
        (12, april, 50000, 40, 30, True),
        (13, january, 0, 0, 17, True),
        (13, february, 0, 0, 10, False),
        (14, january, 50000, 0, 17, True),
        (14, february, 50000, 0, 28, True),
    ]


def test_a_ticket_is_measured_from_opening_to_closing(firm: Firm):
    columns = "opened_at, minutes_to_respond, minutes_to_resolve, minutes_to_close, sla_respond_minutes, "
    columns += "sla_respond_goal_minutes, opened_date_key, resolved_date_key, closed_date_key"
    (row,) = firm.ask(f"SELECT {columns} FROM gold.fact_ticket")
    assert row == (datetime(2026, 1, 10, 8, 0), 20, 120, None, 20, 30, 20260110, 20260110, -2)  # noqa: DTZ001


@pytest.mark.parametrize("fact", ALL_FACTS)
def test_every_key_of_a_fact_resolves(firm: Firm, fact: str):
    for name, lookup in MSP.facts[fact].lookups.items():
        dimension = f'gold."dim_{lookup.dimension}"'
        lost = firm.ask(
            f'SELECT count(*) FROM gold."fact_{fact}" AS f LEFT JOIN {dimension} AS d '
            f'ON d."{lookup.dimension}_key" = f."{name}_key" WHERE d."{lookup.dimension}_key" IS NULL'
        )
        assert lost == [(0,)], name


def test_statuses_and_options_carry_their_category(firm: Firm):
    found = firm.ask('SELECT "value", category FROM gold.dim_billable_option WHERE billable_option_key > 0 ORDER BY 1')
    assert found == [
        ("Billable", "Billable"), ("DoNotBill", "NonBillable"), ("NoCharge", "NonBillable"), ("NoDefault", "NonBillable"),
    ]  # fmt: skip


def rows_of_gold(firm: Firm) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted(firm.ask(f'SELECT * FROM gold."{name}"'), key=repr)
        for name in firm.warehouse.tables("gold")
        if name != "dim_date"
    }


def test_late_news_leaves_the_star_as_a_rebuild_makes_it(tmp_path: Path):
    firm = create_star(tmp_path / "acme.duckdb")
    assert firm.build() == 0
    firm.merge_records("agreement", agreement(SERVICE, "Tímapottur", parent_agreement_id=OPERATIONS), at="2026-01-05")
    firm.merge_records("time_entry", entry(1, invoice_id=100, actual_hours=3, billed_hours=3), at="2026-03-01")
    firm.merge_records(
        "invoice", {"invoice_id": 100, "number": "R-100-2", "invoice_date": "2026-02-02"}, at="2026-03-01"
    )
    firm.build()
    incremental = rows_of_gold(firm)
    assert firm.ask("SELECT invoice_line_id FROM gold.fact_invoice_line ORDER BY 1") == [
        ("agreement:101",),
        ("product:1",),
    ]
    assert of_entry(firm, "is_timapottur", 4) == (True,)
    firm.build(rebuild=True)
    assert rows_of_gold(firm) == incremental
    firm.warehouse.close()


def test_rules_of_a_project_take_the_place_of_the_blueprints(tmp_path: Path):
    firm = create_star(tmp_path / "acme.duckdb")
    own = Rules(
        rules="agreement_class",
        first_match=(Rule(contains=("Vefhýsing",), gives={"class": "prepaid_hours", "billing": "prepaid"}),),
        otherwise={"class": "other", "billing": "unknown"},
    )
    firm.declarations = firm.declarations.merge(Declarations(rules={"agreement_class": own}))
    firm.build()
    assert of_entry(firm, "effective_billing_status", 9) == ("Prepaid",)
    assert of_entry(firm, "effective_billing_status", 3) == ("DoNotBill",)
    firm.warehouse.close()
