"""A Spark session: made for this process, reached by Spark Connect, or the one that is there; its complaints in words."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headwater.errors import WarehouseError
from headwater.names import check_slug

with warnings.catch_warnings():
    # pyspark warns of versions of pandas, which we do not use.
    warnings.simplefilter("ignore")
    import pyspark
    import pyspark.testing.utils  # which its first statement imports
    from py4j.protocol import Py4JError, Py4JJavaError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17
"""Spark 4 runs on Java from 17 on."""

OURS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # A fold compares dozens of columns with those before them; what Spark concludes from that grows beyond all bounds.
    "spark.sql.constraintPropagation.enabled": "false",
}
"""What a session of ours is told, whoever made Spark: instants are zoneless UTC, and a cast that fails says so."""

LOCAL: Mapping[str, str] = {
    "spark.app.name": "headwater",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
    # Our sources are staged, so they cannot change between the two times that a MERGE reads them.
    "spark.databricks.delta.merge.materializeSource": "none",
}
"""What a Spark of this process is told beside."""
_JARS = ("io.delta_", "io.unitycatalog_", "org.locationtech.jts_", "org.roaringbitmap_")
"""Jars that Delta needs beside those that Spark has, by the beginning of their names where Ivy keeps them."""

REFUSALS = (PySparkException, Py4JError, ConnectionError)
"""How a statement may end: with a complaint of Spark's or of Java's, or with silence because the connection to Spark was lost."""

_starting = threading.Lock()


def open_session(url: str, *, settings: Mapping[str, str]) -> SparkSession:
    """A session for one warehouse, to be given back by `give_back`; WarehouseError when there is none to be had."""
    try:
        if url.startswith("local"):
            found = _local_session(url, settings)
        elif url.startswith("sc://"):
            found = SparkSession.builder.remote(url).getOrCreate()
        else:
            found = _get_active()
        return _borrow(found)
    except REFUSALS as error:
        hint = "check that Spark is running and reachable for this user"
        raise WarehouseError(
            "Spark cannot be reached", where=url or "spark", details=first_lines(error), hint=hint
        ) from error


def _get_active() -> SparkSession:
    active = SparkSession.getActiveSession()
    if active is None:
        raise WarehouseError(
            "there is no active Spark session",
            where="headwater.yaml, warehouse",
            details="kind: spark without `url`",
            hint='run it where Spark is active (a Fabric or Databricks notebook), or set `url: "local[2]"` or `sc://host:15002`',
        )
    return active


_lent: dict[int, tuple[int, dict[str, str | None]]] = {}
"""By session: how many warehouses work in it, and what it was told before them."""


def _borrow(found: SparkSession) -> SparkSession:
    """A session beside `found`; with Spark Connect itself, whose settings are as they were once it is given back.

    What Spark Connect checkpoints belongs to its active session, so no other will do there.
    """
    if not type(found).__module__.startswith("pyspark.sql.connect"):
        found = found.newSession()
        for name, value in OURS.items():
            found.conf.set(name, value)
        return found
    with _starting:
        count, before = _lent.get(id(found), (0, {}))
        if count == 0:
            before = {name: found.conf.get(name, None) for name in OURS}
            for name, value in OURS.items():
                found.conf.set(name, value)
        _lent[id(found)] = count + 1, before
    return found


def give_back(lent: SparkSession) -> None:
    """Let a session be as it was, when nobody works in it any more."""
    with _starting:
        count, before = _lent.pop(id(lent), (0, {}))
        if count > 1:
            _lent[id(lent)] = count - 1, before
            return
        for name, value in before.items():
            if value is None:
                lent.conf.unset(name)
            else:
                lent.conf.set(name, value)


@contextlib.contextmanager
def _keep_interrupts() -> Iterator[None]:
    """Ctrl-C goes on meaning what it meant: Spark's start takes it over where it is started in the main thread."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _local_session(master: str, settings: Mapping[str, str]) -> SparkSession:
    """The Spark of this process, which is started once and serves every warehouse in it."""
    with _starting:
        if SparkContext._active_spark_context is None:  # noqa: SLF001  # pyspark has no other way to ask
            check_java()
            with _lock_start(), _keep_interrupts():
                _start(master, settings)
        return SparkSession.builder.getOrCreate()


def _start(master: str, settings: Mapping[str, str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="headwater-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cores = _count_cores(master)
    told = {
        **LOCAL,
        "spark.master": master,
        "spark.sql.shuffle.partitions": str(4 * cores),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        **delta_settings(),
        **OURS,
        **settings,
    }
    conf = SparkConf(loadDefaults=False)
    for name, value in told.items():
        conf.set(name, value)
    # What Java says while it starts is of no interest, unless it does not start.
    with (folder / "log").open("wb") as log:
        # A signal that ends us all (`timeout`, a closed terminal) is ours to handle; Java ends when we do.
        options = {"stdout": log, "stderr": log, "start_new_session": True}
        try:
            gateway = launch_gateway(conf, options)  # type: ignore[no-untyped-call]
            SparkContext(conf=conf, gateway=gateway).setLogLevel("ERROR")
            # What goes wrong is an error of ours, not a line of JSON with Java's whole stack.
            PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
            logging.getLogger().addFilter(_is_not_py4j)
        except PySparkException as error:
            raise _start_error(folder / "log") from error
    # Python's own clean-up of the context comes first, then that of the folder.


def _is_not_py4j(record: logging.LogRecord) -> bool:
    """Whether it is anybody else who speaks: py4j tells the root logger, with its call stack, that Java is gone."""
    return record.module != "java_gateway"


def _count_cores(master: str) -> int:
    found = re.fullmatch(r"local\[(\d+|\*).*\]", master)
    if found is None:
        return 1
    return (os.cpu_count() or 1) if found[1] == "*" else int(found[1])


def delta_settings() -> dict[str, str]:
    """Where Spark finds Delta: what was fetched before, else what Ivy fetches from Maven Central."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from delta import configure_spark_with_delta_pip  # noqa: PLC0415  # its import is slow

        options = configure_spark_with_delta_pip(SparkSession.builder)._options  # noqa: SLF001
    package = str(options["spark.jars.packages"])
    group, artifact, version = package.split(":")
    jars = Path.home() / ".ivy2.5.2/jars"
    if (jars / f"{group}_{artifact}-{version}.jar").is_file():
        known = sorted(str(jar) for jar in jars.glob("*.jar") if jar.name.startswith(_JARS))
        return {"spark.jars": ",".join(known)}
    return {"spark.jars.packages": package}


@contextlib.contextmanager
def _lock_start() -> Iterator[None]:
    """Processes of a user start Spark one after the other: Ivy's folder takes no two at once."""
    path = Path(tempfile.gettempdir()) / f"headwater-spark-{os.getuid()}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find_java() -> str:
    """The program that runs Java; empty when there is none."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        return str(Path(home) / "bin" / "java")
    return shutil.which("java") or ""


def read_java_version() -> int:
    """The version of the Java that Spark would run on; 0 when there is none."""
    program = find_java()
    if not program:
        return 0
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else 0


def check_java() -> None:
    """Nothing when Spark can run; WarehouseError otherwise."""
    version = read_java_version()
    if version < OLDEST_JAVA:
        raise WarehouseError(
            f"Spark needs Java {OLDEST_JAVA} or newer",
            where=f"spark {pyspark.__version__}",
            details=f"Java {version} ({find_java()})"
            if version
            else "no Java: JAVA_HOME is not set, and `java` is not on the path",
            hint="install it (Debian: `apt-get install openjdk-17-jre-headless`, macOS: `brew install openjdk@17`)",
        )


def _start_error(log: Path) -> WarehouseError:
    text = log.read_text(errors="replace")
    if "unresolved dependency" in text.lower() or "unresolved dependencies" in text.lower():
        return WarehouseError(
            "the jars of Delta cannot be downloaded",
            where="Maven Central, through Ivy",
            details=_last_match(text, r"not found|unresolved|UnknownHost|refused"),
            hint="check that repo1.maven.org is reachable (proxy), or set `spark.jars.ivySettings` under `settings:` to a mirror",
        )
    hint = "check that `java -version` works, and that there is enough memory for `spark.driver.memory`"
    details = _last_match(text, r"rror|xception") or "Java exited without a message"
    return WarehouseError("Spark cannot start", where="local mode", details=details, hint=hint)


def _last_match(text: str, pattern: str) -> str:
    found = [line.strip() for line in text.splitlines() if re.search(pattern, line)]
    return found[-1][:300] if found else ""


def first_lines(error: Exception) -> str:
    """The first words of a complaint, without Java's call stack."""
    text = error.getMessage() if isinstance(error, PySparkException) else str(error)
    lines = [line.strip() for line in str(text or error).splitlines() if line.strip()]
    lines = [re.sub(r"^\[USER_RAISED_EXCEPTION\] | SQLSTATE: \w{5}$", "", line) for line in lines]
    kept = [line for line in lines if not re.match(r"at |\.\.\. |JVM stacktrace|Caused by", line)]
    return "\n".join(kept[:2])[:600]


def to_warehouse_error(error: Exception, where: str, statement: str) -> WarehouseError:
    """A complaint of Spark's about a statement, or its silence, in our four parts."""
    if _is_silence(error):
        hint = "run again: committed data is safe, and the next writer rolls back unfinished changes"
        return WarehouseError(
            "the connection to Spark was lost",
            where=where,
            details=f"{type(error).__name__}: {first_lines(error)}",
            hint=hint,
        )
    text = str(error)
    shown = " ".join(statement.split())[:300]
    hint = f"the statement was: {shown}" if "AnalysisException" in type(error).__name__ or "Parse" in text else ""
    if re.search(r"Concurrent\w*Exception|DELTA_CONCURRENT", text):
        hint = "another writer committed first; nothing was written: run again"
    elif "No space left" in text:
        hint = "free some disk space, then run again; committed data is safe"
    elif "OutOfMemory" in text or "Java heap space" in text:
        hint = "set more memory (`warehouse: {memory: 4g}`)"
    return WarehouseError("Spark refused a statement", where=where, details=first_lines(error), hint=hint)


def _is_silence(error: Exception) -> bool:
    """Whether Spark did not answer. What Java complains of, and pyspark has no class for, has a trace of Java's."""
    if isinstance(error, Py4JJavaError):
        return False
    return not isinstance(error, PySparkException) and "Trace:" not in str(error)


def database_name(tenant: str, layer: str) -> str:
    """What a tenant's schema is called: Spark's names have no hyphens."""
    return f"{check_slug(tenant).replace('-', '_')}_{layer}"


def driver_process(spark: Any) -> int:
    """The process that Spark's driver runs in; 0 where it is another machine's."""
    try:
        return int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001
    except Exception:  # noqa: BLE001  # Spark Connect has no such thing, and complains in ways of its own
        return 0
