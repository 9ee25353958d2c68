"""All kinds of paging."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headwater.wire.paging.forward_only import ForwardOnly
from headwater.wire.paging.keyset import Keyset
from headwater.wire.paging.link_header import LinkHeader, Unpaged
from headwater.wire.paging.next_url import NextUrl
from headwater.wire.paging.offset import Offset
from headwater.wire.paging.page_number import PageNumber
from headwater.wire.paging.token import Token

Paging = Annotated[
    PageNumber | Offset | LinkHeader | NextUrl | Token | ForwardOnly | Keyset | Unpaged, Field(discriminator="kind")
]
"""All kinds of paging."""
