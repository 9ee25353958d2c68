"""Appends one event to the last version: the common case of `fold`, without older events.

It applies to a key with a single update or delete that is newer than all its known events. The result is the same as that
of the fold. The effect of an absence or a presence depends on other sources, so these need the fold.
"""

from __future__ import annotations

from collections.abc import Iterable

from headwater.names import quote
from headwater.temporal.fold import HistoryColumns
from headwater.temporal.sql import FOREVER, any_differs_sql, column_list_sql, knows_sql, timestamp_sql, with_steps


def append_sql(last: str, events: str, history: HistoryColumns, *, partly_known: Iterable[str] = ()) -> str:
    """Select the changes to the last versions in `last`, each with its one event in `events`.

    `last` has the columns of a version. Only columns in `partly_known` are unknown to some events. The result has
    `_key`, `_number` (of the version to delete, or NULL) and the columns of the version to insert.
    """
    matched = _matched_sql(last, events, history, frozenset(partly_known))
    unchanged = ", ".join(
        f"{_quote_earlier_column(name)} AS {quote(name)}" if name in history.tracked else quote(name)
        for name in history.columns
    )
    closed_versions = (
        f"SELECT entity_key AS _key, version_number AS _number, entity_key, {unchanged},\n"
        f"  valid_from, CASE WHEN _closes THEN {timestamp_sql('sequence')} ELSE valid_to END AS valid_to,\n"
        "  is_current AND NOT _closes AS is_current, version_number, _was_batch_id AS batch_id\n"
        f"FROM met\nWHERE _closes OR {_rewritten_sql(history)}"
    )
    new_versions = (
        f"SELECT NULL AS _key, NULL AS _number, entity_key, {column_list_sql(history.columns)},\n"
        f"  {timestamp_sql('sequence')} AS valid_from, {FOREVER} AS valid_to, TRUE AS is_current,\n"
        "  version_number + 1 AS version_number, batch_id\n"
        "FROM met\nWHERE _opens"
    )
    return with_steps((("met", matched),), f"{closed_versions}\nUNION ALL\n{new_versions}")


def first_versions_sql(events: str, history: HistoryColumns, *, unless: str) -> str:
    """Select the first version of each new key, from its one event. The condition `unless` excludes rows of `n`."""
    return (
        f"SELECT n.entity_key, {column_list_sql(history.columns, 'n')}, {timestamp_sql('n.sequence')} AS valid_from,\n"
        f"  {FOREVER} AS valid_to, TRUE AS is_current, 1 AS version_number, n.batch_id\n"
        f"FROM {events} AS n\nWHERE n.operation = 'U' AND NOT ({unless})"
    )


def _matched_sql(last: str, events: str, history: HistoryColumns, partly_known: frozenset[str]) -> str:
    differ = any_differs_sql((_value_sql(name, partly_known), f"s.{quote(name)}") for name in history.tracked)
    columns = [
        f"{_value_sql(name, partly_known, deletes=name in history.overwritten)} AS {quote(name)}"
        for name in history.columns
    ]
    earlier_columns = [f"s.{quote(name)} AS {_quote_earlier_column(name)}" for name in history.columns]
    items = [
        "s.entity_key, s.valid_from, s.valid_to, s.is_current, s.version_number",
        "s.batch_id AS _was_batch_id, n.sequence, n.batch_id",
        *columns,
        *earlier_columns,
        f"s.is_current AND (n.operation <> 'U' OR {differ}) AS _closes",
        f"n.operation = 'U' AND (NOT s.is_current OR {differ}) AS _opens",
    ]
    return "SELECT " + ",\n  ".join(items) + f"\nFROM {last} AS s\nJOIN {events} AS n ON n.entity_key = s.entity_key"


def _value_sql(name: str, partly_known: frozenset[str], *, deletes: bool = False) -> str:
    """The value after the event. A delete has no values, which matters only for values that remain after it."""
    conditions = [
        *(["n.operation = 'U'"] if deletes else []),
        *([knows_sql(name, "n")] if name in partly_known else []),
    ]
    if not conditions:
        return f"n.{quote(name)}"
    return f"CASE WHEN {' AND '.join(conditions)} THEN n.{quote(name)} ELSE s.{quote(name)} END"


def _rewritten_sql(history: HistoryColumns) -> str:
    return any_differs_sql((quote(name), _quote_earlier_column(name)) for name in history.overwritten)


def _quote_earlier_column(name: str) -> str:
    return quote(f"_was_{name}")
