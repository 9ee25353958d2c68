"""Brings a fact up to date: the rows that changes touch, pointed anew where the answer is another one."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.errors import DeclarationError
from headwater.events import EventListener, Finding, FindingKind, FindingMade, discard
from headwater.gold.change_feed import (
    DEFINITION,
    Consumer,
    FeedPositions,
    PendingChanges,
    changed_keys_sql,
    find_pending,
    read_positions,
    record_comparison,
    record_progress,
)
from headwater.gold.columns import find_stored_types, fit_table, is_empty
from headwater.gold.dimension.rekey import rekey_lookups
from headwater.gold.fact import inferred_members, periods
from headwater.gold.fact.lookup import CompiledLookup
from headwater.gold.fact.select import (
    CompiledFact,
    CompiledPart,
    build_table,
    compile_fact,
    is_grain_sure,
    select_asked_keys,
    select_referencing_keys,
    select_rows,
)
from headwater.gold.row_lookup import (
    build_dimension_key,
    build_fact_key,
    build_version_key,
    list_version_columns,
    match_condition,
)
from headwater.gold.star import Star
from headwater.gold.surrogate_key import connection_sql
from headwater.model.dimension import ERROR, DateDimension, EntityDimension
from headwater.model.fact import Fact
from headwater.model.tables import list_source_entities, name_table
from headwater.names import quote
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import StagedRows, Table, Warehouse, WriteCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One load of one fact."""

    warehouse: Warehouse
    star: Star
    parts: CompiledFact
    table: Table
    consumer: Consumer
    pending: PendingChanges
    positions: FeedPositions
    listen: EventListener

    @property
    def fact(self) -> Fact:
        return self.parts.fact

    @property
    def stored_ref(self) -> str:
        return self.warehouse.ref("gold", self.table.name)


def build_fact(
    warehouse: Warehouse,
    star: Star,
    fact: Fact,
    *,
    rebuild: bool = False,
    listen: EventListener = discard,
    positions: FeedPositions | None = None,
    declared: int = 0,
) -> WriteCounts:
    """Bring a fact up to date with silver and its dimensions; with `rebuild`, all rows. A replay writes nothing.

    What was written counts the inferred members that it put into dimensions or took out of them. `positions`: where the
    caller has read them. `declared`: see `Consumer`.
    """
    with warehouse.transaction(), warehouse.staging():
        parts, positions = compile_fact(star, fact, warehouse.ref), positions or read_positions(warehouse)
        stored = warehouse.describe("gold", name_table(fact))
        types = None
        if positions.is_compared(name_table(fact), declared):
            types = find_stored_types(stored, parts.parts[0].values)
        table = build_table(warehouse, parts, types)
        consumer = _make_consumer(star, parts, table, positions, declared=declared, is_known=types is not None)
        month, pending = positions.month, find_pending(positions, consumer, rebuild=rebuild or stored is None)
        if pending.is_idle and pending.period == consumer.period:
            record_comparison(warehouse, consumer, pending)
            return WriteCounts()
        if pending.full:
            fit_table(warehouse, table)
        months = periods.stage_months(warehouse, parts, month) if fact.periods else ""
        job = _Job(
            warehouse=warehouse,
            star=star,
            parts=parts,
            table=table,
            consumer=consumer,
            pending=pending,
            positions=positions,
            listen=listen,
        )
        settled = rekey_lookups(warehouse, star, fact, listen, positions)
        written = settled + _load(job, months)
        record_progress(warehouse, consumer, pending)
        return written


def find_fact_sources(star: Star, fact: Fact) -> tuple[str, ...]:
    """The entities and dimensions (as `dim_x`) whose changes a fact consumes. Days never change by themselves."""
    members = {name_table(item) for item in star.find_dimensions(fact).values() if not isinstance(item, DateDimension)}
    return tuple(sorted(list_source_entities(fact) | members))


def _make_consumer(
    star: Star, parts: CompiledFact, table: Table, positions: FeedPositions, *, declared: int, is_known: bool
) -> Consumer:
    """What the fact lives on. How its days are declared is part of the definition."""
    looked_up = star.find_dimensions(parts.fact)
    days = [item.model_dump_json() for item in looked_up.values() if isinstance(item, DateDimension)]
    columns = [f"{column.name} {column.dtype}" for column in table.columns]
    return Consumer(
        name=table.name,
        sources=find_fact_sources(star, parts.fact),
        definition="\n".join([*columns, *days, select_rows(parts)]),
        period=positions.period if parts.fact.periods else 0,
        declared=declared,
        known_fingerprint=positions.offsets[table.name].get(DEFINITION, 0) if is_known else 0,
    )


def _load(job: _Job, months: str) -> WriteCounts:
    warehouse, full = job.warehouse, job.pending.full
    if full and is_empty(warehouse, job.table):
        return _fill_empty(job, months)
    keys = warehouse.stage("gold_keys", _all_keys_sql(job) if full else _affected_keys_sql(job, months))
    relations = [] if full else _stage_parts(job, keys)
    members = [] if full else _stage_members(job, relations, months)
    fresh = warehouse.stage("gold_fresh", select_rows(job.parts, relations=relations, members=members, months=months))
    counts = _count(job, fresh)
    _report(job, counts, relations)
    held = None if full else _select_stored(job, keys)
    stored = held.relation if held else job.stored_ref
    candidates = inferred_members.stage_referenced_members(
        warehouse, job.parts.lookups, stored=stored, keys=None if full else keys
    )
    fresh, written = inferred_members.insert_inferred(
        warehouse, job.star, job.table, lookups=counts.unmatched, fresh=fresh
    )
    replaced = warehouse.replace_rows(job.table, keys=keys, new_rows=fresh, stored=held)
    if replaced.inserted and not is_grain_sure(job.star, job.fact):
        _check_grain(job, fresh, has_nulls=counts.has_empty_grain)
    return written + replaced + inferred_members.delete_orphaned_inferred(warehouse, job.star, candidates)


def _fill_empty(job: _Job, months: str) -> WriteCounts:
    """Fill an empty table: nothing has to be held against anything."""
    fresh = job.warehouse.stage("gold_fresh", select_rows(job.parts, months=months))
    counts = _count(job, fresh)
    _report(job, counts, [])
    fresh, written = inferred_members.insert_inferred(
        job.warehouse, job.star, job.table, lookups=counts.unmatched, fresh=fresh
    )
    names = job.table.names
    added = job.warehouse.append("gold", job.table.name, names, f"SELECT {column_list_sql(names)} FROM {fresh}")
    if not is_grain_sure(job.star, job.fact):
        _check_grain(job, fresh, has_nulls=counts.has_empty_grain)
    return written + WriteCounts(inserted=added)


def _all_keys_sql(job: _Job) -> str:
    """The keys of all rows there are or should be."""
    return "\nUNION\n".join(
        [
            *(f"SELECT entity_key FROM {part.relation} WHERE is_current" for part in job.parts.parts),
            f"SELECT entity_key FROM {job.stored_ref}",
        ]
    )


def _affected_keys_sql(job: _Job, months: str) -> str:
    """The keys of rows that changes touch: of their own entities, of members they point at, and of time that passed."""
    pending = job.pending
    news = {source: changed_keys_sql(job.warehouse, source, pending) for source in pending.changed_sources}
    texts = [news[entity] for entity in sorted(list_source_entities(job.fact)) if entity in news]
    texts += [
        _referencing_keys_sql(job, part, lookup, news[name], months)
        for part in job.parts.parts
        for lookup in part.lookups
        if (name := name_table(lookup.dimension)) in news
    ]
    if pending.period != job.consumer.period:
        texts.append(periods.select_open(job.parts, pending.period))
    return "\nUNION\n".join(texts)


def _stage_parts(job: _Job, keys: str) -> list[str]:
    """The current rows of each part that are to be looked at, staged."""
    staged = []
    for number, part in enumerate(job.parts.parts):
        entity = job.star.declarations.entities[part.part.entity]
        rows = job.warehouse.select_rows(
            f"gold_part_{number}",
            "silver",
            entity.entity,
            keys=f"SELECT entity_key FROM {keys}",
            columns=list_version_columns(entity),
            where="x.is_current",
            by=build_version_key(job.warehouse, entity),
        )
        staged.append(rows.relation)
    return staged


def _stage_members(job: _Job, relations: list[str], months: str) -> list[dict[str, str]]:
    """For each part, by lookup, the members of entities that its staged rows may point at, staged."""
    staged: list[dict[str, str]] = []
    for part, relation in zip(job.parts.parts, relations, strict=True):
        members: dict[str, str] = {}
        for lookup in part.lookups:
            table = name_table(lookup.dimension)
            if (
                isinstance(lookup.dimension, EntityDimension)
                and not lookup.depends_on
                and not job.warehouse.is_small("gold", table)
            ):
                rows = job.warehouse.select_rows(
                    f"gold_members_{len(staged) * len(part.lookups) + len(members)}",
                    "gold",
                    table,
                    keys=select_asked_keys(part, lookup, staged=relation, months=months),
                    columns=tuple(dict.fromkeys(lookup.needed_columns)),
                    by=build_dimension_key(job.warehouse, job.star, lookup.dimension),
                )
                members[lookup.name] = rows.relation
        staged.append(members)
    return staged


def _referencing_keys_sql(job: _Job, part: CompiledPart, lookup: CompiledLookup, changed_keys: str, months: str) -> str:
    """SELECT of the keys of the current rows that ask for one of the `changed_keys` members."""
    text = select_referencing_keys(part, lookup, changed=changed_keys, months=months)
    is_narrow = job.warehouse.capabilities.narrow_reads and not job.warehouse.is_small("silver", part.part.entity)
    condition = match_condition(job.star, part, lookup, changed_keys) if is_narrow else ""
    if not condition:
        return text
    # Where a column tells who may ask, those rows are found first: of them only what the question reads.
    columns = list_version_columns(job.star.declarations.entities[part.part.entity])
    read = [name for name in columns if name in ("entity_key", "is_current") or quote(name) in text]
    likely = job.warehouse.stage(
        f"gold_likely_{job.parts.parts.index(part) * len(part.lookups) + part.lookups.index(lookup)}",
        f"SELECT {column_list_sql(read, '_row')} FROM {part.relation} AS _row WHERE _row.is_current AND {condition}",
    )
    return select_referencing_keys(part, lookup, changed=changed_keys, months=months, staged=likely)


def _select_stored(job: _Job, keys: str) -> StagedRows:
    """What is stored of the staged keys."""
    own, by = f"SELECT entity_key FROM {keys}", build_fact_key(job.star, job.parts)
    return job.warehouse.select_rows("gold_held", "gold", job.table.name, keys=own, columns=job.table.names, by=by)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FreshCounts:
    """What is special about the fresh rows, counted with one statement."""

    unmatched: tuple[CompiledLookup, ...]
    """The lookups that found no member for some row."""
    outside: tuple[tuple[CompiledLookup, int, str], ...]
    """The lookups of days outside of the calendar: in how many rows, and in which one."""
    has_empty_grain: bool
    """Whether a column of the grain is NULL in some row."""


def _count(job: _Job, fresh: str) -> _FreshCounts:
    lookups = job.parts.lookups
    tests = [f"{quote(item.column)} {f'= {ERROR}' if item.is_day else 'IS NULL'}" for item in lookups]
    tests.append(" OR ".join(f"{quote(name)} IS NULL" for name in job.fact.grain) or "FALSE")
    values = (f"SUM(CASE WHEN {test} THEN 1 ELSE 0 END), MIN(CASE WHEN {test} THEN entity_key END)" for test in tests)
    row = job.warehouse.rows(f"SELECT {', '.join(values)} FROM {fresh}")[0]
    found = [(int(count or 0), str(example)) for count, example in zip(row[::2], row[1::2], strict=True)]
    counted = [(lookup, count, example) for lookup, (count, example) in zip(lookups, found, strict=False) if count]
    return _FreshCounts(
        unmatched=tuple(lookup for lookup, _, _ in counted if not lookup.is_day),
        outside=tuple(item for item in counted if item[0].is_day),
        has_empty_grain=found[-1][0] > 0,
    )


def _report(job: _Job, counts: _FreshCounts, relations: list[str]) -> None:
    """Tell of rows whose day is outside of the calendar, and of rows that span no month."""
    for lookup, count, example in counts.outside:
        detail = f"`{lookup.name}` is outside of the span of `{lookup.dimension.dimension}`"
        _report_finding(job, count, example, "date_out_of_range", detail)
    if job.fact.periods:
        texts = relations or [part.relation for part in job.parts.parts]
        spanless = periods.select_spanless(job.parts, texts)
        count, example = job.warehouse.rows(f"SELECT COUNT(*), MIN(entity_key) FROM ({spanless}) AS found")[0]
        detail = "spans no month: it has no first day, or ends before it"
        _report_finding(job, count, example, "missing_period", detail)


def _report_finding(job: _Job, count: int, example: str, kind: FindingKind, detail: str) -> None:
    if count:
        table = f"gold.{job.table.name}"
        finding = Finding(table=table, finding=kind, count=count, detail=f"{detail}; e.g. {example}")
        job.listen(FindingMade(tenant=job.warehouse.tenant, finding=finding))


def _select_same_grain(job: _Job, fresh: str, *, has_nulls: bool) -> str:
    """SELECT of the stored rows with the grain of a fresh one. NULL equals NULL there, which Postgres finds row by row: apart."""
    grain, names = job.fact.grain, column_list_sql(("entity_key", *job.fact.grain), "_row")
    equal = " AND ".join(f"_new.{quote(name)} = _row.{quote(name)}" for name in grain)
    select = f"SELECT {names} FROM {job.stored_ref} AS _row WHERE EXISTS (SELECT 1 FROM {fresh} AS _new WHERE {equal})"
    if not has_nulls:
        return select
    empty, held = (" OR ".join(f"{of}.{quote(name)} IS NULL" for name in grain) for of in ("_new", "_row"))
    same = " AND ".join(f"_new.{quote(name)} IS NOT DISTINCT FROM _row.{quote(name)}" for name in grain)
    among = f"EXISTS (SELECT 1 FROM {fresh} AS _new WHERE ({empty}) AND {same})"
    return f"{select} UNION ALL SELECT {names} FROM {job.stored_ref} AS _row WHERE ({held}) AND {among}"


def _check_grain(job: _Job, fresh: str, *, has_nulls: bool) -> None:
    """Nothing when the fresh rows share their grain with no other row of their connection; DeclarationError otherwise."""
    grain = job.fact.grain
    names = ", ".join([connection_sql("_row.entity_key"), column_list_sql(grain, "_row")])
    twice = job.warehouse.rows(
        f"SELECT MIN(_row.entity_key), MAX(_row.entity_key), COUNT(*), {names} "
        f"FROM ({_select_same_grain(job, fresh, has_nulls=has_nulls)}) AS _row GROUP BY {names} HAVING COUNT(*) > 1 LIMIT 1"
    )
    if twice:
        one, other, count, _, *values = twice[0]
        example = ", ".join(f"{name} = {value}" for name, value in zip(grain, values, strict=True))
        raise DeclarationError(
            f"Several rows of {job.table.name} have the same grain; nothing was written.",
            where=f"{job.fact.origin} fact {job.fact.fact}, grain [{', '.join(grain)}]",
            details=f"{count} rows with {example}, made from {one} and {other}",
            hint="add a column that distinguishes the rows to the grain",
        )
