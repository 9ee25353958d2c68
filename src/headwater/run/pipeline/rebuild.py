"""Building everything after raw again, from raw, without asking a service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from headwater.errors import DeclarationError
from headwater.gold.change_feed import forget
from headwater.gold.dimension.rekey import counted_tables
from headwater.names import did_you_mean
from headwater.run.pipeline.options import Asked
from headwater.run.pipeline.run import alone, run_alone
from headwater.run.pipeline.sources import standing_of
from headwater.run.results import RunReport
from headwater.run.workspace import Opened
from headwater.silver.owner import OWNERS
from headwater.silver.schema.migrate import drop
from headwater.warehouse.base import Layer

_LAYERS: tuple[Layer, ...] = ("gold", "silver", "meta")


def rebuild(opened: Opened, tenant: str, *, entity: str | None = None, stop: Callable[[], bool]) -> RunReport:
    """Build bronze, history and star anew from raw; with `entity`, that history from bronze and the star from it.

    Killed at any time, the next `run` goes on with what is not there yet.
    """
    with alone(opened, tenant) as check:
        # Nothing is forgotten or dropped where a place is another project's.
        opened.owned_lake(tenant)
        opened.warehouse(tenant).close()
        if entity is None:
            opened.ledger.reopen_batches(tenant)
        _drop(opened, tenant, entity)
        return run_alone(opened, tenant, Asked(sources=False), stop=stop, check=check)


def _drop(opened: Opened, tenant: str, entity: str | None) -> None:
    with closing(opened.warehouse(tenant)) as warehouse:
        if entity is not None:
            declared = opened.declarations.entities.get(entity)
            if declared is None:
                hint = did_you_mean(entity, opened.declarations.entities)
                raise DeclarationError(f"No entity is called `{entity}`.", where="--entity", saw=entity, hint=hint)
            standing_of(opened, warehouse, besides=entity)  # nothing is dropped where the run would refuse the others
            drop(warehouse, declared)
            return
        with warehouse.transaction():
            counted = counted_tables(warehouse, opened.declarations.dimensions.values())
            kept = {"gold": counted, "meta": frozenset({OWNERS.name, *(("progress",) if counted else ())})}
            if counted:
                forget(warehouse)
            for layer in _LAYERS:
                # A view is called after its table, and goes before it: Postgres drops nothing that a view looks at.
                for name in reversed(warehouse.tables(layer)):
                    if name not in kept.get(layer, ()):
                        warehouse.drop(layer, name)
