"""A complete read of a source, and the keys that it shows: SQL over its records."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headwater.clock import to_micros
from headwater.errors import WarehouseError
from headwater.model.entity import Entity
from headwater.names import quote, quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.events import cast_sql, key_sql, records_sql, select_events
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.warehouse.base import Warehouse
from headwater.warehouse.lake_reader import LakeReader

READMITTED = ".retry-"
"""What the names of the files hold that a batch got when its refused records were readmitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRead:
    """A complete read of a source of an entity, and the records that were asked for by id because of it."""

    tables: EntityTables
    lake: LakeReader
    mapping: SourceMapping
    landed: LandedBatch
    verified: Sequence[LandedBatch] = ()
    only: str = ""
    """A staged relation of the keys that are looked at; empty for all."""

    @property
    def warehouse(self) -> Warehouse:
        """Where the entity is stored."""
        return self.tables.warehouse

    @property
    def entity(self) -> Entity:
        """The entity."""
        return self.tables.entity

    @property
    def live_batches(self) -> Sequence[LandedBatch]:
        """The batches that hold whole records of what is there."""
        return (self.landed, *self.verified) if self.landed.batch.purpose == "snapshot" else self.verified


def before_end_condition(read: CompleteRead) -> str:
    """Which events of the log count when the read ends (SQL)."""
    until, begun = to_micros(read.landed.batch.window.until), to_micros(read.landed.read_at)
    return f"(sequence < {until} OR (sequence = {until} AND observed <= {begun}))"


def select_last_records(read: CompleteRead, landed: LandedBatch) -> str:
    """The events that the last record of each key in a batch is, and of every record without a key."""
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in read.mapping.columns.items())
    types = read.lake.read_types(f"SELECT {taken} FROM {records_sql(landed)}")
    ranked = (
        "SELECT *, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY sequence DESC, place DESC) AS _n "
        f"FROM ({select_events(read.entity, read.mapping, landed, types)}) AS e"
    )
    return f"SELECT * FROM ({ranked}) AS r WHERE entity_key IS NULL OR _n = 1"


def select_shown_keys(read: CompleteRead) -> tuple[list[str], str]:
    """SELECTs of the keys that the read shows, with refused records and those asked for by id; why some are unreadable."""
    entity, mapping, landed = read.entity, read.mapping, read.landed
    selects: list[str] = []
    doubt = ""
    for one in (landed, *read.verified):
        if one.files:
            try:
                selects.append(_shown_keys_sql(read, one))
            except WarehouseError:
                doubt = "its records do not hold what the key is made of"
        if one.refused and not one.refused_file:
            doubt = f"nobody kept the keys of {one.refused} refused records"
        elif one.refused_file:
            made = _key_known_condition(entity, mapping)
            left = "" if not one.files else f" AND _line NOT IN (SELECT _line FROM {records_sql(one)})"
            kept = f"read_parquet([{quote_literal(one.refused_file)}], union_by_name = true)"
            waiting = f"(SELECT * FROM {kept} WHERE TRUE{left}) AS refused"
            if read.lake.rows(f"SELECT 1 FROM {waiting} WHERE NOT ({made}) LIMIT 1"):
                doubt = "a refused record has no readable key"
            selects.append(_keys_sql(read, one, waiting))
    return selects or ["SELECT CAST('' AS VARCHAR) AS entity_key WHERE FALSE"], doubt


def _shown_keys_sql(read: CompleteRead, landed: LandedBatch) -> str:
    """The keys that a batch shows: a snapshot's last record of a key says whether the thing is there."""
    mapping = read.mapping
    if landed.batch.purpose != "snapshot" or not (mapping.where or mapping.deleted):
        return _keys_sql(read, landed, records_sql(landed))
    records = select_last_records(read, landed)
    return f"SELECT entity_key FROM ({records}) AS said WHERE entity_key IS NULL OR operation = 'U'"


def select_record_keys(read: CompleteRead) -> list[str]:
    """SELECTs of the keys of a batch's records: of those that were readmitted since it was taken, where some were."""
    files = [file for file in read.landed.files if READMITTED in file] or list(read.landed.files)
    landed = replace(read.landed, files=tuple(files))
    return [_keys_sql(read, landed, records_sql(landed))] if files else []


def _keys_sql(read: CompleteRead, landed: LandedBatch, relation: str) -> str:
    entity, mapping = read.entity, read.mapping
    taken = ", ".join(f"{mapping.columns[name]} AS {quote(name)}" for name in entity.key)
    stored = read.lake.read_types(f"SELECT {taken} FROM {relation}")
    values = {name: cast_sql(mapping.columns[name], entity.columns[name].type, stored[name]) for name in entity.key}
    return f"SELECT {key_sql(entity, landed, values)} AS entity_key FROM {relation}"


def _key_known_condition(entity: Entity, mapping: SourceMapping) -> str:
    """Whether all that a key is made of could be typed (SQL): what could not is NULL, and NULL may still make a key."""
    # The parser takes time to import, and only refused records need it.
    parser = importlib.import_module("headwater.silver.expression_columns")
    made_of = {column for name in entity.key for column in parser.find_columns(mapping.columns[name])}
    return " AND ".join(f"{quote(name)} IS NOT NULL" for name in sorted(made_of)) or "TRUE"
