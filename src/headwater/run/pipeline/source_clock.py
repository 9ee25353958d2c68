"""No clock is believed alone: what time it is, by the service, by this machine and by what was seen before.

A window that ends later than it really is hides what changes until then; one that ends earlier only waits. So where two
clocks disagree the earlier one counts, and a person is told.
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
"""How far two clocks may lie apart and still agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What two clocks said at one moment."""

    service: datetime | None
    """None: the service did not say."""
    machine: datetime

    def text(self) -> str:
        """As a mark of the ledger."""
        return json.dumps(
            {"service": None if self.service is None else to_micros(self.service), "machine": to_micros(self.machine)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What time it is."""

    now: datetime
    """No clock that counts says it is earlier."""
    latest: datetime
    """No clock that counts says it is later."""
    machine: bool = True
    """Whether this machine's clock counts."""
    sight: Sight
    """What the clocks said."""
    findings: Mapping[FindingKind, str] = field(default_factory=dict)
    """What is wrong with the clocks: the finding, and what they say."""

    @property
    def credible(self) -> datetime:
        """A stamp that is later cannot be true. A service's clock that is ahead vouches for none: its stamps may be its own."""
        return max(self.now, self.sight.machine) if self.machine else self.now


def sight_of(text: str | None) -> Sight | None:
    """The sight that a mark keeps."""
    if text is None:
        return None
    kept = json.loads(text)
    service = kept["service"]
    return Sight(service=None if service is None else from_micros(service), machine=from_micros(kept["machine"]))


def agree(sight: Sight, before: Sight | None, *, counts: str, asked: bool) -> Agreed:
    """The time by all that is known. `counts`: whose clock, as the connection says; `asked`: whether the service was."""
    found: dict[FindingKind, str] = {}
    if asked and sight.service is None and counts != "machine":
        found["clock_missing"] = f"the service tells no time; this machine's counts: {format_instant(sight.machine)}"
    said = {"service": sight.service, "this machine": sight.machine}
    if counts == "machine" or (counts == "service" and sight.service is not None):
        del said["service" if counts == "machine" else "this machine"]
    clocks = {name: instant for name, instant in said.items() if instant is not None}
    now, latest = min(clocks.values()), max(clocks.values())
    if latest - now > TOLERANCE:
        both = ", ".join(f"{name} {format_instant(instant)}" for name, instant in clocks.items())
        found["clock_disagrees"] = f"{both}; windows end by the earlier one"
    elif sight.service is not None and counts != "machine":
        now = sight.service
    return Agreed(
        now=max(now, EPOCH + timedelta(days=1)),
        latest=latest,
        machine="this machine" in clocks,
        sight=sight,
        findings={**found, **_against_before(clocks, before)},
    )


def _against_before(clocks: Mapping[str, datetime], before: Sight | None) -> dict[FindingKind, str]:
    """What a clock says against what it said the time before."""
    if before is None:
        return {}
    found: dict[FindingKind, str] = {}
    earlier = {"service": before.service, "this machine": before.machine}
    for name, instant in clocks.items():
        seen = earlier[name]
        if seen is not None and instant < seen - TOLERANCE:
            found["clock_went_back"] = f"{name} {format_instant(instant)}, the run before it was {format_instant(seen)}"
    passed = clocks["this machine"] - before.machine if "this machine" in clocks else timedelta(0)
    if before.service is not None and clocks.get("service") == before.service and passed > TOLERANCE:
        found["clock_stands_still"] = f"service {format_instant(before.service)}, and so it was {passed} before"
    return found


def settle_clocks(
    ledger: Ledger, lake: Lake, feeds: Iterable[Feed], times: Mapping[str, Agreed]
) -> tuple[FindingMade, ...]:
    """Remember what the clocks say, and believe no window that they do not allow. What a person should know of it."""
    found = [
        FindingMade(
            tenant=lake.tenant, finding=Finding(table=f"connection.{name}", finding=kind, count=1, detail=detail)
        )
        for name, agreed in times.items()
        for kind, detail in agreed.findings.items()
    ]
    found += _disowned(ledger, lake, feeds, times)
    for name, agreed in times.items():
        ledger.set_mark(lake.tenant, mark_of(name), agreed.sight.text())
    return tuple(found)


def mark_of(connection: str) -> str:
    """The mark of the ledger that keeps what the clocks of a connection said last."""
    return f"clock:{connection}"


def _disowned(ledger: Ledger, lake: Lake, feeds: Iterable[Feed], times: Mapping[str, Agreed]) -> list[FindingMade]:
    """Take back what was committed, and drop what was begun, under a clock that was wrong: it is read again.

    A window is not believed when it ends later than any clock now says, or ended later than this machine's clock said
    when its read began.
    """
    found: list[FindingMade] = []
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
            found.append(FindingMade(tenant=feed.tenant, finding=finding))
    return found


def believed(row: BatchRow) -> Batch:
    """A batch with the window that can be believed: one of an older ledger may end later than its read began."""
    batch, began = row.batch, row.started_at
    if row.read_at is not None or began is None or batch.window.until <= began + TOLERANCE:
        return batch
    if began <= batch.window.since:
        return batch
    return _until(batch, began)


def _until(batch: Batch, until: datetime) -> Batch:
    return replace(batch, window=Window(since=batch.window.since, until=until))
