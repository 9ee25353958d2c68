"""What a run that did not end well left in the lake, cleared away by the next one."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.batch import Feed
from headwater.extract.parts import tidy
from headwater.run.opened import Opened


def clear_leftovers(opened: Opened, tenant: str, feeds: Iterable[Feed]) -> None:
    """Remove half-written files, and parts of batches that were read to their end.

    Only for whoever holds the tenant's lease and has begun a run. One that ended well left nothing behind, so after it
    the lake is not searched.
    """
    _, *before = opened.ledger.runs(tenant, limit=2)
    if not before or before[0].outcome == "done":
        return
    lake = opened.lake(tenant)
    lake.sweep_leftovers()
    for feed in feeds:
        tidy(feed, lake, opened.ledger)
