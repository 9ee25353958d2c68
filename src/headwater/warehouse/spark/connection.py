"""Opens a Spark session (started in this process, by Spark Connect, or the active one), and converts the errors of Spark."""

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
    # pyspark warns of versions of pandas, which Headwater does not use.
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
"""The oldest version of Java that Spark 4 supports."""

SESSION_SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Replaying events compares dozens of columns with earlier ones; the constraints that Spark infers would grow without bound.
    "spark.sql.constraintPropagation.enabled": "false",
}
"""The settings of Headwater's session: instants are UTC without a zone, and a failed cast is an error."""

LOCAL_SETTINGS: Mapping[str, str] = {
    "spark.app.name": "headwater",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
    # The sources are staged, so they cannot change between the two reads of a MERGE.
    "spark.databricks.delta.merge.materializeSource": "none",
}
"""Further settings if Spark is started in this process."""
_JARS = ("io.delta_", "io.unitycatalog_", "org.locationtech.jts_", "org.roaringbitmap_")
"""Prefixes of the names of the jars, in the folder of Ivy, that Delta needs in addition to those of Spark."""

SPARK_ERRORS = (PySparkException, Py4JError, ConnectionError)
"""The errors of a statement: from Spark, from Java, or from a lost connection."""

_start_lock = threading.Lock()


def open_session(url: str, *, settings: Mapping[str, str]) -> SparkSession:
    """Open a session for one warehouse; close it by `release_session`. Raises WarehouseError if that fails."""
    try:
        if url.startswith("local"):
            session = _get_local_session(url, settings)
        elif url.startswith("sc://"):
            session = SparkSession.builder.remote(url).getOrCreate()
        else:
            session = _get_active()
        return _borrow(session)
    except SPARK_ERRORS as error:
        hint = "check that Spark is running and reachable for this user"
        raise WarehouseError(
            "Spark cannot be reached", where=url or "spark", details=shorten_message(error), hint=hint
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


_borrowed: dict[int, tuple[int, dict[str, str | None]]] = {}
"""Id of a Spark Connect session -> number of warehouses that use it, and its settings before."""


def _borrow(session: SparkSession) -> SparkSession:
    """Return a new session of the same Spark; for Spark Connect the session itself, whose settings are restored on release.

    Checkpoints of Spark Connect belong to its active session, so a new session cannot be used there.
    """
    if not type(session).__module__.startswith("pyspark.sql.connect"):
        session = session.newSession()
        for name, value in SESSION_SETTINGS.items():
            session.conf.set(name, value)
        return session
    with _start_lock:
        count, before = _borrowed.get(id(session), (0, {}))
        if count == 0:
            before = {name: session.conf.get(name, None) for name in SESSION_SETTINGS}
            for name, value in SESSION_SETTINGS.items():
                session.conf.set(name, value)
        _borrowed[id(session)] = count + 1, before
    return session


def release_session(session: SparkSession) -> None:
    """Restore the settings of a session when no warehouse uses it any more."""
    with _start_lock:
        count, before = _borrowed.pop(id(session), (0, {}))
        if count > 1:
            _borrowed[id(session)] = count - 1, before
            return
        for name, value in before.items():
            if value is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, value)


@contextlib.contextmanager
def _keep_interrupts() -> Iterator[None]:
    """Keep the handler of Ctrl-C: Spark replaces it when it is started in the main thread."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _get_local_session(master: str, settings: Mapping[str, str]) -> SparkSession:
    """Return the Spark of this process. It is started once and shared by all warehouses."""
    with _start_lock:
        if SparkContext._active_spark_context is None:  # noqa: SLF001  # pyspark has no public API for this
            check_java()
            with _lock_start(), _keep_interrupts():
                _start_spark(master, settings)
        return SparkSession.builder.getOrCreate()


def _start_spark(master: str, settings: Mapping[str, str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="headwater-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cores = _count_cores(master)
    properties = {
        **LOCAL_SETTINGS,
        "spark.master": master,
        "spark.sql.shuffle.partitions": str(4 * cores),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        **find_delta_settings(),
        **SESSION_SETTINGS,
        **settings,
    }
    conf = SparkConf(loadDefaults=False)
    for name, value in properties.items():
        conf.set(name, value)
    # The output of Java matters only if it does not start.
    with (folder / "log").open("wb") as log:
        # Python handles signals to the process group (`timeout`, a closed terminal); Java ends with this process.
        options = {"stdout": log, "stderr": log, "start_new_session": True}
        try:
            gateway = launch_gateway(conf, options)  # type: ignore[no-untyped-call]
            SparkContext(conf=conf, gateway=gateway).setLogLevel("ERROR")
            # Errors are raised as WarehouseError, not logged as JSON with Java's stack trace.
            PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
            logging.getLogger().addFilter(_is_not_py4j)
        except PySparkException as error:
            raise _build_start_error(folder / "log") from error
    # At exit, Python stops the context first, then removes the folder.


def _is_not_py4j(record: logging.LogRecord) -> bool:
    """Whether a log record is not from py4j, which logs to the root logger, with a stack trace, that Java has ended."""
    return record.module != "java_gateway"


def _count_cores(master: str) -> int:
    match = re.fullmatch(r"local\[(\d+|\*).*\]", master)
    if match is None:
        return 1
    return (os.cpu_count() or 1) if match[1] == "*" else int(match[1])


def find_delta_settings() -> dict[str, str]:
    """Return the settings by which Spark finds Delta: jars from an earlier download, else a package for Ivy to download."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from delta import configure_spark_with_delta_pip  # noqa: PLC0415  # its import is slow

        options = configure_spark_with_delta_pip(SparkSession.builder)._options  # noqa: SLF001
    package = str(options["spark.jars.packages"])
    group, artifact, version = package.split(":")
    jars = Path.home() / ".ivy2.5.2/jars"
    if (jars / f"{group}_{artifact}-{version}.jar").is_file():
        paths = sorted(str(jar) for jar in jars.glob("*.jar") if jar.name.startswith(_JARS))
        return {"spark.jars": ",".join(paths)}
    return {"spark.jars.packages": package}


@contextlib.contextmanager
def _lock_start() -> Iterator[None]:
    """Let the processes of a user start Spark one at a time: Ivy's folder does not support concurrent downloads."""
    path = Path(tempfile.gettempdir()) / f"headwater-spark-{os.getuid()}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find_java() -> str:
    """Return the path of the `java` program; empty if there is none."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        return str(Path(home) / "bin" / "java")
    return shutil.which("java") or ""


def read_java_version() -> int:
    """Return the version of the Java that Spark would use; 0 if there is none."""
    program = find_java()
    if not program:
        return 0
    output = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(match[1]) if match else 0


def check_java() -> None:
    """Raise WarehouseError if Java is missing or too old for Spark."""
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


def _build_start_error(log: Path) -> WarehouseError:
    text = log.read_text(errors="replace")
    if "unresolved dependency" in text.lower() or "unresolved dependencies" in text.lower():
        return WarehouseError(
            "the jars of Delta cannot be downloaded",
            where="Maven Central, through Ivy",
            details=_find_last_match(text, r"not found|unresolved|UnknownHost|refused"),
            hint="check that repo1.maven.org is reachable (proxy), or set `spark.jars.ivySettings` under `settings:` to a mirror",
        )
    hint = "check that `java -version` works, and that there is enough memory for `spark.driver.memory`"
    details = _find_last_match(text, r"rror|xception") or "Java exited without a message"
    return WarehouseError("Spark cannot start", where="local mode", details=details, hint=hint)


def _find_last_match(text: str, pattern: str) -> str:
    lines = [line.strip() for line in text.splitlines() if re.search(pattern, line)]
    return lines[-1][:300] if lines else ""


def shorten_message(error: Exception) -> str:
    """Return the first two lines of an error message, without Java's stack trace."""
    text = _read_message(error) if isinstance(error, PySparkException) else str(error)
    lines = [line.strip() for line in str(text or error).splitlines() if line.strip()]
    lines = [re.sub(r"^\[USER_RAISED_EXCEPTION\] | SQLSTATE: \w{5}$", "", line) for line in lines]
    messages = [line for line in lines if not re.match(r"at |\.\.\. |JVM stacktrace|Caused by", line)]
    return "\n".join(messages[:2])[:600]


def _read_message(error: PySparkException) -> str:
    """The message of Spark. For error classes of Delta, Spark itself raises an error when it is asked for it."""
    try:
        return error.getMessage() or ""
    except Exception:  # noqa: BLE001 - whatever Java raised
        return str(error)


def to_warehouse_error(error: Exception, where: str, statement: str) -> WarehouseError:
    """Convert an error of Spark for a statement, or a lost connection."""
    if _is_connection_lost(error):
        hint = "run again: committed data is safe, and the next writer rolls back unfinished changes"
        return WarehouseError(
            "the connection to Spark was lost",
            where=where,
            details=f"{type(error).__name__}: {shorten_message(error)}",
            hint=hint,
        )
    text = str(error)
    statement_text = " ".join(statement.split())[:300]
    hint = (
        f"the statement was: {statement_text}" if "AnalysisException" in type(error).__name__ or "Parse" in text else ""
    )
    if re.search(r"Concurrent\w*Exception|DELTA_CONCURRENT", text):
        hint = "another writer committed first; nothing was written: run again"
    elif "No space left" in text:
        hint = "free some disk space, then run again; committed data is safe"
    elif "OutOfMemory" in text or "Java heap space" in text:
        hint = "set more memory (`warehouse: {memory: 4g}`)"
    return WarehouseError("Spark refused a statement", where=where, details=shorten_message(error), hint=hint)


def _is_connection_lost(error: Exception) -> bool:
    """Whether Spark did not respond. Errors of Java without a class in pyspark contain a stack trace of Java."""
    if isinstance(error, Py4JJavaError):
        return False
    return not isinstance(error, PySparkException) and "Trace:" not in str(error)


def to_database_name(tenant: str, layer: str) -> str:
    """Return the name of a tenant's schema: Spark does not allow hyphens in names."""
    return f"{check_slug(tenant).replace('-', '_')}_{layer}"


def get_driver_process(spark: Any) -> int:
    """Return the process id of Spark's driver; 0 if it runs on another machine."""
    try:
        return int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())  # noqa: SLF001
    except Exception:  # noqa: BLE001  # Spark Connect has no JVM, and raises errors of its own
        return 0
