"""Reads stored star schemas, and compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headwater.names import quote
from headwater.testing.conformance.star.load import read_star, sort_rows
from headwater.testing.conformance.star.model import STAR
from headwater.warehouse.base import Warehouse

Rows = list[tuple[Any, ...]]


def read_comparable(warehouse: Warehouse) -> dict[str, Rows]:
    """All rows of gold. The member and the start of its version replace keys that are numbered in the order of arrival."""
    stored = read_star(warehouse, skip=("dim_date", "dim_worker", "fact_entry"))
    worker = _list_columns_without(warehouse, "dim_worker", "worker_key")
    stored["dim_worker"] = sort_rows(warehouse.rows(f"SELECT {', '.join(worker)} FROM gold.dim_worker"))
    entry = ", ".join(f"f.{name}" for name in _list_columns_without(warehouse, "fact_entry", "worker_key"))
    stored["fact_entry"] = sort_rows(
        warehouse.rows(
            f"SELECT {entry}, coalesce(w.entity_key, CAST(w.worker_key AS VARCHAR)) AS who, w.valid_from "
            "FROM gold.fact_entry AS f LEFT JOIN gold.dim_worker AS w ON w.worker_key = f.worker_key"
        )
    )
    return stored


def _list_columns_without(warehouse: Warehouse, table: str, column: str) -> list[str]:
    return [quote(each.name) for each in warehouse.describe("gold", table) or () if each.name != column]


def find_unresolved_key(warehouse: Warehouse) -> str:
    """The first key of a fact that its dimension does not have, in words; empty if there is none."""
    for fact in STAR.declarations.facts.values():
        for name, lookup in fact.lookups.items():
            key, table = f"{name}_key", f"gold.dim_{lookup.dimension}"
            unresolved = warehouse.rows(
                f"SELECT {key} FROM gold.fact_{fact.fact} WHERE {key} IS NULL "
                f"OR {key} NOT IN (SELECT {lookup.dimension}_key FROM {table})"
            )
            if unresolved:
                return f"fact_{fact.fact}.{key} = {unresolved[0][0]} is in no row of {table}"
    return ""


def find_duplicate_key(warehouse: Warehouse) -> str:
    """The first surrogate key that two rows have, in words; empty if there is none."""
    for dimension in STAR.declarations.dimensions:
        key = f"{dimension}_key"
        duplicates = warehouse.rows(f"SELECT {key} FROM gold.dim_{dimension} GROUP BY {key} HAVING count(*) > 1")
        if duplicates:
            return f"{len(duplicates)} keys of dim_{dimension} have two rows each, e.g. {duplicates[0][0]}"
    return ""


def compare_stars(name: str, star: Mapping[str, Rows], other_name: str, other: Mapping[str, Rows]) -> str:
    """The rows of the first table that differs in two star schemas; empty if none does."""
    for table, rows in star.items():
        left, right = list(map(repr, rows)), list(map(repr, other.get(table, [])))
        if left != right:
            only = _find_missing_rows(left, right), _find_missing_rows(right, left)
            return f"gold.{table}\nonly {name}\n{_render_rows(only[0])}\nonly {other_name}\n{_render_rows(only[1])}"
    return ""


def _find_missing_rows(rows: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [row for row in rows if row not in known]


def _render_rows(rows: Sequence[str]) -> str:
    return "\n".join(f"  {row}" for row in rows[:20]) or "  nothing"
