"""Values that a member without one takes from its parent, the grandparent and so on, to any depth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.gold.surrogate_key import entity_key_sql
from headwater.names import quote
from headwater.temporal.sql import indent


@dataclass(frozen=True, slots=True, kw_only=True)
class InheritedAttribute:
    """One attribute that is inherited."""

    name: str
    """The attribute."""
    value: str
    """SQL of a member's own value, over a row of the entity known as `_row`."""
    parent: str
    """The entity's column with the parent's key."""

    @property
    def step(self) -> str:
        """The name of the step that holds the answers."""
        return f"inherited_{self.name}"

    @property
    def parent_key(self) -> str:
        """SQL of the parent's entity key."""
        return entity_key_sql("_row.entity_key", [f"_row.{quote(self.parent)}"])


def build_steps(attribute: InheritedAttribute, *, entity: str, keys: str | None) -> Mapping[str, str]:
    """Named SELECTs, the first two recursive together: the chain of ancestors asked, and the value found in it.

    A chain is asked upwards until somebody has a value. Every ancestor is met once (UNION), so a circle ends it.
    """
    line, chain = f"line_{attribute.name}", f"chain_{attribute.name}"
    return {
        line: _select_newest(attribute, entity=entity, keys=keys),
        chain: _chain_sql(line, chain, keys),
        attribute.step: f"SELECT entity_key, MAX(value) AS value FROM {chain} WHERE value IS NOT NULL GROUP BY entity_key",
    }


def select_circles(attribute: InheritedAttribute, *, entity: str, keys: str | None) -> str:
    """SELECT of the entity keys that have no value because their ancestors form a circle."""
    named = build_steps(attribute, entity=entity, keys=keys)
    line, chain = f"line_{attribute.name}", f"chain_{attribute.name}"
    ctes = ",\n".join(f"{name} AS (\n{indent(text)}\n)" for name, text in named.items())
    return (
        f"WITH RECURSIVE {ctes}\n"
        f"SELECT asked.entity_key FROM {chain} AS asked\n"
        f"LEFT JOIN {line} AS above ON above.entity_key = asked.parent AND above.is_current\n"
        "GROUP BY asked.entity_key\n"
        "HAVING COUNT(asked.value) = 0 AND COUNT(above.entity_key) = COUNT(*)"
    )


def select_descendants(attribute: InheritedAttribute, *, entity: str, keys: str) -> str:
    """SELECT of the staged `keys` and of all that ever stood below them."""
    return (
        f"WITH RECURSIVE family AS (\n  SELECT _row.entity_key, {attribute.parent_key} AS parent\n"
        f"  FROM {entity} AS _row WHERE _row.{quote(attribute.parent)} IS NOT NULL\n),\n"
        f"below AS (\n  SELECT entity_key FROM {keys}\n  UNION\n"
        "  SELECT child.entity_key FROM below JOIN family AS child ON child.parent = below.entity_key\n)\n"
        "SELECT entity_key FROM below"
    )


def _select_newest(attribute: InheritedAttribute, *, entity: str, keys: str | None) -> str:
    # Only current versions are asked as ancestors; a closed member still asks for itself.
    among = f"\n  WHERE _row.is_current OR _row.entity_key IN (SELECT entity_key FROM {keys})" if keys else ""
    return (
        "SELECT entity_key, parent, value, is_current FROM (\n"
        f"  SELECT _row.entity_key, {attribute.parent_key} AS parent, {attribute.value} AS value, _row.is_current,\n"
        "    ROW_NUMBER() OVER (PARTITION BY _row.entity_key ORDER BY _row.valid_from DESC) AS place\n"
        f"  FROM {entity} AS _row{among}\n) AS placed WHERE place = 1"
    )


def _chain_sql(line: str, chain: str, keys: str | None) -> str:
    asked = f" AND entity_key IN (SELECT entity_key FROM {keys})" if keys else ""
    return (
        f"SELECT entity_key, parent, value FROM {line} WHERE value IS NULL AND parent IS NOT NULL{asked}\n"
        "UNION\n"
        f"SELECT {chain}.entity_key, above.parent, above.value FROM {chain}\n"
        f"JOIN {line} AS above ON above.entity_key = {chain}.parent\n"
        f"WHERE {chain}.value IS NULL AND above.is_current"
    )
