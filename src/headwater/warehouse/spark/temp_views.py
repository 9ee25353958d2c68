"""Rows that a session has worked out for the moment, as temporary views; how many there are is learned on the way."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as spark_functions

from headwater.names import quote


class TempViews:
    """What one warehouse has staged. A relation without rows is told to Spark as one, which then does not ask it."""

    def __init__(self, spark: Any, prefix: str) -> None:
        self._spark = spark
        self._prefix = prefix
        self._counts: dict[str, int] = {}
        self.rows: dict[str, DataFrame] = {}
        """The rows by name. Spark Connect forgets rows that nobody holds."""

    def keep(self, name: str, rows: DataFrame) -> str:
        """Work rows out now and keep them under a name; the quoted name to use."""
        if is_connected(rows):
            kept = rows.localCheckpoint(eager=True)
            self._counts.pop(name, None)
        else:
            kept, self._counts[name] = _materialize(rows)
        kept.createOrReplaceTempView(self._prefix + name)
        self.rows[name] = kept
        return quote(self._prefix + name)

    def count(self, relation: str) -> int:
        """How many rows a staged relation (as `keep` has named it) has."""
        name = relation.strip('"').removeprefix(self._prefix)
        if name not in self._counts:
            self._counts[name] = self.rows[name].count()
        return self._counts[name]

    def drop(self, name: str) -> None:
        """Let go of a relation; nothing happens when there is none."""
        self._spark.catalog.dropTempView(self._prefix + name)
        self._counts.pop(name, None)
        self.rows.pop(name, None)


def _materialize(rows: DataFrame) -> tuple[DataFrame, int]:
    """The rows as they are now, and how many."""
    watched, count = observe_count(rows)
    if is_surely_empty(watched):
        return rows.limit(0), 0
    kept = watched.localCheckpoint(eager=True)
    number = int(count.get["rows"])
    return kept if number else kept.limit(0), number


def observe_count(rows: DataFrame) -> tuple[DataFrame, Observation]:
    """The rows, and how many they were once they have been worked out (`rows`)."""
    count = Observation()
    return rows.observe(count, spark_functions.count(spark_functions.lit(1)).alias("rows")), count


def is_surely_empty(watched: DataFrame) -> bool:
    """Whether Spark knows, without looking, that `counted` rows are none: for instance because they come from none."""
    if is_connected(watched):
        return False
    most = watched._jdf.queryExecution().optimizedPlan().children().head().maxRows()  # noqa: SLF001  # Python has no way
    return bool(most.isDefined() and most.get() == 0)


def is_connected(rows: DataFrame) -> bool:
    """Whether rows are another process's, by Spark Connect."""
    return type(rows).__module__.startswith("pyspark.sql.connect")
