"""Fewer versions: those of a table that still differ when only some of its columns are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.temporal.sql import any_differs_sql, column_list, qualify, with_steps


def coalesce_sql(relation: str, *, key: str, columns: Sequence[str], firsts: Sequence[str] = ()) -> str:
    """Versions of `relation` by `columns`: touching ones that agree in all of them become one.

    `relation` has `valid_from` and `valid_to` beside them. Columns in `firsts` are those of the earliest of the
    versions that became one. The result has: key, columns, firsts, `valid_from`, `valid_to`.
    """
    every = column_list((key, *columns, *firsts))
    window = f"PARTITION BY {qualify('', key)} ORDER BY valid_from"
    before = [f"LAG({qualify('', column)}) OVER ({window}) AS {qualify('', f'_was_{column}')}" for column in columns]
    looked = "\n".join(
        [
            f"SELECT {every}, valid_from, valid_to,",
            *(f"  {piece}," for piece in before),
            f"  LAG(valid_to) OVER ({window}) AS _was_valid_to",
            f"FROM {relation}",
        ]
    )
    changed = any_differs_sql((qualify("", column), qualify("", f"_was_{column}")) for column in columns)
    ranked = (
        f"SELECT {every}, valid_from, valid_to,\n"
        f"  CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR {changed} THEN 1 ELSE 0 END AS _opens,\n"
        "  _was_valid_to\n"
        "FROM looked"
    )
    # The end of a run is the end of the row before the next opening row, or of the key's last row.
    ends = (
        f"SELECT {every}, valid_from,\n"
        f"  LEAD(_was_valid_to) OVER ({window}) AS _next_was_valid_to\n"
        "FROM ranked\nWHERE _opens = 1"
    )
    lasts = f"SELECT {qualify('', key)} AS _last_key, MAX(valid_to) AS _last_valid_to\nFROM ranked\nGROUP BY {qualify('', key)}"
    steps = (("looked", looked), ("ranked", ranked), ("ends", ends), ("lasts", lasts))
    return with_steps(
        steps,
        f"SELECT {every}, valid_from,\n"
        "  COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to\n"
        f"FROM ends\nJOIN lasts ON lasts._last_key = {qualify('ends', key)}",
    )
