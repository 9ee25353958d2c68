"""Keys: which member of a dimension a value means, and the number that stands for one of its versions."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.temporal import keys
from headwater.temporal.sql import micros_sql

FIRST = "'first'"
"""What the start of a member's first version counts as, so that a member met early keeps its key for ever."""


def surrogate_key_sql(entity_key: str, start: str = FIRST) -> str:
    """SQL of the surrogate key of the version of `entity_key` that begins at `start` (SQL of texts)."""
    return keys.hash53_sql(f"{start} || '|' || {entity_key}")


def start_text_sql(instant: str, number: str) -> str:
    """SQL of the canonical text of a version's start, where `number` counts the member's versions from 1."""
    return f"CASE WHEN {number} = 1 THEN {FIRST} ELSE CAST({micros_sql(instant)} AS VARCHAR) END"


def connection_sql(entity_key: str) -> str:
    """SQL of the connection that an entity key belongs to: keys of a service mean something within it only."""
    return f"SPLIT_PART({entity_key}, ':', 1)"


def entity_key_sql(beside: str, parts: Sequence[str]) -> str:
    """SQL of the entity key that `parts` (SQL of its values) make in the connection of the entity key `beside`.

    NULL where a value is NULL.
    """
    return f"{connection_sql(beside)} || {keys.entity_key_sql('', parts)}"
