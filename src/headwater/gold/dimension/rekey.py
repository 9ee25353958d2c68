"""How the surrogate keys of a dimension are made, and what happens when they are made otherwise than before.

A dimension notes beside its progress how its keys are made. Where that is not what is declared, or was never noted (keys
once had 60 bits), its keys and those of all facts that point at it are exchanged in one transaction: so no reader, and no
run that was killed, ever meets keys of two kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from headwater.errors import SafetyCheckError
from headwater.events import EventListener, Finding, FindingMade
from headwater.gold.change_feed import KEYS, FeedPositions, find_key_kinds
from headwater.gold.key_sequence import load_last
from headwater.gold.star import Star
from headwater.gold.surrogate_key import start_text_sql, surrogate_key_sql
from headwater.model.dimension import DateDimension, Dimension
from headwater.model.fact import Fact
from headwater.model.tables import name_key_column, name_table
from headwater.names import quote, quote_literal
from headwater.temporal.sql import column_list_sql
from headwater.warehouse.base import Warehouse, WriteCounts
from headwater.warehouse.dml import overwrite_rows
from headwater.warehouse.meta_names import find_meta_table

HASH, SEQUENCE = 53, 1
"""What is noted of keys that are hashes (their bits), and of those that are counted (their step)."""

_COUNTED = 2**40


def get_key_kind(declared: Dimension | Fact) -> int:
    """How the keys of a dimension are made; 0 where they are values, or there are none."""
    if isinstance(declared, DateDimension | Fact):
        return 0
    return SEQUENCE if declared.surrogate == "sequence" else HASH


def find_outdated(warehouse: Warehouse, dimensions: Iterable[Dimension], built: Set[str]) -> frozenset[str]:
    """Of the `built` tables (`gold.dim_x`), those whose keys are made otherwise than is declared now."""
    kinds = {name_table(one): kind for one in dimensions if (kind := get_key_kind(one))}
    stored = [name for name in kinds if f"gold.{name}" in built]
    if not stored:
        return frozenset()
    offsets = find_meta_table(warehouse, "consumer_offset")
    noted = _load_key_kinds(warehouse, offsets) if offsets else {}
    return frozenset(f"gold.{name}" for name in stored if noted.get(name) != kinds[name])


def rekey_dimension(
    warehouse: Warehouse, star: Star, declared: Dimension, noted: int, listen: EventListener
) -> WriteCounts:
    """Exchange the keys of a dimension, and of the facts that point at it, where `noted` is not how they are made now."""
    kind, table = get_key_kind(declared), name_table(declared)
    if not kind or noted == kind or warehouse.describe("gold", table) is None:
        return WriteCounts()
    written = WriteCounts()
    with warehouse.transaction(), warehouse.staging():
        if noted or kind == HASH or not _is_counted(warehouse, declared):
            written = _rebuild_keys(warehouse, star, declared, kind, listen)
        overwrite_rows(
            warehouse,
            "meta",
            "consumer_offset",
            where=f"consumer = {quote_literal(table)} AND entity = {quote_literal(KEYS)}",
            columns=("consumer", "entity", "change_id"),
            select=f"SELECT {quote_literal(table)}, {quote_literal(KEYS)}, CAST({kind} AS BIGINT)",
        )
    return written


def _rebuild_keys(
    warehouse: Warehouse, star: Star, declared: Dimension, kind: int, listen: EventListener
) -> WriteCounts:
    table = name_table(declared)
    last = load_last(warehouse, table)
    pairs = warehouse.stage("gold_rekey", _stage_key_pairs(warehouse, declared, kind, last=last))
    moved = int(warehouse.rows(f"SELECT COUNT(*) FROM {pairs} WHERE _old <> _new")[0][0])
    if not moved:
        return WriteCounts()
    facts = _find_referencing_columns(star, declared)
    written = _replace_keys(warehouse, declared, facts, pairs)
    detail = _describe_change(warehouse, star, table, facts)
    finding = Finding(table=f"gold.{table}", finding="keys_rebuilt", count=moved, detail=detail)
    listen(FindingMade(tenant=warehouse.tenant, finding=finding))
    return written


def _is_counted(warehouse: Warehouse, declared: Dimension) -> bool:
    """Whether the keys that are stored look counted; of hashes, not even one is likely to be so small."""
    key, stored = quote(name_key_column(declared)), warehouse.ref("gold", name_table(declared))
    return not warehouse.rows(f"SELECT 1 FROM {stored} WHERE {key} > {_COUNTED} LIMIT 1")


def find_counted_tables(warehouse: Warehouse, dimensions: Iterable[Dimension]) -> frozenset[str]:
    """The stored tables of dimensions that are declared to have counted keys.

    Whoever builds everything anew leaves them: members that come again find their numbers there.
    """
    named = {name_table(one) for one in dimensions if get_key_kind(one) == SEQUENCE}
    return frozenset(named & set(warehouse.tables("gold")))


def rekey_lookups(
    warehouse: Warehouse, star: Star, fact: Fact, listen: EventListener, positions: FeedPositions
) -> WriteCounts:
    """`rekey_dimension` for every dimension that a fact points at."""
    written, noted = WriteCounts(), find_key_kinds(positions)
    for one in {item.dimension: item for item in star.find_dimensions(fact).values()}.values():
        written += rekey_dimension(warehouse, star, one, noted.get(name_table(one), 0), listen)
    return written


def _load_key_kinds(warehouse: Warehouse, offsets: str) -> dict[str, int]:
    found = warehouse.rows(
        f"SELECT consumer, change_id FROM {warehouse.ref('meta', offsets)} WHERE entity = {quote_literal(KEYS)}"
    )
    return {str(name): int(kind) for name, kind in found}


def _stage_key_pairs(warehouse: Warehouse, declared: Dimension, kind: int, *, last: int) -> str:
    """SELECT of the stored keys of all members but the reserved ones, and of the keys that they should have."""
    key = quote(name_key_column(declared))
    place = "ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY valid_from)"
    arrival = "ROW_NUMBER() OVER (ORDER BY loaded_at, valid_from, entity_key)"
    new = (
        surrogate_key_sql("_row.entity_key", start_text_sql("_row.valid_from", "_row._place"))
        if kind == HASH
        else "_row._arrival"
    )
    return (
        f"SELECT _row._old, {new}{f' + {last}' if kind == SEQUENCE else ''} AS _new FROM (\n"
        f"  SELECT {key} AS _old, entity_key, valid_from, {place} AS _place, {arrival} AS _arrival\n"
        f"  FROM {warehouse.ref('gold', name_table(declared))} WHERE {key} >= 0\n) AS _row"
    )


def _find_referencing_columns(star: Star, declared: Dimension) -> dict[str, list[str]]:
    """The facts that point at a dimension, with the columns that do."""
    facts: dict[str, list[str]] = {}
    for fact, lookup in star.find_references(declared.dimension):
        facts.setdefault(name_table(fact), []).append(f"{lookup}_key")
    return facts


def _replace_keys(warehouse: Warehouse, declared: Dimension, facts: Mapping[str, list[str]], pairs: str) -> WriteCounts:
    _check_unique(warehouse, declared, pairs)
    written = _swap_keys(warehouse, name_table(declared), [name_key_column(declared)], pairs)
    for name, columns in facts.items():
        written += _swap_keys(warehouse, name, columns, pairs)
    return written


def _describe_change(warehouse: Warehouse, star: Star, table: str, facts: Iterable[str]) -> str:
    known = {name_table(fact) for fact in star.declarations.facts.values()}
    others = [name for name in warehouse.tables("gold") if name.startswith("fact_") and name not in known]
    told = f"keys of {table} and of {', '.join(facts) or 'no fact'} were exchanged together"
    return told + (f"; not those of {', '.join(others)}, which nothing declares any more" if others else "")


def _swap_keys(warehouse: Warehouse, table: str, columns: list[str], pairs: str) -> WriteCounts:
    """Exchange the old keys in some columns of a stored table by the new ones, where the table is there."""
    stored = [column.name for column in warehouse.describe("gold", table) or ()]
    found = {name: f"_pair_{number}" for number, name in enumerate(columns) if name in stored}
    if not found:
        return WriteCounts()
    values = ", ".join(
        f"COALESCE({found[name]}._new, _row.{quote(name)}) AS {quote(name)}" if name in found else f"_row.{quote(name)}"
        for name in stored
    )
    joins = "".join(
        f"\nLEFT JOIN {pairs} AS {pair} ON {pair}._old = _row.{quote(name)}" for name, pair in found.items()
    )
    some = " OR ".join(f"{quote(name)} >= 0" for name in found)
    ref = warehouse.ref("gold", table)
    rows = f"(SELECT * FROM {ref} WHERE {some}) AS _row"
    fresh = warehouse.stage("gold_rekeyed", f"SELECT {values}\nFROM {rows}{joins}")
    select = f"SELECT {column_list_sql(stored)} FROM {fresh}"
    return overwrite_rows(warehouse, "gold", table, where=some, columns=stored, select=select)


def _check_unique(warehouse: Warehouse, declared: Dimension, pairs: str) -> None:
    """Nothing when the new keys are all different; SafetyCheckError otherwise."""
    clash = warehouse.rows(f"SELECT _new, MIN(_old), MAX(_old) FROM {pairs} GROUP BY _new HAVING COUNT(*) > 1 LIMIT 1")
    if clash:
        number, *old = clash[0]
        stored, key = warehouse.ref("gold", name_table(declared)), quote(name_key_column(declared))
        among = ", ".join(str(one) for one in old)
        named = warehouse.rows(f"SELECT MIN(entity_key), MAX(entity_key) FROM {stored} WHERE {key} IN ({among})")[0]
        raise build_collision_error(name_table(declared), int(number), *map(str, named))


def build_collision_error(table: str, number: int, one: str, other: str) -> SafetyCheckError:
    """The error for two members of a dimension that would have one key."""
    return SafetyCheckError(
        f"Two members of {table} have the same surrogate key; nothing was written.",
        where=f"gold.{table}",
        details=f"key {number} of {one} and {other}",
        hint="declare `surrogate: sequence` for this dimension, then run again",
    )
