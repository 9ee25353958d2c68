"""`rebuild`: builds everything after raw again, without requests to a service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from headwater.errors import DeclarationError
from headwater.gold.change_feed import reset_progress
from headwater.gold.dimension.rekey import find_counted_tables
from headwater.names import did_you_mean
from headwater.plan.state import AFTER_RAW, RunRequest
from headwater.run.pipeline.context import RunContext
from headwater.run.pipeline.run import lock_tenant, run_locked
from headwater.run.pipeline.sources import read_warehouse_state
from headwater.run.results import RunReport
from headwater.run.workspace import TenantWorkspace
from headwater.silver.owner import OWNERS
from headwater.silver.schema.migrate import drop_entity
from headwater.warehouse.base import SchemaName

_LAYERS: tuple[SchemaName, ...] = ("gold", "silver", "meta")


def rebuild(workspace: TenantWorkspace, *, entity: str | None = None, stop: Callable[[], bool]) -> RunReport:
    """Rebuild bronze, history and star schema from raw. With `entity`: its history from bronze, and dependent tables.

    If it is killed, the next `run` builds what is still missing.
    """
    with lock_tenant(workspace) as check:
        # Nothing is dropped if a location belongs to another project.
        workspace.open_owned_lake()
        workspace.open_warehouse().close()
        if entity is None:
            workspace.ledger.reopen_batches(workspace.tenant)
        _drop_tables(workspace, entity)
        context = RunContext(listen=workspace.listen, stop=stop, check_lease=check)
        return run_locked(workspace, RunRequest(layers=AFTER_RAW), context)


def _drop_tables(workspace: TenantWorkspace, entity: str | None) -> None:
    with closing(workspace.open_warehouse()) as warehouse:
        if entity is not None:
            declared = workspace.declarations.entities.get(entity)
            if declared is None:
                hint = did_you_mean(entity, workspace.declarations.entities)
                raise DeclarationError(f"There is no entity `{entity}`.", where="--entity", details=entity, hint=hint)
            read_warehouse_state(
                workspace, warehouse, excluded=entity
            )  # nothing is dropped if the run would refuse the other entities
            drop_entity(warehouse, declared)
            return
        with warehouse.transaction():
            counted = find_counted_tables(warehouse, workspace.declarations.dimensions.values())
            kept = {"gold": counted, "meta": frozenset({OWNERS.name, *(("consumer_offset",) if counted else ())})}
            if counted:
                reset_progress(warehouse)
            for layer in _LAYERS:
                # Reversed, because a view sorts after its table and is dropped first: Postgres drops no table that a view uses.
                for name in reversed(warehouse.tables(layer)):
                    if name not in kept.get(layer, ()):
                        warehouse.drop(layer, name)
