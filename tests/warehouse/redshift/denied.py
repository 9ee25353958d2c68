"""What Redshift's documentation says it does not do, held against statements: what, how it is noticed, and on which page.

Pages are named as in the Redshift Database Developer Guide. A line without a page was not found there; it is avoided all the
same, because nothing says that it works.
"""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.dialects.redshift import Redshift

WORDS = (
    (r"IS (NOT )?DISTINCT FROM", "NULL-safe comparison", "c_unsupported-postgresql-functions"),
    (r"pg_advisory", "advisory locks", "c_unsupported-postgresql-functions"),
    (
        r"\b(STRING_AGG|ARRAY_AGG|GENERATE_SERIES|EVERY)\s*\(",
        "aggregates and sets of rows",
        "c_unsupported-postgresql-functions",
    ),
    (r"\bSAVEPOINT\b", "savepoints", "c_unsupported-postgresql-functions"),
    (r"\bON CONFLICT\b|\bRETURNING\b", "upserts", "r_INSERT_30"),
    (r"\bDISTINCT ON\b", "DISTINCT ON", "r_DISTINCT_examples"),
    (
        r"\bCREATE (UNIQUE )?INDEX\b|\bEXCLUDE USING\b|\bCHECK \(",
        "indexes, exclusion, checks",
        "c_unsupported-postgresql-features",
    ),
    (
        r"\bDEFERRABLE\b|NULLS NOT DISTINCT|NOT ENFORCED",
        "constraints that are deferred, or of NULL",
        "r_CREATE_TABLE_NEW",
    ),
    (r"\bCOLLATE \"", "collations by name", "c_unsupported-postgresql-features"),
    (r"\bLATERAL\b", "lateral joins", ""),
    (r"\bFILTER\s*\(", "filtered aggregates", ""),
    (r"= ANY|ARRAY\[|ARRAY\(", "arrays", "c_unsupported-postgresql-datatypes"),
    (r"::", "casts of Postgres's own kind (our spelling is CAST)", ""),
    (r"\bRECURSIVE\b", "recursion that ends at a circle: UNION ALL only", "r_WITH_clause"),
    (r"ALTER COLUMN .* TYPE", "types altered within a transaction", "r_ALTER_TABLE"),
    (r"ALTER TABLE [^;]*\bDROP COLUMN\b", "dropping what rows are spread or sorted by", "r_ALTER_TABLE"),
    (r"CREATE OR REPLACE VIEW", "views replaced by others with other columns", "r_CREATE_VIEW"),
    (r"\bTRUNCATE (TABLE )?\"", "TRUNCATE commits", "r_TRUNCATE"),
    (r"\bVACUUM\b", "VACUUM within a transaction", "r_VACUUM_command"),
    (r"\bpg_temp\b", "a name for the schema of temporary tables", ""),
    (r"AS (VARCHAR|TEXT|CHAR)\)", "texts of 256 bytes, cut without a word", "r_CAST_function"),
    (r"DELETE FROM \S+ AS ", "a second name for the table of a DELETE", "r_DELETE"),
    (r"\bCTID\b|\browid\b", "places of rows", ""),
)
"""Spellings that no statement may have."""


def list_violations(statement: str, tree: exp.Expr) -> list[str]:
    """What is wrong with a statement, each with the page that says so."""
    plain = re.sub(r"'(?:[^'\\]|''|\\.)*'", "''", statement)
    violations = [f"{what} ({page})" for pattern, what, page in WORDS if re.search(pattern, plain)]
    return violations + [f"{what} ({page})" for check, what, page in SHAPES if any(check(node) for node in tree.walk())]


def _is_values_in_from(node):
    return isinstance(node, exp.Values) and isinstance(node.parent, exp.From | exp.Join | exp.Subquery)


def _is_correlated(node):
    """A subquery that asks about its outer rows otherwise than by plain equality in its own WHERE."""
    inner = node.this if isinstance(node, exp.Exists) else node.args.get("query") if isinstance(node, exp.In) else None
    if inner is None:
        return False
    inner_tables = {table.alias_or_name for table in inner.find_all(exp.Table, exp.Subquery)}
    outside = [column for column in inner.find_all(exp.Column) if column.table and column.table not in inner_tables]
    return any(not isinstance(column.parent, exp.EQ) or _is_below_and(column.parent, inner) for column in outside)


def _is_below_and(condition, inner):
    """Whether something other than AND stands between a condition and the WHERE of the query."""
    node = condition.parent
    while isinstance(node, exp.And | exp.Paren):
        node = node.parent
    return not (isinstance(node, exp.Where) and node.parent_select is inner.unnest())


def _is_subquery_elsewhere(node):
    """IN or EXISTS that is not one of the conditions of a WHERE."""
    if not (isinstance(node, exp.Exists) or (isinstance(node, exp.In) and node.args.get("query"))):
        return False
    above = node.parent
    while isinstance(above, exp.And | exp.Not | exp.Paren):
        above = above.parent
    return not isinstance(above, exp.Where)


def _is_unequal_full_join(node):
    if not (isinstance(node, exp.Join) and node.side == "FULL"):
        return False
    on = node.args["on"]
    return not all(isinstance(one.unnest(), exp.EQ) for one in (on.flatten() if isinstance(on, exp.And) else [on]))


def _is_frameless(node):
    """An aggregate over a window that is ordered needs a frame; LAG, LEAD and the ranks take none."""
    if not (isinstance(node, exp.Window) and node.args.get("order")):
        return False
    takes_none = isinstance(node.this, exp.Lag | exp.Lead | exp.RowNumber)
    return takes_none == bool(node.args.get("spec"))


def _is_reserved(node):
    """A name without quotes that is a reserved word. Catalogues have a column `oid`, which is one behind a point."""
    if not isinstance(node, exp.Identifier) or node.quoted or node.name.lower() not in RESERVED:
        return False
    return not (node.name == "oid" and isinstance(node.parent, exp.Column) and node.parent.table)


RESERVED = frozenset(Redshift.Generator.RESERVED_KEYWORDS)

SHAPES = (
    (_is_values_in_from, "VALUES in FROM", "r_FROM_clause30"),
    (_is_correlated, "a correlation by more than equality", "r_correlated_subqueries"),
    (_is_subquery_elsewhere, "IN or EXISTS in an OR, a CASE, an ON or a select list", "r_correlated_subqueries"),
    (_is_unequal_full_join, "FULL JOIN by more than equality", "r_Join_examples"),
    (_is_frameless, "a window with an order and no frame", "r_Window_function_synopsis"),
    (_is_reserved, "a reserved word", "r_pg_keywords"),
)
"""Shapes that no statement may have."""
