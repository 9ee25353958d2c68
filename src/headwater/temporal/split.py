"""Two histories side by side: a version for every span of time in which neither side changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.temporal.sql import column_list, qualify, with_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a join in time: a relation with `valid_from` and `valid_to`, and what to take from it."""

    relation: str
    key: str
    """Its own key, one version at a time."""
    columns: tuple[str, ...]
    """What the result takes from it. Names are not shared with the other side."""


def split_sql(left: Side, right: Side, *, on: str) -> str:
    """The versions of `left`, cut wherever the version of `right` whose key equals `left`'s column `on` changes.

    Every instant of `left` stays; where `right` has nothing its columns are NULL. `on` need not be among the columns
    of `left`. The result has: left key, left columns, right columns, `valid_from`, `valid_to`.
    """
    owner = f"{qualify('l', left.key)} AS owner, l.valid_from AS opened"
    meet = f"FROM {left.relation} AS l\nJOIN {right.relation} AS r ON {qualify('r', right.key)} = {qualify('l', on)}"
    cuts = "\nUNION\n".join(
        (
            f"SELECT {owner}, l.valid_from AS cut\nFROM {left.relation} AS l",
            f"SELECT {owner}, r.valid_from AS cut\n{meet}\nWHERE r.valid_from > l.valid_from AND r.valid_from < l.valid_to",
            f"SELECT {owner}, r.valid_to AS cut\n{meet}\nWHERE r.valid_to > l.valid_from AND r.valid_to < l.valid_to",
        )
    )
    spans = (
        "SELECT owner, opened, cut,\n  LEAD(cut) OVER (PARTITION BY owner, opened ORDER BY cut) AS next_cut\nFROM cuts"
    )
    taken = ", ".join(filter(None, (column_list((left.key, *left.columns), "l"), column_list(right.columns, "r"))))
    return with_steps(
        (("cuts", cuts), ("spans", spans)),
        f"SELECT {taken},\n  s.cut AS valid_from, COALESCE(s.next_cut, l.valid_to) AS valid_to\n"
        f"FROM spans AS s\n"
        f"JOIN {left.relation} AS l ON {qualify('l', left.key)} = s.owner AND l.valid_from = s.opened\n"
        f"LEFT JOIN {right.relation} AS r\n"
        f"  ON {qualify('r', right.key)} = {qualify('l', on)} AND r.valid_from <= s.cut AND r.valid_to > s.cut",
    )


def restrict_sql(relation: str, *, key: str, columns: Sequence[str], keys: str) -> str:
    """The versions of `relation` whose key is in `keys` (a relation with a column of the same name)."""
    return (
        f"SELECT {column_list((key, *columns))}, valid_from, valid_to\nFROM {relation}\n"
        f"WHERE {qualify('', key)} IN (SELECT {qualify('', key)} FROM {keys})"
    )
