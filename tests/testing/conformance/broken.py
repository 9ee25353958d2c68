"""Warehouses that each break one guarantee, for the checks to find."""

from __future__ import annotations

from contextlib import contextmanager

from headwater.clock import SystemClock
from headwater.warehouse.base import WriteCounts
from headwater.warehouse.duckdb.engine import DuckDB


class LosesDeletes(DuckDB):
    """Loses the deletes that arrive."""

    def stage(self, name, select, *more):
        if name == "arrived":
            select = f"SELECT * FROM ({select}) AS a WHERE operation <> 'D'"
        return super().stage(name, select, *more)


class ForgetsNull(DuckDB):
    """Stores NULL as the empty text, as some loaders do."""

    def stage(self, name, select, *more):
        if name == "arrived" and "name" in self.schema_of(select):
            select = f"SELECT * REPLACE (COALESCE(name, '') AS name) FROM ({select}) AS a"
        return super().stage(name, select, *more)


class IgnoresWhatIsLate(DuckDB):
    """Drops an event that is older than another event of its key."""

    def stage(self, name, select, *more):
        if name == "arrived":
            newest = self.__dict__.setdefault("newest", {})
            late = " OR ".join(f"(entity_key = '{key}' AND sequence < {at})" for key, at in newest.items()) or "FALSE"
            for key, at in self.rows(f"SELECT entity_key, MAX(sequence) FROM ({select}) AS a GROUP BY entity_key"):
                newest[key] = max(at, newest.get(key, at))
            select = f"SELECT * FROM ({select}) AS a WHERE NOT ({late})"
        return super().stage(name, select, *more)


class CountsInMilliseconds(DuckDB):
    """Rounds instants down to 4 microseconds."""

    def stage(self, name, select, *more):
        if name == "arrived":
            select = f"SELECT * REPLACE (sequence // 4 * 4 AS sequence) FROM ({select}) AS a"
        return super().stage(name, select, *more)


class KeepsOldVersions(DuckDB):
    """Keeps the versions that a merge replaces."""

    def apply(self, table, changes, *, old_key_columns, inserts="", stored=()):
        if table.name == "thing":
            self.execute(f"UPDATE {changes} SET {', '.join(f'{column} = NULL' for column in old_key_columns.values())}")
        return super().apply(table, changes, old_key_columns=old_key_columns, inserts=inserts)


class NeverPointsAnew(DuckDB):
    """Never updates rows of work."""

    def _has_work(self, table):
        return table.name == "fact_entry" and bool(self.rows("SELECT 1 FROM gold.fact_entry LIMIT 1"))

    def apply(self, table, changes, *, old_key_columns, inserts="", stored=()):
        return (
            WriteCounts()
            if self._has_work(table)
            else super().apply(table, changes, old_key_columns=old_key_columns, inserts=inserts, stored=stored)
        )

    def replace_rows(self, table, *, keys, new_rows, stored=None):
        if self._has_work(table):
            return WriteCounts()
        return super().replace_rows(table, keys=keys, new_rows=new_rows, stored=stored)


class ReservesNothing(DuckDB):
    """Writes no reserved members."""

    def append(self, layer, name, columns, select):
        return 0 if "gold_reserved" in select else super().append(layer, name, columns, select)


class CommitsEachStatement(DuckDB):
    """Has no transactions, and waits before each write, so that a kill occurs between two of them."""

    @contextmanager
    def transaction(self):
        yield

    def execute(self, statement, parameters=()):
        if statement.startswith(("INSERT", "DELETE", "UPDATE")):
            SystemClock().sleep(0.05)
        return super().execute(statement, parameters)


class SpillsOver(DuckDB):
    """Writes into other tenants, too."""

    others = ()

    def append(self, layer, name, columns, select):
        count = super().append(layer, name, columns, select)
        for other in self.others:
            other.execute(
                f"INSERT INTO meta.tied_keys (entity, entity_key) VALUES ('thing', '{self.tenant}-{id(select)}')"
            )
            other.execute("UPDATE silver.thing SET size = 7")
        return count
