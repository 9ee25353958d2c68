"""Merges adjacent versions of a table that are equal in some of its columns."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.temporal.sql import any_differs_sql, column_list_sql, qualify, with_steps


def coalesce_sql(relation: str, *, key: str, columns: Sequence[str], firsts: Sequence[str] = ()) -> str:
    """Select the versions of `relation` by `columns`. Adjacent versions that are equal in all of them become one.

    `relation` also has `valid_from` and `valid_to`. Columns in `firsts` have the values of the earliest of the merged
    versions. The result has: key, columns, firsts, `valid_from`, `valid_to`.
    """
    all_columns = column_list_sql((key, *columns, *firsts))
    window = f"PARTITION BY {qualify('', key)} ORDER BY valid_from"
    earlier_columns = [
        f"LAG({qualify('', column)}) OVER ({window}) AS {qualify('', f'_was_{column}')}" for column in columns
    ]
    with_earlier = "\n".join(
        [
            f"SELECT {all_columns}, valid_from, valid_to,",
            *(f"  {column}," for column in earlier_columns),
            f"  LAG(valid_to) OVER ({window}) AS _was_valid_to",
            f"FROM {relation}",
        ]
    )
    changed = any_differs_sql((qualify("", column), qualify("", f"_was_{column}")) for column in columns)
    with_opens = (
        f"SELECT {all_columns}, valid_from, valid_to,\n"
        f"  CASE WHEN _was_valid_to IS NULL OR _was_valid_to < valid_from OR {changed} THEN 1 ELSE 0 END AS _opens,\n"
        "  _was_valid_to\n"
        "FROM looked"
    )
    # A run ends with the row before the next row that opens one, or with the last row of the key.
    ends = (
        f"SELECT {all_columns}, valid_from,\n"
        f"  LEAD(_was_valid_to) OVER ({window}) AS _next_was_valid_to\n"
        "FROM ranked\nWHERE _opens = 1"
    )
    key_column = qualify("", key)
    last_rows = f"SELECT {key_column} AS _last_key, MAX(valid_to) AS _last_valid_to\nFROM ranked\nGROUP BY {key_column}"
    steps = (("looked", with_earlier), ("ranked", with_opens), ("ends", ends), ("lasts", last_rows))
    return with_steps(
        steps,
        f"SELECT {all_columns}, valid_from,\n"
        "  COALESCE(_next_was_valid_to, _last_valid_to) AS valid_to\n"
        f"FROM ends\nJOIN lasts ON lasts._last_key = {qualify('ends', key)}",
    )
