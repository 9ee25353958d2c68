"""Counts what changed in the simulated company between two syncs, from the history tables."""

from __future__ import annotations

from datetime import datetime

from headwater.cli.demo.queries import read_query
from headwater.run import app
from headwater.run.workspace import Workspace

_WORDS = (
    ("company renamed", "companies renamed"),
    ("contact deleted", "contacts deleted"),
    ("agreement changed", "agreements changed"),
    ("new invoice", "new invoices"),
    ("ticket changed", "tickets changed"),
    ("time entry", "time entries"),
)


def describe_changes(workspace: Workspace, tenant: str, since: datetime) -> str:
    """Describe the changes since an instant, rare ones first: `1 company renamed, 3 agreements changed`."""
    instant = f"TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}'"
    counts = app.run_query(workspace.open_tenant(tenant), read_query("changes", since=instant)).rows[0]
    parts = [
        f"{count:,} {singular if count == 1 else plural}"
        for count, (singular, plural) in zip(counts, _WORDS, strict=True)
        if count
    ]
    return ", ".join(parts) or "no changes"
