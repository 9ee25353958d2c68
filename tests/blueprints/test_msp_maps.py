"""The maps of the blueprint as SQL: over bronze of the connector's types, and over records as the service sends them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from headwater.dtypes import DUCKDB, render_dtype
from headwater.model.expression import Scope, compile_expression
from headwater.model.field import Field
from headwater.model.names_in_scope import map_bronze_columns
from headwater.names import quote
from tests.blueprints.builders import MSP
from tests.blueprints.resource_fields import read_offered_fields

SOURCES = [(entity.entity, source) for entity in MSP.entities.values() for source in entity.sources]
NUMBER = {"agreement_number_caption": "Samningsnúmer"}


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def type_of(field: Field) -> str:
    if field.parts:
        members = ", ".join(f"{quote(part.name)} {type_of(part)}" for part in field.parts)
        return f"STRUCT({members})[]"
    return render_dtype(field.dtype, DUCKDB) + ("[]" if field.many else "")


def sql_of(entity: str, source: str, column: str, settings: dict[str, str] | None = None) -> str:
    declared = MSP.entities[entity]
    scope = Scope(columns=map_bronze_columns(read_offered_fields()[source]), settings=settings or {}, rules=MSP.rules)
    text = compile_expression(declared.sources[source].map[column], scope, where="here")
    return f"CAST({text} AS {render_dtype(declared.columns[column].type, DUCKDB)})"


@pytest.mark.parametrize(("entity", "source"), SOURCES)
def test_every_map_is_sql_over_bronze_and_fits_the_declared_types(
    duck: duckdb.DuckDBPyConnection, entity: str, source: str
):
    columns = [f"{quote(field.name)} {type_of(field)}" for field in read_offered_fields()[source]]
    duck.execute(f'CREATE TABLE bronze ({", ".join(columns)}, "_line" BIGINT, "_parent" VARCHAR)')
    declared = MSP.entities[entity]
    values = [f"{sql_of(entity, source, name)} AS {quote(name)}" for name in declared.sources[source].map]
    assert duck.execute(f"SELECT {', '.join(values)} FROM bronze").fetchall() == []


def value(duck: duckdb.DuckDBPyConnection, record: str, sql: str) -> Any:
    row = duck.execute(f"SELECT {sql} FROM (SELECT {record})").fetchone()
    return row[0] if row else None


def test_a_contacts_email_is_the_default_one_else_the_first(duck: duckdb.DuckDBPyConnection):
    sql = sql_of("contact", "connectwise.contacts", "email")
    phone = "{'value': '5551234', 'communicationType': 'Phone', 'defaultFlag': true}"
    one = "{'value': 'a@bru.is', 'communicationType': 'Email', 'defaultFlag': false}"
    two = "{'value': 'b@bru.is', 'communicationType': 'Email', 'defaultFlag': true}"
    assert value(duck, f'[{phone}, {one}, {two}] AS "communicationItems"', sql) == "b@bru.is"
    assert value(duck, f'[{phone}, {one}] AS "communicationItems"', sql) == "a@bru.is"
    assert value(duck, f'[{phone}] AS "communicationItems"', sql) is None


def test_a_companys_type_is_the_first_of_its_types(duck: duckdb.DuckDBPyConnection):
    sql = sql_of("company", "connectwise.companies", "type_name")
    assert value(duck, "[{'id': 5, 'name': 'Partner'}, {'id': 6, 'name': 'Vendor'}] AS types", sql) == "Partner"


def test_an_agreements_number_is_the_custom_field_of_the_caption_else_the_first(duck: duckdb.DuckDBPyConnection):
    bag = (
        "[{'caption': 'Afsláttur', 'value': '10'}, {'caption': 'Samningsnúmer', 'value': ' SA-7 '}] AS \"customFields\""
    )
    assert value(duck, bag, sql_of("agreement", "connectwise.agreements", "number", NUMBER)) == "SA-7"
    assert value(duck, bag, sql_of("agreement", "connectwise.agreements", "number")) == "10"


def test_an_empty_number_is_none(duck: duckdb.DuckDBPyConnection):
    bag = "[{'caption': 'Samningsnúmer', 'value': ' '}] AS \"customFields\""
    assert value(duck, bag, sql_of("agreement", "connectwise.agreements", "number", NUMBER)) is None


@pytest.mark.parametrize(
    ("text", "cost"), [("'65.50'", Decimal("65.5")), ("'?'", None), ("''", None), ("CAST(NULL AS VARCHAR)", None)]
)
def test_the_hourly_cost_of_an_entry_is_text_that_may_be_no_number(
    duck: duckdb.DuckDBPyConnection, text: str, cost: Decimal | None
):
    assert (
        value(duck, f'{text} AS "hourlyCost"', sql_of("time_entry", "connectwise.time_entries", "hourly_cost")) == cost
    )


def test_an_agreement_without_end_has_no_end_date(duck: duckdb.DuckDBPyConnection):
    sql = sql_of("agreement", "connectwise.agreements", "end_date")
    ends = 'TIMESTAMP \'2026-02-28\' AS "endDate", {} AS "noEndingDateFlag"'
    assert value(duck, ends.format("true"), sql) is None
    assert value(duck, ends.format("false"), sql) == date(2026, 2, 28)
    assert value(duck, ends.format("CAST(NULL AS BOOLEAN)"), sql) == date(2026, 2, 28)


def test_work_on_a_ticket_knows_its_ticket_by_reference_or_by_what_it_is_charged_to(duck: duckdb.DuckDBPyConnection):
    sql = sql_of("time_entry", "connectwise.time_entries", "ticket_id")
    record = 'CAST({} AS BIGINT) AS ticket_id, {} AS "chargeToType", 9 AS "chargeToId"'
    assert value(duck, record.format("7", "'ServiceTicket'"), sql) == 7
    assert value(duck, record.format("NULL", "'ProjectTicket'"), sql) == 9
    assert value(duck, record.format("NULL", "'ChargeCode'"), sql) is None
