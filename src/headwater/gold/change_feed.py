"""How far each table of gold has consumed the changes, and what it tells the tables behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from headwater.names import quote_literal
from headwater.warehouse.base import Warehouse
from headwater.warehouse.dml import overwrite_rows

DEFINITION = "@definition"
"""Beside the entities, a consumer keeps a hash of what it was built by: another definition means a full build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A table of gold, and what it lives on."""

    name: str
    """The table: `dim_x` or `fact_x`."""
    sources: tuple[str, ...]
    """Entities, and for a fact the dimensions as `dim_x`: what it consumes changes of."""
    definition: str
    """What it is made by, as text."""
    period: int = 0
    """The newest period it covers, for a fact over periods."""
    keys: int = 0
    """How the surrogate keys of a dimension are made, see `headwater.gold.dimension.rekey`."""

    @property
    def fingerprint(self) -> int:
        """The definition as a number."""
        return int(hashlib.md5(self.definition.encode(), usedforsecurity=False).hexdigest()[:15], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChanges:
    """What a consumer has not consumed yet."""

    full: bool
    """Everything: it is new, defined anew, or a rebuild was asked for."""
    since: Mapping[str, int]
    """How far it is, by source."""
    until: Mapping[str, int]
    """How far its sources are."""
    period: int = 0
    """The newest period it covered."""
    keys: int = 0
    """How the surrogate keys are made that are stored; 0 where nobody noted it."""

    @property
    def is_idle(self) -> bool:
        """Whether no source has news."""
        return not self.full and self.since == self.until

    @property
    def changed_sources(self) -> tuple[str, ...]:
        """The sources with news."""
        return tuple(source for source, change in self.until.items() if change > self.since.get(source, -1))


_PERIOD = "@period"

KEYS = "@keys"
"""Beside the entities, a dimension keeps how its surrogate keys are made."""

LAST = "@last"
"""Beside the entities, a dimension with counted keys keeps the highest number it ever gave."""


def read_pending(warehouse: Warehouse, consumer: Consumer, *, rebuild: bool = False) -> PendingChanges:
    """The changes that `consumer` has not consumed yet."""
    told = dict(
        warehouse.rows(
            f"SELECT entity, MAX(change_id) FROM {warehouse.ref('meta', 'consumer_offset')} "
            f"WHERE consumer = {quote_literal(consumer.name)} GROUP BY entity"
        )
    )
    newest = dict(warehouse.rows(f"SELECT entity, MAX(change_id) FROM {_get_changes_ref(warehouse)} GROUP BY entity"))
    since = {source: int(told.get(source, -1)) for source in consumer.sources}
    until = {source: max(int(newest.get(source, 0)), since[source]) for source in consumer.sources}
    full = rebuild or told.get(DEFINITION) != consumer.fingerprint or -1 in since.values()
    period, keys = (int(told.get(name, 0)) for name in (_PERIOD, KEYS))
    return PendingChanges(full=full, since=since, until=until, period=period, keys=keys)


def changed_keys_sql(warehouse: Warehouse, source: str, pending: PendingChanges) -> str:
    """SELECT of the keys of `source` that changed since."""
    return (
        f"SELECT DISTINCT entity_key FROM {_get_changes_ref(warehouse)} "
        f"WHERE entity = {quote_literal(source)} AND change_id > {pending.since[source]}"
    )


def record_progress(warehouse: Warehouse, consumer: Consumer, pending: PendingChanges) -> None:
    """Remember that `consumer` has consumed all that was pending."""
    told = {**pending.until, DEFINITION: consumer.fingerprint}
    if consumer.period:
        told[_PERIOD] = consumer.period
    if consumer.keys:
        told[KEYS] = consumer.keys
    values = ", ".join(
        f"({quote_literal(consumer.name)}, {quote_literal(entity)}, CAST({change} AS BIGINT))"
        for entity, change in told.items()
    )
    overwrite_rows(
        warehouse,
        "meta",
        "consumer_offset",
        where=f"consumer = {quote_literal(consumer.name)} AND entity <> {quote_literal(LAST)}",
        columns=("consumer", "entity", "change_id"),
        select=f"SELECT * FROM (VALUES {values}) AS fresh",
    )


def record_change(warehouse: Warehouse, source: str, keys: str) -> None:
    """Record that the staged `keys` of `source` changed; nothing is kept when it has no consumer."""
    progress, changes = warehouse.ref("meta", "consumer_offset"), _get_changes_ref(warehouse)
    if not warehouse.rows(f"SELECT 1 FROM {progress} WHERE entity = {quote_literal(source)} LIMIT 1"):
        return
    # Consumed changes may have been trimmed: what consumers remember counts too, or a number would come twice.
    newest = (
        f"SELECT COALESCE(MAX(change_id), 0) + 1 FROM (SELECT change_id FROM {changes} UNION ALL "
        f"SELECT change_id FROM {progress} WHERE entity NOT LIKE '@%') AS known"
    )
    number = warehouse.rows(newest)[0][0]
    warehouse.append(
        "meta",
        "change_feed",
        ("change_id", "entity", "entity_key"),
        f"SELECT {number}, {quote_literal(source)}, entity_key FROM {keys}",
    )


def prune_changes(warehouse: Warehouse) -> int:
    """Delete the changes that every consumer has consumed; how many."""
    progress = warehouse.ref("meta", "consumer_offset")
    told = warehouse.rows(
        f"SELECT entity, MIN(change_id) FROM {progress} WHERE entity NOT LIKE '@%' GROUP BY entity ORDER BY entity"
    )
    consumed = [f"(entity = {quote_literal(entity)} AND change_id <= {change})" for entity, change in told]
    return warehouse.delete("meta", "change_feed", " OR ".join(consumed)) if consumed else 0


def drop_table(warehouse: Warehouse, name: str) -> None:
    """Drop a table of gold and forget how far it was, so that its next build makes it anew."""
    with warehouse.transaction():
        warehouse.drop("gold", name)
        warehouse.delete("meta", "consumer_offset", f"consumer = {quote_literal(name)}")


def reset_progress(warehouse: Warehouse) -> None:
    """Forget how far every table of gold was, and keep which numbers were given."""
    warehouse.delete("meta", "consumer_offset", f"entity <> {quote_literal(LAST)}")


def _get_changes_ref(warehouse: Warehouse) -> str:
    return warehouse.ref("meta", "change_feed")
