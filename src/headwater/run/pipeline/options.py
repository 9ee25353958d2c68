"""What is asked of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from headwater.batch import Feed

Depth = Literal["raw", "bronze", "silver", "gold"]
"""How far a run goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that is missing, unless it is narrowed."""

    connection: str | None = None
    """Only this connection."""
    resource: str | None = None
    """Only this resource."""
    layer: Depth | None = None
    """Stop after this layer."""
    since: datetime | None = None
    """Only changes from then on."""
    until: datetime | None = None
    """Only changes before then."""
    chunk: str | None = None
    """Windows no longer than this."""
    force: bool = False
    """Read committed windows again."""
    fresh: bool = False
    """Drop what is half done, and read its windows anew."""
    allow_drop: bool = False
    """Delete even if a sweep finds more gone than its guard allows."""
    sources: bool = True
    """Whether services are asked at all; without, only what is in raw goes on."""

    def picks(self, feed: Feed) -> bool:
        """Whether a feed is among what was asked."""
        return self.connection in (None, feed.connection) and self.resource in (None, feed.resource)
