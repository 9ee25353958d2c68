"""Determines the current time from the clock of the service, the clock of this machine and their previous readings.

A window that ends in the future hides the changes until then; one that ends too early only delays them. So if two clocks
disagree, the earlier one counts, and the run reports a finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from headwater.batch import Batch, Feed, Window
from headwater.clock import EPOCH, format_instant, from_micros, to_micros
from headwater.events import Finding, FindingKind, FindingMade
from headwater.extract.page_files import PageFiles
from headwater.lake.base import Lake
from headwater.ledger.base import BatchRow, Ledger

TOLERANCE = timedelta(minutes=5)
"""The largest difference between two clocks that agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """Two clocks, read at the same moment."""

    service: datetime | None
    """None if the service did not send its time."""
    machine: datetime

    def to_mark(self) -> str:
        """Convert the reading to the value of a ledger mark."""
        return json.dumps(
            {"service": None if self.service is None else to_micros(self.service), "machine": to_micros(self.machine)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedTime:
    """The current time, and which clocks it comes from."""

    now: datetime
    """The earliest of the clocks that count."""
    latest: datetime
    """The latest of the clocks that count."""
    machine: bool = True
    """Whether the clock of this machine counts."""
    reading: ClockReading
    """The reading of the clocks."""
    findings: Mapping[FindingKind, str] = field(default_factory=dict)
    """Findings about the clocks, with details."""

    @property
    def credible(self) -> datetime:
        """No true stamp can be later. If the clock of a service is ahead, it is not used, because its stamps may come from it."""
        return max(self.now, self.reading.machine) if self.machine else self.now


def parse_clock_reading(text: str | None) -> ClockReading | None:
    """Parse the reading in a ledger mark."""
    if text is None:
        return None
    stored = json.loads(text)
    service = stored["service"]
    return ClockReading(
        service=None if service is None else from_micros(service), machine=from_micros(stored["machine"])
    )


def agree_on_time(
    reading: ClockReading, previous: ClockReading | None, *, counts: str, has_service_clock: bool
) -> AgreedTime:
    """Agree on the current time. `counts`: which clock the connection uses."""
    findings: dict[FindingKind, str] = {}
    if has_service_clock and reading.service is None and counts != "machine":
        findings["clock_missing"] = (
            f"the service tells no time; this machine's counts: {format_instant(reading.machine)}"
        )
    times = {"service": reading.service, "this machine": reading.machine}
    if counts == "machine" or (counts == "service" and reading.service is not None):
        del times["service" if counts == "machine" else "this machine"]
    clocks = {name: instant for name, instant in times.items() if instant is not None}
    now, latest = min(clocks.values()), max(clocks.values())
    if latest - now > TOLERANCE:
        both = ", ".join(f"{name} {format_instant(instant)}" for name, instant in clocks.items())
        findings["clock_disagrees"] = f"{both}; windows end at the earlier one"
    elif reading.service is not None and counts != "machine":
        now = reading.service
    return AgreedTime(
        now=max(now, EPOCH + timedelta(days=1)),
        latest=latest,
        machine="this machine" in clocks,
        reading=reading,
        findings={**findings, **_compare_with_previous(clocks, previous)},
    )


def _compare_with_previous(clocks: Mapping[str, datetime], previous: ClockReading | None) -> dict[FindingKind, str]:
    """Findings from the comparison of the clocks with their previous readings."""
    if previous is None:
        return {}
    findings: dict[FindingKind, str] = {}
    earlier = {"service": previous.service, "this machine": previous.machine}
    for name, instant in clocks.items():
        last = earlier[name]
        if last is not None and instant < last - TOLERANCE:
            findings["clock_went_back"] = (
                f"{name} {format_instant(instant)}, in the previous run it was {format_instant(last)}"
            )
    passed = clocks["this machine"] - previous.machine if "this machine" in clocks else timedelta(0)
    if previous.service is not None and clocks.get("service") == previous.service and passed > TOLERANCE:
        findings["clock_stands_still"] = f"service {format_instant(previous.service)}, the same as {passed} before"
    return findings


def record_clocks(
    ledger: Ledger, lake: Lake, feeds: Iterable[Feed], times: Mapping[str, AgreedTime]
) -> tuple[FindingMade, ...]:
    """Save the readings of the clocks, and discard windows that end later than they allow. Returns the findings."""
    findings = [
        FindingMade(
            tenant=lake.tenant, finding=Finding(table=f"connection.{name}", finding=kind, count=1, detail=detail)
        )
        for name, agreed in times.items()
        for kind, detail in agreed.findings.items()
    ]
    findings += _discard_windows(ledger, lake, feeds, times)
    for name, agreed in times.items():
        ledger.set_mark(lake.tenant, name_mark(name), agreed.reading.to_mark())
    return tuple(findings)


def name_mark(connection: str) -> str:
    """The name of the ledger mark with the last clock reading of a connection."""
    return f"clock:{connection}"


def _discard_windows(
    ledger: Ledger, lake: Lake, feeds: Iterable[Feed], times: Mapping[str, AgreedTime]
) -> list[FindingMade]:
    """Discard windows that were committed or begun under a wrong clock, so that they are read again.

    These windows end later than all clocks now, or later than the clock of this machine when their read began.
    """
    findings: list[FindingMade] = []
    for feed in feeds:
        agreed = times.get(feed.connection)
        if agreed is None:
            continue
        ahead = TOLERANCE if agreed.machine else None
        rows = ledger.discard_windows(feed, later_than=agreed.latest, ahead=ahead)
        for row in rows:
            if row.stage == "extracting":
                PageFiles(row.batch, lake).clear()
        if rows:
            detail = f"{feed}: {', '.join(str(row.batch.window) for row in rows[:3])}"
            finding = Finding(
                table=f"connection.{feed.connection}",
                finding="read_again",
                count=len(rows),
                detail=f"{detail}; committed under a wrong clock",
            )
            findings.append(FindingMade(tenant=feed.tenant, finding=finding))
    return findings


def correct_window(row: BatchRow) -> Batch:
    """The batch with a credible window: in an older ledger, a window may end later than its read began."""
    batch, started = row.batch, row.started_at
    if row.read_at is not None or started is None or batch.window.until <= started + TOLERANCE:
        return batch
    if started <= batch.window.since:
        return batch
    return _end_at(batch, started)


def _end_at(batch: Batch, until: datetime) -> Batch:
    return replace(batch, window=Window(since=batch.window.since, until=until))
