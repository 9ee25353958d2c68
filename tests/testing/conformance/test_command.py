"""`headwater selftest`: what it prints, what it answers with, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psycopg
import pytest

from headwater.cli.main import run_command
from headwater.run.selftest import selftest as verb
from tests.testing.conformance.broken import LosesDeletes

QUICK = ("--examples", "2", "--seed", "1")


@pytest.fixture
def ask(capsys):
    """Carry out `headwater selftest`; its exit code, standard output and standard error."""

    def asked(*words):
        code = run_command(["selftest", *words])
        return (code, *capsys.readouterr())

    return asked


def test_lines_are_told_one_by_one_and_summed_up(ask, tmp_path):
    code, out, err = ask("--warehouse", f"duckdb:{tmp_path}", "--only", "1,5", "--only", "drawn-history", *QUICK)
    assert code == 0
    said = err.splitlines()
    assert said[0].startswith("Makes the tenant selftest-")
    assert said[0].endswith("touches no other, and erases them at the end.")
    assert [line.split()[:2] for line in said[1:]] == [["held", "1"], ["held", "5"], ["held", "drawn-history"]]
    assert "as of an instant is the fold of the log up to it" in out
    assert "Held: 3 held; 35 examples in" in out
    assert "seed 1" in out
    assert not list(tmp_path.iterdir())


def test_as_json_it_is_one_object(ask, tmp_path):
    code, out, _ = ask("--warehouse", f"duckdb:{tmp_path}/mine.duckdb", "--only", "2", "--json", *QUICK)
    (line,) = out.splitlines()
    found = json.loads(line)
    assert code == found["exit_code"] == 0
    assert (found["outcome"], found["seed"], found["examples"], found["tenants"]) == ("held", 1, 2, [])
    (verdict,) = found["verdicts"]
    assert (verdict["name"], verdict["outcome"], verdict["examples"]) == ("2", "held", 2)
    assert set(verdict) == {
        "name", "promise", "outcome", "examples", "seconds", "reason", "example", "difference",
    }  # fmt: skip


def test_what_fails_is_drawn_and_the_exit_code_tells(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(
        verb, "open_warehouse", lambda _, tenant, root: LosesDeletes(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1)
    )
    code, out, err = ask("--warehouse", f"duckdb:{tmp_path}", "--only", "4,8", "--examples", "20", "--seed", "1")
    assert code == 1
    assert "failed 8 " in err
    assert "failed 8: a delete closes, a second is nothing, an update reopens" in out
    assert "smallest example found" in out
    assert "Failed: 1 held, 1 failed" in out
    assert not list(tmp_path.iterdir())


def test_a_seed_is_chosen_and_told_where_none_is_given(ask, tmp_path):
    seeds = {
        json.loads(ask("--warehouse", f"duckdb:{tmp_path}", "--only", "4", "--examples", "1", "--json")[1])["seed"]
        for _ in range(3)
    }
    assert len(seeds) > 1


def test_in_memory_there_is_nothing_to_kill(ask):
    code, out, _ = ask("--warehouse", "duckdb::memory:", "--only", "12,1", *QUICK)
    assert code == 0
    assert "skipped 12: no other process can open a warehouse in memory" in out
    assert "1 held, 1 skipped" in out


def test_what_is_kept_stays_until_it_is_erased(ask, tmp_path):
    place = ("--warehouse", f"duckdb:{tmp_path}/{{tenant}}.db")
    code, out, err = ask(*place, "--only", "1", "--keep", *QUICK)
    (kept,) = tmp_path.iterdir()
    assert code == 0
    assert "leaves them there (--keep)" in err
    assert f"Still there: {kept.stem}" in out
    assert ask(*place, "--erase", "acme", "--json")[0] == 1
    assert json.loads(ask(*place, "--erase", kept.stem, "--json")[1]) == {"erased": [kept.stem]}
    assert not list(tmp_path.iterdir())


def test_without_a_name_it_is_the_projects_own_warehouse(ask, tmp_path):
    declared = 'version: 1\nname: mine\nwarehouse: {kind: duckdb, path: "kept/{tenant}.duckdb"}\n'
    (tmp_path / "headwater.yaml").write_text(declared, encoding="utf-8")
    code, out, _ = ask("--project", str(tmp_path), "--only", "1", "--json", *QUICK)
    assert code == 0
    assert json.loads(out)["warehouse"].startswith("kept/selftest-")
    assert not list((tmp_path / "kept").iterdir())


@pytest.mark.parametrize(
    ("words", "kind", "what"),
    [
        (("--warehouse", "nowhere"), "DeclarationError", "This is not the URL of a warehouse."),
        (("--warehouse", "oracle:x"), "DeclarationError", "This is not the URL of a warehouse."),
        (("--warehouse", "postgresql://me:hidden@host/db"), "DeclarationError", "This is not the URL of a warehouse."),
        (
            ("--warehouse", "env:NOT_SET_ANYWHERE"),
            "DeclarationError",
            "The environment variable NOT_SET_ANYWHERE is not set.",
        ),
        (("--warehouse", "duckdb:x", "--only", "99"), "DeclarationError", "The conformance suite has no such check."),
    ],
)
def test_what_cannot_be_meant_is_refused(ask, words, kind, what):
    code, out, _ = ask(*words, "--json", *QUICK)
    error = json.loads(out)["error"]
    assert (code, error["kind"], error["message"]) == (2, kind, what)
    assert "hidden" not in out


def test_a_warehouse_with_one_place_for_all_is_not_touched(ask, tmp_path):
    declared = "version: 1\nname: mine\nwarehouse: {kind: duckdb, path: all.duckdb}\n"
    (tmp_path / "headwater.yaml").write_text(declared, encoding="utf-8")
    code, out, _ = ask("--project", str(tmp_path), "--json")
    assert code == 1
    assert json.loads(out)["error"]["kind"] == "SafetyCheckError"
    assert [path.name for path in tmp_path.iterdir()] == ["headwater.yaml"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_after_ctrl_c_nothing_is_left(tmp_path, number):
    words = ["selftest", "--warehouse", f"duckdb:{tmp_path}", "--examples", "100000", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "headwater.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr.readline().startswith("Makes the tenant")
        while not list(tmp_path.iterdir()):
            assert running.poll() is None
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    found = json.loads(out)
    assert "Stopping after the example in hand" in err
    assert (running.returncode, found["outcome"], found["tenants"]) == (1, "stopped", [])
    assert found["verdicts"][-1]["outcome"] == "skipped"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "only"),
    [
        ("duckdb", ""),
        ("postgres", "1,2,5,9,11,12,14,6-star,point-in-time,inferred,re-pointing,stable-keys,drawn-history"),
    ],
    indirect=["engine"],
    scope="module",
)
def test_the_whole_corpus_holds(ask, engine, only, tmp_path):
    (tmp_path / "headwater.yaml").write_text(
        json.dumps({"version": 1, "name": "mine", "warehouse": engine.settings()}), encoding="utf-8"
    )
    code, out, err = ask("--project", str(tmp_path), "--json", "--only", only, *QUICK)
    found = json.loads(out)
    assert [one for one in found["verdicts"] if one["outcome"] != "held"] == []
    assert (code, found["outcome"], found["tenants"]) == (0, "held", [])
    names = [name for name in only.split(",") if name] or [line.name for line in verb.LINES]
    assert {one["name"] for one in found["verdicts"]} == set(names)
    assert len(err.splitlines()) == 1 + len(names)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="module")
def test_no_schema_is_left_on_a_server(ask, engine):
    found = json.loads(ask("--warehouse", "env:DATABASE_URL", "--only", "1,11", "--json", *QUICK)[1])
    assert found["outcome"] == "held"
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        left = connection.execute("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'selftest%'").fetchall()
    assert left == []
