"""What a run's events add up to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from headwater.events import (
    BatchLanded,
    Event,
    FindingMade,
    Listen,
    PageCommitted,
    RequestRetried,
    TableBuilt,
    VersionsWritten,
)
from headwater.run.result import Counted, Finding


@dataclass(kw_only=True)
class Tally:
    """What a run's events add up to. Told from many threads."""

    listen: Listen
    requests: int = 0
    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    written: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    counts: tuple[Counted, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self, event: Event) -> None:
        """Count an event and pass it on."""
        with self.lock:
            self._count(event)
        self.listen(event)

    def _count(self, event: Event) -> None:
        match event:
            case PageCommitted():
                self.requests += 1
                self.rows += event.rows if event.batch.purpose != "sweep" else 0
            case RequestRetried():
                self.requests += 1
            case BatchLanded() if event.batch.purpose != "sweep":
                self.kept += event.kept
                self.quarantined += event.quarantined
            case VersionsWritten():
                self._wrote(f"silver.{event.entity}", event.deleted, event.inserted)
            case TableBuilt():
                self._wrote(event.table, event.deleted, event.inserted)
            case FindingMade():
                found = Finding(table=event.table, finding=event.finding, count=event.count, detail=event.detail)
                self.findings.append(found)
            case _:
                pass

    def _wrote(self, table: str, deleted: int, inserted: int) -> None:
        if deleted or inserted:
            before = self.written.get(table, (0, 0))
            self.written[table] = (before[0] + deleted, before[1] + inserted)
