"""An entity in a warehouse: the one value by which silver reaches its tables."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import literal
from headwater.silver.schema.tables import log_table, shape_of, versions_table
from headwater.temporal.fold import HistoryColumns
from headwater.warehouse.base import Table, Warehouse
from headwater.warehouse.row_lookup import integer_key


@dataclass(frozen=True, slots=True)
class EntityTables:
    """An entity and the warehouse that stores its events and versions."""

    warehouse: Warehouse
    entity: Entity

    @property
    def name(self) -> str:
        """The name of the entity, and of the table of its versions."""
        return self.entity.entity

    @property
    def shown(self) -> str:
        """The table of its versions, as findings name it."""
        return f"silver.{self.name}"

    @property
    def columns(self) -> HistoryColumns:
        """The declared columns, tracked or overwritten."""
        return shape_of(self.entity)

    @property
    def log(self) -> Table:
        """The change log: `silver.<entity>_log`."""
        return log_table(self.entity)

    @property
    def versions(self) -> Table:
        """The versions: `silver.<entity>`."""
        return versions_table(self.entity)

    @property
    def log_ref(self) -> str:
        """The quoted name of the change log in SQL."""
        return self.warehouse.ref("silver", f"{self.name}_log")

    @property
    def versions_ref(self) -> str:
        """The quoted name of the table of versions in SQL."""
        return self.warehouse.ref("silver", self.name)

    @property
    def own_condition(self) -> str:
        """The condition of the rows of a table in `meta` that are about this entity."""
        return f"entity = {literal(self.name)}"

    @property
    def integer_key(self) -> str:
        """The column that is the entity's key, where it is one whole number; empty where it is not."""
        return integer_key(self.entity)

    def has_events(self) -> bool:
        """Whether the change log, which is there, has any event."""
        return bool(self.warehouse.rows(f"SELECT 1 FROM {self.log_ref} LIMIT 1"))

    def has_versions(self) -> bool:
        """Whether there is any version."""
        return bool(self.warehouse.rows(f"SELECT 1 FROM {self.versions_ref} LIMIT 1"))
