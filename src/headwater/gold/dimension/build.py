"""Brings a dimension up to date: the members that changes touch, or all of them, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.events import EventListener, Finding, FindingMade, discard
from headwater.gold.change_feed import (
    Consumer,
    PendingChanges,
    changed_keys_sql,
    read_pending,
    record_change,
    record_progress,
)
from headwater.gold.columns import fit_table, is_empty
from headwater.gold.dimension import date, enum, inherit
from headwater.gold.dimension import entity as dimension
from headwater.gold.dimension.entity import CompiledDimension
from headwater.gold.dimension.rekey import key_kind, rekey_dimension
from headwater.gold.dimension.special_members import check_keys, keep_reserved
from headwater.gold.dimension.unmatched_rules import report_unmatched
from headwater.gold.fact import select as fact
from headwater.gold.key_sequence import save_last, select_numbered
from headwater.gold.row_lookup import entity_columns, member_key, version_key
from headwater.gold.star import Star
from headwater.gold.upsert import upsert_members
from headwater.model.dimension import DateDimension, Dimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.tables import needs, table_name
from headwater.names import quote
from headwater.temporal.sql import column_list
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts
from headwater.warehouse.stage_rows import stage_rows


def table_of(warehouse: Warehouse, star: Star, declared: Dimension | Fact) -> Table:
    """The table in gold that keeps a dimension or fact; the entities' tables are ready."""
    match declared:
        case Fact():
            return fact.table_of(warehouse, fact.compile_fact(star, declared, warehouse.ref))
        case EntityDimension():
            return dimension.table_of(warehouse, dimension.compile_dimension(star, declared, warehouse.ref))
        case EnumDimension():
            return enum.table_of(warehouse, star, declared)
        case DateDimension():
            return date.table_of(declared)


def build_dimension(
    warehouse: Warehouse, star: Star, declared: Dimension, *, rebuild: bool = False, listen: EventListener = discard
) -> WriteCounts:
    """Bring a dimension up to date with silver; with `rebuild`, all of its members. A replay writes nothing."""
    with warehouse.transaction(), warehouse.staging():
        match declared:
            case EntityDimension():
                return _build_entity(warehouse, star, declared, rebuild=rebuild, listen=listen)
            case EnumDimension():
                return _build_values(warehouse, star, declared, rebuild=rebuild, listen=listen)
            case DateDimension():
                return _build_dates(warehouse, declared, rebuild=rebuild)


def _build_entity(
    warehouse: Warehouse, star: Star, declared: EntityDimension, *, rebuild: bool, listen: EventListener
) -> WriteCounts:
    parts = dimension.compile_dimension(star, declared, warehouse.ref)
    table = dimension.table_of(warehouse, parts)
    consumer = _make_consumer(declared, table, dimension.select_rows(parts))
    pending = _read_pending(warehouse, consumer, rebuild=rebuild)
    if pending.is_idle:
        return WriteCounts()
    settled = rekey_dimension(warehouse, star, declared, pending.keys, listen)
    return settled + _build_members(warehouse, star, parts, table, consumer=consumer, pending=pending, listen=listen)


def _build_members(
    warehouse: Warehouse,
    star: Star,
    parts: CompiledDimension,
    table: Table,
    *,
    consumer: Consumer,
    pending: PendingChanges,
    listen: EventListener,
) -> WriteCounts:
    declared, stored = parts.dimension, warehouse.ref("gold", table.name)
    if pending.full:
        fit_table(warehouse, table, anew=not pending.keys)
        if is_empty(warehouse, table):
            written = _fill_empty(warehouse, parts, table)
            _report(warehouse, star, parts, None, listen)
            return _finish(warehouse, table, consumer, pending, written)
    keys = _stage_keys(warehouse, parts, table, pending)
    versions, held = parts.relation, None
    if not pending.full:
        entity = star.entity(declared.entity, where=str(declared.origin))
        versions, held = _stage_affected(warehouse, parts, entity, table, keys)
    rows = dimension.select_rows(parts, keys=None if pending.full else keys, versions=versions)
    kept = dimension.inferred_rows_sql(table, stored=held.relation if held else stored, relation=versions, keys=keys)
    fresh = warehouse.stage(
        "gold_fresh",
        f"SELECT {column_list(table.names)} FROM ({rows}) AS _fresh\nUNION ALL\n{kept}",
    )
    fresh = _stage_numbered(warehouse, declared, table, fresh=fresh, before=held.relation if held else stored)
    _report(warehouse, star, parts, None if pending.full else keys, listen)
    return _upsert(warehouse, table, consumer, pending, keys=keys, fresh=fresh, held=held)


def _fill_empty(warehouse: Warehouse, parts: CompiledDimension, table: Table) -> WriteCounts:
    """Fill an empty table: nothing has to be held against anything."""
    stored = warehouse.ref("gold", table.name)
    rows = dimension.select_rows(parts)
    if parts.dimension.surrogate == "sequence":
        rows = select_numbered(warehouse, table, fresh=warehouse.stage("gold_fresh", rows), before=stored)
    inserted = warehouse.append(
        "gold", table.name, table.names, f"SELECT {column_list(table.names)} FROM ({rows}) AS _fresh"
    )
    check_keys(warehouse, table)
    record_change(warehouse, table.name, f"(SELECT DISTINCT entity_key FROM {stored}) AS members")
    return WriteCounts(inserted=inserted)


def _stage_numbered(
    warehouse: Warehouse, declared: EntityDimension | EnumDimension, table: Table, *, fresh: str, before: str
) -> str:
    """The staged `fresh` rows, with numbers for keys where that is declared; those of the rows `before` stay."""
    if declared.surrogate != "sequence":
        return fresh
    save_last(warehouse, table)
    return warehouse.stage("gold_numbered", select_numbered(warehouse, table, fresh=fresh, before=before))


def _stage_affected(
    warehouse: Warehouse, parts: CompiledDimension, entity: Entity, table: Table, keys: str
) -> tuple[str, StagedRows]:
    """The staged versions of the staged `keys`, and the members that are stored of them."""
    own = f"SELECT entity_key FROM {keys}"
    columns, by = entity_columns(entity), version_key(warehouse, entity)
    versions = warehouse.select_rows("gold_versions", "silver", entity.entity, keys=own, columns=columns, by=by)
    by = member_key(warehouse, parts, entity)
    return versions.relation, warehouse.select_rows(
        "gold_held", "gold", table.name, keys=own, columns=table.names, by=by
    )


def _stage_keys(warehouse: Warehouse, parts: CompiledDimension, table: Table, pending: PendingChanges) -> str:
    """The staged keys of the members to look at."""
    if pending.full:
        return warehouse.stage("gold_keys", dimension.all_keys_sql(parts, warehouse.ref("gold", table.name)))
    news = {source: changed_keys_sql(warehouse, source, pending) for source in pending.changed_sources}
    own = news.get(parts.dimension.entity)
    keys = warehouse.stage("gold_keys", dimension.affected_keys_sql(parts, own=own, joined=news))
    for item in parts.inherited:
        below = inherit.select_descendants(item, entity=parts.relation, keys=keys)
        keys = warehouse.stage("gold_keys", f"SELECT entity_key FROM {warehouse.stage('gold_below', below)}")
    return keys


def _report(
    warehouse: Warehouse, star: Star, parts: CompiledDimension, keys: str | None, listen: EventListener
) -> None:
    report_unmatched(warehouse, star, parts.dimension, listen)
    for item in parts.inherited:
        circles = warehouse.rows(inherit.select_circles(item, entity=parts.relation, keys=keys))
        if circles:
            keys_shown = ", ".join(sorted(str(key) for (key,) in circles)[:5])
            finding = Finding(
                table=f"gold.{table_name(parts.dimension)}",
                finding="ancestor_cycle",
                count=len(circles),
                detail=f"ancestors of `{item.parent}` form a cycle, so `{item.name}` stays empty: {keys_shown}",
            )
            listen(FindingMade(tenant=warehouse.tenant, finding=finding))


def _build_values(
    warehouse: Warehouse, star: Star, declared: EnumDimension, *, rebuild: bool, listen: EventListener
) -> WriteCounts:
    table = enum.table_of(warehouse, star, declared)
    consumer = _make_consumer(declared, table, enum.select_rows(star, declared, warehouse.ref))
    pending = _read_pending(warehouse, consumer, rebuild=rebuild)
    if pending.is_idle:
        return WriteCounts()
    settled = rekey_dimension(warehouse, star, declared, pending.keys, listen)
    stored, seen = warehouse.ref("gold", table.name), enum.select_values(declared, warehouse.ref)
    looked_at = ""
    if pending.full:
        fit_table(warehouse, table, anew=not pending.keys)
        every = f"{seen}\nUNION\nSELECT entity_key FROM {stored} WHERE entity_key IS NOT NULL"
        keys = warehouse.stage("gold_keys", every)
    else:
        news = {source: changed_keys_sql(warehouse, source, pending) for source in pending.changed_sources}
        keys = warehouse.stage("gold_keys", enum.affected_values_sql(declared, warehouse.ref, news))
        looked_at = _stage_first_seen(warehouse, star, declared, stored=stored, keys=keys, news=news)
    rows = enum.select_rows(star, declared, warehouse.ref, keys=keys, seen=looked_at)
    texts = [f"SELECT {column_list(table.names)} FROM ({rows}) AS _fresh"]
    if warehouse.rows(f"SELECT 1 FROM {stored} WHERE is_inferred LIMIT 1"):
        texts.append(dimension.inferred_rows_sql(table, stored=stored, relation=f"({seen}) AS seen", keys=keys))
    fresh = warehouse.stage("gold_fresh", "\nUNION ALL\n".join(texts))
    fresh = _stage_numbered(warehouse, declared, table, fresh=fresh, before=stored)
    return settled + _upsert(warehouse, table, consumer, pending, keys=keys, fresh=fresh)


def _stage_first_seen(
    warehouse: Warehouse, star: Star, declared: EnumDimension, *, stored: str, keys: str, news: Mapping[str, str]
) -> str:
    """The staged values with batches that tell which batch brought each value of the staged `keys` first.

    Empty where only all versions can tell, or an engine reads them as fast.
    """
    if not warehouse.capabilities.narrow_reads:
        return ""
    known = enum.select_still_first(warehouse, declared, stored=stored, keys=keys)
    if known is None:
        return ""
    seen = warehouse.stage("gold_seen", known)
    for name, changes in news.items():
        columns = [item.column for item in declared.values_of if item.entity == name]
        columns = [*dict.fromkeys(("entity_key", *columns, "batch_id"))]
        by = version_key(warehouse, star.declarations.entities[name])
        rows = warehouse.select_rows("gold_versions", "silver", name, keys=changes, columns=columns, by=by)
        fresh = enum.select_origins(declared, name, rows.relation, warehouse.ref)
        seen = warehouse.stage("gold_seen", f"SELECT * FROM {seen}", *fresh)
    return seen


def _upsert(
    warehouse: Warehouse,
    table: Table,
    consumer: Consumer,
    pending: PendingChanges,
    *,
    keys: str,
    fresh: str,
    held: StagedRows | None = None,
) -> WriteCounts:
    differing, rows, written = upsert_members(warehouse, table, keys=keys, fresh=fresh, stored=held)
    if written.rows:
        check_keys(warehouse, table, rows)
        record_change(warehouse, table.name, differing)
    return _finish(warehouse, table, consumer, pending, written)


def _finish(
    warehouse: Warehouse, table: Table, consumer: Consumer, pending: PendingChanges, written: WriteCounts
) -> WriteCounts:
    if pending.full:
        written += keep_reserved(warehouse, table)
    record_progress(warehouse, consumer, pending)
    return written


def _build_dates(warehouse: Warehouse, declared: DateDimension, *, rebuild: bool) -> WriteCounts:
    table = date.table_of(declared)
    consumer = Consumer(name=table.name, sources=(), definition=date.definition(declared))
    pending = _read_pending(warehouse, consumer, rebuild=rebuild)
    if pending.is_idle:
        return WriteCounts()
    fit_table(warehouse, table)
    key, stored = quote(table.columns[0].name), warehouse.ref("gold", table.name)
    fresh = stage_rows(warehouse, "gold_days", table.columns, date.build_rows(declared))
    keys = warehouse.stage("gold_keys", f"SELECT {key} FROM {fresh} UNION SELECT {key} FROM {stored} WHERE {key} > 0")
    written = warehouse.replace_rows(table, keys=keys, fresh=fresh) + keep_reserved(warehouse, table)
    record_progress(warehouse, consumer, pending)
    return written


def _make_consumer(declared: EntityDimension | EnumDimension, table: Table, select: str) -> Consumer:
    columns = ", ".join(f"{column.name} {column.dtype}" for column in table.columns)
    sequence = declared.surrogate == "sequence"
    return Consumer(
        name=table.name,
        sources=tuple(sorted(needs(declared))),
        definition=f"{columns}\n{sequence}\n{select}",
        keys=key_kind(declared),
    )


def _read_pending(warehouse: Warehouse, consumer: Consumer, *, rebuild: bool) -> PendingChanges:
    missing = warehouse.describe("gold", consumer.name) is None
    return read_pending(warehouse, consumer, rebuild=rebuild or missing)
