"""Parts of every record: id, `_info`, references to other records and custom fields."""

from __future__ import annotations

import functools
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

LINK_URL = "https://psa.sandbox.example/v4_6_release/apis/3.0"
"""Base URL of the links in records. It is constant, so that a record has the same bytes on every port."""

_WIRE_NAMES = {
    "info": "_info",
    "customer_po": "customerPO",
    "invoice_cc_email_address": "invoiceCCEmailAddress",
    "resolution_goal_utc": "resolutionGoalUTC",
    "respond_by_goal_utc": "respondByGoalUTC",
}


def to_wire_name(attribute: str) -> str:
    """Convert the name of an attribute to the service's name."""
    head, *rest = attribute.split("_")
    return _WIRE_NAMES.get(attribute) or head + "".join(word.capitalize() for word in rest)


@functools.cache
def map_wire_names(kind: type[Struct]) -> dict[str, str]:
    """Map the service's field names of `kind` to its attributes."""
    return {field.encode_name: field.name for field in fields(kind)}


class ChangeStamp(Struct, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False, frozen=True):
    """The `_info` of a record: when and by whom it was last changed and created."""

    last_updated: str
    updated_by: str
    date_entered: str | None = None
    entered_by: str | None = None


class Reference(Struct, omit_defaults=True, rename=to_wire_name, gc=False, frozen=True):
    """A reference from one record to another."""

    id: int
    name: str | None = None
    identifier: str | None = None
    type: str | None = None
    summary: str | None = None
    currency_code: str | None = None
    info: dict[str, str] | None = None


class CustomField(Struct, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False, frozen=True):
    """One custom field of a record."""

    id: int
    caption: str
    value: Any = None
    type: str = ""
    entry_method: str = ""
    number_of_decimals: int | None = None


class Record(Struct, omit_defaults=True, kw_only=True, rename=to_wire_name, gc=False):
    """The parent class of all record types. A field that is None is not sent, as in the real service."""

    id: int
    info: ChangeStamp
