"""Brings a dimension up to date: the members that changes touch, or all of them, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from headwater.events import EventListener, discard
from headwater.gold.change_feed import (
    DEFINITION,
    Consumer,
    FeedPositions,
    find_pending,
    forget_source,
    read_positions,
    record_comparison,
)
from headwater.gold.columns import find_stored_types, fit_table
from headwater.gold.dimension import date, entity, enum
from headwater.gold.dimension.entity import CompiledDimension
from headwater.gold.dimension.job import DimensionJob
from headwater.gold.dimension.members import MemberBuild
from headwater.gold.dimension.rekey import get_key_kind
from headwater.gold.dimension.values import ValueBuild
from headwater.gold.fact import select as fact
from headwater.gold.star import Star
from headwater.model.dimension import DateDimension, Dimension, EntityDimension, EnumDimension
from headwater.model.fact import Fact
from headwater.model.tables import list_source_entities, name_table
from headwater.names import quote
from headwater.warehouse.base import Table, Warehouse, WriteCounts
from headwater.warehouse.stage_rows import stage_rows

Compiled = CompiledDimension | EnumDimension | DateDimension
"""A dimension, compiled where there is something to compile."""


def build_table(warehouse: Warehouse, star: Star, declared: Dimension | Fact) -> Table:
    """The table in gold that keeps a dimension or fact; the entities' tables are ready."""
    if isinstance(declared, Fact):
        return fact.build_table(warehouse, fact.compile_fact(star, declared, warehouse.ref))
    return _build_table(_compile(star, declared, warehouse), star, warehouse)


def build_dimension(
    warehouse: Warehouse,
    star: Star,
    dimension: Dimension,
    *,
    rebuild: bool = False,
    listen: EventListener = discard,
    positions: FeedPositions | None = None,
    declared: int = 0,
) -> WriteCounts:
    """Bring a dimension up to date with silver; with `rebuild`, all of its members. A replay writes nothing.

    `positions`: where the caller has read them. `declared`: see `Consumer`.
    """
    with warehouse.transaction(), warehouse.staging():
        compiled, positions = _compile(star, dimension, warehouse), positions or read_positions(warehouse)
        stored, types = warehouse.describe("gold", name_table(dimension)), None
        if positions.is_compared(name_table(dimension), declared):
            types = find_stored_types(stored, _list_values(compiled, star))
        table = _build_table(compiled, star, warehouse, types)
        known = positions.offsets[table.name].get(DEFINITION, 0) if types is not None else 0
        consumer = replace(
            _build_consumer(dimension, table, _select_members(compiled, star, warehouse)),
            declared=declared,
            known_fingerprint=known,
        )
        pending = find_pending(positions, consumer, rebuild=rebuild or stored is None)
        if pending.is_idle:
            record_comparison(warehouse, consumer, pending)
            return WriteCounts()
        job = DimensionJob(
            warehouse=warehouse,
            star=star,
            declared=dimension,
            table=table,
            consumer=consumer,
            pending=pending,
            positions=positions,
            listen=listen,
        )
        if stored is None and any(table.name in noted for noted in positions.offsets.values()):
            forget_source(warehouse, table.name)
        return job.rekey() + _build_members(job, compiled)


def _compile(star: Star, declared: Dimension, warehouse: Warehouse) -> Compiled:
    if isinstance(declared, EntityDimension):
        return entity.compile_dimension(star, declared, warehouse.ref)
    return declared


def _list_values(compiled: Compiled, star: Star) -> Iterable[str]:
    """The columns whose types the engine tells."""
    match compiled:
        case CompiledDimension():
            return compiled.values
        case EnumDimension():
            return enum.build_attributes(star, compiled, "value")
        case DateDimension():
            return ()


def _build_table(compiled: Compiled, star: Star, warehouse: Warehouse, types: Mapping[str, str] | None = None) -> Table:
    match compiled:
        case CompiledDimension():
            return entity.build_table(warehouse, compiled, types)
        case EnumDimension():
            return enum.build_table(warehouse, star, compiled, types)
        case DateDimension():
            return date.build_table(compiled)


def _select_members(compiled: Compiled, star: Star, warehouse: Warehouse) -> str:
    """What a dimension is made by, as text."""
    match compiled:
        case CompiledDimension():
            return entity.select_rows(compiled)
        case EnumDimension():
            return enum.select_rows(star, compiled, warehouse.ref)
        case DateDimension():
            return date.describe_dimension(compiled)


def _build_members(job: DimensionJob, compiled: Compiled) -> WriteCounts:
    match compiled:
        case CompiledDimension():
            return MemberBuild(job=job, parts=compiled).run()
        case EnumDimension():
            return ValueBuild(job=job, dimension=compiled).run()
        case DateDimension():
            return _build_dates(job, compiled)


def _build_dates(job: DimensionJob, declared: DateDimension) -> WriteCounts:
    warehouse, table = job.warehouse, job.table
    fit_table(warehouse, table)
    key = quote(table.columns[0].name)
    fresh = stage_rows(warehouse, "gold_days", table.columns, date.build_rows(declared))
    stored = f"SELECT {key} FROM {job.stored_ref} WHERE {key} > 0"
    keys = warehouse.stage("gold_keys", f"SELECT {key} FROM {fresh} UNION {stored}")
    return job.finish(warehouse.replace_rows(table, keys=keys, new_rows=fresh))


def _build_consumer(declared: Dimension, table: Table, select: str) -> Consumer:
    if isinstance(declared, DateDimension):
        return Consumer(name=table.name, sources=(), definition=select)
    columns = ", ".join(f"{column.name} {column.dtype}" for column in table.columns)
    sequence = declared.surrogate == "sequence"
    return Consumer(
        name=table.name,
        sources=tuple(sorted(list_source_entities(declared))),
        definition=f"{columns}\n{sequence}\n{select}",
        keys=get_key_kind(declared),
    )
