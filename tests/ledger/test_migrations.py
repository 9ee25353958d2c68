from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from headwater.ledger.base import RunOutcome
from headwater.ledger.sql import migrations
from headwater.ledger.sql.ledger import SqlLedger
from headwater.ledger.sql.schema import HEAD, VERSION_TABLE, metadata
from tests.ledger.builders import extract_batch, make_batch, make_feed


def _build_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def test_migrations_are_numbered_without_a_gap() -> None:
    scripts = list(reversed(list(ScriptDirectory.from_config(_build_config()).walk_revisions())))
    assert [script.revision for script in scripts] == [f"{number:04d}" for number in range(1, HEAD + 1)]
    assert [script.down_revision for script in scripts] == [None, *(script.revision for script in scripts[:-1])]
    for script in scripts:
        assert Path(script.path).name.startswith(f"v{script.revision}_")


def test_migrations_ship_inside_the_package() -> None:
    folder = resources.files("headwater.ledger.sql.migrations")
    assert folder.joinpath("env.py").is_file()
    assert len([file for file in folder.joinpath("versions").iterdir() if file.name.endswith(".py")]) == HEAD


def test_the_migrations_make_exactly_the_declared_tables(tmp_path: Path) -> None:
    SqlLedger("sqlite:///ledger.db", root=tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("version", range(1, HEAD))
def test_an_older_ledger_is_brought_up_to_date_and_keeps_what_it_knows(tmp_path: Path, version: int) -> None:
    _migrate_to(tmp_path, version)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as raw:
        raw.execute("INSERT INTO mark VALUES ('acme', 'swept', 'yesterday')")
        raw.commit()
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    assert ledger.get_mark("acme", "swept") == "yesterday"
    extract_batch(ledger, make_batch())
    ledger.start_run("acme", "r1")
    assert len(ledger.list_windows(make_feed())) == len(ledger.list_runs("acme")) == 1
    ledger.close()


def test_a_batch_of_an_older_ledger_does_not_say_when_it_was_read(tmp_path: Path) -> None:
    _migrate_to(tmp_path, 2)
    own = "1, 'acme', 'b1', 'psa', 'tickets', 0, 1, 'sweep', 1, 'completed', 'completed', '', 3, 3, 0, 1, 5, 5, 1"
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as raw:
        raw.execute(f"INSERT INTO batch VALUES ({own})")
        raw.commit()
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    row = ledger.find_batch("acme", "b1")
    ledger.close()
    assert row is not None
    assert (row.read_at, row.fingerprint, row.proved, row.disowned) == (None, "", None, False)


def test_runs_of_an_older_ledger_have_the_outcomes_of_reports(tmp_path: Path) -> None:
    _migrate_to(tmp_path, 4)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as raw:
        for number, outcome in enumerate(("done", "partly", "failed", "stopped", "died", "running")):
            raw.execute("INSERT INTO run VALUES (?, 'acme', ?, 0, NULL, ?, '{}')", [number, f"r{number}", outcome])
        raw.commit()
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    outcomes = [run.outcome for run in reversed(ledger.list_runs("acme"))]
    ledger.close()
    assert outcomes == [*RunOutcome, None]


def test_findings_of_an_older_ledger_have_the_kinds_of_reports(tmp_path: Path) -> None:
    older = {
        ("silver.a", "does not fit", "a.b is date"): ("type_mismatch", "a.b is date"),
        ("silver.a", "begins now", ""): ("column_added", ""),
        ("silver.a", "deletes_waiting", "5 of 9"): ("deletes_waiting", "5 of 9"),
        ("gold.dim_a", "no line of the rules `r` matches", "x, y"): (
            "unmatched_value",
            "no line of the rules `r` matches: x, y",
        ),
        ("gold.fact_a", "`day` is outside of the span of `date`", "e.g. psa:1"): (
            "date_out_of_range",
            "`day` is outside of the span of `date`: e.g. psa:1",
        ),
        ("warehouse", "Redshift has not been tried", ""): ("warehouse_note", "Redshift has not been tried"),
    }
    _migrate_to(tmp_path, 4)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as raw:
        for row in older:
            raw.execute("INSERT INTO finding VALUES ('acme', ?, ?, ?, 7, 'r1')", row)
        raw.commit()
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    findings = ledger.list_findings("acme")
    ledger.close()
    assert {one.count for one in findings} == {7}
    assert {(one.table, one.finding, one.detail) for one in findings} == {
        (table, *after) for (table, *_), after in older.items()
    }


@pytest.mark.parametrize("version", range(1, HEAD))
def test_a_secret_that_an_older_ledger_holds_in_clear_is_taken_out_of_the_file(tmp_path: Path, version: int) -> None:
    clear, reference = "sk-live-0815-nobody-may-see" * 20, "env:CLIENT_ID"
    secret_declaration = {
        "connector": "x",
        "secrets": {"token": clear, "id": reference},
        "settings": {"url": "http://me:pw0815@h", "a": "b"},
    }
    _migrate_to(tmp_path, version)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as raw:
        for name, declaration in (
            ("psa", secret_declaration),
            ("crm", {"connector": "x", "secrets": {"id": reference}, "settings": {}}),
        ):
            raw.execute("INSERT INTO connection VALUES ('acme', ?, ?)", [name, json.dumps(declaration)])
        raw.commit()
    ledger = SqlLedger("sqlite:///ledger.db", root=tmp_path)
    before, after = ledger.list_connections("acme")
    assert after.declaration == {"connector": "x", "secrets": {"id": reference}, "settings": {"a": "b"}}
    assert before.declaration == {"connector": "x", "secrets": {"id": reference}, "settings": {}}
    (finding,) = ledger.list_findings("acme")
    assert (finding.table, finding.finding, finding.count) == ("connection psa", "clear_secret_removed", 2)
    assert finding.detail.startswith("token, url contained a secret")
    for path in tmp_path.iterdir():
        assert b"0815" not in path.read_bytes()
    ledger.close()


def _migrate_to(root: Path, version: int) -> None:
    config, engine = _build_config(), create_engine(f"sqlite:///{root / 'ledger.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, f"{version:04d}")
    engine.dispose()
