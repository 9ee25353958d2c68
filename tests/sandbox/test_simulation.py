from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.sandbox.connectwise.clock import START, add_months
from headwater.sandbox.connectwise.simulation import Simulation, build_simulation

PREPAID_OR_INTERNAL = {"Tímapottur", "Tímapottur:", "Innri verkefni"}


def digest(simulation: Simulation) -> str:
    all_rows = hashlib.sha256(str(simulation.state.now).encode())
    for path, collection in simulation.state.collections.items():
        all_rows.update(path.encode() + collection.encode_array(collection.rows.values()))
    return all_rows.hexdigest()


@pytest.fixture(scope="module")
def truth(company: Simulation) -> dict[str, list[dict]]:
    return {
        path: msgspec.json.decode(collection.encode_array(collection.rows.values()))
        for path, collection in company.state.collections.items()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    assert digest(build_simulation(seed=3, companies=4, months=2)) == digest(
        build_simulation(seed=3, companies=4, months=2)
    )
    assert digest(build_simulation(seed=3, companies=4, months=2)) != digest(
        build_simulation(seed=4, companies=4, months=2)
    )


def test_initial_months_equal_the_same_days_simulated_later():
    shorter = build_simulation(companies=4, months=1)
    shorter.advance(add_months(START, 3) - add_months(START, 1))
    assert digest(shorter) == digest(build_simulation(companies=4, months=3))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=24 * 9 * 60), min_size=1, max_size=6))
def test_many_small_steps_equal_one_large_one(minutes):
    stepped, all_rows = build_simulation(companies=2, months=1), build_simulation(companies=2, months=1)
    for step in minutes:
        stepped.advance(timedelta(minutes=step))
    all_rows.advance(timedelta(minutes=sum(minutes)))
    assert digest(stepped) == digest(all_rows)


def test_references_point_to_existing_records(truth):
    ids = {path: {row["id"] for row in rows} for path, rows in truth.items()}
    tickets = ids["service/tickets"] | ids["project/tickets"]
    targets = {
        "company": ids["company/companies"],
        "billToCompany": ids["company/companies"],
        "contact": ids["company/contacts"],
        "defaultContact": ids["company/contacts"],
        "managerContact": ids["company/contacts"],
        "member": ids["system/members"],
        "owner": ids["system/members"],
        "reportsTo": ids["system/members"],
        "agreement": ids["finance/agreements"],
        "parentAgreement": ids["finance/agreements"],
        "invoice": ids["finance/invoices"],
        "ticket": tickets,
        "project": ids["project/projects"],
        "board": ids["service/boards"],
        "workType": ids["time/workTypes"],
        "workRole": ids["time/workRoles"],
        "territory": ids["system/locations"],
        "location": ids["system/locations"],
        "department": ids["system/departments"],
    }
    free = {("company/contacts", "department")}
    lost = [
        (path, row["id"], field)
        for path, rows in truth.items()
        for row in rows
        for field, known in targets.items()
        if isinstance(row.get(field), dict) and (path, field) not in free and row[field]["id"] not in known
    ]
    assert lost == []
    assert not ids["service/tickets"] & ids["project/tickets"]
    assert {row["agreementId"] for row in truth["finance/agreements/additions"]} <= ids["finance/agreements"]
    assert {row["objectId"] for row in truth["schedule/entries"]} <= tickets


def test_no_prepaid_or_internal_work_is_on_an_invoice(truth):
    kinds = {row["id"]: row["type"]["name"] for row in truth["finance/agreements"]}
    for path in ("time/entries", "expense/entries", "procurement/products"):
        billed = {kinds[row["agreement"]["id"]] for row in truth[path] if "invoice" in row and "agreement" in row}
        assert not billed & PREPAID_OR_INTERNAL
    assert not [row for row in truth["time/entries"] if "invoice" in row and row["company"]["id"] == 1]
    assert {row["company"]["id"] for row in truth["finance/invoices"]} <= set(range(2, 100))


def test_invoices_add_up(truth):
    services = Counter()
    for row in truth["time/entries"]:
        if "invoice" in row:
            services[row["invoice"]["id"]] += row["hoursBilled"] * row["hourlyRate"]
    assert services
    for row in truth["finance/invoices"]:
        parts = row["serviceTotal"] + row["productTotal"] + row["expenseTotal"] + row["agreementAmount"]
        assert row["subtotal"] == pytest.approx(parts, abs=0.05)
        assert row["serviceTotal"] == pytest.approx(services[row["id"]], abs=0.05)


def test_work_has_every_option_and_status(truth):
    entries = truth["time/entries"]
    assert {row["billableOption"] for row in entries} == {"Billable", "DoNotBill", "NoCharge", "NoDefault"}
    assert {row["chargeToType"] for row in entries} == {"Company", "ServiceTicket", "ProjectTicket", "ChargeCode"}
    assert {row["status"] for row in entries} == {
        "Open",
        "Rejected",
        "PendingApproval",
        "ErrorsCorrected",
        "PendingProjectApproval",
        "ApprovedByTierOne",
        "RejectBySecondTier",
        "ApprovedByTierTwo",
        "ReadyToBill",
        "Billed",
        "WrittenOff",
        "BilledAgreement",
    }
    assert {"agreement", "invoice", "project"} <= {field for row in entries for field in row}
    assert any("agreement" not in row for row in entries)
    assert all(isinstance(row.get("hourlyCost", ""), str) for row in entries)
    assert any("hourlyCost" not in row for row in truth["system/members"])


def test_agreements_are_of_every_type_and_inherit_their_number(truth):
    rows = {row["id"]: row for row in truth["finance/agreements"]}
    assert {row["type"]["name"] for row in rows.values()} == {row["name"] for row in truth["finance/agreements/types"]}

    def number(row):
        fields = {field["caption"]: field.get("value") for field in row.get("customFields", [])}
        return fields.get("Samningsnúmer")

    def depth(row):
        return 1 + (depth(rows[row["parentAgreement"]["id"]]) if "parentAgreement" in row else 0)

    assert max(depth(row) for row in rows.values()) == 3
    assert any(number(row) for row in rows.values())
    assert any(not number(row) and "parentAgreement" in row for row in rows.values())
    assert any("customFields" not in row for row in rows.values())
    assert {"Active", "Cancelled", "Expired"} == {row["agreementStatus"] for row in rows.values()}


def test_companies_agreements_members_and_contacts_change_with_time(company):
    before = build_simulation(months=1)
    earlier = {path: set(collection.rows) for path, collection in before.state.collections.items()}
    names = {ident: one.name for ident, one in before.state.companies.rows.items()}
    costs = {ident: one.hourly_cost for ident, one in before.state.members.rows.items()}
    later = company.state
    assert any(later.companies.rows[ident].name != name for ident, name in names.items())
    assert any(later.members.rows[ident].hourly_cost != cost for ident, cost in costs.items())
    assert earlier["company/contacts"] - set(later.contacts.rows)
    assert {one.status.name for one in later.companies.rows.values()} > {"Virkur"}
    for path in ("service/tickets", "time/entries", "finance/invoices", "procurement/products", "schedule/entries"):
        assert len(later.collections[path].rows) > len(earlier[path])


def test_only_contacts_are_ever_deleted(company):
    before = build_simulation(months=3)
    for path, collection in before.state.collections.items():
        if path != "company/contacts":
            assert set(collection.rows) <= set(company.state.collections[path].rows)


def test_every_timestamp_is_within_the_history(truth):
    stamps = [row["_info"]["lastUpdated"] for rows in truth.values() for row in rows]
    assert min(stamps) == "2025-09-01T00:00:00Z"
    assert max(stamps) < "2026-03-01T00:00:00Z"


def test_icelandic_letters_are_everywhere(truth):
    for path in ("company/companies", "company/contacts", "service/tickets", "time/entries", "finance/agreements"):
        text = str(truth[path])
        assert all(letter in text for letter in "þðæöáíúé")


def test_a_company_may_have_one_customer_and_one_month():
    state = build_simulation(companies=1, months=1).state
    assert state.tickets.rows
    assert state.time_entries.rows
