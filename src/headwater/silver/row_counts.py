"""What is here of one resource in one entity: its open keys, what waits in quarantine, what its conditions leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headwater.clock import format_instant
from headwater.names import quote, quote_literal
from headwater.silver.entity_tables import EntityTables
from headwater.silver.events import cast_sql, key_sql, records_sql
from headwater.silver.mapping import LandedBatch, SourceMapping
from headwater.warehouse.base import Warehouse
from headwater.warehouse.dialect.text import read_counts

_NO_KEYS = "SELECT CAST('' AS VARCHAR) AS entity_key WHERE FALSE"
_NOTHING_LEFT_OUT = "SELECT CAST('' AS VARCHAR) AS entity_key, CAST('' AS VARCHAR) AS why WHERE FALSE"

_REASONS = ("quarantined", "outside", "flagged")
"""Why a key that the service shows is not here."""


def add_unexplained(numbers: Mapping[str, int]) -> dict[str, int]:
    """The numbers, with what is left when all that is known was taken into account."""
    counted = dict(numbers)
    counted["missing"] = max(0, counted["missing"] - counted.get("changed_since", 0))
    counted["surplus"] = max(0, counted["surplus"] - counted.get("not_deleted", 0))
    return {**counted, "unexplained": counted["missing"] + counted["surplus"]}


@dataclass(frozen=True, kw_only=True)
class RowCountCheck:
    """One resource in one entity, and a DuckDB to reckon with."""

    tables: EntityTables
    mapping: SourceMapping
    connection: str
    keeps_deleted: bool
    """Whether nobody says what the service deleted, so that it stays here."""
    waiting: Sequence[tuple[LandedBatch, Sequence[int]]]
    """Refused records that wait, as bronze could type them: the batch, and their lines."""
    landed: Sequence[LandedBatch]
    """Batches of records, in the order in which they were read."""
    scratch: Warehouse
    """A DuckDB: the warehouse itself, or one in memory."""

    def compare_ids(self, complete: LandedBatch, refused: Sequence[LandedBatch]) -> dict[str, int]:
        """Held against the ids of a complete read, refused ones among them."""
        shown = [self._keys_sql(one) for one in (complete, *refused) if one.files]
        service = self.scratch.stage("silver__service", " UNION ".join(shown) or _NO_KEYS)
        here = self._stage_here(complete)
        left = self._stage_left_out(here)
        among = f"entity_key IN (SELECT entity_key FROM {service})"
        known = f"SELECT entity_key FROM {here} UNION SELECT entity_key FROM {left}"
        before = f"(SELECT entity_key FROM {here} WHERE was_open) AS h"
        return self._with_unexplained(
            self._count(
                service=service,
                here=f"{here} WHERE was_open OR {among}",
                **{why: f"{left} WHERE why = {quote_literal(why)} AND {among}" for why in _REASONS},
                missing=f"{service} WHERE entity_key NOT IN ({known})",
                surplus=f"{before} WHERE NOT {among}",
            )
        )

    def compare_number(self, service: int) -> dict[str, int]:
        """Held against a number: which ones are missing nobody can say."""
        here = self._stage_here(None)
        left = self._stage_left_out(here)
        parts = self._count(count=here, **{why: f"{left} WHERE why = {quote_literal(why)}" for why in _REASONS})
        count, flagged = parts.pop("count"), parts.pop("flagged")
        rest = service - count - sum(parts.values())
        # A record that is flagged as deleted may or may not be among those that the service counts.
        parts["flagged"] = min(flagged, max(0, rest))
        rest -= parts["flagged"]
        sides = {"missing": max(0, rest), "surplus": max(0, -rest)}
        return self._with_unexplained({"service": service, "here": count, **parts, **sides})

    def _with_unexplained(self, numbers: dict[str, int]) -> dict[str, int]:
        unread = numbers["surplus"] if self.keeps_deleted else 0
        return add_unexplained({**numbers, "not_deleted": unread, "changed_since": 0})

    def _count(self, **relations: str) -> dict[str, int]:
        """Count the rows of relations with one statement."""
        counts = read_counts(self.scratch, [f"SELECT 1 FROM {relation}" for relation in relations.values()])
        return dict(zip(relations, counts, strict=True))

    def _stage_here(self, complete: LandedBatch | None) -> str:
        """The open things that this feed showed; `was_open`: they were there already when the complete read ended."""
        then = "TRUE"
        if complete is not None:
            until = format_instant(complete.batch.window.until).removesuffix("Z").replace("T", " ")
            then = f"v.valid_from <= TIMESTAMP {quote_literal(until)}"
        versions, log = self.tables.versions_ref, self.tables.log_ref
        own = f"SUBSTRING(v.entity_key, 1, {len(self.connection) + 1}) = {quote_literal(f'{self.connection}:')}"
        # What another source alone still shows is no business of this one.
        words = (
            "SELECT entity_key, operation, ROW_NUMBER() OVER (PARTITION BY entity_key ORDER BY sequence DESC, "
            f"observed DESC, place DESC) AS _n FROM {log} WHERE source = {quote_literal(self.mapping.source)} "
            "AND operation IN ('U', 'P', 'A')"
        )
        open_keys = (
            f"SELECT v.entity_key, MIN(CASE WHEN {then} THEN 0 ELSE 1 END) AS later FROM {versions} AS v WHERE {own}\n"
            f"AND v.entity_key IN (SELECT c.entity_key FROM {versions} AS c WHERE c.is_current)\n"
            f"AND v.entity_key IN (SELECT w.entity_key FROM ({words}) AS w WHERE w._n = 1 AND w.operation <> 'A') "
            "GROUP BY v.entity_key"
        )
        if self.scratch is not self.tables.warehouse:
            open_keys = (
                f"SELECT * FROM {self.scratch.stage('silver__came', self.tables.warehouse.fetch_arrow(open_keys))}"
            )
        return self.scratch.stage("silver__here", f"SELECT entity_key, later = 0 AS was_open FROM ({open_keys}) AS o")

    def _stage_left_out(self, here: str) -> str:
        """Keys that are not here, and why: refused, or left out by `where:` or `deleted:`."""
        refused = [
            f"SELECT entity_key, 'quarantined' AS why FROM ({self._keys_sql(one)} WHERE _line IN ({listed})) AS r"
            for one, lines in self.waiting
            if (listed := ", ".join(map(str, lines)))
        ]
        every = " UNION ALL ".join([*refused, *self._conditions_sql()]) or _NOTHING_LEFT_OUT
        return self.scratch.stage(
            "silver__left",
            f"SELECT entity_key, MAX(why) AS why FROM ({every}) AS l "
            f"WHERE entity_key NOT IN (SELECT entity_key FROM {here}) GROUP BY entity_key",
        )

    def _conditions_sql(self) -> list[str]:
        """Of each key the newest record, where the entity's conditions leave it out."""
        mapping = self.mapping
        if not mapping.where and not mapping.deleted:
            return []
        gone, fits = mapping.deleted or "FALSE", mapping.where or "TRUE"
        selects = [
            self._keys_sql(
                one, f", {at} AS _read, _line, COALESCE({gone}, FALSE) AS _gone, COALESCE({fits}, FALSE) AS _fits"
            )
            for at, one in enumerate(self.landed)
            if one.files
        ]
        if not selects:
            return []
        return [
            (
                "SELECT entity_key, CASE WHEN _gone THEN 'flagged' ELSE 'outside' END AS why FROM ("
                f"SELECT * FROM ({' UNION ALL '.join(selects)}) AS every QUALIFY ROW_NUMBER() OVER "
                "(PARTITION BY entity_key ORDER BY _read DESC, _line DESC) = 1) AS newest WHERE _gone OR NOT _fits"
            )
        ]

    def _keys_sql(self, landed: LandedBatch, more: str = "") -> str:
        mapping, entity = self.mapping, self.tables.entity
        taken = ", ".join(f"{mapping.columns[name]} AS {quote(name)}" for name in entity.key)
        types = {row[0]: row[1] for row in self.scratch.rows(f"DESCRIBE SELECT {taken} FROM {records_sql(landed)}")}
        values = {name: cast_sql(mapping.columns[name], entity.columns[name].type, types[name]) for name in entity.key}
        return f"SELECT {key_sql(entity, landed, values)} AS entity_key{more} FROM {records_sql(landed)}"
