"""What must be known of the events of some batches before they are merged, read with one statement."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.silver.entity_tables import EntityTables
from headwater.silver.schema.tables import REPEAT_WATERMARKS


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStats:
    """Staged events in numbers."""

    first: int
    """The earliest instant as of which they count; 0 where there is none."""
    is_one_read: bool
    """Whether all were observed at one instant."""
    is_order_dependent: bool
    """Whether what some of them decide depends on what was read before each of them."""
    has_keyless: bool
    """Whether some have no key."""
    mark: int | None
    """The latest instant as of which anything was left out as a repetition before; None where nothing was."""


def read_stats(tables: EntityTables, staged: str) -> EventStats:
    """Read the statistics of staged events."""
    marks = tables.warehouse.ref("meta", REPEAT_WATERMARKS.name)
    mark = f"(SELECT MAX(w.sequence) FROM {marks} AS w WHERE w.{tables.own_condition})"
    first, began, ended, doubtful, keyless, latest = tables.warehouse.rows(
        "SELECT MIN(sequence), MIN(observed), MAX(observed), SUM(CASE WHEN _unstamped OR _outside THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN entity_key IS NULL THEN 1 ELSE 0 END), {mark} AS mark FROM {staged}"
    )[0]
    return EventStats(
        first=first or 0,
        is_one_read=began == ended,
        is_order_dependent=bool(doubtful),
        has_keyless=bool(keyless),
        mark=None if latest is None else int(latest),
    )
