from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from headwater.errors import StateError
from headwater.ledger.sql.ledger import SqlLedger
from headwater.ledger.sql.schema import HEAD
from tests.ledger.builders import extract_batch, make_batch, make_feed, make_page

URL = "sqlite:///deep/below/ledger.db"


def _build_path(root: Path) -> Path:
    return root / "deep" / "below" / "ledger.db"


def _create_ledger(root: Path) -> Path:
    SqlLedger(URL, root=root).close()
    return _build_path(root)


def _write_version(path: Path, stamp: str) -> bytes:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE ledger_version SET version_num = ?", (stamp,))
        raw.commit()
    return path.read_bytes()


def test_a_ledger_is_made_where_none_is(tmp_path: Path) -> None:
    path = _create_ledger(tmp_path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT version_num FROM ledger_version").fetchall() == [(f"{HEAD:04d}",)]
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        ledger = SqlLedger(URL, root=tmp_path)
        extract_batch(ledger, make_batch())
        ledger.close()
    again = SqlLedger(URL, root=tmp_path)
    assert len(again.list_windows(make_feed())) == 1
    again.close()


def test_opening_one_that_is_up_to_date_imports_no_alembic(tmp_path: Path) -> None:
    _create_ledger(tmp_path)
    script = (
        "import sys; from pathlib import Path; from headwater.ledger.sql.ledger import SqlLedger\n"
        f"SqlLedger({URL!r}, root=Path({str(tmp_path)!r})).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = _create_ledger(tmp_path)
    before = _write_version(path, f"{HEAD + 1:04d}")
    with pytest.raises(StateError) as caught:
        SqlLedger(URL, root=tmp_path)
    error = caught.value
    assert error.exit_code == 1
    assert "newer version of Headwater" in error.message
    assert error.where.endswith("ledger.db")
    assert error.details == f"ledger version {HEAD + 1}; this version supports up to {HEAD}"
    assert "upgrade headwater" in error.hint
    assert path.read_bytes() == before


def test_a_ledger_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = _create_ledger(tmp_path)
    before = _write_version(path, "f3a9")
    with pytest.raises(StateError, match="not a Headwater ledger"):
        SqlLedger(URL, root=tmp_path)
    assert path.read_bytes() == before


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = _build_path(tmp_path)
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE batch (id integer)")
        raw.commit()
    before = path.read_bytes()
    with pytest.raises(StateError, match="not a Headwater ledger") as caught:
        SqlLedger(URL, root=tmp_path)
    assert caught.value.details == "tables batch"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = _build_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"dear diary, " * 1000)
    with pytest.raises(StateError, match="not a ledger") as caught:
        SqlLedger(URL, root=tmp_path)
    assert caught.value.hint
    assert path.read_bytes() == b"dear diary, " * 1000


def test_a_damaged_ledger_says_so(tmp_path: Path) -> None:
    path = _create_ledger(tmp_path)
    body = bytearray(path.read_bytes())
    body[4096:] = b"\xff" * (len(body) - 4096)
    path.write_bytes(bytes(body))
    with pytest.raises(StateError) as caught:
        SqlLedger(URL, root=tmp_path)
    assert "damaged" in caught.value.message
    assert caught.value.hint


def test_a_folder_that_cannot_be_made_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("in the way")
    with pytest.raises(StateError, match="folder") as caught:
        SqlLedger(URL, root=tmp_path)
    assert caught.value.where.endswith("below")


def test_a_folder_in_its_place_is_a_state_error(tmp_path: Path) -> None:
    _build_path(tmp_path).mkdir(parents=True)
    with pytest.raises(StateError, match="cannot be opened"):
        SqlLedger(URL, root=tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_ledger_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    path = _create_ledger(tmp_path)
    ledger = SqlLedger(URL, root=tmp_path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StateError):
            SqlLedger(URL, root=tmp_path).set_mark("acme", "a", "b")
    finally:
        path.parent.chmod(0o700)
        ledger.close()


def test_a_full_disk_writes_nothing_and_says_so(tmp_path: Path) -> None:
    ledger = SqlLedger(URL, root=tmp_path)
    with ledger._database.read() as tx:
        tx.connection.cursor().execute("PRAGMA max_page_count = 1")
    with pytest.raises(StateError, match="disk is full") as caught:
        ledger.set_mark("acme", "mark 0", "x" * 1_000_000)
    assert caught.value.hint == "free some space, then run again"
    assert ledger.get_mark("acme", "mark 0") is None
    ledger.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+nodriver://headwater:hunter2@db.example/ledger?password=hunter2",
        "postgresql+psycopg://headwater:hunter2@db.example:notaport/ledger",
        "hunter2",
        "sqlite://",
    ],
)
def test_no_password_of_a_url_is_ever_shown(url: str, tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        SqlLedger(url, root=tmp_path)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.as_dict())


def test_no_value_shows_in_an_error(tmp_path: Path) -> None:
    ledger = SqlLedger(URL, root=tmp_path)
    with ledger._database.write("acme") as tx:
        tx.exec_driver_sql("DROP TABLE mark")
    with pytest.raises(StateError) as caught:
        ledger.set_mark("acme", "token", "hunter2")
    assert "hunter2" not in str(caught.value)
    ledger.close()


def test_several_processes_may_open_and_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from headwater.ledger.sql.ledger import SqlLedger\n"
        f"ledger = SqlLedger({URL!r}, root=Path({str(tmp_path)!r}))\n"
        "for number in range(20): ledger.set_mark('acme', f'{sys.argv[1]}-{number}', 'x')\n"
        "ledger.close()"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    for writer in writers:
        assert writer.communicate()[1] == ""
        assert writer.returncode == 0
    ledger = SqlLedger(URL, root=tmp_path)
    assert all(ledger.get_mark("acme", f"{writer}-{number}") == "x" for writer in range(4) for number in range(20))
    ledger.close()


def test_several_threads_may_write_at_once(tmp_path: Path) -> None:
    ledger = SqlLedger(URL, root=tmp_path)

    def read(hour: int) -> None:
        parcel = make_batch(hour, hour + 1)
        ledger.begin_batch(parcel)
        for number in range(1, 11):
            ledger.record_page(parcel, make_page(number))
            assert len(ledger.list_pages(parcel)) == number
        ledger.commit_window(parcel)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(read, range(12)))
    assert len(ledger.list_windows(make_feed())) == 1
    assert {row.pages for row in ledger.list_batches("acme")} == {10}
    ledger.close()
