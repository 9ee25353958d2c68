"""What every record is made of: an id, a change stamp, references to others and custom fields."""

from __future__ import annotations

import functools
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

SITE = "https://psa.sandbox.example/v4_6_release/apis/3.0"
"""Where the links inside records point. It is constant, so that a record is the same bytes on every port."""

_SPELLING = {
    "info": "_info",
    "customer_po": "customerPO",
    "invoice_cc_email_address": "invoiceCCEmailAddress",
    "resolution_goal_utc": "resolutionGoalUTC",
    "respond_by_goal_utc": "respondByGoalUTC",
}


def wire_name(attribute: str) -> str:
    """The service's spelling of one of our attributes."""
    head, *rest = attribute.split("_")
    return _SPELLING.get(attribute) or head + "".join(word.capitalize() for word in rest)


@functools.cache
def attributes(kind: type[Struct]) -> dict[str, str]:
    """Which attribute of `kind` holds which name of the wire."""
    return {field.encode_name: field.name for field in fields(kind)}


class Stamp(Struct, omit_defaults=True, kw_only=True, rename=wire_name, gc=False, frozen=True):
    """When a record last changed and by whom; an unchanged one was entered then."""

    last_updated: str
    updated_by: str
    date_entered: str | None = None
    entered_by: str | None = None


class Reference(Struct, omit_defaults=True, rename=wire_name, gc=False, frozen=True):
    """Another record, as a record names it."""

    id: int
    name: str | None = None
    identifier: str | None = None
    type: str | None = None
    summary: str | None = None
    currency_code: str | None = None
    info: dict[str, str] | None = None


class CustomField(Struct, omit_defaults=True, kw_only=True, rename=wire_name, gc=False, frozen=True):
    """One entry of a bag of custom fields."""

    id: int
    caption: str
    value: Any = None
    type: str = ""
    entry_method: str = ""
    number_of_decimals: int | None = None


class Record(Struct, omit_defaults=True, kw_only=True, rename=wire_name, gc=False):
    """Whatever a collection holds. A field that is None is not sent, as the service does it."""

    id: int
    info: Stamp
