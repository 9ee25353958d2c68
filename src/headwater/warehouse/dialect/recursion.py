"""Recursion in rounds: what `WITH RECURSIVE ... UNION` says, on an engine that only knows UNION ALL there.

There a circle would go round for ever. Here each round asks for rows that no round before it had, so it comes to an end.
"""

from __future__ import annotations

from typing import Protocol

import sqlglot
from sqlglot import exp

from headwater.dtypes import PORTABLE_SQL

STAGED = ("recursion__found", "recursion__next")
"""Temporary tables of this module, by number of the step."""


class StagingSession(Protocol):
    """What is needed of the warehouse."""

    def count(self, staged: str) -> int:
        """How many rows a staged relation has."""
        ...

    def stage(self, name: str, select: str) -> str:
        """The rows of a SELECT as a temporary table."""
        ...


def expand_recursion(warehouse: StagingSession, statement: str) -> tuple[str, tuple[str, ...]]:
    """`statement` (portable) with its recursive steps worked out and staged, and the names they were staged by."""
    if "RECURSIVE" not in statement:
        return statement, ()
    tree = sqlglot.parse_one(statement, read=PORTABLE_SQL)
    clause = tree.find(exp.With)
    if clause is None or not clause.args.get("recursive"):
        return statement, ()
    staged: list[str] = []
    done: list[exp.CTE] = []
    clause.set("recursive", None)
    for number, step in enumerate(clause.expressions):
        if _refers_to(step.this, step.alias):
            names = tuple(f"{name}_{number}" for name in STAGED)
            staged += names
            found = _stage_fixpoint(warehouse, step, _with_clause(done), names)
            step.set("this", sqlglot.parse_one(f"SELECT * FROM {found}", read=PORTABLE_SQL))
        done.append(step)
    return tree.sql(dialect=PORTABLE_SQL), tuple(staged)


def _stage_fixpoint(warehouse: StagingSession, step: exp.CTE, before: str, names: tuple[str, ...]) -> str:
    """Stage the rows that a recursive step comes to; the name to use."""
    first, further = step.this.left.sql(dialect=PORTABLE_SQL), step.this.right
    found, following = names
    every = warehouse.stage(found, f"{before}SELECT DISTINCT * FROM ({first}) AS first_round")
    news = every
    while warehouse.count(news):
        asked = _select_over(further, step.alias, news)
        news = warehouse.stage(
            following, f"{before}SELECT * FROM ({asked}) AS next_round EXCEPT SELECT * FROM {every} AS known"
        )
        every = warehouse.stage(found, f"SELECT * FROM {every} AS known UNION ALL SELECT * FROM {news} AS news")
    return every


def _select_over(select: exp.Expr, name: str, relation: str) -> str:
    """`select` over the rows of the last round."""
    changed = select.copy()
    for table in list(changed.find_all(exp.Table)):
        if table.name == name and not table.db:
            alias = table.alias or name
            table.replace(
                sqlglot.parse_one(f'SELECT 1 FROM {relation} AS "{alias}"', read=PORTABLE_SQL).args["from_"].this
            )
    return changed.sql(dialect=PORTABLE_SQL)


def _refers_to(select: exp.Expr, name: str) -> bool:
    return any(table.name == name and not table.db for table in select.find_all(exp.Table))


def _with_clause(steps: list[exp.CTE]) -> str:
    texts = ", ".join(step.sql(dialect=PORTABLE_SQL) for step in steps)
    return f"WITH {texts} " if texts else ""
