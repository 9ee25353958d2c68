"""Tables in Markdown, so that a test shows the stored rows, the rows that arrive, and the expected rows.

    | key | colour | valid_from | valid_to |
    | --- | ------ | ---------- | -------- |
    | A   | red    | 1          | $closed  |
    | A   | blue   | $closed    | open     |

`NULL` is no value, and `''` is the empty text. Whole numbers are integers, `true` and `false` are booleans, everything else is
text. `$name` is a value that is the same in all cells with this name, and `$_` is any value. A cell `...` means that the row does
not have the column.
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
    """A value that a table names but does not define; `_` is any value."""

    name: str


class _Absent:
    """The content of a cell `...`: no value, not even NULL."""

    def __repr__(self) -> str:
        return "..."


ABSENT = _Absent()
"""The value of a column that a row does not have."""


def parse_table(text: str) -> list[dict[str, Any]]:
    """The rows of a table. A row does not contain the columns that it does not have."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) < 2 or not set(lines[1]) <= set("|-: "):
        msg = "a table needs a line of names and a line of dashes"
        raise ValueError(msg)
    names = _split_cells(lines[0])
    return [_parse_row(names, _split_cells(line), line) for line in lines[2:]]


def find_mismatch(expected: str | Sequence[Row], actual: Iterable[Row]) -> str:
    """Both tables if they differ, else an empty text. The order of rows does not matter.

    Compares only the columns of `expected`. A `$name` gets the first value that it is compared with.
    """
    wanted: list[Row] = [*parse_table(expected)] if isinstance(expected, str) else list(expected)
    rows = list(actual)
    if len(wanted) == len(rows) and _can_match(wanted, rows, {}):
        return ""
    names = list(wanted[0]) if wanted else list(rows[0]) if rows else []
    return f"expected\n{render_table(names, wanted)}\nfound\n{render_table(names, rows)}"


def render_table(names: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows as a table."""
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


def _can_match(wanted: list[Row], rows: list[Row], bound: dict[str, Any]) -> bool:
    """Whether each wanted row matches a different row, with one value for each name."""
    if not wanted:
        return True
    for place, row in enumerate(rows):
        values = _bind(wanted[0], row, bound)
        if values is not None and _can_match(wanted[1:], [*rows[:place], *rows[place + 1 :]], values):
            return True
    return False


def _bind(wanted: Row, row: Row, bound: dict[str, Any]) -> dict[str, Any] | None:
    """The values of the names after a comparison of `row` with `wanted`; None if they differ."""
    values = dict(bound)
    for name, value in wanted.items():
        if name not in row:
            return None
        if isinstance(value, Unknown):
            if value.name != "_" and values.setdefault(value.name, row[name]) != row[name]:
                return None
        elif type(value) is not type(row[name]) or value != row[name]:
            return None
    return values
