"""Finds the stored rows of a few keys among many, by number: that costs a fraction of what texts cost.

DuckDB finds rows by reading a column from end to end, and among 20 million it reads 64-bit numbers ten times as fast as
texts. So it looks where the number fits first; a number only says where a row may be, and the key itself is compared on
those few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.names import quote
from headwater.temporal.keys import hash60_sql, numeric_key_sql
from headwater.temporal.sql import column_list_sql, timestamp_sql
from headwater.warehouse.base import RowKey, StagedRows, Warehouse

LOCAL = 36_028_797_018_960_000
"""Where the ids of rows begin that are not committed yet.

DuckDB 2.0.0 gives wrong rows, or falls over, when rows are fetched or deleted by such an id. Reading the id is harmless.
"""

STAGED = ("lookup__keys", "lookup__starts", "lookup__rows")
"""Temporary tables of this module."""

_KEYS, _STARTS, _ROWS = STAGED

_DENSE = 60_000_000
"""Numbers within so short a span are told from all others as they are read, so that rows can be read at once.

Of numbers further apart, one in a hundred that nobody asked for is taken for one that somebody did: those rows must not
be read to be thrown away, so the ids are found first, and the rows are read by them.
"""

_MANY = 100_000
"""So many candidates that reading each takes as long as looking at all keys there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLookup:
    """One lookup of rows of a stored table."""

    warehouse: Warehouse
    into: str
    ref: str
    columns: Sequence[str]
    where: str
    """A condition over `x`."""
    by: RowKey

    def stage(self, keys: str) -> StagedRows:
        """Stage the rows of `keys` with their ids (`_row`)."""
        if self.by.number == self.by.column:
            return self._build_result(self._stage_by_number(f"SELECT {self._key} FROM ({keys}) AS k"))
        number = numeric_key_sql(f"k.{self._key}") if self.by.number else "CAST(NULL AS BIGINT)"
        select = f"SELECT DISTINCT k.{self._key}, {number} AS number FROM ({keys}) AS k WHERE k.{self._key} IS NOT NULL"
        self.warehouse.stage(_KEYS, select)
        relation = self._stage_candidates()
        among = f"x.{self._key} IN ({self._select_keys()})"
        if self.warehouse.rows(f"SELECT 1 FROM {relation} AS x WHERE NOT ({among}) LIMIT 1"):
            # Rows of other keys have the same number.
            relation = self.warehouse.stage(self.into, f"SELECT x.* FROM {relation} AS x WHERE {among}")
        return self._build_result(relation)

    @property
    def _key(self) -> str:
        return quote(self.by.column)

    @property
    def _select(self) -> str:
        """SELECT of the rows, to which a condition is added."""
        return f"SELECT x.rowid AS _row, {column_list_sql(self.columns, 'x')} FROM {self.ref} AS x WHERE "

    def _select_keys(self, column: str = "") -> str:
        return f"SELECT {column or self._key} FROM {_KEYS}"

    def _build_result(self, relation: str) -> StagedRows:
        return StagedRows(relation=relation, has_row_ids=have_row_ids(self.warehouse, relation))

    def _stage_candidates(self) -> str:
        """Stage the candidate rows of the staged keys; rows of other keys may be among them."""
        count, numbers, least, most = self.warehouse.rows(
            f"SELECT COUNT(*), COUNT(number), MIN(number), MAX(number) FROM {_KEYS}"
        )[0]
        if not count:
            return self.warehouse.stage(self.into, f"{self._select}FALSE")
        if self.by.number and count == numbers:
            return self._stage_by_number(self._select_keys("number"), is_dense=most - least < _DENSE)
        if self.by.log:
            return self._stage_by_start(max(_MANY, 2 * count))
        return self.warehouse.stage(self.into, self._select + self._by_key_condition)

    @property
    def _by_key_condition(self) -> str:
        return f"{self.where} AND x.{self._key} IN ({self._select_keys()})"

    @property
    def _locatable_condition(self) -> str:
        return f"{self.where} AND NOT ({loose})" if (loose := self.by.unlocatable_condition) else self.where

    @property
    def _unlocatable(self) -> list[str]:
        """SELECT of the rows that neither number nor start tells of, where there may be some."""
        loose = self.by.unlocatable_condition
        return [f"{self._select}{loose} AND {self._by_key_condition}"] if loose else []

    def _stage_by_number(self, numbers: str, *, is_dense: bool = False) -> str:
        condition = f"{self._locatable_condition} AND x.{quote(self.by.number)} IN ({numbers})"
        if is_dense:
            return self.warehouse.stage(self.into, self._select + condition, *self._unlocatable)
        rows = self.warehouse.stage(_ROWS, f"SELECT x.rowid AS _row FROM {self.ref} AS x WHERE {condition}")
        return self._stage_by_row_id(rows, condition)

    def _stage_by_start(self, enough: int) -> str:
        """Stage the rows that begin when something happened to one of the keys, unless those are `enough` to be too many.

        In a collection without change stamps, too many begin at the same instants: then that helps nothing.
        """
        condition = f"{self._locatable_condition} AND x.valid_from IN (SELECT valid_from FROM {self._stage_starts()})"
        narrow = f"SELECT x.rowid AS _row FROM {self.ref} AS x WHERE {condition} LIMIT {enough}"
        rows = self.warehouse.stage(_ROWS, narrow)
        if self.warehouse.count(rows) >= enough:
            return self.warehouse.stage(self.into, self._select + self._by_key_condition)
        return self._stage_by_row_id(rows, condition)

    def _stage_by_row_id(self, rows: str, condition: str) -> str:
        if have_row_ids(self.warehouse, rows):
            condition = f"x.rowid IN (SELECT _row FROM {rows})"
        return self.warehouse.stage(self.into, self._select + condition, *self._unlocatable)

    def _stage_starts(self) -> str:
        hashes = f"SELECT {hash60_sql(f'k.{self._key}')} FROM {_KEYS} AS k"
        start = timestamp_sql("l.sequence")
        select = f"SELECT DISTINCT {start} AS valid_from FROM {self.by.log} AS l WHERE l.key_hash IN ({hashes})"
        return self.warehouse.stage(_STARTS, select)


def have_row_ids(warehouse: Warehouse, rows: str) -> bool:
    """Whether all staged `rows` (`_row`) can be read and deleted by their row id."""
    return not warehouse.rows(f"SELECT 1 FROM {rows} WHERE _row >= {LOCAL} LIMIT 1")
