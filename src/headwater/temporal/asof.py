"""Which version counts at an instant."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.temporal.sql import FOREVER, listed, of

BEGINNING = "TIMESTAMP '0001-01-01 00:00:00'"
"""Before every instant that a source may mean."""


def valid_at(relation: str, *, columns: Sequence[str], at: str) -> str:
    """The versions that are valid at the instant `at` (SQL): at most one a key."""
    return f"SELECT {listed(columns)}\nFROM {relation}\nWHERE valid_from <= {at} AND valid_to > {at}"


def covering(relation: str, *, key: str, columns: Sequence[str]) -> str:
    """The versions with `covers_from` and `covers_to`: spans without gaps, from the beginning of time to its end.

    So exactly one version of a key answers for any instant: the valid one; in a gap the last before it; before the
    first the first. Join on the key and `covers_from <= instant AND instant < covers_to` (see `covers`).
    """
    window = f"PARTITION BY {of('', key)} ORDER BY valid_from"
    return (
        f"SELECT {listed((key, *columns))}, valid_from, valid_to,\n"
        f"  CASE WHEN ROW_NUMBER() OVER ({window}) = 1 THEN {BEGINNING} ELSE valid_from END AS covers_from,\n"
        f"  COALESCE(LEAD(valid_from) OVER ({window}), {FOREVER}) AS covers_to\n"
        f"FROM {relation}"
    )


def covers(relation: str, at: str) -> str:
    """Whether a row of `covering` (known as `relation`) answers for the instant `at`."""
    return f"({relation}.covers_from <= {at} AND {relation}.covers_to > {at})"


def last_at_or_before(relation: str, *, key: str, columns: Sequence[str], probes: str, at: str) -> str:
    """For each row of `probes` (columns: key and `at`), the version of its key that answers for its instant.

    The result has: key, `at`, columns, `valid_from`, `valid_to`; a probe whose key has no version is left out.
    """
    spans = covering(relation, key=key, columns=columns).replace("\n", "\n  ")
    return (
        f"SELECT {of('p', key)}, {of('p', at)}, {listed(columns, 'v')}, v.valid_from, v.valid_to\n"
        f"FROM {probes} AS p\n"
        f"JOIN (\n  {spans}\n) AS v ON v.{of('', key)} = {of('p', key)} AND {covers('v', of('p', at))}"
    )
