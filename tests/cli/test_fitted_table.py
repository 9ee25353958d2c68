"""A table that is too wide for its terminal: folded between words, then inside of words, then turned sideways."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from headwater.cli.render import render_table

STATE = ("connection", "resource", "until", "windows", "rows", "waiting", "quarantined")


def render(table, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in Text.from_ansi(captured.get()).plain.splitlines()]
    assert max(map(len, lines)) <= width
    return "\n".join(lines)


def test_long_texts_are_folded_between_words_however_few_the_rows_are():
    names = ", ".join(f"name_of_{number}" for number in range(30))
    text = render(render_table(("kind", "names"), [("entities", names), ("facts", "one")]), 60)
    assert "record 1" not in text
    assert all(f"name_of_{number}" in text for number in range(30))


@pytest.mark.parametrize("width", [100, 120])
def test_a_name_that_is_copied_stays_whole_in_a_long_table(width):
    rows = [("psa", f"agreement_additions{number}", "2025-12-13T23:55:00Z", 1, 66, 0, 0) for number in range(9)]
    text = render(render_table(STATE, rows, whole=("resource",)), width)
    assert "record 1" not in text
    assert all(f"agreement_additions{number}" in text for number in range(9))
    assert "quarantined" in text


def test_words_are_cut_only_if_there_are_many_rows():
    few = [(f"{'a' * 30} {'b' * 30}", "c" * 30) for _ in range(3)]
    assert "record 1" in render(render_table(("one", "two"), few), 50)
    assert "record 1" not in render(render_table(("one", "two"), few * 3), 50)


def test_a_table_for_which_nothing_helps_is_turned_sideways():
    rows = [tuple("x" * 30 for _ in range(6)) for _ in range(9)]
    assert "record 9" in render(render_table(tuple("abcdef"), rows), 60)
