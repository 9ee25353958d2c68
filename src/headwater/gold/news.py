"""Which tables of gold have news: unread changes, a new month, or declarations that they were not compared with."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.gold.change_feed import FeedPositions
from headwater.gold.fact.build import find_fact_sources
from headwater.gold.star import Star
from headwater.model.dimension import Dimension
from headwater.model.fact import Fact
from headwater.model.tables import list_source_entities, name_table


def find_tables_with_news(
    positions: FeedPositions, star: Star, tables: Iterable[Dimension | Fact], *, declared: int
) -> frozenset[str]:
    """The names (`dim_x`, `fact_x`) of the tables that may have something to do.

    `declared` is the fingerprint of the declarations. A table whose last step failed, or was never executed, has news, too.
    """
    return frozenset(name_table(one) for one in tables if has_news(positions, star, one, declared=declared))


def has_news(positions: FeedPositions, star: Star, table: Dimension | Fact, *, declared: int) -> bool:
    """Whether an existing table may have something to do."""
    if isinstance(table, Fact):
        sources, has_periods = tuple(find_fact_sources(star, table)), table.periods is not None
    else:
        sources, has_periods = tuple(list_source_entities(table)), False
    return not positions.is_current(name_table(table), sources, declared=declared, has_periods=has_periods)
