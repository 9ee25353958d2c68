"""Brings a dimension up to date: the members that changes touch, or all of them, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.events import EventListener, FindingMade, discard
from headwater.gold.change_feed import Consumer, Pending, announce, changed, read_pending, record_progress
from headwater.gold.columns import fit, fit_versions, is_empty, listed
from headwater.gold.dimension import date, enum, inherit
from headwater.gold.dimension import entity as dimension
from headwater.gold.dimension.entity import Compiled
from headwater.gold.dimension.rekey import key_kind, settle_keys
from headwater.gold.dimension.special_members import check_keys, keep_reserved
from headwater.gold.dimension.unmatched_rules import report_unmatched
from headwater.gold.fact import select as fact
from headwater.gold.key_sequence import remember_last, select_numbered
from headwater.gold.row_lookup import entity_columns, members_of
from headwater.gold.star import Star
from headwater.gold.upsert import bring, clear
from headwater.model.dimension import DateDimension, Dimension, EntityDimension, EnumDimension
from headwater.model.entity import Entity
from headwater.model.fact import Fact
from headwater.model.tables import needs, table_name
from headwater.names import quote
from headwater.warehouse.base import Table, Warehouse, Written
from headwater.warehouse.row_lookup import Found, found, versions_of


def table_of(warehouse: Warehouse, star: Star, declared: Dimension | Fact) -> Table:
    """The table in gold that keeps a dimension or fact; the entities' tables are ready."""
    match declared:
        case Fact():
            return fact.table_of(warehouse, fact.compiled(star, declared, warehouse.ref))
        case EntityDimension():
            return dimension.table_of(warehouse, dimension.compiled(star, declared, warehouse.ref))
        case EnumDimension():
            return enum.table_of(warehouse, star, declared)
        case DateDimension():
            return date.table_of(declared)


def build_dimension(
    warehouse: Warehouse, star: Star, declared: Dimension, *, rebuild: bool = False, listen: EventListener = discard
) -> Written:
    """Bring a dimension up to date with silver; with `rebuild`, all of its members. A replay writes nothing."""
    with warehouse.transaction():
        match declared:
            case EntityDimension():
                return _entity(warehouse, star, declared, rebuild=rebuild, listen=listen)
            case EnumDimension():
                return _values(warehouse, star, declared, rebuild=rebuild, listen=listen)
            case DateDimension():
                return _days(warehouse, declared, rebuild=rebuild)


def _entity(
    warehouse: Warehouse, star: Star, declared: EntityDimension, *, rebuild: bool, listen: EventListener
) -> Written:
    parts = dimension.compiled(star, declared, warehouse.ref)
    table = dimension.table_of(warehouse, parts)
    consumer = _consumer(declared, table, dimension.rows_of(parts))
    pending = _pending(warehouse, consumer, rebuild=rebuild)
    if pending.idle:
        return Written()
    settled = settle_keys(warehouse, star, declared, pending.keys, listen)
    return settled + _members_built(warehouse, star, parts, table, consumer=consumer, pending=pending, listen=listen)


def _members_built(
    warehouse: Warehouse,
    star: Star,
    parts: Compiled,
    table: Table,
    *,
    consumer: Consumer,
    pending: Pending,
    listen: EventListener,
) -> Written:
    declared, stored = parts.dimension, warehouse.ref("gold", table.name)
    if pending.full:
        fit_versions(warehouse, table, anew=not pending.keys)
        if is_empty(warehouse, table):
            written = _first(warehouse, parts, table)
            _report(warehouse, star, parts, None, listen)
            return _done(warehouse, table, consumer, pending, written)
    keys = _members(warehouse, parts, table, pending)
    versions, held = parts.relation, None
    if not pending.full:
        entity = star.entity(declared.entity, where=str(declared.origin))
        versions, held = _looked_at(warehouse, parts, entity, table, keys)
    rows = dimension.rows_of(parts, keys=None if pending.full else keys, versions=versions)
    fresh = warehouse.stage(
        "gold_fresh",
        f"SELECT {listed(table.names)} FROM ({rows}) AS _fresh\n"
        f"UNION ALL\n{dimension.met_before(table, stored=held.relation if held else stored, relation=versions, keys=keys)}",
    )
    fresh = _numbered(warehouse, declared, table, fresh=fresh, before=held.relation if held else stored)
    _report(warehouse, star, parts, None if pending.full else keys, listen)
    return _bring(warehouse, table, consumer, pending, keys=keys, fresh=fresh, held=held)


def _first(warehouse: Warehouse, parts: Compiled, table: Table) -> Written:
    """Fill an empty table: nothing has to be held against anything."""
    stored = warehouse.ref("gold", table.name)
    rows = dimension.rows_of(parts)
    if parts.dimension.surrogate == "sequence":
        rows = select_numbered(warehouse, table, fresh=warehouse.stage("gold_fresh", rows), before=stored)
    inserted = warehouse.append(
        "gold", table.name, table.names, f"SELECT {listed(table.names)} FROM ({rows}) AS _fresh"
    )
    check_keys(warehouse, table)
    announce(warehouse, table.name, f"(SELECT DISTINCT entity_key FROM {stored}) AS members")
    return Written(inserted=inserted)


def _numbered(
    warehouse: Warehouse, declared: EntityDimension | EnumDimension, table: Table, *, fresh: str, before: str
) -> str:
    """The staged `fresh` rows, with numbers for keys where that is declared; those of the rows `before` stay."""
    if declared.surrogate != "sequence":
        return fresh
    remember_last(warehouse, table)
    return warehouse.stage("gold_numbered", select_numbered(warehouse, table, fresh=fresh, before=before))


def _looked_at(warehouse: Warehouse, parts: Compiled, entity: Entity, table: Table, keys: str) -> tuple[str, Found]:
    """The staged versions of the staged `keys`, and the members that are stored of them."""
    own = f"SELECT entity_key FROM {keys}"
    columns = entity_columns(entity)
    versions = found(warehouse, versions_of(warehouse, entity), keys=own, columns=columns, name="gold_versions")
    at = members_of(warehouse, parts, entity)
    return versions.relation, found(warehouse, at, keys=own, columns=table.names, name="gold_held")


def _members(warehouse: Warehouse, parts: Compiled, table: Table, pending: Pending) -> str:
    """The staged keys of the members to look at."""
    if pending.full:
        return warehouse.stage("gold_keys", dimension.everyone(parts, warehouse.ref("gold", table.name)))
    news = {source: changed(warehouse, source, pending) for source in pending.moved}
    own = news.get(parts.dimension.entity)
    keys = warehouse.stage("gold_keys", dimension.affected(parts, own=own, joined=news))
    for item in parts.inherited:
        below = inherit.descendants(item, entity=parts.relation, keys=keys)
        keys = warehouse.stage("gold_keys", f"SELECT entity_key FROM {warehouse.stage('gold_below', below)}")
    return keys


def _report(warehouse: Warehouse, star: Star, parts: Compiled, keys: str | None, listen: EventListener) -> None:
    report_unmatched(warehouse, star, parts.dimension, listen)
    for item in parts.inherited:
        found = warehouse.rows(inherit.circles(item, entity=parts.relation, keys=keys))
        if found:
            listen(
                FindingMade(
                    tenant=warehouse.tenant,
                    table=f"gold.{table_name(parts.dimension)}",
                    finding=f"ancestors of `{item.parent}` form a circle, so `{item.name}` stays empty",
                    count=len(found),
                    detail=", ".join(sorted(str(key) for (key,) in found)[:5]),
                )
            )


def _values(
    warehouse: Warehouse, star: Star, declared: EnumDimension, *, rebuild: bool, listen: EventListener
) -> Written:
    table = enum.table_of(warehouse, star, declared)
    consumer = _consumer(declared, table, enum.rows_of(star, declared, warehouse.ref))
    pending = _pending(warehouse, consumer, rebuild=rebuild)
    if pending.idle:
        return Written()
    settled = settle_keys(warehouse, star, declared, pending.keys, listen)
    stored, seen = warehouse.ref("gold", table.name), enum.values_of(declared, warehouse.ref)
    looked_at = ""
    if pending.full:
        fit_versions(warehouse, table, anew=not pending.keys)
        every = f"{seen}\nUNION\nSELECT entity_key FROM {stored} WHERE entity_key IS NOT NULL"
        keys = warehouse.stage("gold_keys", every)
    else:
        news = {source: changed(warehouse, source, pending) for source in pending.moved}
        keys = warehouse.stage("gold_keys", enum.affected(declared, warehouse.ref, news))
        looked_at = _seen_first(warehouse, star, declared, stored=stored, keys=keys, news=news)
    rows = enum.rows_of(star, declared, warehouse.ref, keys=keys, seen=looked_at)
    texts = [f"SELECT {listed(table.names)} FROM ({rows}) AS _fresh"]
    if warehouse.rows(f"SELECT 1 FROM {stored} WHERE is_inferred LIMIT 1"):
        texts.append(dimension.met_before(table, stored=stored, relation=f"({seen}) AS seen", keys=keys))
    fresh = warehouse.stage("gold_fresh", "\nUNION ALL\n".join(texts))
    fresh = _numbered(warehouse, declared, table, fresh=fresh, before=stored)
    return settled + _bring(warehouse, table, consumer, pending, keys=keys, fresh=fresh)


def _seen_first(
    warehouse: Warehouse, star: Star, declared: EnumDimension, *, stored: str, keys: str, news: Mapping[str, str]
) -> str:
    """The staged values with batches that tell which batch brought each value of the staged `keys` first.

    Empty where only all versions can tell, or an engine reads them as fast.
    """
    if not warehouse.capabilities.row_ids:
        return ""
    known = enum.still_first(warehouse, declared, stored=stored, keys=keys)
    if known is None:
        return ""
    seen = warehouse.stage("gold_seen", known)
    for name, changes in news.items():
        columns = {item.column: None for item in declared.values_of if item.entity == name}
        at = versions_of(warehouse, star.declarations.entities[name])
        rows = found(
            warehouse,
            at,
            keys=changes,
            columns=tuple({"entity_key": None, **columns, "batch_id": None}),
            name="gold_versions",
        )
        fresh = enum.brought(declared, name, rows.relation, warehouse.ref)
        seen = warehouse.stage("gold_seen", f"SELECT * FROM {seen}", *fresh)
    return seen


def _bring(
    warehouse: Warehouse,
    table: Table,
    consumer: Consumer,
    pending: Pending,
    *,
    keys: str,
    fresh: str,
    held: Found | None = None,
) -> Written:
    differing, rows, written = bring(warehouse, table, keys=keys, fresh=fresh, found=held)
    if written.rows:
        check_keys(warehouse, table, rows)
        announce(warehouse, table.name, differing)
    return _done(warehouse, table, consumer, pending, written)


def _done(warehouse: Warehouse, table: Table, consumer: Consumer, pending: Pending, written: Written) -> Written:
    if pending.full:
        written += keep_reserved(warehouse, table)
    record_progress(warehouse, consumer, pending)
    clear(warehouse)
    return written


def _days(warehouse: Warehouse, declared: DateDimension, *, rebuild: bool) -> Written:
    table = date.table_of(declared)
    consumer = Consumer(name=table.name, sources=(), definition=date.definition(declared))
    pending = _pending(warehouse, consumer, rebuild=rebuild)
    if pending.idle:
        return Written()
    fit(warehouse, table)
    key, stored = quote(table.columns[0].name), warehouse.ref("gold", table.name)
    fresh = warehouse.stage_arrow("gold_days", date.days(declared))
    keys = warehouse.stage("gold_keys", f"SELECT {key} FROM {fresh} UNION SELECT {key} FROM {stored} WHERE {key} > 0")
    written = warehouse.replace_rows(table, keys=keys, fresh=fresh) + keep_reserved(warehouse, table)
    record_progress(warehouse, consumer, pending)
    clear(warehouse)
    return written


def _consumer(declared: EntityDimension | EnumDimension, table: Table, select: str) -> Consumer:
    columns = ", ".join(f"{column.name} {column.dtype}" for column in table.columns)
    sequence = declared.surrogate == "sequence"
    return Consumer(
        name=table.name,
        sources=tuple(sorted(needs(declared))),
        definition=f"{columns}\n{sequence}\n{select}",
        keys=key_kind(declared),
    )


def _pending(warehouse: Warehouse, consumer: Consumer, *, rebuild: bool) -> Pending:
    missing = warehouse.describe("gold", consumer.name) is None
    return read_pending(warehouse, consumer, rebuild=rebuild or missing)
