"""A connector describes a service. Use data where possible, and hooks only where data is not enough."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headwater.clock import Chunk, Span
from headwater.declared import Declared
from headwater.model.auth_kinds import DeclaredAuth
from headwater.model.resource import Confidence, Resource
from headwater.names import Name
from headwater.wire.auth import NoAuth
from headwater.wire.cursor import Cursor, FullSnapshot
from headwater.wire.error_rule import ErrorRule
from headwater.wire.limits import Limits
from headwater.wire.paging.kinds import Paging
from headwater.wire.paging.link_header import Unpaged
from headwater.wire.template import find_placeholders


class Setting(Declared):
    """A value that a connection sets, such as a region or a company name. Never a secret."""

    description: str = ""
    """The description for the person who sets it."""
    default: str | None = None
    """The default value. A setting without a default is required."""


class SourceClock(Declared):
    """A cheap request whose `Date` header contains the time of the service. It also tests the credentials."""

    path: str
    """The path of the request."""
    account: str = ""
    """The path of the value in the response that identifies the account, e.g. `portalId`. A connection whose new token belongs
    to another account is then refused. Empty if the response has none."""


class HostLookup(Declared):
    """A request for the base URL of an account, sent without credentials before any other request.

    Credentials go only to a URL on the host of `base_url`, or on one that `hosts` allows.
    """

    path: str
    """The path of the request, below `base_url`, e.g. `v1.0/zoneInformation`."""
    params: dict[str, str] = Field(default_factory=dict)
    """The query parameters, e.g. `user: "{user}"`. `{name}` is replaced with a setting."""
    field: str
    """The path of the URL in the response, e.g. `url`."""
    append: str = ""
    """What follows the URL in the base URL, e.g. `v1.0`."""
    hosts: tuple[str, ...]
    """The hosts that the URL may have. `*.example.com` allows all hosts below `example.com`."""


class Connector(Declared):
    """The description of one service: its URL, its protocol and its resources."""

    version: Literal[1] = 1
    """The version of the manifest format."""
    connector: Name
    """The name."""
    title: str = ""
    """The display name of the service."""
    default_connection_name: Name | None = None
    """The name that `headwater init` gives to the connection. Default: the name of the connector."""
    base_url: str
    """The base URL of all paths. `{name}` is replaced with a setting, or with a value of the token answer (`answer:`)."""
    hosts: tuple[str, ...] = ()
    """Other hosts that requests may go to, e.g. those of a `next` link or of `token_url`. The host of the base URL is always
    allowed. `*.example.com` allows all hosts below `example.com`."""
    lookup: HostLookup | None = None
    """How to find the base URL of an account. Requests then go to that URL instead of `base_url`."""
    settings: dict[Name, Setting] = Field(default_factory=dict)
    """The settings of a connection."""
    secrets: dict[Name, str] = Field(default_factory=dict)
    """The secrets that a connection refers to, each with a description."""
    auth: DeclaredAuth = NoAuth()
    """How requests authenticate."""
    headers: dict[str, str] = Field(default_factory=dict)
    """The headers of every request."""
    params: dict[str, str] = Field(default_factory=dict)
    """The query parameters of every request."""
    paging: Paging = Unpaged()
    """The paging of all resources. A resource can override it."""
    cursor: Cursor = FullSnapshot()
    """How to request changed records. A resource can override it."""
    errors: tuple[ErrorRule, ...] = ()
    """What responses mean, where the status does not say so, e.g. 200 with an error inside."""
    limits: Limits = Limits()
    """The request limits."""
    clock: SourceClock | None = None
    """How to read the time of the service. Default: use the clock of this machine."""
    hold_back: Span = "5m"
    """How late a changed record may appear. A window ends this long before the current time of the service."""
    overlap: Span = "0s"
    """How much of the committed past each run reads again."""
    chunk: Chunk = "30d"
    """The longest window of one read of history."""
    look_back: Span = "730d"
    """How far back history is split into chunks. Everything older is one window."""
    fields_param: str = ""
    """The query parameter that limits responses to the fields of the contract. Empty if there is none."""
    resources: tuple[Resource, ...]
    """The resources."""
    confidence: Confidence = "recalled"
    """How well the facts in this manifest are known: `verified` in published documentation or a response, `recalled` from
    general knowledge, or `doubtful` because sources disagree. A resource can override it."""

    def list_answer_names(self) -> frozenset[str]:
        """The placeholders of the base URL whose values are in the token answer."""
        return self.auth.answer_names.intersection(find_placeholders(self.base_url))

    def find_resource(self, name: str) -> Resource | None:
        """The resource with this name, if any."""
        return next((resource for resource in self.resources if resource.resource == name), None)

    def with_defaults(self, resource: Resource) -> Resource:
        """`resource` with the defaults of the connector."""
        inherited = {
            name: getattr(self, name)
            for name in ("paging", "cursor", "chunk", "look_back", "overlap", "confidence")
            if getattr(resource, name) is None
        }
        if not resource.fields_param:
            inherited["fields_param"] = self.fields_param
        return resource.model_copy(update=inherited)
