"""A table that fits the terminal: narrow columns, cut values, or records turned sideways. It says what it leaves out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

_GAP = 3
"""Blanks between two columns."""

_NARROWEST = 8
"""The narrowest column that is still readable, unless its content is narrower."""

_FEW = 5
"""So many records are turned sideways rather than cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTable:
    """A table of texts. If it is too wide, it folds or cuts values, or becomes a list of records."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    title: str = ""
    numeric: Collection[int] = ()
    """The positions of right-aligned columns."""
    whole: Collection[str] = ()
    """Columns that are never cut, because their values are copied."""
    cuts: bool = False
    """Whether long values are cut. Otherwise they are folded to several lines."""
    hint: str = ""
    """How to see what is left out."""
    sideways: bool = False
    """Whether records are turned sideways in any case."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Render for the width of the console."""
        widths = [self._measure(number) for number in range(len(self.columns))]
        if self.sideways:
            yield from self._render_records()
        elif not console.is_terminal:
            # A file or a pipe has no width, so nothing is cut.
            yield self._build([None] * len(widths), range(len(widths)), cuts=False)
        elif _sum_widths(widths) <= options.max_width:
            yield self._build(widths, range(len(widths)), cuts=self.cuts)
        elif not self.cuts:
            yield from self._fold(widths, options.max_width)
        elif len(self.rows) <= _FEW:
            yield from self._render_records()
        else:
            yield from self._cut(widths, options.max_width)

    def _measure(self, number: int) -> int:
        cells = (line for row in self.rows for line in row[number].plain.split("\n"))
        return max((cell_len(self.columns[number]), *map(cell_len, cells)))

    def _fold(self, widths: Sequence[int], available: int) -> Iterator[RenderableType]:
        """The table with values on several lines: between words, or inside of words if there are many rows. Otherwise records."""
        words = [self._measure_words(number) for number in range(len(widths))]
        halves = [
            width if name in self.whole else min(width, max(_NARROWEST, -(-word // 2)))
            for name, width, word in zip(self.columns, widths, words, strict=True)
        ]
        for lowest in (words, halves) if len(self.rows) > _FEW else (words,):
            if _sum_widths(lowest) <= available:
                yield self._build(_shrink(widths, lowest, available), range(len(widths)), cuts=False)
                return
        yield from self._render_records()

    def _measure_words(self, number: int) -> int:
        """The widest word of a column, or its whole width if its values are copied."""
        if self.columns[number] in self.whole:
            return self._measure(number)
        cells = (word for row in self.rows for word in row[number].plain.split())
        return max((cell_len(self.columns[number]), *map(cell_len, cells)))

    def _cut(self, widths: Sequence[int], available: int) -> Iterator[RenderableType]:
        """The table with narrower columns. If that is not enough, fewer columns."""
        lowest = [
            width if name in self.whole else min(width, _NARROWEST)
            for name, width in zip(self.columns, widths, strict=True)
        ]
        kept = list(range(len(widths)))
        while len(kept) > 1 and _sum_widths([lowest[number] for number in kept]) > available:
            kept.remove(next((number for number in reversed(kept) if self.columns[number] not in self.whole), kept[-1]))
        fitted = _shrink([widths[number] for number in kept], [lowest[number] for number in kept], available)
        yield self._build(fitted, kept, cuts=True)
        yield Text(self._describe_rest(kept, fitted, widths), style="dim")

    def _describe_rest(self, kept: Sequence[int], fitted: Sequence[int], widths: Sequence[int]) -> str:
        names = [name for number, name in enumerate(self.columns) if number not in kept]
        parts = [f"{len(names)} columns left out ({', '.join(names)})"] if names else []
        if any(width < widths[number] for number, width in zip(kept, fitted, strict=True)):
            parts.append("long values are cut")
        return f"{'; '.join(parts)}{f': {self.hint}' if self.hint else ''}"

    def _build(self, widths: Sequence[int | None], kept: Sequence[int], *, cuts: bool) -> Table:
        table = Table(
            box=box.SIMPLE_HEAD, title=self.title or None, title_justify="left", pad_edge=False, show_edge=False
        )
        for width, number in zip(widths, kept, strict=True):
            table.add_column(
                Text(self.columns[number]),
                justify="right" if number in self.numeric else "left",
                overflow="ellipsis" if cuts else "fold",
                no_wrap=cuts,
                width=width,
            )
        for row in self.rows:
            table.add_row(*(_join_lines(row[number]) if cuts else row[number] for number in kept))
        return table

    def _render_records(self) -> Iterator[RenderableType]:
        """Each record as lines of name and value."""
        if self.title:
            yield Text(self.title, style="italic")
        for number, row in enumerate(self.rows, start=1):
            yield Text(f"record {number}", style="bold")
            pairs = Table(box=None, show_header=False, pad_edge=False)
            pairs.add_column(no_wrap=True)
            pairs.add_column(overflow="fold")
            for name, cell in zip(self.columns, row, strict=True):
                pairs.add_row(Text(f"  {name}", style="dim"), cell)
            yield pairs


def _join_lines(cell: Text) -> Text:
    """The cell on one line, because a line break in a cut value would hide that it goes on."""
    return Text(cell.plain.replace("\n", "⏎"), style=cell.style) if "\n" in cell.plain else cell


def _sum_widths(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _shrink(widths: Sequence[int], lowest: Sequence[int], available: int) -> list[int]:
    """Narrower widths: the widest columns lose first."""
    fitted = list(widths)
    while _sum_widths(fitted) > available:
        candidates = [number for number, width in enumerate(fitted) if width > lowest[number]]
        if not candidates:
            return fitted
        fitted[max(candidates, key=lambda number: fitted[number])] -= 1
    return fitted
