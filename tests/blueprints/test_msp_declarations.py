"""What the blueprint declares fits the contracts of the connector, FACTS' names and its own documentation."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import entry_points
from pathlib import Path

import duckdb
import pytest

from headwater.blueprints.msp import FOLDER
from headwater.model.check.context import ValidationContext
from headwater.model.check.entities import find_errors
from headwater.model.dimension import EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.expression import Scope, compile_expression, find_names
from headwater.model.project import Declarations
from tests.blueprints.builders import MSP
from tests.blueprints.resource_fields import read_offered_fields

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "msp.md"
ENTITIES = [
    "company",
    "contact",
    "member",
    "board",
    "ticket",
    "time_entry",
    "expense_entry",
    "agreement",
    "agreement_type",
    "agreement_addition",
    "project",
    "invoice",
    "product",
    "work_type",
    "work_role",
    "department",
    "location",
    "schedule_entry",
    "opportunity",
]
FACTS = ["time_entry", "invoice_line", "unbilled_work", "expense_entry", "agreement_period", "ticket"]
ENUMS = ["billable_option", "time_entry_status", "charge_to_type", "billing_cycle", "product_class", "agreement_status"]


def test_every_name_resolves_against_the_contracts_of_the_connector():
    assert [
        str(error) for error in find_errors(ValidationContext(declarations=MSP, fields=read_offered_fields()))
    ] == []


def test_every_entity_dimension_and_fact_that_the_business_asks_for_is_declared():
    assert set(ENTITIES) <= set(MSP.entities)
    assert set(FACTS) <= set(MSP.facts)
    assert set(ENUMS) == {name for name, item in MSP.dimensions.items() if isinstance(item, EnumDimension)}


def test_every_resource_of_the_connector_feeds_an_entity():
    fed = {source for entity in MSP.entities.values() for source in entity.sources}
    assert fed == set(read_offered_fields())


@pytest.mark.parametrize("entity", MSP.entities.values(), ids=lambda entity: entity.entity)
def test_every_column_is_known_to_some_source_and_every_source_has_a_change_stamp(entity: Entity):
    assert {name for source in entity.sources.values() for name in source.map} == set(entity.columns)
    assert {source.changed_at for source in entity.sources.values()} == {"_info.lastUpdated"}


def test_no_secret_of_a_contact_or_member_is_read():
    texts = [
        text for entity in MSP.entities.values() for source in entity.sources.values() for text in source.map.values()
    ]
    names = {name.lower() for text in texts for name in find_names(text, where="here")}
    assert not {name for name in names if "password" in name or "token" in name or "securityidentifier" in name}


def test_stamps_of_the_last_change_make_no_version():
    for entity in MSP.entities.values():
        assert {"updated_at", "updated_by"} <= set(entity.overwritten), entity.entity


def test_money_and_hours_are_decimal_and_ids_are_whole():
    for entity in MSP.entities.values():
        for name, column in entity.columns.items():
            assert column.type != "double", f"{entity.entity}.{name}"
            if name.endswith("_id") or name in entity.key:
                assert column.type == "bigint", f"{entity.entity}.{name}"
            if name.endswith(("_hours", "amount", "_rate", "_cost", "price")):
                assert column.type == "decimal(18,4)", f"{entity.entity}.{name}"


def test_the_fact_of_time_entries_leaves_no_work_out():
    assert MSP.facts["time_entry"].where is None
    assert [part.where for part in MSP.facts["time_entry"].sources] == [None]


def test_everything_says_what_it_is():
    for shelf in (MSP.entities, MSP.dimensions, MSP.facts, MSP.rules):
        for name, item in shelf.items():
            assert item.description, name


def test_a_file_is_called_as_what_it_declares():
    for folder, shelf in (
        ("entities", MSP.entities),
        ("dimensions", MSP.dimensions),
        ("facts", MSP.facts),
        ("rules", MSP.rules),
    ):
        assert {path.stem for path in (FOLDER / folder).iterdir()} == set(shelf)


def test_the_entry_point_leads_to_the_declarations():
    (entry,) = [entry for entry in entry_points(group="headwater.blueprints") if entry.name == "msp"]
    assert importlib.import_module(entry.value).FOLDER == FOLDER
    assert (FOLDER / "entities" / "ticket.yaml").is_file()


def classify(text: str | None, output: str = "class", declarations: Declarations = MSP) -> str:
    scope = Scope(columns={"value": "value"}, rules=declarations.rules)
    sql = compile_expression(f"classify(value, 'agreement_class', '{output}')", scope, where="here")
    with duckdb.connect() as engine:
        return str(engine.execute(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS value)", [text]).fetchone()[0])


@pytest.mark.parametrize(
    ("name", "kind", "billing"),
    [
        ("yÞjónusta", "billable_service", "billable"),
        ("YÞJÓNUSTA", "billable_service", "billable"),
        ("Tímapottur", "prepaid_hours", "prepaid"),
        (" tímapottur: ", "prepaid_hours", "prepaid"),
        ("TÍMAPOTTUR:", "prepaid_hours", "prepaid"),
        ("Innri verkefni", "internal_project", "internal"),
        ("Rekstrarþjónusta", "operations", "operations"),
        ("REKSTRARÞJÓNUSTA", "operations", "operations"),
        ("Alrekstur", "operations", "operations"),
        ("Hugbúnaðarþjónusta", "software_service", "billable"),
        ("HUGBÚNAÐARÞJÓNUSTA", "software_service", "billable"),
        ("office 365", "software_service", "billable"),
        ("Vefhýsing", "other", "unknown"),
        ("", "other", "unknown"),
        (None, "other", "unknown"),
    ],
)
def test_agreements_are_classified_by_the_name_of_their_type(name: str | None, kind: str, billing: str):
    assert (classify(name), classify(name, "billing")) == (kind, billing)


def category(rules: str, value: str) -> str:
    scope = Scope(columns={"value": "value"}, rules=MSP.rules)
    sql = compile_expression(f"classify(value, '{rules}', 'category')", scope, where="here")
    with duckdb.connect() as engine:
        return str(engine.execute(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS value)", [value]).fetchone()[0])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Open", "Open"), ("Rejected", "Open"), ("RejectBySecondTier", "Open"), ("ErrorsCorrected", "Open"),
        ("PendingApproval", "Pending"), ("PendingProjectApproval", "Pending"),
        ("ApprovedByTierOne", "Approved"), ("ApprovedByTierTwo", "Approved"),
        ("ReadyToBill", "Ready"), ("Billed", "Billed"), ("BilledAgreement", "Billed"), ("WrittenOff", "Closed"),
    ],
)  # fmt: skip
def test_every_status_of_an_entry_has_its_category(status: str, expected: str):
    assert category("entry_status_category", status) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [("Billable", "Billable"), ("DoNotBill", "NonBillable"), ("NoCharge", "NonBillable"), ("NoDefault", "NonBillable")],
)
def test_a_billable_option_is_billable_or_not(option: str, expected: str):
    assert category("billable_category", option) == expected


def headings() -> list[str]:
    return re.findall(r"^### `([^`]+)`", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_reference_page_has_a_heading_for_every_table_and_for_nothing_else():
    tables = [f"silver.{name}" for name in MSP.entities]
    tables += [f"gold.dim_{name}" for name in MSP.dimensions]
    tables += [f"gold.fact_{name}" for name in MSP.facts]
    tables += [f"rules {name}" for name in MSP.rules]
    assert sorted(headings()) == sorted(tables)


def section(heading: str) -> str:
    text = REFERENCE.read_text(encoding="utf-8")
    return re.split(r"^##", text.split(f"### `{heading}`", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_reference_page_names_every_column():
    wanted = {f"silver.{name}": set(entity.columns) for name, entity in MSP.entities.items()}
    for name, dimension in MSP.dimensions.items():
        if isinstance(dimension, EntityDimension | EnumDimension):
            wanted[f"gold.dim_{name}"] = set(dimension.attributes)
    for name, fact in MSP.facts.items():
        keys = {f"{lookup}_key" for lookup in fact.lookups}
        wanted[f"gold.fact_{name}"] = {*fact.grain, *keys, *fact.degenerate, *fact.measures}
    missing = {
        heading: sorted(absent)
        for heading, columns in wanted.items()
        if (absent := columns - set(re.findall(r"`([a-z0-9_]+)`", section(heading))))
    }
    assert missing == {}
