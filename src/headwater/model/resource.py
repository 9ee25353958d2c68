"""A resource: one collection of records in a service."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from headwater.clock import Span
from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.names import Name
from headwater.wire.cursor import Cursor, Deletes
from headwater.wire.paging import Paging
from headwater.wire.template import find_placeholders


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


class Verify(Declared):
    """How single records are asked for by their ids, so that no absence is believed before the service was asked.

    Either one at a time, by a `path` with `{id}`: 404, 410 and an empty answer mean that it is not there. Or in groups,
    by `params` with `{ids}`: what is not in the answer is asked for once more, until nothing more comes.
    """

    path: str = ""
    """Path of one record, e.g. `company/companies/{id}`. With `{ids}` in `params`: where groups are asked for, the
    resource's own path unless given."""
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters, e.g. `conditions: "id in ({ids})"`, beside those of the resource."""
    records: str | None = None
    """Path of the record, or of the list of records, in the answer; the resource's own unless given."""
    quote: str = ""
    """What stands before and after each id in `{ids}`, e.g. `'`."""
    separator: str = ","
    """What stands between two ids in `{ids}`."""
    size: int = Field(default=100, ge=1)
    """How many ids a group has at most."""
    max: int = Field(default=500, ge=1)
    """How many ids are worth asking for after one complete read; with more missing, a person is asked first."""

    @property
    def grouped(self) -> bool:
        """Whether several records are asked for at a time."""
        return any("ids" in find_placeholders(text) for text in self.params.values())

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.grouped == ("{id}" in self.path):
            msg = "verify: needs either a `path` with `{id}`, or `params` with `{ids}`"
            raise ValueError(msg)
        return self


class Resource(Declared):
    """One collection of records in a service: the tickets of a service desk."""

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
    deletes: Deletes | None = None
    """How deletes become known. Without it: by its snapshots, where it is read as such, and not at all otherwise."""
    count: Count | None = None
    """Where its number of records can be asked, to reconcile a read."""
    verify: Verify | None = None
    """How single records are asked for by id, before what a complete read does not show is believed to be gone."""
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

    @model_validator(mode="after")
    def _verified_by_one_key(self) -> Self:
        if self.verify is not None and (len(self.key) != 1 or self.parent is not None):
            msg = "verify: needs a key of one field and a resource without a parent"
            raise ValueError(msg)
        return self
