from __future__ import annotations

from headwater.model.connector import Connector
from headwater.model.dimension import DateDimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.project import Declarations
from headwater.model.resource import Parent, Resource
from headwater.plan.dependencies import Dependencies, FactInputs, build_dependencies, select_resources

CONNECTOR = Connector(
    connector="desk",
    base_url="https://desk.example",
    resources=(
        Resource(resource="additions", path="a/{parent}/x", parent=Parent(resource="agreements")),
        Resource(resource="agreements", path="a"),
        Resource(resource="tickets", path="t", chunk="7d"),
        Resource(resource="notes", path="n", optional=True),
        Resource(resource="unused", path="u"),
    ),
)
VIEW = Dependencies(
    entities={"addition": frozenset({"desk.additions"}), "note": frozenset({"desk.notes", "desk.tickets"})}
)


def _list_names(*named: str) -> list[str]:
    return [resource.resource for resource in select_resources(CONNECTOR, VIEW, named=named)]


def test_what_the_declarations_need_is_read_with_its_parents_before_it() -> None:
    assert _list_names() == ["agreements", "additions", "tickets"]


def test_a_connection_that_names_resources_reads_those_needed_or_not() -> None:
    assert _list_names("notes", "unused") == ["notes", "unused"]
    assert _list_names("additions") == ["agreements", "additions"]


def test_the_connectors_defaults_are_filled_in() -> None:
    chunks = {resource.resource: resource.chunk for resource in select_resources(CONNECTOR, VIEW)}
    assert chunks == {"agreements": "30d", "additions": "30d", "tickets": "7d"}


def test_a_view_says_what_is_made_of_what() -> None:
    declared = Declarations(
        entities={
            "ticket": Entity.model_validate(
                {
                    "entity": "ticket",
                    "key": "ticket_id",
                    "columns": {"ticket_id": "bigint"},
                    "sources": {"desk.tickets": {"map": {"ticket_id": "id"}}},
                }
            )
        },
        dimensions={
            "customer": EntityDimension.model_validate(
                {
                    "dimension": "customer",
                    "entity": "customer",
                    "attributes": {"segment": "T2"},
                    "join": [{"entity": "address", "on": "customer_id", "attributes": {"city": "T2"}}],
                }
            ),
            "status": EnumDimension.model_validate(
                {"dimension": "status", "values_of": {"entity": "ticket", "column": "status"}}
            ),
            "date": DateDimension(dimension="date"),
        },
        facts={
            "ticket": Fact.model_validate(
                {
                    "fact": "ticket",
                    "parts": [{"entity": "ticket"}, {"entity": "task"}],
                    "grain": ["ticket_id"],
                    "lookups": {
                        "customer": {"dimension": "customer", "on": "customer_id"},
                        "opened": {"dimension": "date", "on": "opened", "strategy": "direct"},
                    },
                }
            )
        },
    )
    assert build_dependencies(declared) == Dependencies(
        entities={"ticket": frozenset({"desk.tickets"})},
        dimensions={
            "customer": frozenset({"customer", "address"}),
            "status": frozenset({"ticket"}),
            "date": frozenset(),
        },
        facts={
            "ticket": FactInputs(entities=frozenset({"ticket", "task"}), dimensions=frozenset({"customer", "date"}))
        },
    )
