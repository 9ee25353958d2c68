"""Names that no line of a rules table matches: they count as `otherwise`, and a person should know."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.events import EventListener, Finding, FindingMade
from headwater.gold.star import Star
from headwater.model.dimension import EntityDimension
from headwater.model.entity import Rules
from headwater.model.expression import compile_expression, find_classify_calls, no_match_sql
from headwater.model.names_in_scope import map_entity_columns
from headwater.model.tables import name_table
from headwater.warehouse.base import Warehouse

_SHOWN = 5


def report_unmatched(warehouse: Warehouse, star: Star, declared: EntityDimension, listen: EventListener) -> None:
    """Tell how many current members of a dimension its rules say nothing about, and which names those are."""
    relation = warehouse.ref("silver", declared.entity)
    for rules, name in _find_rules(star, declared):
        rows = warehouse.rows(
            f"SELECT {name}, COUNT(*) FROM {relation} WHERE is_current AND {name} IS NOT NULL "
            f"AND {no_match_sql(name, rules)} GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        if rows:
            examples = ", ".join(str(text) for text, _ in rows[:_SHOWN])
            finding = Finding(
                table=f"gold.{name_table(declared)}",
                finding="unmatched_value",
                count=sum(count for _, count in rows),
                detail=f"no line of the rules `{rules.rules}` matches: {examples}",
            )
            listen(FindingMade(tenant=warehouse.tenant, finding=finding))


def _find_rules(star: Star, declared: EntityDimension) -> Iterator[tuple[Rules, str]]:
    """Each rules table that the dimension's own attributes use, with the SQL of what it classifies, once."""
    where = f"{declared.origin} dimension {declared.dimension}"
    scope = star.build_scope(map_entity_columns(star.get_entity(declared.entity, where=where)))
    texts = [attribute.value for attribute in declared.attributes.values() if attribute.value]
    for text, rules in dict.fromkeys(pair for value in texts for pair in find_classify_calls(value, where=where)):
        yield star.declarations.rules[rules], compile_expression(text, scope, where=where)
