"""What is asked of a service for one batch: paths and parameters. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from headwater.batch import Batch, Window
from headwater.errors import DeclarationError
from headwater.model.resource import Resource
from headwater.wire.cursor import ChangeFilter, DeleteFlag, FullSnapshot, IdSweep, widen_window
from headwater.wire.paging import ForwardOnly, Paging, Unpaged


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """A resource, as `Connector.resolved` gives it, and what a read of it asks for."""

    resource: Resource
    fields: tuple[str, ...] = ()
    """Top-level fields of the contract, without the omitted ones; all that the service has, when empty."""
    parents: tuple[str, ...] = ()
    """The parents' keys, in the order in which they are read, for a resource that hangs below another one."""
    asked_at: datetime | None = None
    """The time agreed on with the service when the read begins: from then on what it shows was so."""
    credible: Callable[[], datetime] | None = None
    """Tells how late a stamp can be and be true, at the moment when it is asked: when the read ends."""

    def credible_until(self) -> datetime | None:
        """A stamp that is later cannot be true of a record that was read by now; None where nobody tells."""
        return None if self.credible is None else self.credible()

    @property
    def paging(self) -> Paging:
        """How it is paged."""
        return self.resource.paging or Unpaged()

    @property
    def changes(self) -> ChangeFilter | None:
        """How changes are asked for; None where only everything can be."""
        cursor = self.resource.cursor or FullSnapshot()
        return cursor if isinstance(cursor, ChangeFilter) else None


def build_path(path: str, parent: str | None) -> str:
    """`path` with the parent's key in its place, escaped so that no key can lead elsewhere."""
    return path if parent is None else path.replace("{parent}", quote(parent, safe=""))


def requested_window(question: ReadRequest, batch: Batch) -> Window | None:
    """The window that the service is asked for, begun earlier by the overlap; None when no filter is sent."""
    if batch.purpose != "changes" or question.changes is None:
        return None
    return widen_window(batch.window, question.resource.overlap or "0s")


def build_filters(question: ReadRequest, batch: Batch) -> dict[str, str]:
    """The query parameters that say which records: those of the resource and of its cursor."""
    window = requested_window(question, batch)
    own = question.resource.params
    if window is None or question.changes is None:
        return dict(own)
    asked = question.changes.build_params(window)
    if both := sorted(set(own) & set(asked)):
        raise DeclarationError(
            f"the resource and its cursor both set `{both[0]}`, and one would overwrite the other",
            where=f"resource {question.resource.resource} ({question.resource.origin})",
            hint="declare a cursor for this resource whose text contains both conditions",
        )
    return {**own, **asked}


def build_params(question: ReadRequest, batch: Batch) -> dict[str, str]:
    """All query parameters of a page, without those of the paging."""
    params = build_filters(question, batch)
    if batch.purpose == "sweep":
        deletes = question.resource.deletes
        return {**params, **(deletes.params if isinstance(deletes, IdSweep) else {})}
    return {**params, **build_fields_param(question)}


def build_fields_param(question: ReadRequest) -> dict[str, str]:
    """The query parameter that says which fields of a record are wanted, where the service has one."""
    if question.resource.fields_param and (question.fields or question.resource.fields):
        return {question.resource.fields_param: ",".join(_select_fields(question))}
    return {}


def _select_fields(question: ReadRequest) -> list[str]:
    """The fields to ask for: those of the contract, and whatever reading itself cannot do without."""
    resource = question.resource
    needed = [*resource.key, resource.custom_fields]
    if question.changes is not None:
        needed.append(question.changes.field)
    if isinstance(resource.deletes, DeleteFlag):
        needed.append(resource.deletes.field)
    if isinstance(question.paging, ForwardOnly):
        needed.append(question.paging.field)
    tops = [path.partition(".")[0] for path in (*(question.fields or resource.fields), *needed)]
    return [name for name in dict.fromkeys(tops) if name and name not in resource.omit]
