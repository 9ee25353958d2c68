"""Which batches an entity has taken, and what was concluded from its complete reads: each entity knows for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from headwater.clock import to_micros
from headwater.names import quote_literal
from headwater.silver.mapping import LandedBatch
from headwater.silver.merge.merge import save_batches
from headwater.silver.schema.tables import CONSUMED_BATCHES
from headwater.warehouse.base import Warehouse
from headwater.warehouse.dml import overwrite_rows

DeleteVerdict = Literal["", "believed", "waiting", "doubted", "replaced"]
"""What became of the absences of a complete read: `believed`; `waiting` for a person or for the service; `doubted`, so that
nothing is absent; `replaced` by a newer read while they waited. Empty for a batch that proves none."""

_TURN = {"changes": 0, "verify": 1, "snapshot": 2, "sweep": 3}

Position = tuple[int, int, int, str]
"""Where a batch stands in the order in which batches are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedBatch:
    """A batch that an entity has taken."""

    batch_id: str
    connection: str
    resource: str
    purpose: str
    read_at: int
    attempt: int
    """How many times its window had been read."""
    files: int
    """How many files it had then: a record that is readmitted later comes in one more."""
    verdict: DeleteVerdict

    @property
    def position(self) -> Position:
        """Where it stands among the others."""
        return self.read_at, _TURN[self.purpose], self.attempt, self.batch_id


def get_position(landed: LandedBatch) -> Position:
    """Where a batch stands: by when it was read; of what was read at one instant, changes come first and sweeps last."""
    return to_micros(landed.read_at), _TURN[landed.batch.purpose], landed.batch.attempt, landed.batch.id


def load_consumed(warehouse: Warehouse, entity: str) -> dict[str, ConsumedBatch]:
    """The batches that an entity has taken, by id."""
    return _load_consumed(warehouse, f" WHERE entity = {quote_literal(entity)}").get(entity, {})


def load_all_consumed(warehouse: Warehouse) -> dict[str, dict[str, ConsumedBatch]]:
    """The batches that each entity has taken, by entity and id."""
    return _load_consumed(warehouse, "")


def _load_consumed(warehouse: Warehouse, where: str) -> dict[str, dict[str, ConsumedBatch]]:
    if warehouse.describe("meta", CONSUMED_BATCHES.name) is None:
        return {}
    rows = warehouse.rows(
        "SELECT entity, batch_id, connection, resource, purpose, read_at, attempt, files, verdict "
        f"FROM {warehouse.ref('meta', CONSUMED_BATCHES.name)}{where}"
    )
    consumed: dict[str, dict[str, ConsumedBatch]] = {}
    for entity, batch_id, connection, resource, purpose, read_at, attempt, files, verdict in rows:
        consumed.setdefault(str(entity), {})[str(batch_id)] = ConsumedBatch(
            batch_id=batch_id,
            connection=connection,
            resource=resource,
            purpose=purpose,
            read_at=read_at,
            attempt=attempt,
            files=files,
            verdict=verdict,
        )
    return consumed


def save_empty(warehouse: Warehouse, taken: Mapping[str, Sequence[LandedBatch]]) -> None:
    """Remember that entities have taken batches that hold no record, which they do not know yet: all of them together."""
    batches = [(entity, landed) for entity, batches in taken.items() for landed in batches]
    if not batches:
        return
    with warehouse.transaction():
        save_batches(warehouse, [landed.provenance for _, landed in batches])
        rows = ", ".join(_row_sql(entity, landed, "") for entity, landed in batches)
        select = f"SELECT * FROM (VALUES {rows}) AS fresh"
        warehouse.append("meta", CONSUMED_BATCHES.name, CONSUMED_BATCHES.names, select)


def save_consumed(
    warehouse: Warehouse, entity: str, taken: Iterable[tuple[LandedBatch, DeleteVerdict]], *, are_known: bool
) -> None:
    """Remember that an entity has taken batches, and what was concluded; in the place of what was known of them."""
    fresh = list(taken)
    rows = ", ".join(_row_sql(entity, landed, verdict) for landed, verdict in fresh)
    ids = ", ".join(quote_literal(landed.batch.id) for landed, _ in fresh)
    condition = f"entity = {quote_literal(entity)} AND batch_id IN ({ids})"
    select = f"SELECT * FROM (VALUES {rows}) AS fresh"
    name, columns = CONSUMED_BATCHES.name, CONSUMED_BATCHES.names
    if are_known:
        overwrite_rows(warehouse, "meta", name, where=condition, columns=columns, select=select)
    else:
        warehouse.append("meta", name, columns, select)


def replace_waiting(warehouse: Warehouse, entity: str, batches: Sequence[str]) -> None:
    """Let the absences of complete reads wait no more, since a newer read of the same feed says what is there."""
    if batches:
        ids = ", ".join(map(quote_literal, batches))
        where = f"entity = {quote_literal(entity)} AND batch_id IN ({ids})"
        warehouse.update("meta", CONSUMED_BATCHES.name, {"verdict": quote_literal("replaced")}, where)


def _row_sql(entity: str, landed: LandedBatch, verdict: DeleteVerdict) -> str:
    batch = landed.batch
    texts = (entity, batch.id, batch.feed.connection, batch.feed.resource, batch.purpose)
    numbers = f"CAST({to_micros(landed.read_at)} AS BIGINT), {batch.attempt}, {len(landed.files)}"
    return f"({', '.join(map(quote_literal, texts))}, {numbers}, {quote_literal(verdict)})"
