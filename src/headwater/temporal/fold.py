"""Events to versions: the one definition of history.

Events of a key are placed in order of sequence (ties: D before U before A, then hash). What an event does not know is
carried forward. The state after the last event of an instant counts; touching equal states are one version; a delete
opens a gap and an update closes it. Columns that are overwritten take their newest known value on all versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headwater.names import quote
from headwater.temporal.text import FOREVER, any_differs, instant, knows, listed, with_steps

EVENT_COLUMNS = ("entity_key", "sequence", "operation", "known", "hash", "batch_id")
"""What an event has beside the declared columns."""

_KEY = "PARTITION BY entity_key"
_RANK = "CASE operation WHEN 'D' THEN 0 WHEN 'U' THEN 1 ELSE 2 END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The declared columns of a thing, as time sees them."""

    columns: tuple[str, ...]
    """All of them, in order."""
    overwritten: tuple[str, ...] = ()
    """Those whose newest value stands on all versions."""

    @property
    def tracked(self) -> tuple[str, ...]:
        """Those whose change makes a version."""
        return tuple(column for column in self.columns if column not in self.overwritten)


def carried_groups(shape: Shape, known: Iterable[str | None]) -> tuple[tuple[str, ...], ...]:
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


def fold(events: str, shape: Shape, *, carried: Sequence[Sequence[str]] = ()) -> str:
    """The versions of the keys in `events`, from all their events.

    `carried` says which columns some events do not know (see `carried_groups`). The result has: `entity_key`, the
    columns, `valid_from`, `valid_to`, `is_current`, `version_number`, `batch_id`.
    """
    steps = [("placed", _placed(events, shape))]
    if carried:
        steps += [("islands", _islands(shape, carried)), ("filled", _filled(shape, carried))]
    steps += [
        ("settled", _settled(steps[-1][0], shape)),
        ("compared", _compared(shape)),
        ("turns", _turns(shape)),
    ]
    return with_steps(steps, _versions(shape))


def _placed(events: str, shape: Shape) -> str:
    newest = [f"{_newest(column)} AS {quote(column)}" for column in shape.overwritten]
    place = f"ROW_NUMBER() OVER ({_KEY} ORDER BY sequence, {_RANK}, hash) AS _place"
    taken = ["entity_key, sequence, operation, known, batch_id", *_some(listed(shape.tracked)), *newest, place]
    return "SELECT " + ",\n  ".join(taken) + f"\nFROM {events}"


def _newest(column: str) -> str:
    """The newest known value of a column among all events of its key. Deletes know nothing."""
    rank = f"CASE WHEN operation <> 'U' THEN 2 WHEN {knows(column)} THEN 0 ELSE 1 END"
    return (
        f"FIRST_VALUE({quote(column)}) OVER ({_KEY} ORDER BY {rank}, sequence DESC, {_RANK} DESC, hash DESC "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    )


def _islands(shape: Shape, carried: Sequence[Sequence[str]]) -> str:
    """Numbers each stretch of events from one that knows a group of columns up to the next that does."""
    counts = [
        f"COUNT(CASE WHEN operation = 'U' AND {knows(group[0])} THEN 1 END) OVER "
        f"({_KEY} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _island_{number}"
        for number, group in enumerate(carried)
    ]
    taken = ["entity_key, sequence, operation, batch_id, _place", listed(shape.columns), *counts]
    return "SELECT " + ",\n  ".join(taken) + "\nFROM placed"


def _filled(shape: Shape, carried: Sequence[Sequence[str]]) -> str:
    number = {column: index for index, group in enumerate(carried) for column in group}
    columns = [
        quote(column)
        if column not in number
        else f"CASE WHEN _island_{number[column]} > 0 THEN FIRST_VALUE({quote(column)}) OVER (PARTITION BY entity_key, "
        f"_island_{number[column]} ORDER BY _place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END "
        f"AS {quote(column)}"
        for column in shape.columns
    ]
    return "SELECT " + ",\n  ".join(["entity_key, sequence, operation, batch_id, _place", *columns]) + "\nFROM islands"


def _settled(source: str, shape: Shape) -> str:
    """The state after the last event of each instant."""
    every = ["entity_key, sequence, operation, batch_id, _place", listed(shape.columns)]
    following = f"LEAD(sequence) OVER ({_KEY} ORDER BY _place) AS _next_sequence"
    inner = "SELECT " + ",\n    ".join([*every, following]) + f"\n  FROM {source}"
    return (
        "SELECT "
        + ",\n  ".join(every)
        + (f"\nFROM (\n  {inner}\n) AS followed\nWHERE _next_sequence IS NULL OR _next_sequence > sequence")
    )


def _compared(shape: Shape) -> str:
    before = [f"LAG({quote(column)}) OVER ({_KEY} ORDER BY _place) AS {_was(column)}" for column in shape.tracked]
    was = f"LAG(operation) OVER ({_KEY} ORDER BY _place) AS _was_operation"
    taken = ["entity_key, sequence, operation, batch_id, _place", listed(shape.columns), *before, was]
    return "SELECT " + ",\n  ".join(taken) + "\nFROM settled"


def _turns(shape: Shape) -> str:
    """The states that open a version (1) or a gap (2), each with where the next of them begins."""
    changed = any_differs((quote(column), _was(column)) for column in shape.tracked)
    turn = (
        f"CASE WHEN operation = 'U' AND (_was_operation IS NULL OR _was_operation <> 'U' OR {changed}) THEN 1 "
        "WHEN operation <> 'U' AND _was_operation = 'U' THEN 2 ELSE 0 END AS _turn"
    )
    inner = "SELECT " + ",\n    ".join(["entity_key, sequence, batch_id", listed(shape.columns), turn])
    ends = f"LEAD(sequence) OVER ({_KEY} ORDER BY sequence) AS _ends"
    return (
        "SELECT "
        + ",\n  ".join(["entity_key, sequence, batch_id, _turn", listed(shape.columns), ends])
        + f"\nFROM (\n  {inner}\n  FROM compared\n) AS turned\nWHERE _turn > 0"
    )


def _versions(shape: Shape) -> str:
    return (
        f"SELECT entity_key, {listed(shape.columns)},\n"
        f"  {instant('sequence')} AS valid_from,\n"
        f"  CASE WHEN _ends IS NULL THEN {FOREVER} ELSE {instant('_ends')} END AS valid_to,\n"
        "  _ends IS NULL AS is_current,\n"
        f"  CAST(ROW_NUMBER() OVER ({_KEY} ORDER BY sequence) AS INTEGER) AS version_number,\n"
        "  batch_id\n"
        "FROM turns\nWHERE _turn = 1"
    )


def _was(column: str) -> str:
    return quote(f"_was_{column}")


def _some(text: str) -> list[str]:
    return [text] if text else []
