"""Runs `WITH RECURSIVE ... UNION` in rounds, on an engine that supports only UNION ALL in a recursion.

With UNION ALL, a cycle in the data would never end. Here each round adds only rows that no earlier round had, so it ends.
"""

from __future__ import annotations

from typing import Protocol

import sqlglot
from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL

STAGED = ("recursion__found", "recursion__next")
"""Temporary tables of this module. The number of the step follows."""


class StagingSession(Protocol):
    """The methods of the warehouse that recursion needs."""

    def count(self, staged: str) -> int:
        """Count the rows of a staged relation."""
        ...

    def stage(self, name: str, select: str) -> str:
        """Store the rows of a SELECT in a temporary table; return its quoted name."""
        ...


def expand_recursion(warehouse: StagingSession, statement: str) -> tuple[str, tuple[str, ...]]:
    """Compute and stage the recursive steps of a portable statement.

    Returns the statement over the staged rows, and the names of the staged tables.
    """
    if "RECURSIVE" not in statement:
        return statement, ()
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    clause = tree.find(exp.With)
    if clause is None or not clause.args.get("recursive"):
        return statement, ()
    staged: list[str] = []
    steps: list[exp.CTE] = []
    clause.set("recursive", None)
    for number, step in enumerate(clause.expressions):
        if _has_reference_to(step.this, step.alias):
            names = tuple(f"{name}_{number}" for name in STAGED)
            staged += names
            relation = _stage_fixpoint(warehouse, step, _with_clause(steps), names)
            step.set("this", sqlglot.parse_one(f"SELECT * FROM {relation}", read=PORTABLE_SQL))
        steps.append(step)
    return tree.sql(dialect=PORTABLE_SQL), tuple(staged)


def _stage_fixpoint(warehouse: StagingSession, step: exp.CTE, before: str, names: tuple[str, ...]) -> str:
    """Stage all rows of a recursive step; return the quoted name."""
    first, recursive = step.this.left.sql(dialect=PORTABLE_SQL), step.this.right
    all_name, next_name = names
    total = warehouse.stage(all_name, f"{before}SELECT DISTINCT * FROM ({first}) AS first_round")
    added = total
    while warehouse.count(added):
        select = _select_over(recursive, step.alias, added)
        added = warehouse.stage(
            next_name, f"{before}SELECT * FROM ({select}) AS next_round EXCEPT SELECT * FROM {total} AS known"
        )
        total = warehouse.stage(all_name, f"SELECT * FROM {total} AS known UNION ALL SELECT * FROM {added} AS news")
    return total


def _select_over(select: exp.Expr, name: str, relation: str) -> str:
    """Return `select` with the rows of the last round as its source `name`."""
    result = select.copy()
    for table in list(result.find_all(exp.Table)):
        if table.name == name and not table.db:
            alias = table.alias or name
            table.replace(
                sqlglot.parse_one(f'SELECT 1 FROM {relation} AS "{alias}"', read=PORTABLE_SQL).args["from_"].this
            )
    return result.sql(dialect=PORTABLE_SQL)


def _has_reference_to(select: exp.Expr, name: str) -> bool:
    return any(table.name == name and not table.db for table in select.find_all(exp.Table))


def _with_clause(steps: list[exp.CTE]) -> str:
    texts = ", ".join(step.sql(dialect=PORTABLE_SQL) for step in steps)
    return f"WITH {texts} " if texts else ""
