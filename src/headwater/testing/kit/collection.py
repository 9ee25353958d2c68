"""The records of one simulated resource: they are created, change, appear late and are deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from random import Random
from typing import Any

from headwater.model.field import Field, Node, flatten_nodes
from headwater.model.resource import Resource
from headwater.testing.kit.sample import (
    JsonObject,
    StampFormat,
    build_key,
    build_note,
    build_stamp_format,
    draw_record,
    find_note_field,
    get_path,
    set_path,
)
from headwater.wire.cursor import ChangeFilter, DeleteFlag, DeleteMark
from headwater.wire.records import split_path


@dataclass(slots=True, kw_only=True)
class SimulatedRecord:
    """One record, and its fate."""

    number: int
    values: JsonObject
    changed_at: datetime
    visible_at: datetime
    """From when on the service shows this state."""
    revision: int
    parent: str | None = None
    is_deleted: bool = False
    states: int = 1
    """The number of its states so far, each of which may be a version."""


@dataclass(kw_only=True)
class Collection:
    """The records of a resource. `resource` has the defaults of its connector."""

    resource: Resource
    nodes: tuple[Node, ...]
    random: Random
    records: dict[int, SimulatedRecord] = field(default_factory=dict)
    revision: int = 0
    """The number of changes so far."""

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the contract."""
        return flatten_nodes(self.nodes)

    @cached_property
    def key_paths(self) -> tuple[tuple[str, ...], ...]:
        """The paths of the key."""
        return tuple(split_path(part) for part in self.resource.key)

    @cached_property
    def stamp(self) -> StampFormat | None:
        """How the service writes the change time; None if no filter needs it."""
        cursor = self.resource.cursor
        return build_stamp_format(cursor, self.fields) if isinstance(cursor, ChangeFilter) else None

    @cached_property
    def note(self) -> Field | None:
        """The field whose value changes."""
        return find_note_field(self.nodes, self._list_used_paths())

    def add(self, number: int, at: datetime, *, parent: str | None = None, visible_at: datetime | None = None) -> None:
        """Create a record that changed at `at`. It is shown from `visible_at` on."""
        values = draw_record(self.nodes, number, self.random)
        if self.resource.custom_fields:
            set_path(values, split_path(self.resource.custom_fields), [])
        for path in self._list_unique_paths():
            set_path(values, path, build_key(self._find_dtype(path), number))
        self._mark_deleted(values, is_deleted=False)
        self.revision += 1
        self.records[number] = SimulatedRecord(
            number=number,
            values=values,
            changed_at=at,
            visible_at=visible_at or at,
            revision=self.revision,
            parent=parent,
        )
        self._write_stamp(self.records[number])

    def change(self, number: int, at: datetime, *, visible_at: datetime | None = None) -> None:
        """Change a record."""
        record = self.records[number]
        self.revision += 1
        record.changed_at, record.visible_at, record.revision = at, visible_at or at, self.revision
        record.states += 1
        if self.note is not None:
            set_path(record.values, self.note.path, build_note(self.note.dtype, self.revision))
        self._write_stamp(record)

    def delete(self, number: int, at: datetime) -> None:
        """Delete a record: as a flag if the manifest says so, else it is gone."""
        self.change(number, at)
        self.records[number].is_deleted = True
        self._mark_deleted(self.records[number].values, is_deleted=True)

    def list_shown(self, now: datetime, parent: str | None = None) -> list[SimulatedRecord]:
        """The records that the service shows now."""
        return [
            record
            for record in self.records.values()
            if record.visible_at <= now and record.parent == parent and not self._is_gone(record)
        ]

    def list_alive(self) -> Iterator[SimulatedRecord]:
        """The records that are not deleted."""
        return (record for record in self.records.values() if not record.is_deleted)

    def read_key(self, record: SimulatedRecord) -> tuple[str, ...]:
        """The key of a record, as texts."""
        return tuple(str(get_path(record.values, path)) for path in self.key_paths)

    def read_note(self, record: SimulatedRecord) -> Any:
        """The value that changes, or None."""
        return None if self.note is None else get_path(record.values, self.note.path)

    def strip(self, record: JsonObject) -> JsonObject:
        """Only the key of a record, and what its paging needs."""
        stripped: JsonObject = {}
        paging = self.resource.paging.paths if self.resource.paging else ()
        for path in (*self._list_unique_paths(), *map(split_path, paging)):
            set_path(stripped, path, get_path(record, path))
        return stripped

    def _is_gone(self, record: SimulatedRecord) -> bool:
        return record.is_deleted and not isinstance(self.resource.deletes, DeleteFlag)

    def _mark_deleted(self, values: JsonObject, *, is_deleted: bool) -> None:
        deletes = self.resource.deletes
        if isinstance(deletes, DeleteMark):
            # A living record of a feed has no mark.
            values.pop(split_path(deletes.field)[0], None)
        if not isinstance(deletes, DeleteFlag):
            return
        path = split_path(deletes.field)
        value: Any = deletes.equals
        if self._find_dtype(path) == "boolean":
            value = deletes.equals.lower() == "true"
            set_path(values, path, value if is_deleted else not value)
        else:
            set_path(values, path, value if is_deleted else None)

    def _write_stamp(self, record: SimulatedRecord) -> None:
        if self.stamp is not None:
            set_path(record.values, self.stamp.path, self.stamp.render(record.changed_at))

    def _find_dtype(self, path: tuple[str, ...]) -> str:
        return next((field.dtype for field in self.fields if field.path == path), "text")

    def _list_unique_paths(self) -> list[tuple[str, ...]]:
        """The key, and the keys by which the paging continues."""
        paging = [split_path(path) for path in (self.resource.paging.paths if self.resource.paging else ())]
        stamp = self.stamp.path if self.stamp else None
        return list(dict.fromkeys([*self.key_paths, *(path for path in paging if path != stamp)]))

    def _list_used_paths(self) -> Sequence[tuple[str, ...]]:
        used = [*self._list_unique_paths(), *([self.stamp.path] if self.stamp else [])]
        if isinstance(self.resource.deletes, DeleteFlag | DeleteMark):
            used.append(split_path(self.resource.deletes.field))
        omitted = [split_path(path) for path in self.resource.omit]
        return [*used, *omitted, *([split_path(self.resource.custom_fields)] if self.resource.custom_fields else [])]
