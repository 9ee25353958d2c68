"""A resource: one collection of records in a service."""

from __future__ import annotations

from pydantic import Field

from headwater.clock import Span
from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.names import Name
from headwater.wire.cursor import Cursor, Deletes, Kept
from headwater.wire.paging import Paging


class Parent(Declared):
    """A resource that is read once for each record of another one; `{parent}` in its path is that one's key."""

    resource: Name
    """The parent resource, of the same connector."""
    field: str = "id"
    """The parent's field that fills `{parent}`."""


class Count(Declared):
    """Where the service says how many records a filter holds; takes the same filter parameters."""

    path: str
    """Path of the count."""
    field: str = "count"
    """The number in the answer, as a path."""


class Resource(Declared):
    """One collection of records in a service: `tickets` of ConnectWise."""

    resource: Name
    """Its name in Headwater."""
    path: str
    """Its path below the base URL, e.g. `service/tickets`; `{parent}` stands for a parent's key."""
    key: tuple[str, ...] = ("id",)
    """The fields (as paths) that tell one record from another."""
    contract: str = ""
    """The generated model of a record, a class of the connector's `schemas.py`; empty where `fields` says it."""
    fields: dict[str, DType] = Field(default_factory=dict)
    """The fields of a record and their types, by path, where no model is generated."""
    omit: tuple[str, ...] = ()
    """Fields that are never asked for nor kept in bronze, e.g. passwords."""
    records: str = ""
    """Path of the record list in an answer; empty where the answer is the list."""
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters of every request."""
    fields_param: str = ""
    """Query parameter that asks for the contract's fields only, e.g. `fields`; empty where the service has none."""
    paging: Paging | None = None
    """How it is paged, where it differs from the connector."""
    cursor: Cursor | None = None
    """How changes are asked for, where it differs from the connector."""
    deletes: Deletes = Kept()
    """How deletes become known."""
    count: Count | None = None
    """Where its number of records can be asked, to reconcile a read."""
    parent: Parent | None = None
    """The resource whose records it hangs below."""
    chunk: Span | None = None
    """The longest window of one read of the past, where it differs from the connector."""
    look_back: Span | None = None
    """How far back the past is cut into chunks, where it differs from the connector; what is older is one window."""
    overlap: Span | None = None
    """How much of the committed past is read again each time, where it differs from the connector."""
    custom_fields: str = ""
    """The bag of custom fields in a record: a list of `{id, caption, type, value}` that bronze pivots by id."""
    optional: bool = False
    """Whether it is read only when a connection names it."""
