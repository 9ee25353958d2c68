"""What became of the company between two syncs, as history tells it."""

from __future__ import annotations

from datetime import datetime

from headwater.cli.demo.queries import question
from headwater.run import app
from headwater.run.workspace import Workspace

_WORDS = (
    ("company renamed", "companies renamed"),
    ("contact gone", "contacts gone"),
    ("agreement changed", "agreements changed"),
    ("new invoice", "new invoices"),
    ("ticket moved", "tickets moved"),
    ("time entry", "time entries"),
)


def news(opened: Workspace, tenant: str, since: datetime) -> str:
    """The news since an instant, the rare first: `1 company renamed, 3 agreements changed, 58 tickets moved`."""
    instant = f"TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}'"
    counts = app.run_query(opened.open_tenant(tenant), question("news", since=instant)).rows[0]
    told = [
        f"{count:,} {one if count == 1 else many}" for count, (one, many) in zip(counts, _WORDS, strict=True) if count
    ]
    return ", ".join(told) or "nothing new"
