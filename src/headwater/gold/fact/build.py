"""Brings a fact up to date: the rows that changes touch, pointed anew where the answer is another one."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.events import EventListener, FindingMade, discard
from headwater.gold.change_feed import Consumer, Pending, changed, read_pending, record_progress
from headwater.gold.columns import fit, is_empty, listed
from headwater.gold.dimension.rekey import settle_lookups
from headwater.gold.fact import inferred_members, periods
from headwater.gold.fact.lookup import Reach
from headwater.gold.fact.select import (
    CompiledFact,
    CompiledPart,
    asked_for,
    compiled,
    grain_is_sure,
    pointing_at,
    rows_of,
    table_of,
)
from headwater.gold.row_lookup import dimension_at, entity_columns, fits, rows_of_fact
from headwater.gold.star import Star
from headwater.gold.surrogate_key import connection_of
from headwater.gold.upsert import clear, exchange
from headwater.model.dimension import ERROR, DateDimension, EntityDimension
from headwater.model.fact import Fact
from headwater.model.tables import needs, table_name
from headwater.names import quote
from headwater.warehouse.base import Table, Warehouse, Written
from headwater.warehouse.row_lookup import Found, found, versions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One load of one fact."""

    warehouse: Warehouse
    star: Star
    parts: CompiledFact
    table: Table
    consumer: Consumer
    pending: Pending
    listen: EventListener

    @property
    def fact(self) -> Fact:
        return self.parts.fact

    @property
    def stored(self) -> str:
        return self.warehouse.ref("gold", self.table.name)


def load_fact(
    warehouse: Warehouse, star: Star, fact: Fact, *, rebuild: bool = False, listen: EventListener = discard
) -> Written:
    """Bring a fact up to date with silver and its dimensions; with `rebuild`, all rows. A replay writes nothing.

    What was written counts the inferred members that it put into dimensions or took out of them.
    """
    with warehouse.transaction():
        parts = compiled(star, fact, warehouse.ref)
        table = table_of(warehouse, parts)
        month = periods.newest_month(warehouse)
        consumer = _consumer(star, parts, table, number=periods.number_of(month) if fact.periods else 0)
        missing = warehouse.describe("gold", table.name) is None
        pending = read_pending(warehouse, consumer, rebuild=rebuild or missing)
        if pending.idle and pending.period == consumer.period:
            return Written()
        if pending.full:
            fit(warehouse, table)
        months = periods.stage_months(warehouse, parts, month) if fact.periods else ""
        job = _Job(
            warehouse=warehouse,
            star=star,
            parts=parts,
            table=table,
            consumer=consumer,
            pending=pending,
            listen=listen,
        )
        settled = settle_lookups(warehouse, star, fact, listen)
        written = settled + _load(job, months)
        record_progress(warehouse, consumer, pending)
        clear(warehouse, numbers=len(parts.parts) * (len(parts.reaches) + 1))
        return written


def _consumer(star: Star, parts: CompiledFact, table: Table, *, number: int) -> Consumer:
    """What the fact lives on. Days never change by themselves: how they are declared is part of the definition."""
    looked_up = star.looked_up(parts.fact)
    days = [item.model_dump_json() for item in looked_up.values() if isinstance(item, DateDimension)]
    members = {table_name(item) for item in looked_up.values() if not isinstance(item, DateDimension)}
    columns = [f"{column.name} {column.dtype}" for column in table.columns]
    return Consumer(
        name=table.name,
        sources=tuple(sorted(needs(parts.fact) | members)),
        definition="\n".join([*columns, *days, rows_of(parts)]),
        period=number,
    )


def _load(job: _Job, months: str) -> Written:
    warehouse, full = job.warehouse, job.pending.full
    if full and is_empty(warehouse, job.table):
        return _first(job, months)
    keys = warehouse.stage("gold_keys", _everything(job) if full else _affected(job, months))
    relations = [] if full else _staged_parts(job, keys)
    members = [] if full else _staged_members(job, relations, months)
    fresh = warehouse.stage("gold_fresh", rows_of(job.parts, relations=relations, members=members, months=months))
    _report(job, fresh, relations)
    held = None if full else _held(job, keys)
    stored = held.relation if held else job.stored
    candidates = inferred_members.referred(warehouse, job.parts.reaches, stored=stored, keys=None if full else keys)
    fresh, written = inferred_members.meet(warehouse, job.star, job.table, reaches=job.parts.reaches, fresh=fresh)
    replaced = exchange(warehouse, job.table, keys=keys, fresh=fresh, found=held)
    if replaced.inserted and not grain_is_sure(job.star, job.fact):
        _check_grain(job, fresh)
    return written + replaced + inferred_members.forsake(warehouse, job.star, candidates)


def _first(job: _Job, months: str) -> Written:
    """Fill an empty table: nothing has to be held against anything."""
    fresh = job.warehouse.stage("gold_fresh", rows_of(job.parts, months=months))
    _report(job, fresh, [])
    fresh, written = inferred_members.meet(job.warehouse, job.star, job.table, reaches=job.parts.reaches, fresh=fresh)
    names = job.table.names
    added = job.warehouse.append("gold", job.table.name, names, f"SELECT {listed(names)} FROM {fresh}")
    if not grain_is_sure(job.star, job.fact):
        _check_grain(job, fresh)
    return written + Written(inserted=added)


def _everything(job: _Job) -> str:
    """The keys of all rows there are or should be."""
    return "\nUNION\n".join(
        [
            *(f"SELECT entity_key FROM {part.relation} WHERE is_current" for part in job.parts.parts),
            f"SELECT entity_key FROM {job.stored}",
        ]
    )


def _affected(job: _Job, months: str) -> str:
    """The keys of rows that changes touch: of their own entities, of members they point at, and of time that passed."""
    pending = job.pending
    news = {source: changed(job.warehouse, source, pending) for source in pending.moved}
    texts = [news[entity] for entity in sorted(needs(job.fact)) if entity in news]
    texts += [
        _pointing(job, part, reach, news[name], months)
        for part in job.parts.parts
        for reach in part.reaches
        if (name := table_name(reach.dimension)) in news
    ]
    if pending.period != job.consumer.period:
        texts.append(periods.still_open(job.parts, pending.period))
    return "\nUNION\n".join(texts)


def _staged_parts(job: _Job, keys: str) -> list[str]:
    """The current rows of each part that are to be looked at, staged."""
    staged = []
    for number, part in enumerate(job.parts.parts):
        entity = job.star.declarations.entities[part.part.entity]
        rows = found(
            job.warehouse,
            versions_of(job.warehouse, entity),
            keys=f"SELECT entity_key FROM {keys}",
            columns=entity_columns(entity),
            name=f"gold_part_{number}",
            where="x.is_current",
        )
        staged.append(rows.relation)
    return staged


def _staged_members(job: _Job, relations: list[str], months: str) -> list[dict[str, str]]:
    """For each part, by lookup, the members of entities that its staged rows may point at, staged."""
    staged: list[dict[str, str]] = []
    for part, relation in zip(job.parts.parts, relations, strict=True):
        members: dict[str, str] = {}
        for reach in part.reaches:
            if isinstance(reach.dimension, EntityDimension) and not reach.behind:
                rows = found(
                    job.warehouse,
                    dimension_at(job.warehouse, job.star, reach.dimension),
                    keys=asked_for(part, reach, staged=relation, months=months),
                    columns=tuple(dict.fromkeys(reach.needed)),
                    name=f"gold_members_{len(staged) * len(part.reaches) + len(members)}",
                )
                members[reach.name] = rows.relation
        staged.append(members)
    return staged


def _pointing(job: _Job, part: CompiledPart, reach: Reach, changed: str, months: str) -> str:
    """SELECT of the keys of the current rows that ask for one of the `changed` members."""
    text = pointing_at(part, reach, changed=changed, months=months)
    condition = fits(job.star, part, reach, changed) if job.warehouse.capabilities.row_ids else ""
    if not condition:
        return text
    # Where a column tells who may ask, those rows are found first: of them only what the question reads.
    columns = entity_columns(job.star.declarations.entities[part.part.entity])
    read = [name for name in columns if name in ("entity_key", "is_current") or quote(name) in text]
    likely = job.warehouse.stage(
        f"gold_likely_{job.parts.parts.index(part) * len(part.reaches) + part.reaches.index(reach)}",
        f"SELECT {listed(read, '_row')} FROM {part.relation} AS _row WHERE _row.is_current AND {condition}",
    )
    return pointing_at(part, reach, changed=changed, months=months, staged=likely)


def _held(job: _Job, keys: str) -> Found:
    """What is stored of the staged keys."""
    return found(
        job.warehouse,
        rows_of_fact(job.star, job.parts),
        keys=f"SELECT entity_key FROM {keys}",
        columns=job.table.names,
        name="gold_held",
    )


def _report(job: _Job, fresh: str, relations: list[str]) -> None:
    """Tell of rows whose day is outside of the calendar, and of rows that span no month."""
    for reach in job.parts.reaches:
        if reach.is_day:
            outside = f"SELECT entity_key FROM {fresh} WHERE {quote(reach.column)} = {ERROR}"
            _tell(job, outside, f"`{reach.name}` is outside of the span of `{reach.dimension.dimension}`")
    if job.fact.periods:
        texts = relations or [part.relation for part in job.parts.parts]
        _tell(job, periods.without_span(job.parts, texts), "spans no month: it has no first day, or ends before it")


def _tell(job: _Job, select: str, finding: str) -> None:
    count, example = job.warehouse.rows(f"SELECT COUNT(*), MIN(entity_key) FROM ({select}) AS found")[0]
    if count:
        table = f"gold.{job.table.name}"
        job.listen(
            FindingMade(
                tenant=job.warehouse.tenant, table=table, finding=finding, count=count, detail=f"e.g. {example}"
            )
        )


def _alike(job: _Job, fresh: str) -> str:
    """SELECT of the stored rows with the grain of a fresh one. NULL equals NULL there, which Postgres finds row by row: apart."""
    grain, names = job.fact.grain, listed(("entity_key", *job.fact.grain), "_row")
    equal = " AND ".join(f"_new.{quote(name)} = _row.{quote(name)}" for name in grain)
    select = f"SELECT {names} FROM {job.stored} AS _row WHERE EXISTS (SELECT 1 FROM {fresh} AS _new WHERE {equal})"
    empty, held = (" OR ".join(f"{of}.{quote(name)} IS NULL" for name in grain) for of in ("_new", "_row"))
    if not job.warehouse.rows(f"SELECT 1 FROM {fresh} AS _new WHERE {empty} LIMIT 1"):
        return select
    same = " AND ".join(f"_new.{quote(name)} IS NOT DISTINCT FROM _row.{quote(name)}" for name in grain)
    among = f"EXISTS (SELECT 1 FROM {fresh} AS _new WHERE ({empty}) AND {same})"
    return f"{select} UNION ALL SELECT {names} FROM {job.stored} AS _row WHERE ({held}) AND {among}"


def _check_grain(job: _Job, fresh: str) -> None:
    """Nothing when the fresh rows share their grain with no other row of their connection; DeclarationError otherwise."""
    grain = job.fact.grain
    names = ", ".join([connection_of("_row.entity_key"), listed(grain, "_row")])
    twice = job.warehouse.rows(
        f"SELECT MIN(_row.entity_key), MAX(_row.entity_key), COUNT(*), {names} FROM ({_alike(job, fresh)}) AS _row "
        f"GROUP BY {names} HAVING COUNT(*) > 1 LIMIT 1"
    )
    if twice:
        one, other, count, _, *values = twice[0]
        example = ", ".join(f"{name} = {value}" for name, value in zip(grain, values, strict=True))
        raise DeclarationError(
            f"Rows of {job.table.name} share their grain; nothing was written.",
            where=f"{job.fact.origin} fact {job.fact.fact}, grain [{', '.join(grain)}]",
            saw=f"{count} rows with {example}, made from {one} and {other}",
            hint="add a column to the grain that tells them apart",
        )
