"""The result of a query, in the form that the caller needs: rows, pandas, polars or Arrow."""

from __future__ import annotations

import html
import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headwater.errors import DeclarationError, UnsupportedError
from headwater.run.app import Query
from headwater.run.results import QueryResult

PREVIEW_ROWS = 20
"""The most rows of a relation that a notebook or a prompt shows."""
_MAX_CELL = 100
"""The most characters of a value that a notebook or a prompt shows."""


class Relation:
    """A read-only query of a tenant's warehouse.

    It holds no rows and no connection. Each method executes the statement anew, so that it shows the current rows. In a
    notebook, a relation as the last value of a cell is shown as a table of its first 20 rows.
    """

    def __init__(self, query: Query) -> None:
        self._query = query

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self._query.with_limit(0).fetch().columns

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as tuples. Instants are `datetime` in UTC, decimals are `Decimal` with all digits."""
        return list(self._query.fetch().rows)

    def to_dicts(self) -> list[dict[str, Any]]:
        """All rows as dictionaries by column name. DeclarationError if two columns have the same name."""
        result = self._query.fetch()
        if twins := [name for name, count in Counter(result.columns).items() if count > 1]:
            raise DeclarationError(
                "Two columns have the same name.",
                where="query",
                details=twins[0],
                hint="give each column a name with AS",
            )
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def arrow(self) -> Any:
        """All rows as a pyarrow Table. Needs pyarrow."""
        _import("pyarrow", "arrow")
        return self._query.fetch_arrow()

    def df(self) -> Any:
        """All rows as a pandas DataFrame. Needs pandas and pyarrow.

        Decimals stay `Decimal`. Whole numbers and booleans get the nullable types of pandas (`Int64`, `boolean`), because
        the default types turn a column with a NULL into floating-point numbers, which changes long numbers.
        """
        pandas, arrow = _import("pandas", "df"), _import("pyarrow", "df")
        return self._query.fetch_arrow().to_pandas(types_mapper=_map_types(pandas, arrow).get)

    def pl(self) -> Any:
        """All rows as a polars DataFrame. Needs polars and pyarrow."""
        polars = _import("polars", "pl")
        return polars.from_arrow(self.arrow())

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows())

    def __len__(self) -> int:
        return len(self._query.fetch().rows)

    def __repr__(self) -> str:
        return _render_preview(self._fetch_preview(), _render_text)

    def _repr_html_(self) -> str:
        return _render_preview(self._fetch_preview(), _render_html)

    def _fetch_preview(self) -> QueryResult:
        return self._query.with_limit(PREVIEW_ROWS + 1).fetch()


def _import(package: str, method: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        hint = f"install it with `pip install {package}`, or use `.rows()`"
        raise UnsupportedError(
            f"`.{method}()` needs {package}.", where="query", details=str(error), hint=hint
        ) from error


def _map_types(pandas: Any, arrow: Any) -> Mapping[Any, Any]:
    """The pandas type of each Arrow type whose default type cannot hold NULL."""
    names = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
    numbers = {getattr(arrow, name.lower())(): getattr(pandas, f"{name}Dtype")() for name in names}
    return {**numbers, arrow.bool_(): pandas.BooleanDtype()}


def _render_preview(result: QueryResult, render: Callable[[QueryResult, str], str]) -> str:
    shown = QueryResult(columns=result.columns, rows=result.rows[:PREVIEW_ROWS])
    count = len(shown.rows)
    note = f"first {count} rows" if len(result.rows) > count else f"{count} row{'' if count == 1 else 's'}"
    return render(shown, note)


def _render_html(result: QueryResult, note: str) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in result.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(_format_cell(value))}</td>' for value in row)}</tr>" for row in result.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{note}</p>"


def _render_text(result: QueryResult, note: str) -> str:
    lines = [result.columns, *(tuple(map(_format_cell, row)) for row in result.rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    text = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join((*text, note))


def _format_cell(value: Any) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= _MAX_CELL else f"{text[: _MAX_CELL - 1]}…"
