"""The declarations of a small company: entities, dimensions of every kind, and facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headwater.gold.star import Star
from headwater.model.dimension import DateDimension, Dimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.project import Declarations

ENTITIES: list[dict[str, Any]] = [
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

DIMENSIONS: list[Dimension] = [
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


def build_declarations(dimensions: Sequence[Any] = DIMENSIONS, facts: Sequence[Fact] = FACTS) -> Declarations:
    """The entities of the company, with these dimensions and facts."""
    entities = [Entity.model_validate({**item, "sources": {}}) for item in ENTITIES]
    return Declarations(
        entities={item.entity: item for item in entities},
        dimensions={item.dimension: item for item in dimensions},
        facts={item.fact: item for item in facts},
    )


STAR = Star(declarations=build_declarations())
"""The star schema with all dimensions and facts."""


def make_star(*tables: Any) -> Star:
    """A star schema with only these tables."""
    facts = [table for table in tables if isinstance(table, Fact)]
    return Star(declarations=build_declarations([table for table in tables if table not in facts], facts))


COMPANY = EntityDimension.model_validate(
    {
        "dimension": "company",
        "entity": "company",
        "attributes": {"segment": "T2", "name": "T1", "born": {"history": "T0", "value": "segment"}},
        "join": [{"entity": "address", "on": "company_id", "attributes": {"city": "T2", "phone": "T1"}}],
    }
)
"""Companies with the city of their address. A change of either creates a version."""

MEMBER = EntityDimension.model_validate({"dimension": "member", "entity": "member", "attributes": {"name": "T2"}})
"""Members and their names."""

WORK = Fact.model_validate(
    {
        "fact": "entry",
        "entity": "entry",
        "grain": ["entry_id"],
        "lookups": {
            "member": {"dimension": "member", "on": "member_id", "at": "started_at", "strategy": "point_in_time"},
            "today": {"dimension": "member", "on": "member_id"},
        },
        "measures": ["hours"],
    }
)
"""Work, with the member as of its time and the member as of now."""
