"""Publishing: tables written as Parquet, CSV or Delta to a folder or a bucket, for readers outside the warehouse.

Decides what has changed since the last time, and how a reader sees a whole state or the one before. Knows neither
the ledger nor runs. Tests: tests/publish.
"""

from __future__ import annotations
