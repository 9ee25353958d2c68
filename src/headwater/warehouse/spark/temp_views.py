"""Staged rows of a session as temporary views. Their number is observed while they are computed."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as spark_functions

from headwater.names import quote


class TempViews:
    """The staged rows of one warehouse. An empty relation is stored as `limit(0)`, so that Spark does not read it."""

    def __init__(self, spark: Any, prefix: str) -> None:
        self._spark = spark
        self._prefix = prefix
        self._counts: dict[str, int] = {}
        self.rows: dict[str, DataFrame] = {}
        """Name -> rows. Spark Connect drops rows without a reference."""

    def stage(self, name: str, rows: DataFrame) -> str:
        """Compute rows now and store them under a name; return the quoted name."""
        if is_connected(rows):
            computed = rows.localCheckpoint(eager=True)
            self._counts.pop(name, None)
        else:
            computed, self._counts[name] = _materialize(rows)
        computed.createOrReplaceTempView(self._prefix + name)
        self.rows[name] = computed
        return quote(self._prefix + name)

    def count(self, relation: str) -> int:
        """Count the rows of a staged relation, given by the name that `stage` returned."""
        name = relation.strip('"').removeprefix(self._prefix)
        if name not in self._counts:
            self._counts[name] = self.rows[name].count()
        return self._counts[name]

    def drop(self, name: str) -> None:
        """Drop a relation if it exists."""
        self._spark.catalog.dropTempView(self._prefix + name)
        self._counts.pop(name, None)
        self.rows.pop(name, None)


def _materialize(rows: DataFrame) -> tuple[DataFrame, int]:
    """Compute the rows; return them and their number."""
    observed_rows, count = observe_count(rows)
    if is_surely_empty(observed_rows):
        return rows.limit(0), 0
    computed = observed_rows.localCheckpoint(eager=True)
    number = int(count.get["rows"])
    return computed if number else computed.limit(0), number


def observe_count(rows: DataFrame) -> tuple[DataFrame, Observation]:
    """Return the rows, and an observation of their number (`rows`), available after they are computed."""
    count = Observation()
    return rows.observe(count, spark_functions.count(spark_functions.lit(1)).alias("rows")), count


def is_surely_empty(observed_rows: DataFrame) -> bool:
    """Whether Spark knows from the plan that there are no rows, e.g. because their source is empty."""
    if is_connected(observed_rows):
        return False
    max_rows = observed_rows._jdf.queryExecution().optimizedPlan().children().head().maxRows()  # noqa: SLF001  # pyspark has no public API for this
    return bool(max_rows.isDefined() and max_rows.get() == 0)


def is_connected(rows: DataFrame) -> bool:
    """Whether rows belong to another process, by Spark Connect."""
    return type(rows).__module__.startswith("pyspark.sql.connect")
