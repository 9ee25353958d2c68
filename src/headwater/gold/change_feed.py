"""How far each table of gold has consumed the changes, and what it tells the tables behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from headwater.clock import EPOCH
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
    declared: int = 0
    """The fingerprint of the declarations, if the tables that it lives on are as those say; 0 otherwise."""

    known_fingerprint: int = 0
    """The fingerprint of the definition, where it is known to be as it was."""

    @property
    def fingerprint(self) -> int:
        """The definition as a number."""
        return self.known_fingerprint or int(
            hashlib.md5(self.definition.encode(), usedforsecurity=False).hexdigest()[:15], 16
        )


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
    noted: Mapping[str, int] = field(default_factory=dict)
    """All that is noted of the consumer: positions, and what is kept beside them."""

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


DECLARED = "@declared"
"""Beside the entities, a consumer keeps the fingerprint of the declarations that its definition was last compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPositions:
    """How far all consumers and all their sources are, at one moment."""

    offsets: Mapping[str, Mapping[str, int]]
    """By consumer: what it notes of its sources, and of itself."""
    newest: Mapping[str, int]
    """By source: its newest change."""
    month: date
    """The first day of the month of the newest batch; the first month of all before there is any."""

    @property
    def period(self) -> int:
        """The month as a number that grows: yyyymm."""
        return self.month.year * 100 + self.month.month

    def is_compared(self, name: str, declared: int) -> bool:
        """Whether a table was compared with these declarations, so that its definition is as it was."""
        return declared != 0 and self.offsets.get(name, {}).get(DECLARED) == declared

    def is_current(self, name: str, sources: Iterable[str], *, declared: int, has_periods: bool) -> bool:
        """Whether a table has no news: its sources have none, and it was compared with the same declarations."""
        noted = self.offsets.get(name, {})
        return (
            self.is_compared(name, declared)
            and all(source in noted and noted[source] >= self.newest.get(source, 0) for source in sources)
            and (not has_periods or noted.get(_PERIOD) == self.period)
        )


def read_positions(warehouse: Warehouse) -> FeedPositions:
    """Read the positions of all consumers with one statement."""
    progress, batches = warehouse.ref("meta", "consumer_offset"), warehouse.ref("meta", "batch")
    rows = warehouse.rows(
        f"SELECT consumer, entity, MAX(change_id) AS position FROM {progress} GROUP BY consumer, entity\n"
        f"UNION ALL SELECT '', entity, MAX(change_id) FROM {_get_changes_ref(warehouse)} GROUP BY entity\n"
        f"UNION ALL SELECT '', '{_PERIOD}', CAST(EXTRACT(YEAR FROM MAX(read_at)) * 100 + EXTRACT(MONTH FROM MAX(read_at)) "
        f"AS BIGINT) FROM {batches}"
    )
    offsets: dict[str, dict[str, int]] = {"": {}}
    for consumer, entity, position in rows:
        if position is not None:
            offsets.setdefault(str(consumer), {})[str(entity)] = int(position)
    newest = offsets.pop("")
    period = newest.pop(_PERIOD, 0)
    month = date(period // 100, period % 100, 1) if period else EPOCH.date()
    return FeedPositions(offsets=offsets, newest=newest, month=month)


def find_key_kinds(positions: FeedPositions) -> dict[str, int]:
    """How the surrogate keys of each dimension are made, as noted."""
    return {name: noted[KEYS] for name, noted in positions.offsets.items() if KEYS in noted}


def find_pending(positions: FeedPositions, consumer: Consumer, *, rebuild: bool = False) -> PendingChanges:
    """The changes that `consumer` has not consumed yet."""
    noted, newest = positions.offsets.get(consumer.name, {}), positions.newest
    since = {source: noted.get(source, -1) for source in consumer.sources}
    until = {source: max(newest.get(source, 0), since[source]) for source in consumer.sources}
    full = rebuild or noted.get(DEFINITION) != consumer.fingerprint or -1 in since.values()
    period, keys = (noted.get(name, 0) for name in (_PERIOD, KEYS))
    return PendingChanges(full=full, since=since, until=until, period=period, keys=keys, noted=noted)


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
    if consumer.declared:
        told[DECLARED] = consumer.declared
    if pending.noted.keys() - {LAST} == told.keys():
        _update_progress(warehouse, consumer, {name: at for name, at in told.items() if pending.noted[name] != at})
        return
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


def _update_progress(warehouse: Warehouse, consumer: Consumer, changes: Mapping[str, int]) -> None:
    if not changes:
        return
    cases = " ".join(
        f"WHEN {quote_literal(entity)} THEN CAST({change} AS BIGINT)" for entity, change in changes.items()
    )
    among = ", ".join(map(quote_literal, changes))
    where = f"consumer = {quote_literal(consumer.name)} AND entity IN ({among})"
    warehouse.update("meta", "consumer_offset", {"change_id": f"CASE entity {cases} END"}, where)


def record_comparison(warehouse: Warehouse, consumer: Consumer, pending: PendingChanges) -> None:
    """Remember with which declarations the definition of an idle consumer was compared, unless that is known."""
    if not consumer.declared or pending.noted.get(DECLARED) == consumer.declared:
        return
    name, entity = quote_literal(consumer.name), quote_literal(DECLARED)
    overwrite_rows(
        warehouse,
        "meta",
        "consumer_offset",
        where=f"consumer = {name} AND entity = {entity}",
        columns=("consumer", "entity", "change_id"),
        select=f"SELECT {name}, {entity}, CAST({consumer.declared} AS BIGINT)",
    )


def record_change(warehouse: Warehouse, source: str, keys: str, positions: FeedPositions) -> None:
    """Record that the staged `keys` of `source` changed; nothing is kept when it has no consumer."""
    progress, changes = warehouse.ref("meta", "consumer_offset"), _get_changes_ref(warehouse)
    if not any(source in noted for noted in positions.offsets.values()):
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


def forget_source(warehouse: Warehouse, source: str) -> None:
    """Let every consumer of `source` consume everything again.

    If a dimension was lost, its facts insert the members again that only they know.
    """
    warehouse.delete("meta", "consumer_offset", f"entity = {quote_literal(source)}")


def reset_progress(warehouse: Warehouse) -> None:
    """Forget how far every table of gold was, and keep which numbers were given."""
    warehouse.delete("meta", "consumer_offset", f"entity <> {quote_literal(LAST)}")


def _get_changes_ref(warehouse: Warehouse) -> str:
    return warehouse.ref("meta", "change_feed")
