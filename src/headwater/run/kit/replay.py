"""Compares recorded pages with a manifest: the list, the paging, the key, the change time and the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.bronze.land import build_effective_contract
from headwater.bronze.schema import build_schema
from headwater.bronze.validate import RecordValidator
from headwater.clock import EPOCH, parse_instant, parse_span
from headwater.errors import DeclarationError, PermanentError, TransientError
from headwater.extract.request_params import ReadRequest
from headwater.names import did_you_mean
from headwater.run.kit.scenario import ScenarioResult
from headwater.run.plugins import InstalledConnector
from headwater.testing.kit.recording import RecordedPage, Recording
from headwater.wire.instant_format import InstantFormat
from headwater.wire.message import Page
from headwater.wire.paging.progress import Progress, is_linked
from headwater.wire.records import read_value, read_value_rows

_TOLERANCE = timedelta(minutes=10)
"""How far a change time may be after the time of the recording."""

_OLDEST_YEAR = 1980
"""No service has records that changed before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """One comparison."""

    name: str
    promise: str
    look_at: str
    find_fault: Callable[[_Replay], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replay:
    """The pages of a recording, read with a manifest."""

    plugin: InstalledConnector
    request: ReadRequest
    recording: Recording

    @property
    def pages(self) -> list[Page]:
        """The pages up to the end."""
        return [self.read(page) for page in self.recording.pages if not page.is_beyond_end]

    @property
    def beyond(self) -> list[Page]:
        """The page that was requested after the end, if any."""
        return [self.read(page) for page in self.recording.pages if page.is_beyond_end]

    def read(self, page: RecordedPage) -> Page:
        """A page with its records. PermanentError if the list is not where the manifest says."""
        return page.to_page(self.request.split_records)

    def read_keys(self, pages: Sequence[Page]) -> list[tuple[Any, ...]]:
        """The keys of the records of `pages`."""
        key = self.request.resource.key
        return [row for page in pages for row in read_value_rows(page.records, key)]


def replay(plugin: InstalledConnector, recording: Recording) -> list[ScenarioResult]:
    """The results of all comparisons. DeclarationError if the connector does not have the resource."""
    resource = plugin.connector.find_resource(recording.resource)
    if resource is None:
        names = [one.resource for one in plugin.connector.resources]
        raise DeclarationError(
            f"There is a recording of `{recording.resource}`, which {plugin.connector.connector} does not have.",
            where=f"recordings/{recording.resource}.json",
            details=recording.resource,
            hint=did_you_mean(recording.resource, names),
        )
    request = ReadRequest(resource=plugin.connector.with_defaults(resource))
    own = _Replay(plugin=plugin, request=request, recording=recording)
    results = []
    for check in _CHECKS:
        results.append(_compare(check, own))
        if check.name == "recorded-list" and results[-1].outcome == "failed":
            break
    return results


def _compare(check: _Check, own: _Replay) -> ScenarioResult:
    fault = check.find_fault(own)
    return ScenarioResult(
        scenario=check.name,
        resource=own.recording.resource,
        outcome="failed" if fault else "passed",
        promise=check.promise,
        detail=fault,
        look_at=check.look_at if fault else "",
    )


def _find_list_fault(own: _Replay) -> str:
    try:
        pages = [*own.pages, *own.beyond]
    except (PermanentError, TransientError) as error:
        return "; ".join(part for part in (error.message, error.details) if part)
    return "" if pages else "the recording has no page"


def _find_paging_fault(own: _Replay) -> str:
    position, progress = own.request.paging.start(), Progress()
    pages = own.pages
    for number, page in enumerate(pages, start=1):
        try:
            following = own.request.paging.find_next_position(position, page, progress)
        except PermanentError as error:
            return f"page {number}: {error.message}; {error.details}"
        if following is None:
            return _find_rest(own, pages, number)
        progress = Progress(rows=progress.rows + page.rows, links=progress.links or is_linked(page))
        position = following
    return ""


def _find_rest(own: _Replay, pages: list[Page], number: int) -> str:
    """What follows the page with which the paging ends."""
    seen = set(own.read_keys(pages[:number]))
    rest = [key for key in own.read_keys([*pages[number:], *own.beyond]) if key not in seen]
    if not rest:
        return ""
    size, rows = getattr(own.request.paging, "size", 0), pages[number - 1].rows
    requested = f" of {size} that were requested" if size and rows < size else ""
    return (
        f"the paging ends after page {number}, which has {rows} records{requested}, but the service has more: "
        f"{'/'.join(map(str, rest[0]))} ..."
    )


def _find_key_fault(own: _Replay) -> str:
    keys = own.read_keys(own.pages)
    names = ", ".join(own.request.resource.key)
    if lacking := sum(None in key for key in keys):
        return f"{lacking} of {len(keys)} records have no `{names}`"
    doubled = [key for key, count in Counter(keys).items() if count > 1]
    return f"{len(doubled)} values of `{names}` are those of several records, e.g. {doubled[0]}" if doubled else ""


def _find_stamp_fault(own: _Replay) -> str:
    changes = own.request.changes
    if changes is None:
        return ""
    records = [record for page in own.pages for record in page.records]
    values = [read_value(record, changes.field) for record in records]
    if records and all(value is None for value in values):
        return f"no record has a value at `{changes.field}`"
    zone = "UTC" if "{" in changes.zone else changes.zone
    form = InstantFormat(style=changes.format, pattern=changes.pattern, zone=zone, grain=parse_span(changes.grain))
    latest = parse_instant(own.recording.recorded_at) + _TOLERANCE
    for value in values:
        if value is None:
            continue
        instant = form.parse(value)
        if instant is None:
            return f"`{changes.field}` {value!r} is no instant in the format `{changes.format}`"
        if instant > latest:
            return f"`{changes.field}` {value!r} would be {instant - latest + _TOLERANCE} after it was read"
        if instant.year < _OLDEST_YEAR:
            return f"`{changes.field}` {value!r} would be in the year {instant.year}"
    return ""


def _find_contract_fault(own: _Replay) -> str:
    resource = own.request.resource
    window = Window(since=EPOCH, until=parse_instant(own.recording.recorded_at))
    batch: Batch = create_batch(Feed(tenant="kit", connection="it", resource=resource.resource), window)
    contract = build_effective_contract(own.plugin.contracts[resource.resource], resource, batch)
    schema = build_schema(contract, resource.omit, custom_fields=resource.custom_fields)
    validator = RecordValidator(contract, schema, resource.key)
    records = [bytes(record) for page in own.pages for record in page.records]
    refused = [result for line, record in enumerate(records) if (result := validator.validate(line, record)).reasons]
    if not refused:
        return ""
    reason = refused[0].reasons[0]
    return (
        f"{len(refused)} of {len(records)} records are refused, e.g. {refused[0].key}: "
        f"`{reason.get('field', '')}` {reason.get('value', '')} {reason.get('rule', '')}"
    )


_CHECKS = (
    _Check(
        name="recorded-list", promise="the records are where the manifest says", look_at="`records:` of the resource",
        find_fault=_find_list_fault,
    ),
    _Check(
        name="recorded-pages", promise="no page is taken for the last one if others follow",
        look_at="`paging:` (`size`, `links`, `more`, `total`, `field`): the service may send fewer records than requested",
        find_fault=_find_paging_fault,
    ),
    _Check(
        name="recorded-keys", promise="every record has a key of its own", look_at="`key:` of the resource",
        find_fault=_find_key_fault,
    ),
    _Check(
        name="recorded-stamps", promise="every change time can be read",
        look_at="`cursor:` (`field`, `format`, `zone`), and the zone in which the service writes",
        find_fault=_find_stamp_fault,
    ),
    _Check(
        name="recorded-contract", promise="the contract takes every record",
        look_at="the types in `fields:` or `schemas.py`, and `key:`", find_fault=_find_contract_fault,
    ),
)  # fmt: skip

REPLAY_CHECKS = tuple(check.name for check in _CHECKS)
"""The names of all comparisons."""
