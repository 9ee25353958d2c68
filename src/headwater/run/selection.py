"""What a connection selects of each resource. Windows that were read with another selection may lack records.

A filter that becomes wider, or a time zone that is corrected, changes nothing in windows that are committed. Only
resources that are read by changes are compared: a snapshot is complete each time, a delta starts again, and a sweep finds
the ids that are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from headwater.batch import Feed
from headwater.clock import EPOCH, format_instant, parse_instant
from headwater.events import Finding
from headwater.ledger.base import Ledger
from headwater.plan.state import RunRequest
from headwater.run.pipeline.sources import Source
from headwater.wire.cursor import ChangeFilter, IdSweep
from headwater.wire.template import fill_known

Selection = Mapping[str, str]
"""The texts that decide which records a service returns, by name."""


def describe_selection(source: Source) -> Selection:
    """What a source selects."""
    connector, resource = source.plugin.connector, source.resource
    defaults = {name: one.default or "" for name, one in connector.settings.items()}
    settings = {**defaults, **source.connection.settings}
    parts: dict[str, Any] = {
        "path": resource.path,
        "params": {**connector.params, **resource.params},
        "headers": resource.headers,
        "body": resource.body.model_dump(mode="json") if resource.body else None,
        "cursor": resource.cursor.model_dump(mode="json") if resource.cursor else None,
    }
    return {name: fill_known(json.dumps(part, sort_keys=True), settings) for name, part in parts.items() if part}


def find_outdated_selections(
    ledger: Ledger, tenant: str, sources: Mapping[Feed, Source], request: RunRequest
) -> tuple[Finding, ...]:
    """A finding for each requested resource whose windows were read with another selection.

    The selection of a resource without windows is saved, for the next run to compare.
    """
    findings: list[Finding] = []
    for connection, feeds in _group_by_connection(sources).items():
        saved = _load_selections(ledger, tenant, connection)
        current = {feed.resource: describe_selection(sources[feed]) for feed in feeds}
        outdated = {name: _find_differences(saved.get(name, now), now) for name, now in current.items()}
        outdated = {name: parts for name, parts in outdated.items() if parts}
        for feed in feeds:
            parts = outdated.get(feed.resource, ())
            beginning = _find_beginning(ledger, sources[feed]) if parts and _is_compared(sources[feed]) else None
            if beginning is None:
                outdated.pop(feed.resource, None)
            elif request.includes(feed):
                findings.append(_build_finding(sources[feed], parts, beginning))
        kept = {**saved, **{name: now for name, now in current.items() if name not in outdated}}
        if kept != saved:
            _save_selections(ledger, tenant, connection, kept)
    return tuple(findings)


def settle_selections(
    ledger: Ledger, tenant: str, sources: Mapping[Feed, Source], request: RunRequest, read: Iterable[Feed]
) -> None:
    """Save the selection of the resources that a forced run has read again from their beginning to the end.

    `read`: the feeds whose windows were all read. A feed of a service that did not answer is none of them.
    """
    if not request.force or request.until is not None:
        return
    for connection, feeds in _group_by_connection(read).items():
        covered = [
            sources[feed]
            for feed in feeds
            if (beginning := _find_beginning(ledger, sources[feed])) is None or (request.since or EPOCH) <= beginning
        ]
        accept_selections(ledger, tenant, connection, covered)


def accept_selections(ledger: Ledger, tenant: str, connection: str, sources: Iterable[Source]) -> None:
    """Save what sources of a connection select now."""
    saved = _load_selections(ledger, tenant, connection)
    kept = {**saved, **{source.feed.resource: describe_selection(source) for source in sources}}
    if kept != saved:
        _save_selections(ledger, tenant, connection, kept)


def list_differences(ledger: Ledger, tenant: str, connection: str, sources: Iterable[Source]) -> tuple[str, ...]:
    """What selects other records than the windows of a connection were read with, e.g. `tickets: params`."""
    saved = _load_selections(ledger, tenant, connection)
    lines = []
    for source in sources:
        now = describe_selection(source)
        parts = _find_differences(saved.get(source.feed.resource, now), now)
        if parts and _is_compared(source):
            lines.append(f"{source.feed.resource}: {', '.join(parts)}")
    return tuple(lines)


def _build_finding(source: Source, parts: Sequence[str], beginning: datetime) -> Finding:
    feed, since = source.feed, format_instant(beginning)
    command = f"headwater backfill --connection {feed.connection} --resource {feed.resource} --since {since} --force"
    detail = (
        f"{', '.join(parts)} changed since they were read; `{command}` reads them again; if it selects the same records, "
        f"`headwater connection accept {feed.connection}`"
    )
    return Finding(
        table=f"{feed.connection}/{feed.resource}", finding="selection_changed", count=len(parts), detail=detail
    )


def _is_compared(source: Source) -> bool:
    """Whether windows of a source stay as they were read."""
    return isinstance(source.resource.cursor, ChangeFilter) and not isinstance(source.resource.deletes, IdSweep)


def _find_beginning(ledger: Ledger, source: Source) -> datetime | None:
    """The beginning of the earliest committed window that the connection reads, of any parent; None if there is none."""
    windows = list(ledger.list_windows(source.feed))
    if source.resource.parent is not None:
        windows += [window for own in ledger.list_windows_by_parent(source.feed).values() for window in own]
    begins = parse_instant(source.connection.since) if source.connection.since else EPOCH
    return max(begins, min(window.since for window in windows)) if windows else None


def _find_differences(before: Selection, now: Selection) -> tuple[str, ...]:
    return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))


def _group_by_connection(sources: Iterable[Feed]) -> dict[str, list[Feed]]:
    groups: dict[str, list[Feed]] = {}
    for feed in sources:
        groups.setdefault(feed.connection, []).append(feed)
    return groups


def _load_selections(ledger: Ledger, tenant: str, connection: str) -> dict[str, Selection]:
    text = ledger.get_mark(tenant, _name_mark(connection))
    return json.loads(text) if text else {}


def _save_selections(ledger: Ledger, tenant: str, connection: str, selections: Mapping[str, Selection]) -> None:
    ledger.set_mark(tenant, _name_mark(connection), json.dumps(selections, sort_keys=True))


def _name_mark(connection: str) -> str:
    return f"selection:{connection}"
