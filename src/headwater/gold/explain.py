"""The statements that make a table of gold, as text to read."""

from __future__ import annotations

from headwater.gold.dimension import date, entity, enum
from headwater.gold.fact import select
from headwater.gold.star import Ref, Star
from headwater.model.dimension import DateDimension, Dimension, EntityDimension, EnumDimension
from headwater.model.fact import Fact


def explain(star: Star, declared: Dimension | Fact, ref: Ref) -> str:
    """The SELECT of all rows of a dimension or fact, as a rebuild runs it."""
    match declared:
        case Fact():
            months = "-- gold_months: the months up to that of the newest batch\n" if declared.periods else ""
            return months + select.select_rows(select.compile_fact(star, declared, ref))
        case EntityDimension():
            return entity.select_rows(entity.compile_dimension(star, declared, ref))
        case EnumDimension():
            return enum.select_rows(star, declared, ref)
        case DateDimension():
            return date.describe(declared)
