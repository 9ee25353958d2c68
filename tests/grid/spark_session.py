"""Spark for tests: quick with a handful of rows; without Java its tests are skipped, and the run says so."""

from __future__ import annotations

import os

import pytest

from headwater.warehouse.spark.connection import OLDEST_JAVA, read_java_version

SETTINGS = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": (
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m -XX:MetaspaceSize=256m -Xms1g -Xmn400m"
        " -Djdk.lang.Process.launchMechanism=VFORK"
    ),
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.maxPlanStringLength": "0",
    "spark.ui.liveUpdate.period": "-1",
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "1",
    "spark.sql.ui.retainedExecutions": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.stats.collect": "false",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
"""Nothing is compiled twice, nothing is spread, nothing is described: that would cost more than a test of ten rows takes.

Each file and folder is a process to Hadoop (`chmod`), so there are no more of them than needed.
"""

SKIPPED = "engine spark: "
"""How the reason begins for which a test was skipped with the whole engine."""


def skip_without_java() -> None:
    """Skip the test when there is no Java for Spark to run on."""
    version = read_java_version()
    if version < OLDEST_JAVA:
        pytest.skip(f"{SKIPPED}needs Java {OLDEST_JAVA} or newer, found {version or 'none'}")


def notice(reports) -> str:
    """What a run says at its end when tests were skipped with an engine; empty when none was."""
    reasons = [report.longrepr[2] for report in reports if isinstance(report.longrepr, tuple)]
    missing = [reason.partition(SKIPPED)[2] for reason in reasons if SKIPPED in reason]
    return f"{len(missing)} tests of Spark were skipped: it {missing[0]}" if missing else ""


def must_run() -> bool:
    """Whether a skipped engine fails the run."""
    return os.environ.get("CI", "").lower() in {"1", "true"}
