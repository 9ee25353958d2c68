"""What commands print on a real terminal: tables that fit, rows in other formats, and a pager."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from tests.e2e.builders import HEADWATER
from tests.e2e.record_service import RecordShop, Service, record, serve

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = tmp_path_factory.mktemp("terminal") / "shop"
    with serve(Service()) as service:
        shop = RecordShop(root, service, things={})
        shop.entity("thing", ["things"])
        records = [record(number, name=f"name of {number}") for number in range(1, 31)]
        shop.on(5, things=[*records, {"id": "not-a-number", "name": "x", "changed": "2026-01-01T00:00:00Z"}], code=None)
        yield shop


def type_command(shop, *words, width=100, height=40, **env):
    """Run a command with a terminal of this size, and return its exit code and what the terminal showed."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    variables = {**shop.env, "TERM": "xterm", "PAGER": "cat", **env}
    variables = {name: value for name, value in variables.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [*HEADWATER, *words], cwd=shop.root, env=variables, stdin=child, stdout=child, stderr=subprocess.DEVNULL
    ) as process:
        os.close(child)
        shown = bytearray()
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(parent)
    return process.returncode, _STYLE.sub("", shown.decode()).replace("\r\n", "\n")


WIDE = "SELECT *, entity_key AS again, repeat('long ', 30) AS sentence FROM silver.thing ORDER BY entity_key"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_wide_result_fits_the_terminal_and_says_what_is_missing(shop, width):
    _, text = type_command(shop, "query", WIDE, width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < 40
    assert "cut" in text
    assert "--format vertical" in " ".join(text.split())
    assert "30 rows" in text


def test_the_columns_that_are_left_out_are_named(shop):
    _, text = type_command(shop, "query", WIDE, width=60)
    assert re.search(r"\d+ columns left out \(", text)
    assert "sentence" in text.replace("\n", "")


def test_a_few_wide_rows_are_turned_sideways(shop):
    _, text = type_command(shop, "query", f"{WIDE} LIMIT 2")
    assert "record 1" in text
    assert re.search(r"entity_key\s+psa:1\s*\n", text)
    assert "cut" not in text


def test_a_narrow_result_is_a_table(shop):
    _, text = type_command(shop, "query", "SELECT 1 AS one, 'b' AS two")
    assert re.search(r"one\s+two", text)
    assert "record 1" not in text


def test_an_id_of_the_quarantine_stays_on_one_line(shop):
    ids = [row["id"] for row in shop("quarantine", "list").json["quarantined"]]
    assert ids
    _, text = type_command(shop, "quarantine", "list", width=80)
    assert all(re.search(rf"\b{re.escape(one)}\b", text) for one in ids)


@pytest.mark.parametrize("words", [("history", "thing", "1"), ("status",), ("connection", "list"), ("run",)])
def test_other_commands_fit_too(shop, words):
    code, text = type_command(shop, *words, width=60)
    assert code in (0, 3)
    assert max(map(len, text.splitlines())) <= 60


def test_a_terminal_shows_the_first_200_rows_and_says_so(shop):
    numbers = "SELECT range AS number FROM range(1000)"
    _, text = type_command(shop, "query", numbers)
    assert "the first 200 of 1,000 rows; `--limit N` shows more" in text
    _, text = type_command(shop, "query", numbers, "--limit", "300")
    assert "the first 300 of 1,000 rows" in text
    assert len(shop("query", numbers).json["rows"]) == 1000
    assert len(shop("query", numbers, "--limit", "3").json["rows"]) == 3


def test_a_long_text_goes_to_the_pager_and_a_short_one_does_not(shop, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged\ncat\n")
    pager.chmod(0o755)
    _, text = type_command(shop, "query", "SELECT * FROM range(100)", PAGER=str(pager), height=20)
    assert text.startswith("paged")
    _, text = type_command(shop, "query", "SELECT 1 AS one", PAGER=str(pager), height=20)
    assert "paged" not in text
    _, text = type_command(shop, "query", "SELECT * FROM range(100)", PAGER="no-such-pager", height=20)
    assert "100 rows" in text


def pipe(shop, *words):
    result = subprocess.run(
        [*HEADWATER, *words], cwd=shop.root, env=shop.env, capture_output=True, text=True, check=False
    )
    return result.returncode, result.stdout


def test_a_pipe_gets_every_row_and_every_value(shop):
    _, text = pipe(shop, "query", "SELECT *, repeat('x', 3000) AS long FROM range(1000)")
    assert "1,000 rows" in text
    assert text.count("x" * 3000) == 1000


VALUES = "SELECT 1 AS a, '' AS b, NULL AS c, 'x,\"y\"' AS d, TIMESTAMP '2026-03-01 08:00:00' AS e, 1.50 AS f"


def test_csv_keeps_null_and_an_empty_text_apart(shop):
    code, text = pipe(shop, "query", VALUES, "--format", "csv")
    assert code == 0
    assert text == 'a,b,c,d,e,f\n1,"",,"x,""y""",2026-03-01T08:00:00Z,1.50\n'
    assert next(iter(csv.DictReader(io.StringIO(text))))["d"] == 'x,"y"'


def test_jsonl_is_an_object_a_row(shop):
    _, text = pipe(shop, "query", f"{VALUES} UNION ALL {VALUES}", "--format", "jsonl")
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows == [{"a": 1, "b": "", "c": None, "d": 'x,"y"', "e": "2026-03-01T08:00:00Z", "f": 1.5}] * 2


def test_jsonl_refuses_two_columns_with_one_name(shop):
    code, text = pipe(shop, "query", "SELECT 1 AS a, 2 AS a", "--format", "jsonl")
    assert (code, text) == (2, "")
    assert pipe(shop, "query", "SELECT 1 AS a, 2 AS a", "--format", "csv") == (0, "a,a\n1,2\n")


def test_json_is_the_same_as_the_option(shop):
    assert pipe(shop, "query", VALUES, "--format", "json") == pipe(shop, "query", VALUES, "--json")
    assert pipe(shop, "query", VALUES, "--format", "csv", "--json")[0] == 2


def test_vertical_is_a_line_for_each_value(shop):
    _, text = pipe(shop, "query", VALUES, "--format", "vertical")
    assert "record 1" in text
    assert re.search(r"\n\s+e\s+2026-03-01T08:00:00Z\n", text)


def test_as_of_has_the_formats_too(shop):
    _, text = pipe(
        shop, "as-of", "2026-01-06", "thing", "--format", "csv", "--columns", "thing_id,name", "--limit", "1"
    )
    assert text.startswith("thing_id,name\n")


def test_history_and_quarantine_have_the_formats_too(shop):
    for words, column, item, name in (
        (("quarantine", "list"), "id", "resource", "things"),
        (("history", "thing", "7"), "from", "kind", "first"),
    ):
        _, text = pipe(shop, *words, "--format", "csv")
        (row,) = csv.DictReader(io.StringIO(text))
        assert row[column]
        (line,) = pipe(shop, *words, "--format", "jsonl")[1].splitlines()
        assert json.loads(line)[item] == name
        assert pipe(shop, *words, "--format", "json") == pipe(shop, *words, "--json")
        _, text = pipe(shop, *words, "--format", "vertical")
        assert re.search(rf"record 1\n\s+{column}\s+{re.escape(row[column])}\n", text)
        assert pipe(shop, *words, "--format", "xml")[0] == 2


def test_an_empty_quarantine_is_an_empty_file(shop):
    assert pipe(shop, "quarantine", "list", "--resource", "none", "--format", "csv")[1].startswith("id,connection")
    assert pipe(shop, "quarantine", "list", "--resource", "none", "--format", "jsonl") == (0, "")
    assert "nothing in quarantine" in pipe(shop, "quarantine", "list", "--resource", "none")[1]
