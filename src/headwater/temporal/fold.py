"""Events to versions: the one definition of history.

Events of a key are placed in order of sequence (ties: the newest observation last, then the later place in its read, then
A before P before D before U). What an event does not know is carried forward. The state after the last event of an instant
counts; touching equal states are one version. A thing is there while an update is the last of its updates and deletes, and
some source shows it; a gap is from where that ends to where it begins again. Columns that are overwritten take their newest
known value on all versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headwater.names import literal, quote
from headwater.temporal.sql import FOREVER, any_differs_sql, column_list, knows_sql, qualify, timestamp_sql, with_steps

_KEY = "PARTITION BY entity_key"
_KEPT = "entity_key, sequence, operation, source, batch_id, _place"


def order_sql(relation: str = "", *, observed: str = "", place: str = "", direction: str = "") -> str:
    """The order of the events of one key, for ORDER BY; `observed` and `place` may be other SQL than the columns."""
    rank = f"CASE {qualify(relation, 'operation')} WHEN 'A' THEN 0 WHEN 'P' THEN 1 WHEN 'D' THEN 2 ELSE 3 END"
    parts = (
        qualify(relation, "sequence"),
        observed or qualify(relation, "observed"),
        place or qualify(relation, "place"),
        rank,
        qualify(relation, "source"),
        qualify(relation, "hash"),
    )
    return ", ".join(f"{part} {direction}".strip() for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryColumns:
    """The declared columns of a thing, as time sees them."""

    columns: tuple[str, ...]
    """All of them, in order."""
    overwritten: tuple[str, ...] = ()
    """Those whose newest value stands on all versions."""

    @property
    def tracked(self) -> tuple[str, ...]:
        """Those whose change makes a version."""
        return tuple(column for column in self.columns if column not in self.overwritten)


def group_carried(shape: HistoryColumns, known: Iterable[str | None]) -> tuple[tuple[str, ...], ...]:
    """Tracked columns that some event does not know, grouped by which events know them.

    `known` holds the distinct values of that column among the events; columns of a group are carried forward together.
    """
    lists = sorted({text for text in known if text is not None})
    groups: dict[tuple[bool, ...], list[str]] = {}
    for column in shape.tracked:
        pattern = tuple(f",{column}," in text for text in lists)
        if not all(pattern):
            groups.setdefault(pattern, []).append(column)
    return tuple(tuple(columns) for columns in groups.values())


def find_followed_sources(spoken: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The sources of which the fold has to follow whether they show a thing; none where operations say it by themselves.

    `spoken` holds the distinct (source, operation) among the events. While one source alone speaks and shows nothing
    again that it had missed, a thing is there exactly after an update.
    """
    pairs = set(spoken)
    operations, sources = {operation for _, operation in pairs}, {source for source, _ in pairs}
    follow = "P" in operations or ("A" in operations and len(sources) > 1)
    return tuple(sorted(sources)) if follow else ()


def fold_sql(
    events: str, shape: HistoryColumns, *, carried: Sequence[Sequence[str]] = (), sources: Sequence[str] = ()
) -> str:
    """The versions of the keys in `events`, from all their events.

    `carried` says which columns some events do not know (see `group_carried`), `sources` which are followed (see
    `find_followed_sources`); then a thing may be there after an event that knows nothing, and every tracked column is carried.
    The result has: `entity_key`, the columns, `valid_from`, `valid_to`, `is_current`, `version_number`, `batch_id`.
    """
    steps = [("placed", _numbered_sql(events, shape))]
    if carried:
        steps += [("islands", _islands_sql(shape, carried)), ("filled", _filled_sql(shape, carried))]
    steps += [
        ("settled", _settled_sql(steps[-1][0], shape, sources)),
        ("compared", _compared_sql(shape)),
        ("turns", _turns_sql(shape)),
    ]
    return with_steps(steps, _versions_sql(shape))


def _numbered_sql(events: str, shape: HistoryColumns) -> str:
    newest = [f"{_newest_sql(column)} AS {quote(column)}" for column in shape.overwritten]
    place = f"ROW_NUMBER() OVER ({_KEY} ORDER BY {order_sql()}) AS _place"
    taken = [
        "entity_key, sequence, operation, source, known_columns, batch_id",
        *_optional(column_list(shape.tracked)),
        *newest,
        place,
    ]
    return "SELECT " + ",\n  ".join(taken) + f"\nFROM {events}"


def _newest_sql(column: str) -> str:
    """The newest known value of a column among all events of its key. Only updates know any."""
    rank = f"CASE WHEN operation <> 'U' THEN 2 WHEN {knows_sql(column)} THEN 0 ELSE 1 END"
    return (
        f"FIRST_VALUE({quote(column)}) OVER ({_KEY} ORDER BY {rank}, {order_sql(direction='DESC')} "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    )


def _islands_sql(shape: HistoryColumns, carried: Sequence[Sequence[str]]) -> str:
    """Numbers each stretch of events from one that knows a group of columns up to the next that does."""
    counts = [
        f"COUNT(CASE WHEN operation = 'U' AND {knows_sql(group[0])} THEN 1 END) OVER "
        f"({_KEY} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _island_{number}"
        for number, group in enumerate(carried)
    ]
    taken = [_KEPT, column_list(shape.columns), *counts]
    return "SELECT " + ",\n  ".join(taken) + "\nFROM placed"


def _filled_sql(shape: HistoryColumns, carried: Sequence[Sequence[str]]) -> str:
    number = {column: index for index, group in enumerate(carried) for column in group}
    columns = [
        quote(column)
        if column not in number
        else f"CASE WHEN _island_{number[column]} > 0 THEN FIRST_VALUE({quote(column)}) OVER (PARTITION BY entity_key, "
        f"_island_{number[column]} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END "
        f"AS {quote(column)}"
        for column in shape.columns
    ]
    return "SELECT " + ",\n  ".join([_KEPT, *columns]) + "\nFROM islands"


def _settled_sql(source: str, shape: HistoryColumns, sources: Sequence[str]) -> str:
    """The state after the last event of each instant, and whether the thing is there (1 or 0)."""
    following = f"LEAD(sequence) OVER ({_KEY} ORDER BY _place) AS _next_sequence"
    looked = [f"{_last_statement_sql(*words)} AS {name}" for name, words in _presence_conditions(sources).items()]
    inner = "SELECT " + ",\n    ".join([_KEPT, column_list(shape.columns), following, *looked]) + f"\n  FROM {source}"
    taken = [
        "entity_key, sequence, batch_id, _place",
        column_list(shape.columns),
        f"{_is_present_sql(sources)} AS _there",
    ]
    return (
        "SELECT "
        + ",\n  ".join(taken)
        + (f"\nFROM (\n  {inner}\n) AS followed\nWHERE _next_sequence IS NULL OR _next_sequence > sequence")
    )


def _presence_conditions(sources: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What is looked for among the events up to one: which events count, and which of them say yes."""
    if not sources:
        return {}
    words = {"_alive": ("operation = 'U' OR operation = 'D'", "operation = 'U'")}
    for number, source in enumerate(sources):
        own = f"source = {literal(source)}"
        words[f"_shown_{number}"] = (f"{own} OR operation = 'D'", f"{own} AND operation IN ('U', 'P')")
    return words


def _last_statement_sql(counts: str, says_yes: str) -> str:
    """An odd number where the last of the events that count says yes, an even one or NULL where it does not."""
    word = f"CASE WHEN {counts} THEN _place * 2 + CASE WHEN {says_yes} THEN 1 ELSE 0 END END"
    return f"MAX({word}) OVER ({_KEY} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"


def _is_present_sql(sources: Sequence[str]) -> str:
    if not sources:
        return "CASE WHEN operation = 'U' THEN 1 ELSE 0 END"
    shown = " OR ".join(f"_shown_{number} % 2 = 1" for number in range(len(sources)))
    return f"CASE WHEN _alive % 2 = 1 AND ({shown}) THEN 1 ELSE 0 END"


def _compared_sql(shape: HistoryColumns) -> str:
    before = [
        f"LAG({quote(column)}) OVER ({_KEY} ORDER BY _place) AS {_earlier_column(column)}" for column in shape.tracked
    ]
    was = f"LAG(_there) OVER ({_KEY} ORDER BY _place) AS _was_there"
    taken = ["entity_key, sequence, batch_id, _there, _place", column_list(shape.columns), *before, was]
    return "SELECT " + ",\n  ".join(taken) + "\nFROM settled"


def _turns_sql(shape: HistoryColumns) -> str:
    """The states that open a version (1) or a gap (2), each with where the next of them begins."""
    changed = any_differs_sql((quote(column), _earlier_column(column)) for column in shape.tracked)
    turn = (
        f"CASE WHEN _there = 1 AND (_was_there IS NULL OR _was_there = 0 OR {changed}) THEN 1 "
        "WHEN _there = 0 AND _was_there = 1 THEN 2 ELSE 0 END AS _turn"
    )
    inner = "SELECT " + ",\n    ".join(["entity_key, sequence, batch_id", column_list(shape.columns), turn])
    ends = f"LEAD(sequence) OVER ({_KEY} ORDER BY sequence) AS _ends"
    return (
        "SELECT "
        + ",\n  ".join(["entity_key, sequence, batch_id, _turn", column_list(shape.columns), ends])
        + f"\nFROM (\n  {inner}\n  FROM compared\n) AS turned\nWHERE _turn > 0"
    )


def _versions_sql(shape: HistoryColumns) -> str:
    return (
        f"SELECT entity_key, {column_list(shape.columns)},\n"
        f"  {timestamp_sql('sequence')} AS valid_from,\n"
        f"  CASE WHEN _ends IS NULL THEN {FOREVER} ELSE {timestamp_sql('_ends')} END AS valid_to,\n"
        "  _ends IS NULL AS is_current,\n"
        f"  CAST(ROW_NUMBER() OVER ({_KEY} ORDER BY sequence) AS INTEGER) AS version_number,\n"
        "  batch_id\n"
        "FROM turns\nWHERE _turn = 1"
    )


def _earlier_column(column: str) -> str:
    return quote(f"_was_{column}")


def _optional(text: str) -> list[str]:
    return [text] if text else []
