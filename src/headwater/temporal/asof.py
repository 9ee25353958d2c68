"""Selects the version at an instant."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.temporal.sql import FOREVER, column_list_sql, qualify

BEGINNING = "TIMESTAMP '0001-01-01 00:00:00'"
"""An instant before all instants of a source."""


def valid_at_sql(relation: str, *, columns: Sequence[str], at: str) -> str:
    """Select the versions that are valid at the instant `at` (SQL): at most one for each key."""
    return f"SELECT {column_list_sql(columns)}\nFROM {relation}\nWHERE valid_from <= {at} AND valid_to > {at}"


def coverage_sql(relation: str, *, key: str, columns: Sequence[str]) -> str:
    """Select the versions with `covers_from` and `covers_to`: ranges without gaps, from the first to the last instant.

    So every instant has exactly one version of a key: the valid one; in a gap, the last one before it; before the first
    version, the first one. Join on the key and `covers_from <= instant AND instant < covers_to` (see `covers_sql`).
    """
    window = f"PARTITION BY {qualify('', key)} ORDER BY valid_from"
    return (
        f"SELECT {column_list_sql((key, *columns))}, valid_from, valid_to,\n"
        f"  CASE WHEN ROW_NUMBER() OVER ({window}) = 1 THEN {BEGINNING} ELSE valid_from END AS covers_from,\n"
        f"  COALESCE(LEAD(valid_from) OVER ({window}), {FOREVER}) AS covers_to\n"
        f"FROM {relation}"
    )


def covers_sql(relation: str, at: str) -> str:
    """Whether a row of `coverage_sql` (with the alias `relation`) covers the instant `at`."""
    return f"({relation}.covers_from <= {at} AND {relation}.covers_to > {at})"
