"""What is stored of a star, read so that two of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headwater.names import quote
from headwater.testing.conformance.star.load import read_star, sort_rows
from headwater.testing.conformance.star.model import STAR
from headwater.warehouse.base import Warehouse

Rows = list[tuple[Any, ...]]


def read_comparable(warehouse: Warehouse) -> dict[str, Rows]:
    """All of gold, with the member and the version's start in the place of keys that are numbered by arrival."""
    found = read_star(warehouse, skip=("dim_date", "dim_worker", "fact_entry"))
    worker = _columns_without(warehouse, "dim_worker", "worker_key")
    found["dim_worker"] = sort_rows(warehouse.rows(f"SELECT {', '.join(worker)} FROM gold.dim_worker"))
    entry = ", ".join(f"f.{name}" for name in _columns_without(warehouse, "fact_entry", "worker_key"))
    found["fact_entry"] = sort_rows(
        warehouse.rows(
            f"SELECT {entry}, coalesce(w.entity_key, CAST(w.worker_key AS VARCHAR)) AS who, w.valid_from "
            "FROM gold.fact_entry AS f LEFT JOIN gold.dim_worker AS w ON w.worker_key = f.worker_key"
        )
    )
    return found


def _columns_without(warehouse: Warehouse, table: str, column: str) -> list[str]:
    return [quote(found.name) for found in warehouse.describe("gold", table) or () if found.name != column]


def find_lost_key(warehouse: Warehouse) -> str:
    """The first key of a fact that no dimension has, in words; empty where every key resolves."""
    for fact in STAR.declarations.facts.values():
        for name, lookup in fact.lookups.items():
            key, table = f"{name}_key", f"gold.dim_{lookup.dimension}"
            lost = warehouse.rows(
                f"SELECT {key} FROM gold.fact_{fact.fact} WHERE {key} IS NULL "
                f"OR {key} NOT IN (SELECT {lookup.dimension}_key FROM {table})"
            )
            if lost:
                return f"fact_{fact.fact}.{key} = {lost[0][0]} is in no row of {table}"
    return ""


def find_doubled_key(warehouse: Warehouse) -> str:
    """The first surrogate key that two members share, in words; empty where none do."""
    for dimension in STAR.declarations.dimensions:
        key = f"{dimension}_key"
        twice = warehouse.rows(f"SELECT {key} FROM gold.dim_{dimension} GROUP BY {key} HAVING count(*) > 1")
        if twice:
            return f"{len(twice)} keys of dim_{dimension} stand for two rows each, e.g. {twice[0][0]}"
    return ""


def compare_stars(one: str, stars: Mapping[str, Rows], other: str, others: Mapping[str, Rows]) -> str:
    """How two stars differ: the rows of the first table that does."""
    for name, rows in stars.items():
        left, right = list(map(repr, rows)), list(map(repr, others.get(name, [])))
        if left != right:
            only = _missing_rows(left, right), _missing_rows(right, left)
            return f"gold.{name}\nonly {one}\n{_render_rows(only[0])}\nonly {other}\n{_render_rows(only[1])}"
    return ""


def _missing_rows(rows: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [row for row in rows if row not in known]


def _render_rows(rows: Sequence[str]) -> str:
    return "\n".join(f"  {row}" for row in rows[:20]) or "  nothing"
