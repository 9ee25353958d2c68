"""A small managed service provider, told to silver as events and built into a star, on a DuckDB of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headwater.blueprints.msp import FOLDER
from headwater.clock import to_micros
from headwater.dtypes import DUCKDB, render_dtype
from headwater.gold.dimension.build import build_dimension
from headwater.gold.fact.build import build_fact
from headwater.gold.star import Star
from headwater.model.load import load_declarations
from headwater.model.project import Declarations
from headwater.names import quote
from headwater.silver.merge.merge import merge
from headwater.silver.merge.result import Provenance
from headwater.silver.schema.migrate import migrate_tables
from headwater.warehouse.duckdb.engine import DuckDB

MSP = load_declarations(FOLDER, shown="msp")
"""What the blueprint declares."""

READ_AT = datetime(2026, 4, 10, tzinfo=UTC)
"""When everything here was read."""


class Firm:
    """A warehouse to merge records into, with queries on its star."""

    def __init__(self, path: Path, declarations: Declarations = MSP) -> None:
        self.warehouse = DuckDB("acme", str(path))
        self.declarations = declarations
        for entity in declarations.entities.values():
            migrate_tables(self.warehouse, entity)

    def merge_records(self, name: str, *things: Mapping[str, Any], at: str = "2026-01-01") -> None:
        """One batch of records of an entity, all changed `at`."""
        entity = self.declarations.entities[name]
        batch = f"{name}-{at}"
        rows = " UNION ALL ".join(f"SELECT {self._event(name, thing, at, batch)}" for thing in things)
        events = self.warehouse.stage("told", rows)
        provenance = Provenance(
            batch_id=batch, connection="psa", resource=name, source=f"connectwise.{name}", read_at=READ_AT
        )
        merge(self.warehouse, entity, events, batches=[provenance])

    def build(self, *, rebuild: bool = False) -> int:
        """Bring the star up to date; rows written."""
        star = Star(declarations=self.declarations)
        written = 0
        for dimension in self.declarations.dimensions.values():
            written += build_dimension(self.warehouse, star, dimension, rebuild=rebuild).rows
        for fact in self.declarations.facts.values():
            written += build_fact(self.warehouse, star, fact, rebuild=rebuild).rows
        return written

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        return self.warehouse.rows(sql)

    def _event(self, name: str, thing: Mapping[str, Any], at: str, batch: str) -> str:
        entity = self.declarations.entities[name]
        unknown = set(thing) - set(entity.columns)
        assert not unknown, f"{name} has no {unknown}"
        key = thing[entity.key[0]]
        columns = ", ".join(
            f"CAST({_literal(thing.get(column))} AS {render_dtype(declared.type, DUCKDB)}) AS {quote(column)}"
            for column, declared in entity.columns.items()
        )
        digest = _literal(str(sorted((column, str(value)) for column, value in thing.items())))
        return (
            f"'psa:{key}' AS entity_key, epoch_us(TIMESTAMP '{at}') AS sequence, 'U' AS operation, {columns}, "
            f"CAST(NULL AS VARCHAR) AS known_columns, md5({digest}) AS hash, '{batch}' AS batch_id, "
            f"'connectwise.{name}' AS source, epoch_us(TIMESTAMP '{at}') AS stamp, {to_micros(READ_AT)} AS observed, "
            f"0 AS place, {to_micros(READ_AT)} AS first_observed"
        )


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return "'" + str(value).replace("'", "''") + "'"
