"""What became of the company between two syncs, as history tells it."""

from __future__ import annotations

from datetime import datetime

from headwater.run import app
from headwater.run.opened import Opened

_NEWS = """
WITH
  gone AS (
    SELECT max(valid_to) AS ended FROM silver.contact GROUP BY entity_key HAVING NOT bool_or(is_current)
  ),
  renamed AS (
    SELECT later.name FROM silver.company AS later JOIN silver.company AS earlier
      ON earlier.entity_key = later.entity_key AND earlier.version_number = later.version_number - 1
    WHERE later.valid_from >= {since} AND later.name <> earlier.name
  )
SELECT
  (SELECT count(*) FROM renamed),
  (SELECT count(*) FROM gone WHERE ended >= {since}),
  (SELECT count(DISTINCT entity_key) FROM silver.agreement WHERE valid_from >= {since} AND version_number > 1),
  (SELECT count(DISTINCT entity_key) FROM silver.invoice WHERE valid_from >= {since} AND version_number = 1),
  (SELECT count(DISTINCT entity_key) FROM silver.ticket WHERE valid_from >= {since}),
  (SELECT count(DISTINCT entity_key) FROM silver.time_entry WHERE valid_from >= {since} AND version_number = 1)
"""
_WORDS = (
    ("company renamed", "companies renamed"),
    ("contact gone", "contacts gone"),
    ("agreement changed", "agreements changed"),
    ("new invoice", "new invoices"),
    ("ticket moved", "tickets moved"),
    ("time entry", "time entries"),
)


def news(opened: Opened, tenant: str, since: datetime) -> str:
    """The news since an instant, the rare first: `1 company renamed, 3 agreements changed, 58 tickets moved`."""
    instant = f"TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}'"
    counts = app.query(opened, tenant, _NEWS.format(since=instant)).rows[0]
    told = [
        f"{count:,} {one if count == 1 else many}" for count, (one, many) in zip(counts, _WORDS, strict=True) if count
    ]
    return ", ".join(told) or "nothing new"
