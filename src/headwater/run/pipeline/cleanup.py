"""Checks and cleans up the lake at the start of a run."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.batch import Feed
from headwater.extract.page_files import remove_finished
from headwater.lake.base import Lake
from headwater.ledger.base import RunOutcome
from headwater.run.workspace import TenantWorkspace


def check_writable(lake: Lake) -> None:
    """Raise LakeError if files cannot be written, before the run sends any request."""
    probe = f"{lake.tenant}/probe"
    lake.write(probe, b"")
    lake.remove(probe)


def clear_leftovers(workspace: TenantWorkspace, feeds: Iterable[Feed], *, killed: bool = False) -> None:
    """Remove incomplete files, and page files of batches that are completely read.

    The caller must hold the tenant's lease and have begun a run. A successful run leaves no such files, so after one the
    lake is not searched. `killed`: whether a process of the current run was killed.
    """
    _, *before = workspace.ledger.list_runs(workspace.tenant, limit=2)
    if not killed and (not before or before[0].outcome is RunOutcome.SUCCEEDED):
        return
    lake = workspace.open_lake()
    lake.remove_leftovers()
    for feed in feeds:
        remove_finished(feed, lake, workspace.ledger)
