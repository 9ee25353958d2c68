"""Finds the stored rows of a few keys among many, by number: that costs a fraction of a comparison of texts.

DuckDB scans the whole column to find rows. With 20 million rows, it scans 64-bit numbers ten times as fast as texts. So
the number is compared first. It only narrows down the candidate rows; the key itself is compared on those few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.names import quote
from headwater.temporal.keys import hash60_sql, numeric_key_sql
from headwater.temporal.sql import column_list_sql, timestamp_sql
from headwater.warehouse.base import RowKey, StagedRows, Warehouse

FIRST_UNCOMMITTED_ROW_ID = 36_028_797_018_960_000
"""The first row id of rows that are not committed yet.

DuckDB 2.0.0 returns wrong rows, or crashes, when rows are fetched or deleted by such an id. Reading the id is harmless.
"""

STAGED = ("lookup__keys", "lookup__starts", "lookup__rows")
"""Temporary tables of this module."""

_KEYS, _STARTS, _ROWS = STAGED

SMALL = 20_000
"""With fewer rows, one statement that compares the keys of all of them is faster than several that narrow them down."""

_DENSE = 60_000_000
"""If the numbers are within a range of this size, the scan filters exactly, so that rows can be read at once.

With a wider range, the filter passes one in a hundred of the other rows. To avoid reading those rows, the ids are found
first, and the rows are read by id.
"""

_MANY = 100_000
"""With this many candidates, reading each takes as long as comparing all keys of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLookup:
    """A lookup of rows of a stored table."""

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
        key_condition = f"x.{self._key} IN ({self._select_keys()})"
        if self.warehouse.rows(f"SELECT 1 FROM {relation} AS x WHERE NOT ({key_condition}) LIMIT 1"):
            # Rows of other keys have the same number.
            relation = self.warehouse.stage(self.into, f"SELECT x.* FROM {relation} AS x WHERE {key_condition}")
        return self._build_result(relation)

    def stage_small(self, keys: str, *, has_new_rows: bool) -> StagedRows:
        """Stage the rows of `keys` with one statement. `has_new_rows`: some may not be committed yet, see `has_row_ids`."""
        condition = f"{self.where} AND x.{self._key} IN (SELECT {self._key} FROM ({keys}) AS k)"
        relation = self.warehouse.stage(self.into, self._select + condition)
        return self._build_result(relation) if has_new_rows else StagedRows(relation=relation, has_row_ids=True)

    @property
    def _key(self) -> str:
        return quote(self.by.column)

    @property
    def _select(self) -> str:
        """SELECT of the rows, up to WHERE; a condition follows."""
        return f"SELECT x.rowid AS _row, {column_list_sql(self.columns, 'x')} FROM {self.ref} AS x WHERE "

    def _select_keys(self, column: str = "") -> str:
        return f"SELECT {column or self._key} FROM {_KEYS}"

    def _build_result(self, relation: str) -> StagedRows:
        return StagedRows(relation=relation, has_row_ids=has_row_ids(self.warehouse, relation))

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
        return f"{self.where} AND NOT ({condition})" if (condition := self.by.unlocatable_condition) else self.where

    @property
    def _unlocatable(self) -> list[str]:
        """SELECT of the rows that neither number nor start can locate; empty if there are none."""
        condition = self.by.unlocatable_condition
        return [f"{self._select}{condition} AND {self._by_key_condition}"] if condition else []

    def _stage_by_number(self, numbers: str, *, is_dense: bool = False) -> str:
        condition = f"{self._locatable_condition} AND x.{quote(self.by.number)} IN ({numbers})"
        if is_dense:
            return self.warehouse.stage(self.into, self._select + condition, *self._unlocatable)
        rows = self.warehouse.stage(_ROWS, f"SELECT x.rowid AS _row FROM {self.ref} AS x WHERE {condition}")
        return self._stage_by_row_id(rows, condition)

    def _stage_by_start(self, limit: int) -> str:
        """Stage the rows that begin at an instant of an event of one of the keys, if they are fewer than `limit`.

        In a collection without change stamps, too many rows begin at the same instants. Then the rows are found by key.
        """
        condition = f"{self._locatable_condition} AND x.valid_from IN (SELECT valid_from FROM {self._stage_starts()})"
        narrow = f"SELECT x.rowid AS _row FROM {self.ref} AS x WHERE {condition} LIMIT {limit}"
        rows = self.warehouse.stage(_ROWS, narrow)
        if self.warehouse.count(rows) >= limit:
            return self.warehouse.stage(self.into, self._select + self._by_key_condition)
        return self._stage_by_row_id(rows, condition)

    def _stage_by_row_id(self, rows: str, condition: str) -> str:
        if has_row_ids(self.warehouse, rows):
            condition = f"x.rowid IN (SELECT _row FROM {rows})"
        return self.warehouse.stage(self.into, self._select + condition, *self._unlocatable)

    def _stage_starts(self) -> str:
        hashes = f"SELECT {hash60_sql(f'k.{self._key}')} FROM {_KEYS} AS k"
        start = timestamp_sql("l.sequence")
        select = f"SELECT DISTINCT {start} AS valid_from FROM {self.by.log} AS l WHERE l.key_hash IN ({hashes})"
        return self.warehouse.stage(_STARTS, select)


def has_row_ids(warehouse: Warehouse, rows: str) -> bool:
    """Whether all staged `rows` (`_row`) can be read and deleted by their row id."""
    return not warehouse.rows(f"SELECT 1 FROM {rows} WHERE _row >= {FIRST_UNCOMMITTED_ROW_ID} LIMIT 1")
