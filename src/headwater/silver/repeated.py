"""Leaves out events that decide nothing: what a source repeats without a stamp, and what was never any of its own."""

from __future__ import annotations

from headwater.model.entity import Entity
from headwater.names import literal
from headwater.temporal.fold import order_sql
from headwater.temporal.keys import hash60
from headwater.temporal.text import listed
from headwater.warehouse.base import Warehouse
from headwater.warehouse.places import events_of

_COLUMNS = ("entity_key", "sequence", "operation", "source", "hash", "observed", "place")

STAGED = ("silver__doubtful", "silver__spoken", "silver__words")
"""Temporary tables of this module."""


def needs_order(warehouse: Warehouse, staged: str) -> bool:
    """Whether what some staged events decide depends on what was read before each of them."""
    return bool(warehouse.rows(f"SELECT 1 FROM {staged} WHERE _unstamped OR _outside LIMIT 1"))


def drop_repeated(warehouse: Warehouse, entity: Entity, staged: str, name: str, *, source: str) -> None:
    """Stage the events of one batch anew as `name`, without those that decide nothing.

    An unstamped record counts as of its read. So one that repeats the last word of its source about a thing is no news
    (where a flag of any source was seen since, it is: the record brings the thing back), and of two in one read the later
    one counts. A record that does not fit the source's condition says something only of a thing that the source has shown.
    """
    log = warehouse.ref("silver", f"{entity.entity}_log")
    doubtful = warehouse.stage(
        "silver__doubtful",
        f"SELECT DISTINCT entity_key, sequence, {hash60('entity_key')} AS key_hash FROM {staged} "
        "WHERE _unstamped OR _outside",
    )
    spoken = events_of(
        warehouse, log, hashes=f"SELECT key_hash FROM {doubtful}", columns=_COLUMNS, name="silver__spoken"
    )
    own = literal(source)
    latest = (
        f"SELECT d.entity_key, d.sequence, k.operation, k.hash, ROW_NUMBER() OVER (PARTITION BY d.entity_key, d.sequence "
        f"ORDER BY {order_sql('k', direction='DESC')}) AS _n\n"
        f"FROM {doubtful} AS d JOIN {spoken} AS k ON k.entity_key = d.entity_key AND k.sequence <= d.sequence\n"
        f"WHERE k.source = {own} OR k.operation = 'D'"
    )
    words = warehouse.stage(
        "silver__words", f"SELECT entity_key, sequence, operation, hash FROM ({latest}) AS l WHERE _n = 1"
    )
    shown = (
        f"SELECT entity_key FROM {spoken} WHERE source = {own} AND operation IN ('U', 'P') "
        f"UNION SELECT entity_key FROM {staged} WHERE operation = 'U'"
    )
    columns = listed((*_all(entity), "_unstamped", "_outside"), "e")
    later = (
        f"SELECT {columns}, w.operation AS _was, w.hash AS _was_hash, ROW_NUMBER() OVER (PARTITION BY e.entity_key, "
        f"e.sequence, e._unstamped ORDER BY e.place DESC) AS _n, "
        "COUNT(*) OVER (PARTITION BY e.entity_key) AS _many\n"
        f"FROM {staged} AS e "
        f"LEFT JOIN {words} AS w ON w.entity_key = e.entity_key AND w.sequence = e.sequence"
    )
    repeats = (
        "e._was IS NOT NULL AND ((e.operation = 'U' AND e._was = 'U' AND e._was_hash = e.hash) "
        "OR (e.operation = 'D' AND e._was = 'D') OR (e.operation = 'A' AND e._was IN ('A', 'D')))"
    )
    warehouse.stage(
        name,
        f"SELECT {columns} FROM ({later}) AS e WHERE NOT (e._unstamped AND e._many = 1 AND (e._n > 1 OR ({repeats})))\n"
        f"AND NOT (e._outside AND e.entity_key NOT IN ({shown}))",
    )
    for one in STAGED:
        warehouse.unstage(one)


def _all(entity: Entity) -> tuple[str, ...]:
    return (
        *("entity_key", "sequence", "operation", "source", *entity.columns),
        *("known", "hash", "stamp", "observed", "place", "batch_id"),
    )
