"""A connector: what a service offers. Data first; hooks only where data cannot say it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headwater.clock import Span
from headwater.declared import Declared
from headwater.model.auth_kinds import DeclaredAuth
from headwater.model.resource import Resource
from headwater.names import Name
from headwater.wire.auth import NoAuth
from headwater.wire.cursor import Cursor, FullSnapshot
from headwater.wire.limits import Limits
from headwater.wire.paging import Paging, Unpaged


class Setting(Declared):
    """A value that a connection gives: a region, a company name. Never a secret."""

    description: str = ""
    """What it is, for the person who fills it in."""
    default: str | None = None
    """The value when none is given; without one the setting is required."""


class SourceClock(Declared):
    """A cheap request whose `Date` header tells the service's own time; it proves the credentials too."""

    path: str
    """Path of the request."""


class Connector(Declared):
    """The description of one service: where it is, how it is asked, what it offers."""

    version: Literal[1] = 1
    """The version of this grammar."""
    connector: Name
    """Its name."""
    title: str = ""
    """The service's name, as people say it."""
    default_connection_name: Name | None = None
    """The name of a connection in a project that `headwater init` writes; the connector's name unless given."""
    base_url: str
    """Where its paths begin; `{name}` stands for a setting."""
    hosts: tuple[str, ...] = ()
    """Further hosts that a `next` link may name. The base URL's own host is always one."""
    settings: dict[Name, Setting] = Field(default_factory=dict)
    """What a connection must or may say."""
    secrets: dict[Name, str] = Field(default_factory=dict)
    """The secrets a connection refers to, each with a line that says what it is."""
    auth: DeclaredAuth = NoAuth()
    """How requests prove who asks."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of every request."""
    params: dict[str, str] = Field(default_factory=dict)
    """Query parameters of every request."""
    paging: Paging = Unpaged()
    """How collections are paged, unless a resource differs."""
    cursor: Cursor = FullSnapshot()
    """How changes are asked for, unless a resource differs."""
    limits: Limits = Limits()
    """The budget."""
    clock: SourceClock | None = None
    """How the service's time is learnt; without it, this machine's clock counts."""
    hold_back: Span = "5m"
    """How late a changed record may show up: windows end this long before the service's now."""
    overlap: Span = "0s"
    """How much of the committed past is read again each time."""
    chunk: Span = "30d"
    """The longest window of one read of the past."""
    look_back: Span = "730d"
    """How far back the past is cut into chunks; what is older is read as one window."""
    fields_param: str = ""
    """Query parameter that asks for the contract's fields only; empty where the service has none."""
    resources: tuple[Resource, ...]
    """What it offers."""
    confidence: Literal["verified", "recalled", "doubtful"] = "recalled"
    """How sure the facts of this manifest are."""

    def resource(self, name: str) -> Resource | None:
        """The resource of that name, if it has one."""
        return next((resource for resource in self.resources if resource.resource == name), None)

    def with_defaults(self, resource: Resource) -> Resource:
        """`resource` with the connector's defaults filled in where it says nothing."""
        inherited = {
            name: getattr(self, name)
            for name in ("paging", "cursor", "chunk", "look_back", "overlap")
            if getattr(resource, name) is None
        }
        if not resource.fields_param:
            inherited["fields_param"] = self.fields_param
        return resource.model_copy(update=inherited)
