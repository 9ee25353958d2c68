"""What goes wrong outside: each time four parts and an exit code, nothing lost, and the next run completes."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager

import pytest

from tests.e2e.builders import Service, Shop, create_shop


@pytest.fixture(scope="module")
def calm():
    """A service that nobody disturbs."""
    made = Service()
    yield made
    made.close()


@pytest.fixture(scope="module")
def reference_run(calm, tmp_path_factory):
    """A project after an undisturbed run."""
    project = create_shop(tmp_path_factory.mktemp("calm") / "shop", calm)
    project.run()
    return project


@pytest.fixture(scope="module")
def expected_tables(reference_run):
    """The tables of an undisturbed run."""
    return reference_run.read_tables()


@pytest.fixture
def project(tmp_path, calm):
    """A project that never ran."""
    return create_shop(tmp_path / "shop", calm)


@pytest.fixture
def shop_after_run(tmp_path, reference_run):
    """A copy of the project after the undisturbed run."""
    shutil.copytree(reference_run.root, tmp_path / "finished")
    return Shop(tmp_path / "finished")


def check_error(project, kind, *, code=1, command="run"):
    """Check the error of a command that fails as a whole: it has four parts, as JSON and as text."""
    error = project(command, code=code).error
    assert error["kind"] == kind, error
    assert all(error[part] for part in ("message", "at", "found", "fix")), error
    check_text(project.run_in_process(command), code)
    return error


def check_text(result, code):
    """Check the error of a command as text: nothing on standard output, no traceback, and all four parts."""
    assert result.code == code
    assert (result.out, "Traceback" in result.err) == ("", False)
    assert all(f"\n  {part}" in result.err for part in ("at", "found", "fix")), result.err
    print(result.err)


def list_step_errors(report, kind):
    """The errors of the steps that failed in a run of which some parts failed."""
    errors = [step["error"] for step in report["steps"] if step["state"] == "failed"]
    assert errors
    assert all(error["kind"] == kind for error in errors), errors
    assert all(error["message"] and error["at"] and error["fix"] for error in errors), errors
    return errors


def check_recovery(project, expected_tables):
    """After the cause is gone, the next run completes and nothing is missing."""
    assert project.run()["outcome"] == "succeeded"
    assert project.read_tables() == expected_tables
    assert project.run()["written"] == {}


def test_a_wrong_key(project, expected_tables):
    right, project.env["CONNECTWISE_PRIVATE_KEY"] = project.env["CONNECTWISE_PRIVATE_KEY"], "wrong-and-secret"
    error = check_error(project, "PermanentError")
    assert "401" in str(error)
    result = project("run", code=1)
    assert "wrong-and-secret" not in result.out + result.err
    project.env["CONNECTWISE_PRIVATE_KEY"] = right
    check_recovery(project, expected_tables)


def test_a_wrong_url(project, calm, expected_tables):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        project.connect(f"http://127.0.0.1:{free.getsockname()[1]}")
        check_error(project, "TransientError")
    project.connect("https://no-such-host.invalid")
    check_error(project, "TransientError")
    project.connect("http://psa.example.com")
    check_error(project, "DeclarationError", code=2)
    project.connect(calm)
    check_recovery(project, expected_tables)


def test_a_missing_secret(project, expected_tables):
    key = project.env.pop("CONNECTWISE_CLIENT_ID")
    error = check_error(project, "DeclarationError", code=2)
    assert "CONNECTWISE_CLIENT_ID" in error["message"]
    project.env["CONNECTWISE_CLIENT_ID"] = key
    check_recovery(project, expected_tables)


def test_an_unknown_column_in_a_declaration(project, expected_tables):
    path = project.root / "models" / "facts" / "time_entry.yaml"
    right = path.read_text()
    path.write_text(right.replace("hours: hours,", "hours: huors,"))
    for command in ("check", "run", "plan"):
        error = check_error(project, "DeclarationErrors", code=2, command=command)
        assert "models/facts/time_entry.yaml:" in error["at"]
        assert "`hours`" in error["fix"]
    path.write_text(right)
    check_recovery(project, expected_tables)


def test_a_ledger_of_a_newer_version(shop_after_run, expected_tables):
    ledger = shop_after_run.data / "ledger.db"
    with closing(sqlite3.connect(ledger)) as db, db:
        (version,) = db.execute("SELECT version_num FROM ledger_version").fetchone()
        db.execute("UPDATE ledger_version SET version_num = '0999'")
    error = check_error(shop_after_run, "StateError")
    assert "newer" in error["message"]
    with closing(sqlite3.connect(ledger)) as db, db:
        db.execute("UPDATE ledger_version SET version_num = ?", (version,))
    check_recovery(shop_after_run, expected_tables)


def test_a_corrupted_ledger(shop_after_run, expected_tables):
    ledger = shop_after_run.data / "ledger.db"
    with closing(sqlite3.connect(ledger)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    right = ledger.read_bytes()
    for wrong in (
        b"no database at all, " * 999,
        right[:5000] + b"\xff" * (len(right) - 5000),
        right[: len(right) // 2],
    ):
        for beside in shop_after_run.data.glob("ledger.db-*"):
            beside.unlink()
        ledger.write_bytes(wrong)
        check_error(shop_after_run, "StateError")
    for beside in shop_after_run.data.glob("ledger.db-*"):
        beside.unlink()
    ledger.write_bytes(right)
    check_recovery(shop_after_run, expected_tables)


HOLD = """
import duckdb, sys
with duckdb.connect(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""
"""A program that has a DuckDB file open until its standard input ends."""


def test_a_warehouse_that_another_process_has_open(project, expected_tables):
    project.run("--layer", "bronze")
    words = [sys.executable, "-c", HOLD, str(project.data / "acme.duckdb")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "open\n"
        error = check_error(project, "WarehouseError")
        assert str(holder.pid) in error["found"]
        holder.communicate()
    check_recovery(project, expected_tables)


def test_a_warehouse_that_is_damaged(shop_after_run, expected_tables):
    path = shop_after_run.data / "acme.duckdb"
    path.write_bytes(b"\x00" * 4096)
    check_error(shop_after_run, "WarehouseError")
    path.unlink()
    check_recovery(shop_after_run, expected_tables)


@pytest.mark.parametrize("place", ["raw", "bronze"])
def test_a_lake_whose_folder_is_a_file(project, expected_tables, place):
    blocked = project.data / "lake" / "acme" / place
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way")
    list_step_errors(project("run", code=None).json, "LakeError")
    blocked.unlink()
    check_recovery(project, expected_tables)


def test_a_lake_that_is_a_file(project, expected_tables):
    blocked = project.data / "lake"
    blocked.parent.mkdir()
    blocked.write_text("in the way")
    check_error(project, "LakeError")
    blocked.unlink()
    check_recovery(project, expected_tables)


@contextmanager
def mount_disk(folder, options):
    """A small disk of its own, where this user may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    if not mount or os.geteuid():
        pytest.skip("only root can mount a disk")
    if subprocess.run(
        [mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_lake_on_a_read_only_disk(project, expected_tables):
    lake = project.data / "lake"
    with mount_disk(lake, "size=16m") as mount:
        project.run("--layer", "raw")
        subprocess.run([mount, "-o", "remount,ro", lake], check=True)
        assert check_error(project, "LakeError")["found"] == "Read-only file system"
        subprocess.run([mount, "-o", "remount,rw", lake], check=True)
        check_recovery(project, expected_tables)


PLACES = {
    "lake": {"lake": {"url": "small/lake"}},
    "ledger": {"ledger": {"url": "sqlite:///small/ledger.db"}},
    "warehouse": {"warehouse": {"kind": "duckdb", "path": "small/{tenant}.duckdb"}},
}


def run_without_space(project, **options):
    """Run in a subprocess that must fail for lack of space, in part or as a whole. Return the kinds of its errors."""
    result = project.run_in_subprocess("run", code=None, **options)
    assert result.code in (1, 3), result.out
    steps = result.json.get("steps", [{"error": result.json.get("error")}])
    errors = [step["error"] for step in steps if step["error"]]
    assert errors
    assert all(error[part] for error in errors for part in ("message", "at", "found", "fix")), errors
    return Counter(error["kind"] for error in errors), errors[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "kilobytes"),
    [
        ("lake", 8),
        ("lake", 60),
        ("lake", 120),
        ("ledger", 60),
        ("ledger", 600),
        ("warehouse", 100),
        ("warehouse", 300),
    ],
)
def test_a_full_disk(project, expected_tables, place, kilobytes):
    project.declare(**PLACES[place])
    small = project.root / "small"
    with mount_disk(small, f"size={kilobytes}k") as mount:
        kinds, first = run_without_space(project)
        print(f"{place} with {kilobytes} kB: {dict(kinds)}; {first}")
        assert set(kinds) == {{"lake": "LakeError", "ledger": "StateError", "warehouse": "WarehouseError"}[place]}
        subprocess.run([mount, "-o", "remount,size=200m", small], check=True)
        assert project.run()["outcome"] == "succeeded"
        found = small / "acme.duckdb"
        if found.exists():
            shutil.copy(found, project.data / "acme.duckdb")
        assert project.read_tables() == expected_tables
        assert project.run()["written"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [3, 100, 700])
def test_files_that_may_not_grow(project, expected_tables, kilobytes):
    def narrow():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, resource.RLIM_INFINITY))

    kinds, first = run_without_space(project, preexec_fn=narrow)
    print(f"files of at most {kilobytes} kB: {dict(kinds)}; {first}")
    assert set(kinds) <= {"LakeError", "StateError", "WarehouseError"}
    check_recovery(project, expected_tables)
