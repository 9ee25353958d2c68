"""Converts events to log lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Literal

from headwater.batch import Batch
from headwater.events import (
    BatchExtracted,
    BatchLanded,
    DriftSeen,
    Event,
    Finding,
    FindingMade,
    PageCommitted,
    ReadDropped,
    ReadStarted,
    Repaired,
    RequestRetried,
    RequestSent,
    StepFailed,
    StepSkipped,
    TableBuilt,
    VersionsWritten,
)

Level = Literal["debug", "info", "warning", "error"]
"""The level of a log line."""

_LEVELS: dict[type[Event], Level] = {
    RequestRetried: "warning",
    DriftSeen: "warning",
    Repaired: "warning",
    FindingMade: "warning",
    StepSkipped: "debug",
    ReadDropped: "warning",
    StepFailed: "error",
}
_WORD_BORDER = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """An event as a log line: `batch_extracted tenant=acme connection=desk resource=tickets rows=1000`."""

    name: str
    fields: dict[str, Any]
    level: Level


def to_log_line(event: Event) -> LogLine:
    """Convert an event to a log line. A batch becomes the fields connection, resource and window."""
    values: dict[str, Any] = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(value, float):
            value = round(value, 2)
        match value:
            case Batch():
                values.update(_describe_batch(value))
            case Finding():
                values.update({part.name: getattr(value, part.name) for part in fields(value)})
            case _:
                values[field.name] = value
    level = _LEVELS.get(type(event), "info")
    if _is_idle(event):
        level = "debug"
    name = _WORD_BORDER.sub("_", type(event).__name__).lower()
    return LogLine(name=name, fields=values, level=level)


def _is_idle(event: Event) -> bool:
    """Whether the event reports no change: an empty window, an unchanged table, a field that a service omits."""
    match event:
        case PageCommitted() | RequestSent():
            counts = 0
        case ReadStarted():
            counts = event.resumed_at
        case BatchExtracted():
            counts = event.rows
        case BatchLanded():
            counts = event.kept + event.quarantined
        case VersionsWritten() | TableBuilt():
            counts = event.inserted + event.deleted
        case _:
            counts = 0 if isinstance(event, DriftSeen) and event.kind == "missing" else 1
    return counts == 0


def _describe_batch(batch: Batch) -> dict[str, Any]:
    values = {"connection": batch.feed.connection, "resource": batch.feed.resource, "window": str(batch.window)}
    return values if batch.purpose == "changes" else {**values, "purpose": batch.purpose}
