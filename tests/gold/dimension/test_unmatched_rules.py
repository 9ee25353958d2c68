"""Names that no rule matches are counted and told."""

from __future__ import annotations

from headwater.gold.dimension.unmatched_rules import report_unmatched
from headwater.gold.star import Star
from headwater.model.dimension import EntityDimension
from headwater.model.entity import Entity, Rules
from headwater.model.project import Declarations
from headwater.warehouse.base import Table, TableColumn

RULES = Rules.model_validate(
    {
        "rules": "kind",
        "first_match": [{"contains": "Tímapottur", "gives": {"class": "prepaid", "billing": "prepaid"}}],
        "otherwise": {"class": "other", "billing": "unknown"},
    }
)
ENTITY = Entity(entity="agreement", key="id", columns={"id": "bigint", "type": "text"}, sources={})
DIMENSION = EntityDimension(
    dimension="agreement",
    entity="agreement",
    attributes={
        "class": {"history": "T2", "value": "classify(type, 'kind', 'class')"},
        "billing": {"history": "T2", "value": "classify(type, 'kind', 'billing')"},
    },
)


def test_what_no_line_matches_is_told_once_with_its_names(engine):
    warehouse = engine.open()
    types = {"entity_key": "text", "type": "text", "is_current": "boolean"}
    columns = tuple(TableColumn(name=name, dtype=dtype) for name, dtype in types.items())
    warehouse.ensure(Table(layer="silver", name="agreement", columns=columns))
    warehouse.append(
        "silver",
        "agreement",
        tuple(types),
        "SELECT * FROM (VALUES ('a', 'TÍMAPOTTUR:', TRUE), ('b', 'Gull', TRUE), "
        "('c', 'Gull', TRUE), ('d', 'Silfur', TRUE), ('e', 'Brons', FALSE), ('f', NULL, TRUE)) AS t",
    )
    star = Star(
        declarations=Declarations(
            entities={"agreement": ENTITY}, dimensions={"agreement": DIMENSION}, rules={"kind": RULES}
        )
    )
    events = []
    report_unmatched(warehouse, star, DIMENSION, events.append)
    (finding,) = (event.finding for event in events)
    assert (finding.table, finding.finding, finding.count) == ("gold.dim_agreement", "unmatched_value", 3)
    assert finding.detail == "no line of the rules `kind` matches: Gull, Silfur"
