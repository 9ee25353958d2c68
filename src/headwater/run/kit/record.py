"""`connector record`: reads the first pages of each resource of a connection, and keeps them without secrets."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headwater.batch import Batch, Feed, Window, create_batch
from headwater.clock import EPOCH, format_instant, parse_span
from headwater.errors import DeclarationError, NotFoundError, PermanentError, ServiceError, TransientError
from headwater.extract.client import Client
from headwater.extract.page_request import build_base_request, build_page_request
from headwater.extract.rate_limit import RateLimiters
from headwater.extract.request_params import ReadRequest
from headwater.model.project import Connection
from headwater.names import did_you_mean
from headwater.run.clients import find_connection, open_client
from headwater.run.pipeline.sources import load_sources
from headwater.run.workspace import TenantWorkspace
from headwater.testing.kit.recording import KEPT_HEADERS, RecordedPage, Recording, Scrubber, save_recording
from headwater.wire.message import Page, Request, Response
from headwater.wire.paging.progress import Progress, is_linked
from headwater.wire.records import read_value, split_path

_NUMBERED = ("page_number", "offset", "forward_only", "keyset")
"""The kinds of paging whose next page can be requested although the service reports the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """What to record."""

    connection: str
    resources: tuple[str, ...] = ()
    """Only these. Default: all resources that the connection reads, or all of the connector."""
    pages: int = 2
    """The most pages of a resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedResource:
    """What was recorded of a resource."""

    resource: str
    pages: int = 0
    records: int = 0
    file: str = ""
    error: str = ""
    """Why it was not recorded."""


def record_pages(workspace: TenantWorkspace, connector: str, options: RecordOptions) -> tuple[RecordedResource, ...]:
    """Record the first pages of the resources into `connectors/NAME/recordings` of the project.

    DeclarationError if the connection does not exist or uses another connector.
    """
    connection = _find_connection(workspace, connector, options)
    requests = _choose_requests(workspace, options, connection)
    folder = workspace.root / "connectors" / connector / "recordings"
    client = open_client(workspace, options.connection, connection, rate_limiters=RateLimiters())
    with client:
        recorder = _Recorder(client=client, workspace=workspace, options=options, parents={})
        return tuple(recorder.record(request, folder) for request in requests)


def _find_connection(workspace: TenantWorkspace, connector: str, options: RecordOptions) -> Connection:
    connection = find_connection(workspace, options.connection, where="--connection")
    if connection.connector != connector:
        raise DeclarationError(
            f"The connection `{options.connection}` uses another connector.",
            where="--connection",
            details=connection.connector,
            hint=f"headwater connector record {connection.connector}",
        )
    return connection


def _choose_requests(workspace: TenantWorkspace, options: RecordOptions, connection: Connection) -> list[ReadRequest]:
    """The resources to record, parents first."""
    read = {
        feed.resource: source
        for feed, source in load_sources(workspace).items()
        if feed.connection == options.connection
    }
    plugin = workspace.find_connector(connection.connector, where=f"connection {options.connection}")
    requests = [ReadRequest(resource=source.resource, fields=source.fields) for source in read.values()]
    others = [one for one in plugin.connector.resources if one.resource not in read]
    if options.resources or not requests:
        requests += [ReadRequest(resource=plugin.connector.with_defaults(one)) for one in others]
    names = [request.resource.resource for request in requests]
    for name in options.resources:
        if name not in names:
            hint = did_you_mean(name, names)
            raise DeclarationError(
                f"{connection.connector} has no resource `{name}`.", where="--resource", details=name, hint=hint
            )
    wanted = set(options.resources or names)
    parents = {
        one.resource.parent.resource for one in requests if one.resource.parent and one.resource.resource in wanted
    }
    chosen = [request for request in requests if request.resource.resource in wanted | parents]
    return sorted(chosen, key=lambda request: request.resource.parent is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorder:
    """Records resources of one connection."""

    client: Client
    workspace: TenantWorkspace
    options: RecordOptions
    parents: dict[str, list[Any]]
    """By resource: its recorded records as they came, to find a parent."""

    def record(self, request: ReadRequest, folder: Path) -> RecordedResource:
        """Record one resource."""
        name = request.resource.resource
        try:
            recording, records = self._read(request)
        except ServiceError as error:
            return RecordedResource(resource=name, error=" ".join(str(error).split()))
        file = save_recording(recording, folder)
        return RecordedResource(resource=name, pages=len(recording.pages), records=records, file=str(file))

    def _read(self, request: ReadRequest) -> tuple[Recording, int]:
        resource = request.resource
        now = self.client.read_source_time()
        until = now - parse_span(self.client.connector.hold_back)
        purpose = "changes" if request.changes is not None else "snapshot"
        feed = Feed(tenant=self.workspace.tenant, connection=self.options.connection, resource=resource.resource)
        batch = create_batch(feed, Window(since=EPOCH, until=until), purpose=purpose)
        pages = list(self._fetch_pages(request, batch, self._find_parent(request)))
        records = sum(page.rows for page, _ in pages)
        self.parents[resource.resource] = [record for page, _ in pages for record in page.records]
        recording = Recording(
            connector=self.client.connector.connector,
            resource=resource.resource,
            recorded_at=format_instant(now),
            since="",
            until=format_instant(until) if purpose == "changes" else "",
            pages=tuple(recorded for _, recorded in pages),
        )
        return recording, records

    def _find_parent(self, request: ReadRequest) -> str | None:
        parent = request.resource.parent
        if parent is None:
            return None
        records = self.parents.get(parent.resource, [])
        keys = [key for record in records if (key := read_value(record, parent.field)) is not None]
        if not keys:
            raise PermanentError("no record of the parent was recorded", details=parent.resource)
        return str(keys[0])

    def _fetch_pages(
        self, request: ReadRequest, batch: Batch, parent: str | None
    ) -> Iterator[tuple[Page, RecordedPage]]:
        """The first pages, and one more if the paging ends before."""
        base = build_base_request(self.client, request, batch, parent)
        position: str | None = request.paging.start()
        progress, number = Progress(), 0
        while position is not None and number < self.options.pages:
            page, recorded = self._fetch(request, base, position, is_beyond_end=False)
            yield page, recorded
            number += 1
            following = _find_following(request, position, page, progress)
            if following is None and (beyond := _find_beyond(request, position, page)) is not None:
                yield self._fetch(request, base, beyond, is_beyond_end=True)
            progress = Progress(rows=progress.rows + page.rows, links=progress.links or is_linked(page))
            position = following

    def _fetch(
        self, request: ReadRequest, base: Request, position: str, *, is_beyond_end: bool
    ) -> tuple[Page, RecordedPage]:
        sent = self.client.check_host(build_page_request(request, base, position))
        try:
            response = self.client.fetch(sent)
        except NotFoundError:
            if not is_beyond_end:
                raise
            response = Response(status=204, headers={}, body=b"", url=sent.url)
        page = Page(response=response, records=_split(request, response))
        return page, self._scrub(request, sent, page, is_beyond_end=is_beyond_end)

    def _scrub(self, request: ReadRequest, sent: Request, page: Page, *, is_beyond_end: bool) -> RecordedPage:
        parts = urlsplit(self.client.base_url)
        scrubber = Scrubber(
            hide=self.client.hide_credentials,
            personal=frozenset(request.resource.personal),
            host=f"{parts.scheme}://{parts.netloc}",
            salt=_SALT,
        )
        body, is_json = _parse(page.response.body)
        if is_json:
            body = scrubber.scrub(_scrub_records(body, request, scrubber))
        kept = (*KEPT_HEADERS, getattr(request.paging, "total_header", "").lower())
        headers = page.response.headers
        return RecordedPage(
            method=sent.method,
            path=scrubber.scrub_text(urlsplit(sent.url).path),
            params={name: scrubber.scrub_text(value) for name, value in sent.params.items()},
            status=page.response.status,
            headers={name: scrubber.scrub_text(headers[name]) for name in kept if name in headers},
            body=body if is_json else scrubber.scrub_text(str(body)),
            is_json=is_json,
            is_beyond_end=is_beyond_end,
        )


_SALT = secrets.token_hex(16)
"""Of this process, so that equal values of several pages and resources stay equal."""


def _scrub_records(body: Any, request: ReadRequest, scrubber: Scrubber) -> Any:
    """`body` with made-up values in the personal fields of its records, and without omitted fields."""
    steps = split_path(request.resource.records)
    if steps:
        inner = body.get(steps[0]) if isinstance(body, dict) else None
        if inner is None:
            return body
        resource = request.resource.model_copy(
            update={"records": ".".join(step.replace(".", "\\.") for step in steps[1:])}
        )
        return {**body, steps[0]: _scrub_records(inner, ReadRequest(resource=resource), scrubber)}
    records = body if isinstance(body, list) else [body]
    clean = [
        scrubber.scrub_record(
            {key: value for key, value in record.items() if key not in request.resource.omit}
            if isinstance(record, dict)
            else record
        )
        for record in records
    ]
    return clean if isinstance(body, list) else clean[0]


def _parse(body: bytes) -> tuple[Any, bool]:
    try:
        return json.loads(body), True
    except ValueError:
        return body.decode(errors="replace"), False


def _split(request: ReadRequest, response: Response) -> Sequence[Any]:
    """The records of a page. None if the manifest names another path: the recording shows what is there."""
    try:
        return request.split_records(response)
    except (PermanentError, TransientError):
        return ()


def _find_following(request: ReadRequest, position: str, page: Page, progress: Progress) -> str | None:
    try:
        return request.paging.find_next_position(position, page, progress)
    except PermanentError:
        return None


def _find_beyond(request: ReadRequest, position: str, page: Page) -> str | None:
    """The position after a page that ends the read, as if nothing had reported the end. None if there can be none."""
    paging: Any = request.paging
    if not page.rows or paging.kind not in _NUMBERED:
        return None
    reports = {"links": False, "more": "", "total": "", "total_header": ""}
    silent = paging.model_copy(update={name: value for name, value in reports.items() if hasattr(paging, name)})
    bare = Page(response=Response(status=200, headers={}, body=b"{}", url=page.response.url), records=page.records)
    try:
        following: str | None = silent.find_next_position(position, bare, Progress())
    except PermanentError:
        return None
    return following
