"""One event on top of the last version: the common case of `fold`, without looking at anything older.

It holds for a key with a single update or delete that is newer than all that is known of it, and gives what the fold would
give. What an absence or a presence means depends on what other sources show, so it is for the fold.
"""

from __future__ import annotations

from collections.abc import Iterable

from headwater.names import quote
from headwater.temporal.fold import HistoryColumns
from headwater.temporal.sql import FOREVER, any_differs_sql, column_list, knows_sql, timestamp_sql, with_steps


def append_sql(last: str, events: str, shape: HistoryColumns, *, unsure: Iterable[str] = ()) -> str:
    """What becomes of the last versions in `last` when each meets its one event in `events`.

    `last` has the columns of a version; only columns in `unsure` are unknown to some event. The result has
    `_key`, `_number` (of the version that goes, or NULL) beside the columns of the version that comes.
    """
    met = _matched_sql(last, events, shape, frozenset(unsure))
    kept = ", ".join(
        f"{_earlier_column(name)} AS {quote(name)}" if name in shape.tracked else quote(name) for name in shape.columns
    )
    closed = (
        f"SELECT entity_key AS _key, version_number AS _number, entity_key, {kept},\n"
        f"  valid_from, CASE WHEN _closes THEN {timestamp_sql('sequence')} ELSE valid_to END AS valid_to,\n"
        "  is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id\n"
        f"FROM met\nWHERE _closes OR {_rewritten_sql(shape)}"
    )
    opened = (
        f"SELECT NULL AS _key, NULL AS _number, entity_key, {column_list(shape.columns)},\n"
        f"  {timestamp_sql('sequence')} AS valid_from, {FOREVER} AS valid_to, TRUE AS is_current,\n"
        "  version_number + 1 AS version_number, batch_id\n"
        "FROM met\nWHERE _opens"
    )
    return with_steps((("met", met),), f"{closed}\nUNION ALL\n{opened}")


def first_versions_sql(events: str, shape: HistoryColumns, *, unless: str) -> str:
    """The first version of each key that no version is known of, from its one event; `unless` leaves out rows `n`."""
    return (
        f"SELECT n.entity_key, {column_list(shape.columns, 'n')}, {timestamp_sql('n.sequence')} AS valid_from,\n"
        f"  {FOREVER} AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id\n"
        f"FROM {events} AS n\nWHERE n.operation = 'U' AND NOT ({unless})"
    )


def _matched_sql(last: str, events: str, shape: HistoryColumns, unsure: frozenset[str]) -> str:
    differ = any_differs_sql((_value_sql(name, unsure), f"s.{quote(name)}") for name in shape.tracked)
    columns = [
        f"{_value_sql(name, unsure, deletes=name in shape.overwritten)} AS {quote(name)}" for name in shape.columns
    ]
    before = [f"s.{quote(name)} AS {_earlier_column(name)}" for name in shape.columns]
    facts = [
        "s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number",
        "s.batch_id AS _was_batch_id, n.sequence, n.batch_id",
        *columns,
        *before,
        f"s.is_current AND (n.operation <> 'U' OR {differ}) AS _closes",
        f"n.operation = 'U' AND (NOT s.is_current OR {differ}) AS _opens",
    ]
    return "SELECT " + ",\n  ".join(facts) + f"\nFROM {last} AS s\nJOIN {events} AS n ON n.entity_key = s.entity_key"


def _value_sql(name: str, unsure: frozenset[str], *, deletes: bool = False) -> str:
    """The value after the event. A delete says nothing, which matters only where the value outlives it."""
    conditions = [*(["n.operation = 'U'"] if deletes else []), *([knows_sql(name, "n")] if name in unsure else [])]
    if not conditions:
        return f"n.{quote(name)}"
    return f"CASE WHEN {' AND '.join(conditions)} THEN n.{quote(name)} ELSE s.{quote(name)} END"


def _rewritten_sql(shape: HistoryColumns) -> str:
    return any_differs_sql((quote(name), _earlier_column(name)) for name in shape.overwritten)


def _earlier_column(name: str) -> str:
    return quote(f"_was_{name}")
