"""Shows the progress of a run: a line for each resource with its pages and rows, then history and star schema."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

from headwater.batch import Batch
from headwater.cli.render import format_count
from headwater.events import (
    BatchExtracted,
    BatchLanded,
    Event,
    PageCommitted,
    ReadStarted,
    StepSkipped,
    TableBuilt,
    VersionsWritten,
)
from headwater.run.event_log import to_log_line

HISTORY = "history"
STAR = "star"


class ProgressDisplay:
    """Shows the events of a run in a rich progress display. Events may come from many threads."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console or Console(stderr=True),
            transient=True,
        )
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._pages: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._readers: dict[type[Event], Callable[[Any], None]] = {
            ReadStarted: self._on_read_started,
            PageCommitted: self._on_page,
            BatchExtracted: self._on_extracted,
            BatchLanded: self._on_landed,
            VersionsWritten: self._on_versions,
            TableBuilt: self._on_built,
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_event(self, event: Event) -> None:
        """Show one event. A warning or an error without its own line is printed above."""
        with self._lock:
            read = self._readers.get(type(event))
            if read:
                read(event)
            elif not isinstance(event, StepSkipped):
                # Skipped steps are listed once, below their cause, in the report.
                self._print_warning(event)

    def _on_read_started(self, event: ReadStarted) -> None:
        self._update(_name_batch(event.batch), f"reading {event.batch.window}")

    def _on_page(self, event: PageCommitted) -> None:
        name = _name_batch(event.batch)
        self._pages[name] += 1
        self._rows[name] += event.rows
        self._update(name, f"{format_count(self._pages[name], 'page')}, {format_count(self._rows[name], 'row')}")

    def _on_extracted(self, event: BatchExtracted) -> None:
        name = _name_batch(event.batch)
        self._update(name, f"{self._rows[name]:,} rows read", done=True)

    def _on_landed(self, event: BatchLanded) -> None:
        name = _name_batch(event.batch)
        self._kept[name] += event.kept
        self._refused[name] += event.quarantined
        refused = f", {self._refused[name]:,} quarantined" if self._refused[name] else ""
        self._update(name, f"{self._rows[name]:,} rows read; {self._kept[name]:,} kept{refused}", done=True)

    def _on_versions(self, event: VersionsWritten) -> None:
        self._rows[HISTORY] += event.inserted
        self._update(HISTORY, f"{event.entity}; {self._rows[HISTORY]:,} versions written")

    def _on_built(self, event: TableBuilt) -> None:
        self._rows[STAR] += event.inserted
        self._update(STAR, f"{event.table}; {self._rows[STAR]:,} rows written")

    def _print_warning(self, event: Event) -> None:
        line = to_log_line(event)
        if line.level in ("debug", "info"):
            return
        colour = "red" if line.level == "error" else "yellow"
        fields = " ".join(f"{key}={value}" for key, value in line.fields.items() if value not in ("", None))
        self._progress.console.print(f"[{colour}]{line.name}[/{colour}] {escape(fields)}", highlight=False)

    def _update(self, name: str, note: str, *, done: bool = False) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(escape(name), total=None, note="")
        self._progress.update(self._tasks[name], note=escape(note), total=1 if done else None, completed=int(done))


def _name_batch(batch: Batch) -> str:
    purpose = "" if batch.purpose == "changes" else f" ({batch.purpose})"
    return f"{batch.feed.connection}/{batch.feed.resource}{purpose}"
