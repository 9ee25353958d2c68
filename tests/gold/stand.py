"""A small company to build a star of: declarations, a warehouse, events put into silver, and rows read out of gold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from headwater.clock import micros
from headwater.events import Listen, ignore
from headwater.gold.build import build_dimension
from headwater.gold.load import load_fact
from headwater.gold.star import Star, order
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.project import Declarations
from headwater.silver.merge import merge
from headwater.silver.merged import Provenance
from headwater.silver.ready import ready
from headwater.warehouse.base import Warehouse, Written
from headwater.warehouse.duckdb import DuckDB
from tests.grid.engines import Engine
from tests.oracle import Seen

ENTITIES = [
    {"entity": "company", "key": "company_id",
     "columns": {"company_id": "bigint", "name": "text", "segment": "text", "parent_id": "bigint", "number": "text"}},
    {"entity": "address", "key": "address_id",
     "columns": {"address_id": "bigint", "company_id": "bigint", "city": "text", "phone": "text"}},
    {"entity": "member", "key": "member_id",
     "columns": {"member_id": "bigint", "name": "text", "cost": "decimal(18,4)"}},
    {"entity": "entry", "key": "entry_id",
     "columns": {"entry_id": "bigint", "member_id": "bigint", "approver_id": "bigint", "company_id": "bigint",
                 "started_at": "timestamp", "hours": "decimal(18,4)", "rate": "decimal(18,4)", "option": "text"}},
    {"entity": "product", "key": "product_id",
     "columns": {"product_id": "bigint", "company_id": "bigint", "amount": "decimal(18,4)", "sold_on": "date"}},
    {"entity": "agreement", "key": "agreement_id",
     "columns": {"agreement_id": "bigint", "company_id": "bigint", "amount": "decimal(18,4)",
                 "starts_on": "date", "ends_on": "date"}},
]  # fmt: skip

DIMENSIONS = [
    EntityDimension.model_validate(
        {
            "dimension": "company",
            "entity": "company",
            "attributes": {
                "company_id": "T1",
                "segment": "T2",
                "name": "T1",
                "first_segment": {"history": "T0", "value": "segment"},
                "number": {"history": "T1", "inherit": {"parent": "parent_id"}},
            },
            "join": [{"entity": "address", "on": "company_id", "attributes": {"city": "T2", "phone": "T1"}}],
        }
    ),
    EntityDimension.model_validate(
        {"dimension": "member", "entity": "member", "attributes": {"name": "T1", "cost": "T2"}}
    ),
    EntityDimension.model_validate(
        {"dimension": "worker", "entity": "member", "surrogate": "sequence", "attributes": {"name": "T2"}}
    ),
    EnumDimension.model_validate(
        {
            "dimension": "option",
            "values_of": {"entity": "entry", "column": "option"},
            "attributes": {"category": "case when value = 'Billable' then 'Billable' else 'NonBillable' end"},
        }
    ),
    DateDimension.model_validate(
        {"dimension": "date", "first": "2024-01-01", "last": "2024-12-31", "fiscal_year_start": 7,
         "holidays": {"2024-01-01": "New Year"}}
    ),
]  # fmt: skip

FACTS = [
    Fact.model_validate(
        {
            "fact": "entry",
            "entity": "entry",
            "grain": ["entry_id"],
            "degenerate": ["started_at", "option"],
            "measures": {
                "worked": "hours",
                "revenue": "worked * rate",
                "cost": "worked * coalesce(member.cost, 0)",
                "margin": "revenue - cost",
            },
            "types": {"margin": "double"},
            "lookups": {
                "member": {"dimension": "member", "on": "member_id", "at": "started_at", "strategy": "point_in_time"},
                "worker": {"dimension": "worker", "on": "member_id"},
                "approver": {"dimension": "member", "on": "approver_id", "not_applicable": "option = 'NoCharge'"},
                "company": {"dimension": "company", "on": "company_id"},
                "option": {"dimension": "option", "on": "option", "strategy": "direct"},
                "work_date": {"dimension": "date", "on": "started_at", "strategy": "direct"},
                "head": {"dimension": "company", "on": "company.number"},
            },
        }
    ),
    Fact.model_validate(
        {
            "fact": "line",
            "parts": [
                {
                    "entity": "entry",
                    "where": "company.segment is null or company.segment <> 'internal'",
                    "columns": {
                        "line_id": "entry_id",
                        "company_id": "company_id",
                        "amount": "hours * rate",
                        "kind": "'SERVICE'",
                        "day": "cast(started_at as date)",
                    },
                },
                {
                    "entity": "product",
                    "columns": {
                        "line_id": "product_id",
                        "company_id": "company_id",
                        "amount": "amount",
                        "kind": "'PRODUCT'",
                        "day": "sold_on",
                    },
                },
            ],
            "grain": ["kind", "line_id"],
            "measures": ["amount"],
            "lookups": {
                "company": {"dimension": "company", "on": "company_id", "at": "day", "strategy": "point_in_time"},
                "day": {"dimension": "date", "on": "day", "strategy": "direct"},
            },
        }
    ),
    Fact.model_validate(
        {
            "fact": "agreement_period",
            "entity": "agreement",
            "periods": {"start": "starts_on", "end": "ends_on"},
            "grain": ["agreement_id", "period_start"],
            "measures": ["amount"],
            "lookups": {
                "company": {"dimension": "company", "on": "company_id"},
                "month": {"dimension": "date", "on": "period_start", "strategy": "direct"},
            },
        }
    ),
]

_ARROW = {"text": pa.string(), "bigint": pa.int64(), "decimal(18,4)": pa.decimal128(18, 4)}
_ARROW |= {"timestamp": pa.timestamp("us"), "date": pa.date32()}


def declarations(dimensions: Sequence[Any] = DIMENSIONS, facts: Sequence[Fact] = FACTS) -> Declarations:
    entities = [Entity.model_validate({**item, "sources": {}}) for item in ENTITIES]
    return Declarations(
        entities={item.entity: item for item in entities},
        dimensions={item.dimension: item for item in dimensions},
        facts={item.fact: item for item in facts},
    )


STAR = Star(declarations=declarations())


def star_of(*tables: Any) -> Star:
    """A star of these tables alone."""
    facts = [table for table in tables if isinstance(table, Fact)]
    return Star(declarations=declarations([table for table in tables if table not in facts], facts))


def at(text: str) -> int:
    """The sequence of an instant."""
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def seen(entity: str, key: int, when: str, operation: str = "U", /, *, batch: str = "b1", **values: Any) -> Seen:
    """An event that knows every column (those not given are NULL)."""
    columns = STAR.declarations.entities[entity].columns
    said = dict.fromkeys(columns) | {f"{entity}_id": key} | values if operation == "U" else {}
    text = repr(sorted(said.items()))
    return Seen(f"psa:{key}", at(when), operation, said, hashlib.md5(text.encode()).hexdigest(), batch)


chosen: list[Engine] = []
"""The engine that the tests of a module run on (see conftest); DuckDB in memory when there is none."""


def opened(*names: str) -> Any:
    """A warehouse with empty tables of these entities, or of all."""
    warehouse = chosen[-1].open() if chosen else DuckDB("acme", ":memory:", threads=1)
    for name in names or STAR.declarations.entities:
        ready(warehouse, STAR.declarations.entities[name])
    return warehouse


def read_at(batch: str) -> datetime:
    """When a batch `b<n>` was read: on the first of the n-th month of 2024."""
    return datetime(2024, min(int(batch[1:]), 12), 1, tzinfo=UTC)


def put(warehouse: Warehouse, entity: str, *events: Seen) -> None:
    """Merge events into silver."""
    declared = STAR.declarations.entities[entity]
    fields = [("entity_key", pa.string()), ("sequence", pa.int64()), ("operation", pa.string())]
    fields += [(name, _ARROW[column.type]) for name, column in declared.columns.items()]
    fields += [("known", pa.string()), ("hash", pa.string()), ("batch_id", pa.string())]
    rows = [
        {"entity_key": event.key, "sequence": event.sequence, "operation": event.operation, **event.values,
         "known": None if event.operation == "U" else ",", "hash": event.hash, "batch_id": f"{event.batch}-{entity}"}
        for event in events
    ]  # fmt: skip
    staged = warehouse.stage_arrow("arrived", pa.Table.from_pylist(rows, schema=pa.schema(fields)))
    batches = [
        Provenance(
            batch_id=f"{name}-{entity}",
            connection="psa",
            resource=f"{entity}s",
            source=f"shop.{entity}s",
            read_at=read_at(name),
        )
        for name in sorted({event.batch for event in events})
    ]
    merge(warehouse, declared, staged, batches=batches)


def build(warehouse: Warehouse, star: Star = STAR, *, rebuild: bool = False, listen: Listen = ignore) -> Written:
    """Bring all of gold up to date."""
    written = Written()
    for table in order(star.declarations):
        if isinstance(table, Fact):
            written += load_fact(warehouse, star, table, rebuild=rebuild, listen=listen)
        else:
            written += build_dimension(warehouse, star, table, rebuild=rebuild, listen=listen)
    return written


def rows(warehouse: Warehouse, table: str, *columns: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
    """Rows of a table of gold, sorted; timestamps as the first 10 letters of their text, decimals as floats."""
    names = ", ".join(f'"{name}"' for name in columns)
    found = in_order(warehouse.rows(f'SELECT {names} FROM gold."{table}" WHERE {where}'))
    return [tuple(_plain(value) for value in row) for row in found]


def in_order(found: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows sorted by all columns, NULL last."""
    return sorted(found, key=lambda row: [(value is None, value) for value in row])


def everything(warehouse: Warehouse, skip: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row and column of gold."""
    return {
        name: in_order(warehouse.rows(f'SELECT * FROM gold."{name}"'))
        for name in warehouse.tables("gold")
        if name not in skip
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
