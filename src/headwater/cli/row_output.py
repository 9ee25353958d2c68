"""Prints rows in a format that the user chooses: a table for people, the others for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.errors import UsageError
from headwater.cli.fitted_table import FittedTable
from headwater.cli.options import OutputOptions
from headwater.cli.output import print_result, to_json, to_plain
from headwater.cli.render import find_numeric, format_count, render_cell
from headwater.run.results import QueryResult

Format = Literal["table", "vertical", "csv", "json", "jsonl"]
"""A format for rows."""

DEFAULT_LIMIT = 200
"""The number of rows that a terminal shows unless `--limit` says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatOption:
    """The format of rows."""

    format: Annotated[
        Format | None,
        typer.Option("--format", metavar="FORMAT", help="table (default), vertical, csv, json (as --json), or jsonl."),
    ] = None


def print_rows(
    output: OutputOptions,
    chosen: FormatOption,
    result: QueryResult,
    *,
    value: Mapping[str, Any] | None = None,
    limit: int | None = None,
    whole: Sequence[str] = (),
) -> None:
    """Print rows. Without `limit`, a terminal shows the first 200 of them; files and pipes get all.

    `value` is the JSON object, if it is not only the rows.
    """
    match _choose_format(output, chosen):
        case "json":
            print_result(OutputOptions(json=True), value or to_plain(_cut(result, limit)))
        case "jsonl":
            _refuse_duplicates(result)
            _write_lines(to_json(dict(zip(result.columns, row, strict=True))) for row in _cut(result, limit).rows)
        case "csv":
            _write_lines(",".join(map(_quote_csv, row)) for row in (result.columns, *_cut(result, limit).rows))
        case "table" | "vertical" as kind:
            is_cut = limit is None and sys.stdout.isatty()
            shown = _cut(result, DEFAULT_LIMIT if is_cut else limit)
            table = _build_table(shown, sideways=kind == "vertical", whole=whole)
            print_result(output, {}, table, _describe_count(shown, result, is_cut=is_cut), paged=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list that is not the answer to a query: its JSON object, its items, and its rows for people and spreadsheets."""

    value: Mapping[str, Any]
    """The JSON object."""
    items: Sequence[Any]
    """What `jsonl` prints, an object a line."""
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    """The rows of the table, of `vertical` and of `csv`."""


def print_listing(
    output: OutputOptions, chosen: FormatOption, listing: Listing, render: Callable[[bool], Sequence[RenderableType]]
) -> None:
    """Print a list in a format. `render` renders it for people, with its records turned sideways if that is requested."""
    match _choose_format(output, chosen):
        case "json":
            print_result(OutputOptions(json=True), listing.value)
        case "jsonl":
            _write_lines(to_json(item) for item in listing.items)
        case "csv":
            _write_lines(",".join(map(_quote_csv, row)) for row in (listing.columns, *listing.rows))
        case "table" | "vertical" as kind:
            print_result(output, {}, *render(kind == "vertical"), paged=True)


def _choose_format(output: OutputOptions, chosen: FormatOption) -> Format:
    if output.json and chosen.format not in (None, "json"):
        raise UsageError(
            "`--json` and `--format` contradict each other.",
            where="--format",
            details=str(chosen.format),
            hint="pass one of them",
        )
    return "json" if output.json else chosen.format or "table"


def _cut(result: QueryResult, limit: int | None) -> QueryResult:
    return result if limit is None else QueryResult(columns=result.columns, rows=result.rows[:limit])


def _build_table(result: QueryResult, *, sideways: bool, whole: Sequence[str]) -> FittedTable:
    return FittedTable(
        columns=result.columns,
        rows=[[render_cell(value) for value in row] for row in result.rows],
        numeric=find_numeric(len(result.columns), result.rows),
        whole=whole,
        cuts=True,
        hint="`--format vertical` shows all",
        sideways=sideways,
    )


def _describe_count(shown: QueryResult, result: QueryResult, *, is_cut: bool) -> Text:
    if len(shown.rows) == len(result.rows):
        return Text(format_count(len(result.rows), "row"), style="dim")
    more = "; `--limit N` shows more" if is_cut else ""
    return Text(f"the first {len(shown.rows):,} of {format_count(len(result.rows), 'row')}{more}", style="dim")


def _refuse_duplicates(result: QueryResult) -> None:
    """Refuse two columns with one name, because an object would keep only one of their values."""
    for number, name in enumerate(result.columns):
        if name in result.columns[:number]:
            raise UsageError(
                "Two columns have the same name, and an object can hold only one of them.",
                where="--format jsonl",
                details=name,
                hint="rename one with AS, or use `--format csv` or `json`",
            )


def _write_lines(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _quote_csv(value: Any) -> str:
    """A value as a cell of a CSV file. NULL is an empty cell, and an empty text is a quoted one."""
    plain = to_plain(value)
    if plain is None:
        return ""
    text = plain if isinstance(plain, str) else to_json(plain)
    is_quoted = isinstance(plain, str | list | dict) and (not text or any(sign in text for sign in ',"\r\n'))
    return '"' + text.replace('"', '""') + '"' if is_quoted else text
