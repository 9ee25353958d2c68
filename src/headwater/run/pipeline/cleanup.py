"""The lake at the beginning of a run: it can be written, and what a run that did not end well left is cleared away."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.batch import Feed
from headwater.extract.page_files import remove_finished
from headwater.lake.base import Lake
from headwater.ledger.base import RunOutcome
from headwater.run.workspace import TenantWorkspace


def check_writable(lake: Lake) -> None:
    """Nothing where files can be written; LakeError, once and before anybody is asked, where they cannot."""
    probe = f"{lake.tenant}/probe"
    lake.write(probe, b"")
    lake.remove(probe)


def clear_leftovers(workspace: TenantWorkspace, feeds: Iterable[Feed], *, killed: bool = False) -> None:
    """Remove half-written files, and parts of batches that were read to their end.

    Only for whoever holds the tenant's lease and has begun a run. One that ended well left nothing behind, so after it
    the lake is not searched. `killed`: a process of this very run was.
    """
    _, *before = workspace.ledger.list_runs(workspace.tenant, limit=2)
    if not killed and (not before or before[0].outcome is RunOutcome.SUCCEEDED):
        return
    lake = workspace.open_lake()
    lake.remove_leftovers()
    for feed in feeds:
        remove_finished(feed, lake, workspace.ledger)
