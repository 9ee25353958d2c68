"""From events to versions: the only definition of history.

The events of a key are ordered by sequence. Ties: the newest observation last, then the later place in its read, then A
before P before D before U. Values that an event does not know are carried forward. The state after the last event of an
instant counts. Adjacent equal states are one version. A record exists while the last of its updates and deletes is an
update, and some source shows it. Otherwise there is a gap. Overwritten columns have their newest known value on all
versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headwater.names import quote, quote_literal
from headwater.temporal.sql import (
    FOREVER,
    any_differs_sql,
    column_list_sql,
    knows_sql,
    qualify,
    timestamp_sql,
    with_steps,
)

_KEY = "PARTITION BY entity_key"
_EVENT_COLUMNS = "entity_key, sequence, operation, source, batch_id, _place"


def order_sql(relation: str = "", *, observed: str = "", place: str = "", direction: str = "") -> str:
    """The order of the events of one key, for ORDER BY. `observed` and `place` replace the columns with other SQL."""
    rank = f"CASE {qualify(relation, 'operation')} WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END"
    columns = (
        qualify(relation, "sequence"),
        observed or qualify(relation, "observed"),
        place or qualify(relation, "place"),
        rank,
        qualify(relation, "source"),
        qualify(relation, "hash"),
    )
    return ", ".join(f"{column} {direction}".strip() for column in columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryColumns:
    """The declared columns of an entity, by their kind of history."""

    columns: tuple[str, ...]
    """All of them, in order."""
    overwritten: tuple[str, ...] = ()
    """Columns with the newest value on all versions."""

    @property
    def tracked(self) -> tuple[str, ...]:
        """Columns whose change creates a version."""
        return tuple(column for column in self.columns if column not in self.overwritten)


def group_carried(history: HistoryColumns, known: Iterable[str | None]) -> tuple[tuple[str, ...], ...]:
    """The tracked columns that some events do not know, grouped by the events that know them.

    `known` has the distinct values of `known_columns` of the events. The columns of a group are carried forward together.
    """
    known_lists = sorted({text for text in known if text is not None})
    groups: dict[tuple[bool, ...], list[str]] = {}
    for column in history.tracked:
        pattern = tuple(f",{column}," in text for text in known_lists)
        if not all(pattern):
            groups.setdefault(pattern, []).append(column)
    return tuple(tuple(columns) for columns in groups.values())


def find_followed_sources(statements: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The sources whose presence the fold must follow. None if the operations alone are enough.

    `statements` has the distinct (source, operation) of the events. With one source that shows no record again after an
    absence, a record exists exactly after an update.
    """
    pairs = set(statements)
    operations, sources = {operation for _, operation in pairs}, {source for source, _ in pairs}
    follow = "P" in operations or ("A" in operations and len(sources) > 1)
    return tuple(sorted(sources)) if follow else ()


def fold_sql(
    events: str, history: HistoryColumns, *, carried: Sequence[Sequence[str]] = (), sources: Sequence[str] = ()
) -> str:
    """Select the versions of the keys in `events`, from all their events.

    `carried` has the columns that some events do not know (see `group_carried`), and `sources` those to follow (see
    `find_followed_sources`). With sources, a record may exist after an event without values, so all tracked columns are
    carried. The result has: `entity_key`, the columns, `valid_from`, `valid_to`, `is_current`, `version_number`, `batch_id`.
    """
    steps = [("placed", _numbered_sql(events, history))]
    if carried:
        steps += [("islands", _islands_sql(history, carried)), ("filled", _filled_sql(history, carried))]
    steps += [
        ("settled", _settled_sql(steps[-1][0], history, sources)),
        ("compared", _compared_sql(history)),
        ("turns", _turns_sql(history)),
    ]
    return with_steps(steps, _versions_sql(history))


def _numbered_sql(events: str, history: HistoryColumns) -> str:
    newest = [f"{_newest_sql(column)} AS {quote(column)}" for column in history.overwritten]
    place = f"ROW_NUMBER() OVER ({_KEY} ORDER BY {order_sql()}) AS _place"
    items = [
        "entity_key, sequence, operation, source, known_columns, batch_id",
        *_to_list(column_list_sql(history.tracked)),
        *newest,
        place,
    ]
    return "SELECT " + ",\n  ".join(items) + f"\nFROM {events}"


def _newest_sql(column: str) -> str:
    """The newest known value of a column among all events of its key. Only updates know any."""
    rank = f"CASE WHEN operation <> 'U' THEN 2 WHEN {knows_sql(column)} THEN 0 ELSE 1 END"
    return (
        f"FIRST_VALUE({quote(column)}) OVER ({_KEY} ORDER BY {rank}, {order_sql(direction='DESC')} "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    )


def _islands_sql(history: HistoryColumns, carried: Sequence[Sequence[str]]) -> str:
    """Number the runs of events. A run starts with an event that knows a group of columns, and ends before the next one."""
    counts = [
        f"COUNT(CASE WHEN operation = 'U' AND {knows_sql(group[0])} THEN 1 END) OVER "
        f"({_KEY} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _island_{number}"
        for number, group in enumerate(carried)
    ]
    items = [_EVENT_COLUMNS, column_list_sql(history.columns), *counts]
    return "SELECT " + ",\n  ".join(items) + "\nFROM placed"


def _filled_sql(history: HistoryColumns, carried: Sequence[Sequence[str]]) -> str:
    number = {column: index for index, group in enumerate(carried) for column in group}
    columns = [
        quote(column)
        if column not in number
        else f"CASE WHEN _island_{number[column]} > 0 THEN FIRST_VALUE({quote(column)}) OVER (PARTITION BY entity_key, "
        f"_island_{number[column]} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END "
        f"AS {quote(column)}"
        for column in history.columns
    ]
    return "SELECT " + ",\n  ".join([_EVENT_COLUMNS, *columns]) + "\nFROM islands"


def _settled_sql(source: str, history: HistoryColumns, sources: Sequence[str]) -> str:
    """The state after the last event of each instant, and whether the record exists (1 or 0)."""
    following = f"LEAD(sequence) OVER ({_KEY} ORDER BY _place) AS _next_sequence"
    statements = [
        f"{_last_statement_sql(*conditions)} AS {name}"
        for name, conditions in _build_presence_conditions(sources).items()
    ]
    inner = (
        "SELECT "
        + ",\n    ".join([_EVENT_COLUMNS, column_list_sql(history.columns), following, *statements])
        + f"\n  FROM {source}"
    )
    items = [
        "entity_key, sequence, batch_id, _place",
        column_list_sql(history.columns),
        f"{_is_present_sql(sources)} AS _there",
    ]
    return (
        "SELECT "
        + ",\n  ".join(items)
        + (f"\nFROM (\n  {inner}\n) AS followed\nWHERE _next_sequence IS NULL OR _next_sequence > sequence")
    )


def _build_presence_conditions(sources: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The conditions of presence by name: which events count, and which of them mean yes."""
    if not sources:
        return {}
    conditions = {"_alive": ("operation = 'U' OR operation = 'D'", "operation = 'U'")}
    for number, source in enumerate(sources):
        own_source = f"source = {quote_literal(source)}"
        conditions[f"_shown_{number}"] = (
            f"{own_source} OR operation = 'D'",
            f"{own_source} AND operation IN ('U', 'P')",
        )
    return conditions


def _last_statement_sql(counts: str, is_yes: str) -> str:
    """An odd number if the last of the events that count means yes. Otherwise an even number or NULL."""
    value = f"CASE WHEN {counts} THEN _place * 2 + CASE WHEN {is_yes} THEN 1 ELSE 0 END END"
    return f"MAX({value}) OVER ({_KEY} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"


def _is_present_sql(sources: Sequence[str]) -> str:
    if not sources:
        return "CASE WHEN operation = 'U' THEN 1 ELSE 0 END"
    shown = " OR ".join(f"_shown_{number} % 2 = 1" for number in range(len(sources)))
    return f"CASE WHEN _alive % 2 = 1 AND ({shown}) THEN 1 ELSE 0 END"


def _compared_sql(history: HistoryColumns) -> str:
    earlier_columns = [
        f"LAG({quote(column)}) OVER ({_KEY} ORDER BY _place) AS {_quote_earlier_column(column)}"
        for column in history.tracked
    ]
    earlier_presence = f"LAG(_there) OVER ({_KEY} ORDER BY _place) AS _was_there"
    items = [
        "entity_key, sequence, batch_id, _there, _place",
        column_list_sql(history.columns),
        *earlier_columns,
        earlier_presence,
    ]
    return "SELECT " + ",\n  ".join(items) + "\nFROM settled"


def _turns_sql(history: HistoryColumns) -> str:
    """The states that start a version (1) or a gap (2), each with the start of the next one."""
    changed = any_differs_sql((quote(column), _quote_earlier_column(column)) for column in history.tracked)
    turn = (
        f"CASE WHEN _there = 1 AND (_was_there IS NULL OR _was_there = 0 OR {changed}) THEN 1 "
        "WHEN _there = 0 AND _was_there = 1 THEN 2 ELSE 0 END AS _turn"
    )
    inner = "SELECT " + ",\n    ".join(["entity_key, sequence, batch_id", column_list_sql(history.columns), turn])
    ends = f"LEAD(sequence) OVER ({_KEY} ORDER BY sequence) AS _ends"
    return (
        "SELECT "
        + ",\n  ".join(["entity_key, sequence, batch_id, _turn", column_list_sql(history.columns), ends])
        + f"\nFROM (\n  {inner}\n  FROM compared\n) AS turned\nWHERE _turn > 0"
    )


def _versions_sql(history: HistoryColumns) -> str:
    return (
        f"SELECT entity_key, {column_list_sql(history.columns)},\n"
        f"  {timestamp_sql('sequence')} AS valid_from,\n"
        f"  CASE WHEN _ends IS NULL THEN {FOREVER} ELSE {timestamp_sql('_ends')} END AS valid_to,\n"
        "  _ends IS NULL AS is_current,\n"
        f"  CAST(ROW_NUMBER() OVER ({_KEY} ORDER BY sequence) AS INTEGER) AS version_number,\n"
        "  batch_id\n"
        "FROM turns\nWHERE _turn = 1"
    )


def _quote_earlier_column(column: str) -> str:
    return quote(f"_was_{column}")


def _to_list(text: str) -> list[str]:
    return [text] if text else []
