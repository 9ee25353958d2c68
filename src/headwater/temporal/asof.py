"""Which version counts at an instant."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.temporal.sql import FOREVER, column_list, qualify

BEGINNING = "TIMESTAMP '0001-01-01 00:00:00'"
"""Before every instant that a source may mean."""


def valid_at_sql(relation: str, *, columns: Sequence[str], at: str) -> str:
    """The versions that are valid at the instant `at` (SQL): at most one a key."""
    return f"SELECT {column_list(columns)}\nFROM {relation}\nWHERE valid_from <= {at} AND valid_to > {at}"


def coverage_sql(relation: str, *, key: str, columns: Sequence[str]) -> str:
    """The versions with `covers_from` and `covers_to`: spans without gaps, from the beginning of time to its end.

    So exactly one version of a key answers for any instant: the valid one; in a gap the last before it; before the
    first the first. Join on the key and `covers_from <= instant AND instant < covers_to` (see `covers_sql`).
    """
    window = f"PARTITION BY {qualify('', key)} ORDER BY valid_from"
    return (
        f"SELECT {column_list((key, *columns))}, valid_from, valid_to,\n"
        f"  CASE WHEN ROW_NUMBER() OVER ({window}) = 1 THEN {BEGINNING} ELSE valid_from END AS covers_from,\n"
        f"  COALESCE(LEAD(valid_from) OVER ({window}), {FOREVER}) AS covers_to\n"
        f"FROM {relation}"
    )


def covers_sql(relation: str, at: str) -> str:
    """Whether a row of `coverage_sql` (known as `relation`) answers for the instant `at`."""
    return f"({relation}.covers_from <= {at} AND {relation}.covers_to > {at})"
