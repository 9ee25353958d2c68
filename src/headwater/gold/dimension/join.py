"""Several entities side by side in time: a member's life, cut wherever one of the joined entities changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.gold.surrogate_key import connection_sql
from headwater.model.dimension import Join
from headwater.names import quote
from headwater.temporal.keys import hash60_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedEntity:
    """One joined entity."""

    number: int
    join: Join
    relation: str
    """Its versions."""
    log: str
    """Its change log."""

    @property
    def alias(self) -> str:
        """What its row is called in a dimension's SELECT."""
        return f"_join_{self.number}"

    @property
    def step(self) -> str:
        """The name of the step that picks its row for each segment."""
        return f"joined_{self.number}"

    @property
    def match_condition(self) -> str:
        """SQL that holds where its row `_other` belongs to `_row`: same connection, same values."""
        same = [
            f"{connection_sql('_other.entity_key')} = {connection_sql('_row.entity_key')}",
            *(f"_other.{quote(theirs)} = _row.{quote(mine)}" for mine, theirs in self.join.on.items()),
        ]
        return " AND ".join(same)


def build_steps(joined: Sequence[JoinedEntity]) -> dict[str, str]:
    """Named SELECTs from `versions` to `segments` (with `_seg_from`, `_seg_to`) and one pick for each joined entity."""
    return {
        "cuts": "\nUNION\n".join(["SELECT entity_key, valid_from AS _cut FROM versions", *map(_select_cuts, joined)]),
        "segments": (
            "SELECT _row.*, cuts._cut AS _seg_from,\n"
            "  COALESCE(LEAD(cuts._cut) OVER (PARTITION BY _row.entity_key, _row.valid_from ORDER BY cuts._cut), "
            "_row.valid_to) AS _seg_to\n"
            "FROM versions AS _row\nJOIN cuts ON cuts.entity_key = _row.entity_key "
            "AND cuts._cut >= _row.valid_from AND cuts._cut < _row.valid_to"
        ),
        **{item.step: _select_picked(item) for item in joined},
    }


def _select_cuts(item: JoinedEntity) -> str:
    return "\nUNION\n".join(
        f"SELECT _row.entity_key, _other.{edge} FROM versions AS _row\nJOIN {item.relation} AS _other ON {item.match_condition} "
        f"AND _other.{edge} > _row.valid_from AND _other.{edge} < _row.valid_to"
        for edge in ("valid_from", "valid_to")
    )


def _select_picked(item: JoinedEntity) -> str:
    return (
        "SELECT * FROM (\n"
        "  SELECT _row.entity_key AS _owner, _row._seg_from AS _owner_from, _other.*,\n"
        "    ROW_NUMBER() OVER (PARTITION BY _row.entity_key, _row._seg_from "
        "ORDER BY _other.valid_from DESC, _other.entity_key DESC) AS _place\n"
        f"  FROM segments AS _row\n  JOIN {item.relation} AS _other ON {item.match_condition}\n"
        "    AND _other.valid_from <= _row._seg_from AND _other.valid_to > _row._seg_from\n"
        ") AS placed WHERE _place = 1"
    )


def affected_keys_sql(item: JoinedEntity, *, entity: str, changed: str) -> str:
    """SELECT of the keys of `entity` that the keys in `changed` of the joined entity have, or ever had, to do with.

    The change log tells what a joined row once said, after the version that said it is gone.
    """
    columns = tuple(item.join.on.items())
    among = f" WHERE key_hash IN (SELECT {hash60_sql('news.entity_key')} FROM ({changed}) AS news)"
    said = "\n".join(
        f"JOIN (SELECT DISTINCT entity_key, {quote(theirs)} AS said_{number} FROM {item.log}{among}) AS log_{number} "
        f"ON log_{number}.entity_key = changed.entity_key"
        for number, (_, theirs) in enumerate(columns)
    )
    same = "".join(f" AND _row.{quote(mine)} = told.said_{number}" for number, (mine, _) in enumerate(columns))
    told = ", ".join(["changed.entity_key", *(f"said_{number}" for number in range(len(columns)))])
    return (
        f"SELECT DISTINCT _row.entity_key\nFROM (\nSELECT DISTINCT {told} FROM ({changed}) AS changed\n{said}\n) AS told\n"
        f"JOIN {entity} AS _row ON {connection_sql('_row.entity_key')} = {connection_sql('told.entity_key')}{same}"
    )
