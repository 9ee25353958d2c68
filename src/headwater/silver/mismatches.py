"""Findings about values that do not have the declared type, and about columns that a declaration adds or takes away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headwater.events import Finding, FindingKind
from headwater.model.entity import Entity
from headwater.names import quote
from headwater.silver.events import can_mismatch, cast_sql, records_sql, rounds_sql
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.silver.schema.diff import SchemaDiff
from headwater.warehouse.lake_reader import LakeReader


def read_types(lake: LakeReader, mapping: SourceMapping, landed: LandedBatch) -> dict[str, str]:
    """The types that the expressions give over the records of a batch."""
    taken = ", ".join(f"{value} AS {quote(name)}" for name, value in mapping.columns.items())
    return lake.read_types(f"SELECT {taken} FROM {records_sql(landed)}")


def find_mismatches(
    lake: LakeReader, entity: Entity, mapping: SourceMapping, landed: LandedBatch, stored: Mapping[str, str]
) -> list[Finding]:
    """Values that are not of the declared type: NULL in the event, or with fewer digits, and said so."""
    tests = list(_list_mismatch_conditions(entity, mapping, stored))
    if not tests:
        return []
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {test})" for _, _, test in tests)
    where = f" WHERE {mapping.where}" if mapping.where else ""
    numbers = lake.rows(f"SELECT {counts} FROM {records_sql(landed)}{where}")[0]
    return [
        Finding(
            table=f"silver.{entity.entity}",
            finding=finding,
            count=count,
            detail=f"{entity.entity}.{name} is {entity.columns[name].type}; batch {landed.batch.id} of {landed.source}",
        )
        for (finding, name, _), count in zip(tests, numbers, strict=True)
        if count
    ]


def _list_mismatch_conditions(
    entity: Entity, mapping: SourceMapping, stored: Mapping[str, str]
) -> Iterator[tuple[FindingKind, str, str]]:
    """What may be wrong with a value of a column: finding, column, condition in SQL."""
    for name, value in mapping.columns.items():
        dtype = entity.columns[name].type
        if can_mismatch(dtype, stored[name]):
            yield "type_mismatch", name, f"{value} IS NOT NULL AND {cast_sql(value, dtype, stored[name])} IS NULL"
            if rounds := rounds_sql(value, dtype, stored[name]):
                yield "precision_loss", name, rounds


def find_column_changes(entity: Entity, change: SchemaDiff) -> Iterator[Finding]:
    """The findings about columns that were added, retired or renamed."""
    name, rebuild = entity.entity, f"`headwater rebuild --entity {entity.entity}`"
    table = f"silver.{name}"
    for column in change.added:
        detail = f"{name}.{column} is new; {rebuild} brings in its past"
        yield Finding(table=table, finding="column_added", count=1, detail=detail)
    for column in change.removed:
        detail = f"{name}.{column} is no longer declared and keeps its last values; {rebuild} removes it"
        yield Finding(table=table, finding="column_retired", count=1, detail=detail)
    for column, before in change.renamed.items():
        detail = f"{name}.{column} was {before}; its history goes on"
        yield Finding(table=table, finding="column_renamed", count=1, detail=detail)
