"""A resource: one collection of records in a service."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from headwater.clock import Chunk, Span
from headwater.declared import Declared
from headwater.dtypes import DType
from headwater.names import Name
from headwater.wire.body import Body
from headwater.wire.cursor import Cursor, Deletes
from headwater.wire.paging.kinds import Paging
from headwater.wire.template import find_placeholders

Confidence = Literal["verified", "recalled", "doubtful"]
"""How well a fact is known: from published documentation or a response, from general knowledge, or from sources that disagree."""


class Parent(Declared):
    """The parent of a resource that is read once for each parent record. `{parent}` in the path is the key of the parent."""

    resource: Name
    """The parent resource, of the same connector."""
    field: str = "id"
    """The field of the parent for `{parent}`."""
    every: Span = "0s"
    """How often to read the records of a parent that has not changed. A new or changed parent is read in each run. Default: in
    each run, which costs one request for each parent."""


class Count(Declared):
    """A request for the number of records that match a filter. It takes the same filter parameters."""

    path: str
    """The path of the count."""
    field: str = "count"
    """The path of the number in the response."""


class Verify(Declared):
    """How to request records by id. Headwater checks missing records before it counts them as deleted.

    Either one by one, with `{id}` in `path`: 404, 410 and an empty response mean that the record is gone. Or in groups,
    with `{ids}` in `params`: ids that the response lacks are requested again, until no more records are returned.

    What is returned counts as the newest state of a record. So request the same fields as a list has: a missing one is NULL.
    """

    path: str = ""
    """The path of one record, e.g. `company/companies/{id}`. With `{ids}` in `params`: the path for groups. Default: the
    path of the resource."""
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters, e.g. `conditions: "id in ({ids})"`, in addition to those of the resource."""
    records: str | None = None
    """The path of the record, or of the list of records, in the response. Default: the path of the resource."""
    quote: str = ""
    """The quote before and after each id in `{ids}`, e.g. `'`."""
    separator: str = ","
    """The separator between two ids in `{ids}`."""
    size: int = Field(default=100, ge=1)
    """The maximum number of ids in a group."""
    max: int = Field(default=500, ge=1)
    """The maximum number of ids to request after one complete read. If more are missing, the deletes wait for confirmation."""

    @property
    def is_grouped(self) -> bool:
        """Whether a request contains several ids."""
        return any("ids" in find_placeholders(text) for text in self.params.values())

    @model_validator(mode="after")
    def _check_one_form(self) -> Self:
        if self.is_grouped == ("{id}" in self.path):
            msg = "verify: needs either a `path` with `{id}`, or `params` with `{ids}`"
            raise ValueError(msg)
        return self


class Resource(Declared):
    """One collection of records in a service: the tickets of a service desk."""

    resource: Name
    """The name in Headwater."""
    path: str
    """The path below the base URL, e.g. `service/tickets`. `{parent}` is replaced with the key of a parent."""
    key: tuple[str, ...] = ("id",)
    """The fields (as paths) that identify a record."""
    contract: str = ""
    """The generated model of a record, a class in the `schemas.py` of the connector. Empty if `fields` is set."""
    fields: dict[str, DType] = Field(default_factory=dict)
    """The fields of a record and their types, by path, if there is no generated model. `tags[]: text` is a list, and
    `fields[].id: bigint` a field of each object of a list."""
    omit: tuple[str, ...] = ()
    """Fields that are neither requested nor stored in bronze, e.g. passwords."""
    personal: tuple[str, ...] = ()
    """Fields (as paths) with personal data, e.g. names. `headwater connector record` replaces their values."""
    records: str = ""
    """The path of the list of records in a response. Empty if the response is the list."""
    records_optional: bool = False
    """Whether a response without records lacks the list, e.g. `{"QueryResponse": {}}` for `QueryResponse.Customer`. What
    contains the list must still be there."""
    params: dict[str, str] = Field(default_factory=dict)
    """The query parameters of every request."""
    body: Body | None = None
    """The body of every request, for a service that is asked by POST. It contains parameters of the resource, its cursor and
    its paging as `{name}`. Default: a GET without a body."""
    headers: dict[str, str] = Field(default_factory=dict)
    """The headers of every request, in addition to those of the connector."""
    fields_param: str = ""
    """The query parameter that limits responses to the fields of the contract, e.g. `fields`. Empty if there is none."""
    paging: Paging | None = None
    """The paging, if it differs from the connector."""
    cursor: Cursor | None = None
    """How to request changed records, if it differs from the connector."""
    deletes: Deletes | None = None
    """How to detect deletes. Default: by snapshots if the resource is read as snapshots, otherwise not at all."""
    count: Count | None = None
    """How to request the number of records, to reconcile a read."""
    verify: Verify | None = None
    """How to request records by id, before records that are missing in a complete read count as deleted."""
    parent: Parent | None = None
    """The parent resource."""
    chunk: Chunk | None = None
    """The longest window of one read of history, if it differs from the connector."""
    look_back: Span | None = None
    """How far back history is split into chunks, if it differs from the connector. Everything older is one window."""
    overlap: Span | None = None
    """How much of the committed past each run reads again, if it differs from the connector."""
    every: Span = "0s"
    """How often to request changes, e.g. `1d` for a collection that hardly changes. Default: in each run."""
    custom_fields: str = ""
    """The list of custom fields in a record, with elements `{id, caption, type, value}`, of which `id` and `value` must be there.
    Bronze pivots it by id."""
    optional: bool = False
    """Whether the resource is read only if a connection lists it."""
    confidence: Confidence | None = None
    """How well the facts are known that decide which records arrive: path, key, filter and deletes. A wrong name of another field
    shows as drift. Default: as those of the connector."""

    @model_validator(mode="after")
    def _check_verify(self) -> Self:
        if self.verify is not None and self.verify.is_grouped and self.body is not None:
            msg = "verify: a resource with a `body` needs a `path` with `{id}`"
            raise ValueError(msg)
        if self.verify is not None and (len(self.key) != 1 or self.parent is not None):
            msg = "verify: needs a key of one field and a resource without a parent"
            raise ValueError(msg)
        return self
