"""`headwater selftest`: its output, its exit codes, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psycopg
import pytest

from headwater.cli.main import run_command
from headwater.run.selftest import selftest as runner
from tests.testing.conformance.broken import LosesDeletes

QUICK = ("--examples", "2", "--seed", "1")


@pytest.fixture
def selftest(capsys):
    """Run `headwater selftest`; returns its exit code, standard output and standard error."""

    def run(*words):
        code = run_command(["selftest", *words])
        return (code, *capsys.readouterr())

    return run


def test_checks_are_printed_one_by_one_and_summed_up(selftest, tmp_path):
    code, out, err = selftest("--warehouse", f"duckdb:{tmp_path}", "--only", "1,5", "--only", "drawn-history", *QUICK)
    assert code == 0
    lines = err.splitlines()
    assert lines[0].startswith("Makes the tenant selftest-")
    assert lines[0].endswith("touches no other, and erases them at the end.")
    assert [line.split()[:2] for line in lines[1:]] == [["passed", "1"], ["passed", "5"], ["passed", "drawn-history"]]
    assert "as of an instant is the fold of the log up to it" in out
    assert "Passed: 3 passed; 35 examples in" in out
    assert "seed 1" in out
    assert not list(tmp_path.iterdir())


def test_as_json_it_is_one_object(selftest, tmp_path):
    code, out, _ = selftest("--warehouse", f"duckdb:{tmp_path}/mine.duckdb", "--only", "2", "--json", *QUICK)
    (line,) = out.splitlines()
    report = json.loads(line)
    assert code == report["exit_code"] == 0
    assert (report["outcome"], report["seed"], report["examples"], report["tenants"]) == ("passed", 1, 2, [])
    (verdict,) = report["verdicts"]
    assert (verdict["name"], verdict["outcome"], verdict["examples"]) == ("2", "passed", 2)
    assert set(verdict) == {
        "name", "promise", "outcome", "examples", "seconds", "reason", "example", "difference",
    }  # fmt: skip


def test_a_failure_prints_an_example_and_how_to_repeat_it(selftest, tmp_path, monkeypatch):
    monkeypatch.setattr(
        runner, "open_warehouse", lambda _, tenant, root: LosesDeletes(tenant, f"{tmp_path}/{tenant}.duckdb", threads=1)
    )
    code, out, err = selftest("--warehouse", f"duckdb:{tmp_path}", "--only", "4,8", "--examples", "20", "--seed", "1")
    assert code == 1
    assert "failed 8 " in err
    assert "failed 8: a delete closes, a second is nothing, an update reopens" in out
    assert "smallest example found" in out
    assert "Failed: 1 passed, 1 failed" in out
    command = f"headwater selftest --warehouse duckdb:{tmp_path} --only 8 --examples 20 --seed 1"
    assert f"To repeat: {command}\n" in out
    again = selftest(*command.split()[2:])[1]
    assert list_example_rows(again) == list_example_rows(out)
    assert not list(tmp_path.iterdir())


def list_example_rows(out):
    """The rows of the smallest example, without its keys, which no other example has."""
    table = out.split("smallest example found\n")[1].split("\nexpected")[0]
    return [[cell for cell in line.split("|") if ":" not in cell] for line in table.splitlines()]


WITHOUT_HYPOTHESIS = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hypothesis":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from headwater.cli.main import main
main(sys.argv[1:])
"""


def test_without_its_extra_the_error_has_the_line_to_install_it(tmp_path):
    words = [sys.executable, "-c", WITHOUT_HYPOTHESIS, "selftest", "--warehouse", f"duckdb:{tmp_path}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "headwater[selftest]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_only_drawing_imports_hypothesis():
    probe = "import sys, headwater.run.app; assert 'hypothesis' not in sys.modules"
    subprocess.run([sys.executable, "-c", probe], check=True)


def test_without_a_seed_a_new_one_is_chosen(selftest, tmp_path):
    seeds = {
        json.loads(selftest("--warehouse", f"duckdb:{tmp_path}", "--only", "4", "--examples", "1", "--json")[1])["seed"]
        for _ in range(3)
    }
    assert len(seeds) > 1


def test_in_memory_there_is_nothing_to_kill(selftest):
    code, out, _ = selftest("--warehouse", "duckdb::memory:", "--only", "12,1", *QUICK)
    assert code == 0
    assert "skipped 12: no other process can open a warehouse in memory" in out
    assert "1 passed, 1 skipped" in out


def test_kept_tenants_exist_until_they_are_erased(selftest, tmp_path):
    place = ("--warehouse", f"duckdb:{tmp_path}/{{tenant}}.db")
    code, out, err = selftest(*place, "--only", "1", "--keep", *QUICK)
    (file,) = tmp_path.iterdir()
    assert code == 0
    assert "leaves them there (--keep)" in err
    assert f"Still there: {file.stem}" in out
    assert selftest(*place, "--erase", "acme", "--json")[0] == 1
    assert json.loads(selftest(*place, "--erase", file.stem, "--json")[1]) == {"erased": [file.stem]}
    assert not list(tmp_path.iterdir())


def test_without_a_url_the_warehouse_of_the_project_is_tested(selftest, tmp_path):
    declared = 'version: 1\nname: mine\nwarehouse: {kind: duckdb, path: "kept/{tenant}.duckdb"}\n'
    (tmp_path / "headwater.yaml").write_text(declared, encoding="utf-8")
    code, out, _ = selftest("--project", str(tmp_path), "--only", "1", "--json", *QUICK)
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
def test_invalid_options_are_errors(selftest, words, kind, what):
    code, out, _ = selftest(*words, "--json", *QUICK)
    error = json.loads(out)["error"]
    assert (code, error["kind"], error["message"]) == (2, kind, what)
    assert "hidden" not in out


def test_a_warehouse_with_one_location_for_all_tenants_is_refused(selftest, tmp_path):
    declared = "version: 1\nname: mine\nwarehouse: {kind: duckdb, path: all.duckdb}\n"
    (tmp_path / "headwater.yaml").write_text(declared, encoding="utf-8")
    code, out, _ = selftest("--project", str(tmp_path), "--json")
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
    report = json.loads(out)
    assert "Stopping after the example in hand" in err
    assert (running.returncode, report["outcome"], report["tenants"]) == (1, "stopped", [])
    assert report["verdicts"][-1]["outcome"] == "skipped"
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
def test_the_whole_suite_holds(selftest, engine, only, tmp_path):
    (tmp_path / "headwater.yaml").write_text(
        json.dumps({"version": 1, "name": "mine", "warehouse": engine.settings()}), encoding="utf-8"
    )
    # One example for each check: what the checks find is tested elsewhere, and here that the command runs all of them.
    code, out, err = selftest("--project", str(tmp_path), "--json", "--only", only, "--examples", "1", "--seed", "1")
    report = json.loads(out)
    assert [result for result in report["verdicts"] if result["outcome"] != "passed"] == []
    assert (code, report["outcome"], report["tenants"]) == (0, "passed", [])
    names = [name for name in only.split(",") if name] or [check.name for check in runner.CHECKS]
    assert {result["name"] for result in report["verdicts"]} == set(names)
    assert len(err.splitlines()) == 1 + len(names)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="module")
def test_no_schema_is_left_on_a_server(selftest, engine):
    report = json.loads(selftest("--warehouse", "env:DATABASE_URL", "--only", "1,11", "--json", *QUICK)[1])
    assert report["outcome"] == "passed"
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        schemas = connection.execute("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'selftest%'").fetchall()
    assert schemas == []
