"""An entity in a warehouse: the one value by which silver reaches its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.model.entity import Entity
from headwater.names import quote_literal
from headwater.silver.schema.tables import build_log_table, build_versions_table, get_history_columns
from headwater.temporal.fold import HistoryColumns
from headwater.warehouse.base import RowKey, StagedRows, Table, Warehouse


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
        return get_history_columns(self.entity)

    @property
    def log(self) -> Table:
        """The change log: `silver.<entity>_log`."""
        return build_log_table(self.entity)

    @property
    def versions(self) -> Table:
        """The versions: `silver.<entity>`."""
        return build_versions_table(self.entity)

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
        return f"entity = {quote_literal(self.name)}"

    def build_version_key(self, log: str = "") -> RowKey:
        """How the versions of a key are found: each begins at an event of the log.

        `log` names a staged part of the log, with all that it has of the keys that are looked up.
        """
        return RowKey(number=self.entity.integer_key, log=log or self.log_ref)

    def select_events(self, into: str, *, hashes: str, columns: Sequence[str]) -> StagedRows:
        """Stage the events of the log whose `key_hash` is in `hashes` (a SELECT): those of some keys, by chance of others."""
        by = RowKey(column="key_hash", number="key_hash")
        return self.warehouse.select_rows(into, "silver", self.log.name, keys=hashes, columns=columns, by=by)

    def has_events(self) -> bool:
        """Whether the change log, which is there, has any event."""
        return bool(self.warehouse.rows(f"SELECT 1 FROM {self.log_ref} LIMIT 1"))

    def has_versions(self) -> bool:
        """Whether there is any version."""
        return bool(self.warehouse.rows(f"SELECT 1 FROM {self.versions_ref} LIMIT 1"))
