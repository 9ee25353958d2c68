"""Tables drawn in Markdown, so that a test shows what was there, what arrives and what is there afterwards.

    | key | colour | valid_from | valid_to |
    | --- | ------ | ---------- | -------- |
    | A   | red    | 1          | $closed  |
    | A   | blue   | $closed    | open     |

`NULL` is no value, `''` the empty text; whole numbers are numbers, `true` and `false` truth, all else is text as it
stands. `$name` stands for a value that is the same wherever the name is; `$_` for any value. `...` as a whole cell says
that a row leaves the column out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that a drawing names instead of saying it; `_` is any value."""

    name: str


class _Absent:
    """What a cell with `...` holds: nothing at all, not even NULL."""

    def __repr__(self) -> str:
        return "..."


ABSENT = _Absent()
"""The value of a column that a row leaves out."""


def parse_table(text: str) -> list[dict[str, Any]]:
    """The rows of a drawn table; columns that a row leaves out are not in it."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) < 2 or not set(lines[1]) <= set("|-: "):
        msg = "a table needs a line of names and a line of dashes"
        raise ValueError(msg)
    names = _split_cells(lines[0])
    return [_parse_row(names, _split_cells(line), line) for line in lines[2:]]


def find_mismatch(expected: str | Sequence[Row], found: Iterable[Row]) -> str:
    """How `found` differs from a drawing; empty when it matches, in any order of rows.

    Only the drawn columns are looked at. A `$name` takes the first value that it meets, and is held to it.
    """
    wanted: list[Row] = [*parse_table(expected)] if isinstance(expected, str) else list(expected)
    rows = list(found)
    if len(wanted) == len(rows) and _matches(wanted, rows, {}):
        return ""
    names = list(wanted[0]) if wanted else list(rows[0]) if rows else []
    return f"expected\n{render_table(names, wanted)}\nfound\n{render_table(names, rows)}"


def render_table(names: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows as a drawn table."""
    table = [list(names), ["-" * len(name) for name in names]]
    table += [[_render_value(row.get(name, ABSENT)) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in table) for place in range(len(names))]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in table)
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def _split_cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _parse_row(names: list[str], cells: list[str], line: str) -> dict[str, Any]:
    if len(cells) != len(names):
        msg = f"{len(cells)} cells under {len(names)} names: {line}"
        raise ValueError(msg)
    values = {name: _parse_value(cell) for name, cell in zip(names, cells, strict=True)}
    return {name: value for name, value in values.items() if value is not ABSENT}


def _parse_value(cell: str) -> Any:
    if cell.startswith("$"):
        return Unknown(cell[1:])
    constants = {"NULL": None, "''": "", "true": True, "false": False, "...": ABSENT}
    if cell in constants:
        return constants[cell]
    return int(cell) if _NUMBER.fullmatch(cell) else cell


def _render_value(value: Any) -> str:
    if isinstance(value, Unknown):
        return f"${value.name}"
    for constant, text in ((None, "NULL"), (True, "true"), (False, "false"), ("", "''")):
        if value is constant or (text == "''" and value == ""):
            return text
    return str(value)


def _matches(wanted: list[Row], rows: list[Row], bound: dict[str, Any]) -> bool:
    """Whether each wanted row meets a row of its own, with every name bound to one value."""
    if not wanted:
        return True
    for place, row in enumerate(rows):
        now = _bind(wanted[0], row, bound)
        if now is not None and _matches(wanted[1:], [*rows[:place], *rows[place + 1 :]], now):
            return True
    return False


def _bind(wanted: Row, row: Row, bound: dict[str, Any]) -> dict[str, Any] | None:
    """The names after `row` was held against `wanted`; None when they do not match."""
    now = dict(bound)
    for name, value in wanted.items():
        if name not in row:
            return None
        if isinstance(value, Unknown):
            if value.name != "_" and now.setdefault(value.name, row[name]) != row[name]:
                return None
        elif type(value) is not type(row[name]) or value != row[name]:
            return None
    return now
