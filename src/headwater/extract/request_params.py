"""The path and the parameters of the requests for a batch. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from msgspec import Raw

from headwater.batch import Batch, Window
from headwater.errors import DeclarationError
from headwater.model.field import strip_list_mark
from headwater.model.resource import Resource
from headwater.wire.cursor import ChangeFilter, DeleteFlag, DeleteMark, Delta, FullSnapshot, IdSweep, widen_window
from headwater.wire.message import Response
from headwater.wire.paging.kinds import Paging
from headwater.wire.paging.link_header import Unpaged
from headwater.wire.records import split_path, split_records


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """A resource with the defaults of its connector, and what to request from it."""

    resource: Resource
    fields: tuple[str, ...] = ()
    """Top-level fields of the contract, without the omitted ones. Empty: all fields that the service has."""
    parents: tuple[str, ...] = ()
    """The keys of the parents in the order of the read, for a resource that is read for each parent."""
    read_at: datetime | None = None
    """The start of the read, in the time agreed on with the service. The records show the state from then on."""
    estimate_latest_stamp: Callable[[], datetime] | None = None
    """Returns the latest change time that a record can have now. Called when the read ends."""

    def read_credible_until(self) -> datetime | None:
        """The latest credible change time of a record that was read by now, or None if it is unknown."""
        return None if self.estimate_latest_stamp is None else self.estimate_latest_stamp()

    start: str = ""
    """The position at which the read begins: the link of a `delta` cursor. Empty: at the first page."""

    @property
    def delta(self) -> bool:
        """Whether the last page has a link to the next changes."""
        return isinstance(self.resource.cursor, Delta)

    @property
    def paging(self) -> Paging:
        """How the resource is paged."""
        return self.resource.paging or Unpaged()

    def split_records(self, response: Response) -> Sequence[Raw]:
        """The records of a response."""
        return split_records(response, path=self.resource.records, is_optional=self.resource.records_optional)

    @property
    def changes(self) -> ChangeFilter | None:
        """How to request changes, or None if only all records can be requested."""
        cursor = self.resource.cursor or FullSnapshot()
        return cursor if isinstance(cursor, ChangeFilter) else None


def build_path(path: str, parent: str | None) -> str:
    """Replace `{parent}` in `path` with the parent's key, escaped so that no key can change the path."""
    return path if parent is None else path.replace("{parent}", quote(parent, safe=""))


def build_request_window(request: ReadRequest, batch: Batch) -> Window | None:
    """The window to request, which starts earlier by the overlap. None if no filter is sent."""
    if batch.purpose != "changes" or request.changes is None:
        return None
    return widen_window(batch.window, request.resource.overlap or "0s")


def build_filters(request: ReadRequest, batch: Batch) -> dict[str, str]:
    """The query parameters that select records: those of the resource and of its cursor."""
    window = build_request_window(request, batch)
    resource_params = request.resource.params
    if window is None or request.changes is None:
        return dict(resource_params)
    cursor_params = request.changes.build_params(window)
    if duplicates := sorted(set(resource_params) & set(cursor_params)):
        raise DeclarationError(
            f"the resource and its cursor both set `{duplicates[0]}`, and one would overwrite the other",
            where=f"resource {request.resource.resource} ({request.resource.origin})",
            hint="declare a cursor for this resource whose text contains both conditions",
        )
    return {**resource_params, **cursor_params}


def build_filter_headers(request: ReadRequest, batch: Batch) -> dict[str, str]:
    """The headers that select records: those of the cursor."""
    window = build_request_window(request, batch)
    return {} if window is None or request.changes is None else request.changes.build_headers(window)


def build_params(request: ReadRequest, batch: Batch) -> dict[str, str]:
    """All query parameters of a page except those of the paging."""
    params = build_filters(request, batch)
    if batch.purpose == "sweep":
        deletes = request.resource.deletes
        return {**params, **(deletes.params if isinstance(deletes, IdSweep) else {})}
    return {**params, **build_fields_param(request)}


def build_fields_param(request: ReadRequest) -> dict[str, str]:
    """The query parameter that selects the fields of a record, if the service has one."""
    if request.resource.fields_param and (request.fields or request.resource.fields):
        return {request.resource.fields_param: ",".join(_select_fields(request))}
    return {}


def _select_fields(request: ReadRequest) -> list[str]:
    """The fields to request: those of the contract, and those that the read itself needs."""
    resource = request.resource
    needed = [*resource.key, resource.custom_fields]
    if request.changes is not None:
        needed.append(request.changes.field)
    if isinstance(resource.deletes, DeleteFlag | DeleteMark):
        needed.append(resource.deletes.field)
    needed += request.paging.paths
    # Fields of the contract are keys already, and needed ones are paths.
    declared = request.fields or [strip_list_mark(split_path(path)[0]) for path in resource.fields]
    tops = [*declared, *(split_path(path)[0] for path in needed if path)]
    return [name for name in dict.fromkeys(tops) if name and name not in resource.omit]
